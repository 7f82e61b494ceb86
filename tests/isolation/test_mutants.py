"""Every deliberately broken database is caught by at least one of the suites."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.isolation.agreement import disagreements
from tests.isolation.cells import surprises
from tests.isolation.hijack import hijacks
from tests.isolation.leaks import leaks
from tests.isolation.matrix import MATRIX
from tests.isolation.mutants import MUTANTS, Mutant
from tests.isolation.stage import Stage
from tests.isolation.walls import breaches


def hijacked(stage: Stage) -> Iterator[str]:
    for name in ("owner", "alpha"):
        yield from hijacks(stage, name)


# What shows most mutants comes first.
ORDER = (
    "select",
    "select if granted",
    "insert if granted",
    "update if granted",
    "execute",
    "execute (dry run by id)",
)
ROWS = sorted(MATRIX, key=lambda row: row.operation not in ORDER)
# test_matrix.py tries every cell of what is not broken.
SUITES: dict[str, Callable[[Stage], Iterator[str]]] = {
    "walls": lambda stage: iter(breaches(stage)),
    "agreement": disagreements,
    "hijack": hijacked,
    "leaks": leaks,
}


@pytest.mark.parametrize("suite", SUITES)
def test_the_suites_find_nothing_in_what_is_not_broken(stage: Stage, suite: str) -> None:
    assert list(SUITES[suite](stage)) == []


def first_notice(stage: Stage, mutant: Mutant, suite: str) -> str | None:
    """The first thing that a suite notices; of the matrix, in what the mutant names at first."""
    if suite == "matrix":
        rows = sorted(ROWS, key=lambda row: row.target not in mutant.sql)
        return next(surprises(stage, rows), None)
    return next(SUITES[suite](stage), None)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(stage: Stage, mutant: Mutant) -> None:
    """By every suite that is said to, each with the first thing that it notices."""
    if mutant.needs_vector and not stage.has_vector:
        pytest.skip("this server has no pgvector")
    with stage.connection.transaction(force_rollback=True):
        stage.connection.execute(mutant.sql.encode())
        found = {suite: first_notice(stage, mutant, suite) for suite in mutant.caught_by}
    for suite, first in found.items():
        print(f"{mutant.name}: caught by {suite}: {first}")  # noqa: T201
    assert found
    assert None not in found.values()
