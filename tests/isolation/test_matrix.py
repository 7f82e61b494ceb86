"""Every cell of the matrix is as declared, and nothing in the database is without a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.isolation.cells import surprises
from tests.isolation.expectations import Row
from tests.isolation.matrix import MATRIX, OF_VECTOR
from tests.isolation.rendering import document
from tests.isolation.stage import Stage

DOCUMENT = Path(__file__).parents[2] / "docs" / "isolation.md"
TARGETS = """
select case n.nspname when 'public' then '' else n.nspname || '.' end || o.name as it
from (select relname as name, relnamespace as home, oid from pg_class
      where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      union all select proname, pronamespace, oid from pg_proc) as o
join pg_namespace as n on n.oid = o.home
where n.nspname in ('public', 'agent_memory')
  and not exists (select from pg_depend d where d.objid = o.oid and d.deptype = 'e')
"""


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.name)
def test_the_matrix_holds(stage: Stage, row: Row) -> None:
    if row.needs_vector and not stage.has_vector:
        pytest.skip("this server has no pgvector")
    assert list(surprises(stage, [row])) == []


def test_every_table_and_function_has_its_rows(stage: Stage) -> None:
    there = {row["it"] for row in stage.connection.execute(TARGETS).fetchall()}
    declared = {row.target for row in MATRIX}
    assert there - declared == set()
    assert declared - there <= OF_VECTOR


def test_no_row_stands_twice() -> None:
    assert len({row.name for row in MATRIX}) == len(MATRIX)


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text() == document(DOCUMENT.read_text()), (
        "python -m tests.isolation --write"
    )
