"""What `pgrecall doctor` says: findings with their evidence and cure, and what it could not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity = Literal["notice", "warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("notice", "warning", "error", "critical")
"""From what may wait to what loses or shows data."""

CureKind = Literal["sql", "command", "shell", "advice"]


@dataclass(frozen=True)
class Cure:
    """What to do about a finding.

    `text` of kind `sql` holds one statement a line, each to be run by itself; of `command` a
    command of pgrecall's, of `shell` one for the shell; `advice` is words. A safe cure brings
    back what the migrations made, or tidies up, and takes nothing away that anybody may rely on.
    """

    kind: CureKind
    text: str
    is_safe: bool = False


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: `subject` names it, `evidence` is what was seen."""

    severity: Severity
    subject: str
    evidence: str
    cure: Cure


@dataclass(frozen=True)
class Unseen:
    """What could not be seen, and what would show it."""

    what: str
    needs: str


@dataclass(frozen=True)
class Fact:
    """Something worth knowing that is no fault."""

    text: str


Sign: TypeAlias = Finding | Unseen | Fact


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What one check has found. `seconds` is how long it took."""

    check: str
    title: str
    findings: tuple[Finding, ...]
    unseen: tuple[Unseen, ...]
    facts: tuple[str, ...]
    seconds: float

    @property
    def page(self) -> str:
        """Where the documentation tells more."""
        return f"docs/doctor.md#{self.check}"


@dataclass(frozen=True)
class Diagnosis:
    """What all checks have found about one database, in their order."""

    database: str
    examinations: tuple[Examination, ...]

    @property
    def worst(self) -> Severity | None:
        """The gravest severity of all findings; None without any."""
        found = {finding.severity for each in self.examinations for finding in each.findings}
        return next((severity for severity in reversed(SEVERITIES) if severity in found), None)


def sql(*statements: str, is_safe: bool = False) -> Cure:
    """A cure by statements."""
    return Cure("sql", "\n".join(statements), is_safe)


def command(text: str, *, is_safe: bool = False) -> Cure:
    """A cure by a command of pgrecall's."""
    return Cure("command", text, is_safe)


def shell(text: str) -> Cure:
    """A cure by a command of the shell; never done by the doctor."""
    return Cure("shell", text)


def advice(text: str) -> Cure:
    """A cure by hand."""
    return Cure("advice", text)
