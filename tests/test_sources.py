"""What every file of Python keeps to, beyond what ruff looks for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pgrecall

SOURCE = Path(pgrecall.__file__).parent
FILES = [path for path in sorted(SOURCE.rglob("*.py")) if "_sync" not in path.parts]
TREES = {str(path.relative_to(SOURCE)): ast.parse(path.read_text("utf-8")) for path in FILES}
# The pool has the same options; the probe asks whether a server answers at all, below all else.
CONNECTING = {"_async/session.py", "_async/pool.py", "embedded/probe.py"}
MOST_BY_POSITION = 5


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def values() -> set[str]:
    """The names of all classes whose constructors take their fields."""
    return {
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        if any("dataclass" in ast.unparse(each) for each in node.decorator_list)
        or any(ast.unparse(base) == "NamedTuple" for base in node.bases)
    }


def test_connections_are_opened_in_one_way() -> None:
    opening = {
        name
        for name, tree in TREES.items()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "connect"
    }
    assert opening <= CONNECTING


def test_values_of_many_fields_are_built_by_name() -> None:
    known = values()
    assert [
        f"{name}:{call.lineno} {ast.unparse(call.func)}"
        for name, tree in TREES.items()
        for call in calls(tree)
        if ast.unparse(call.func).rpartition(".")[2] in known and len(call.args) > MOST_BY_POSITION
    ] == []
