"""The fault table: each broken database is named with its cure, and the cure cures it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pgrecall.ops.doctor.checks import CHECKS
from pgrecall.ops.doctor.examination import examine
from tests.doctor.databases import sandbox
from tests.doctor.fault import Fault, attempt
from tests.doctor.faults import FAULTS
from tests.doctor.rendering import outcome, page

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_and_its_cure_cures(
    fault: Fault, healthy: str, abilities: frozenset[str]
) -> None:
    missing = set(fault.needs) - abilities
    if missing:
        pytest.skip(f"this server has no {', '.join(sorted(missing))}")
    with sandbox(fault, healthy) as database:
        assert outcome(attempt(fault, database)) == ""


def test_a_healthy_database_has_no_finding(healthy: str) -> None:
    with sandbox(None, healthy) as database:
        found = examine(database.surroundings)
    assert [each for each in found.examinations if each.findings or each.unseen] == []
    assert {each.check for each in found.examinations} == {check.name for check in CHECKS}


def test_the_faults_are_distinct() -> None:
    assert [name for name, count in Counter(f.name for f in FAULTS).items() if count > 1] == []


def test_the_page_has_every_check_and_every_fault() -> None:
    written = PAGE.read_text("utf-8")
    assert written == page(written), "python -m tests.doctor --write"
