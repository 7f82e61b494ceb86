"""The matrix as tables in Markdown, rows of the same cells made one."""

from __future__ import annotations

from itertools import groupby

from tests.isolation.expectations import Row
from tests.isolation.matrix import MATRIX
from tests.isolation.principals import INSIDE, MEANING, OUTSIDE

Cells = tuple[tuple[str, str], ...]
BEGIN, END = "<!-- python -m tests.isolation --write -->", "<!-- end -->"


Line = tuple[str, str, dict[str, str]]


def merged() -> list[Line]:
    """Targets, operations, cells: of one target, operations alike together; then targets alike."""
    found: dict[tuple[str, Cells], list[str]] = {}
    for (target, cells), alike in groupby(MATRIX, lambda row: (row.target, cells_of(row))):
        operations = ", ".join(row.operation for row in alike)
        found.setdefault((operations, cells), []).append(target)
    return [(listed(targets), o, dict(cells)) for (o, cells), targets in found.items()]


def cells_of(row: Row) -> Cells:
    return tuple(row.expected.items())


def listed(targets: list[str]) -> str:
    if len(targets) < 5 or not targets[0].startswith("agent_memory."):
        return ", ".join(f"`{target}`" for target in targets)
    names = ", ".join(target.removeprefix("agent_memory.") for target in targets)
    return f"`agent_memory.*`, these {len(targets)}: {names}"


def table(columns: tuple[str, ...]) -> str:
    lines = [["target", "operation", *columns], ["---"] * (len(columns) + 2)]
    lines += [[t, o, *(cells[name] for name in columns)] for t, o, cells in merged()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cells() -> int:
    return len(MATRIX) * len(MEANING)


def section() -> str:
    """The part of docs/isolation.md that is generated."""
    who = "\n".join(f"- `{name}`: {meaning}" for name, meaning in MEANING.items())
    count = f"{len(MATRIX)} operations by {len(MEANING)} callers: {cells():,} cells, each tried."
    parts = [count, who, "### Inside the organization", table(INSIDE)]
    return "\n\n".join([*parts, "### Outside of it", table(OUTSIDE)])


def document(text: str) -> str:
    """The text with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{section()}\n\n{END}{after}"
