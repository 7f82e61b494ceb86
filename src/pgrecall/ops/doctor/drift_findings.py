"""What differs from what the migrations made, as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pgrecall.domain.diagnosis import Cure, Finding, Severity, Sign, Unseen, advice, command, sql
from pgrecall.domain.drift import Drift, DriftReport
from pgrecall.sql.migration_drift import REPAIR

_LONGEST = 160


def signs(
    report: DriftReport,
    what: str,
    judge: Callable[[Drift], tuple[Severity, Cure] | None],
) -> Iterator[Sign]:
    """A finding for each difference that `judge` is for; `what` can't be seen without a report."""
    if report.unknown:
        yield Unseen(what, report.unknown)
    for drift in report.drift:
        judged = judge(drift) if drift.is_fault else None
        if judged:
            yield Finding(judged[0], f"{drift.kind} {drift.name}", evidence(drift), judged[1])


def evidence(drift: Drift) -> str:
    """How it differs."""
    match drift.change:
        case "missing":
            return "it is missing"
        case "added":
            return f"no migration made it: {_short(drift.now)}".rstrip(": ")
        case _:
            return f"it was {_short(drift.was)}; it is {_short(drift.now)}"


def cure(drift: Drift, *, is_safe: bool = False) -> Cure:
    """The cure that the comparison itself knows."""
    if drift.statements:
        return sql(*drift.statements, is_safe=is_safe)
    return command(REPAIR, is_safe=True) if drift.cure == REPAIR else advice(drift.cure)


def _short(definition: str | None) -> str:
    text = definition or "a plain one"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
