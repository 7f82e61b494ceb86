"""Doing what safe cures say."""

from __future__ import annotations

from pgrecall._sync.migrate import migrate
from pgrecall._sync.session import BUILT_IN, connected
from pgrecall.domain.diagnosis import Cure, Diagnosis
from pgrecall.errors import InvalidInputError

# Of the commands that are safe, whether they repair.
_REPAIRS = {"pgrecall migrate": False, "pgrecall migrate --repair": True}


def safe_cures(diagnosis: Diagnosis) -> tuple[Cure, ...]:
    """The safe ones of the first check that has any, each once.

    What later checks say may follow from what those cure, so one looks again after them.
    """
    found = (
        tuple(dict.fromkeys(finding.cure for finding in each.findings if finding.cure.is_safe))
        for each in diagnosis.examinations
    )
    return next((cures for cures in found if cures), ())


def apply(dsn: str, cure: Cure) -> None:
    """Do what a safe cure says; raises pgrecall's errors if the database refuses.

    Raises InvalidInputError for a cure that is not for the doctor to do.
    """
    if not cure.is_safe:
        raise InvalidInputError(f"{cure.text!r} is not for the doctor to do")
    if cure.kind == "sql":
        with connected(dsn, "doctor", settings=BUILT_IN) as session:
            # One by one: VACUUM and what is CONCURRENTLY stand in no transaction.
            for each in cure.text.splitlines():
                session.execute(each)
    else:
        migrate(dsn, repair=_REPAIRS[cure.text])
