"""docs/doctor.md: written by hand up to its first generated part, generated from the checks and the
declared faults from there on."""

from __future__ import annotations

from collections.abc import Iterable

from pgrecall.ops.doctor.checks import CHECKS
from tests.doctor.fault import Fault, Tried
from tests.doctor.faults import FAULTS

HEAD = "## Checks\n"


def page(written: str) -> str:
    """The page with its generated parts as they should be."""
    by_hand = written.partition(HEAD)[0]
    return f"{by_hand}{HEAD}\n{_sections()}\n## Fault table\n\n{_introduction()}\n\n{_table()}\n"


def _sections() -> str:
    return "\n".join(f"### {each.name}\n\n{each.title}. {each.about}\n" for each in CHECKS)


def _introduction() -> str:
    return (
        f"{len(FAULTS)} databases that are broken on purpose, each a clone of a healthy one. The "
        "doctor must name each with the cure that stands here, the cure is applied as it was "
        "printed, and the doctor must find nothing more: `python -m tests.doctor` does so and "
        "prints this table. `{…}` differs from run to run. A healthy database gives no finding."
    )


def _table() -> str:
    rows = ["| what is broken | check | severity | cure |", "| --- | --- | --- | --- |"]
    rows += [f"| {_row(fault)} |" for fault in FAULTS]
    return "\n".join(rows)


def _row(fault: Fault) -> str:
    cure = "<br>".join(f"`{_cell(line)}`" for line in fault.cure.splitlines())
    needs = f" (needs {', '.join(fault.needs)})" if fault.needs else ""
    return " | ".join((f"{fault.name}{needs}", f"`{fault.check}`", fault.severity, cure))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def outcome(tried: Tried) -> str:
    """What went wrong with a fault; empty if nothing did."""
    told = [(finding.severity, finding.cure.text) for finding in tried.named]
    wanted = tried.fault.pattern
    if not any(
        severity == tried.fault.severity and wanted.fullmatch(text) for severity, text in told
    ):
        return f"not named as declared; the check said {told}"
    left = [f"{check}: {finding.subject}: {finding.evidence}" for check, finding in tried.left]
    return f"still found: {'; '.join(left)}" if left else ""


def as_text(lines: Iterable[tuple[str, str, str, str]]) -> str:
    """Columns of text."""
    rows = list(lines)
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
