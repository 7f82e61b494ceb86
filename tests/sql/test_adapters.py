"""Values on their way to PostgreSQL."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest

from pgrecall.sql.adapters import RealArray, adapters


@pytest.mark.parametrize("dimension", [0, 1, 384, 4096])
def test_a_vector_arrives_as_it_is(pgrecall_template: str, dimension: int) -> None:
    vector = np.random.default_rng(1).standard_normal(dimension).astype(np.float32)
    with psycopg.connect(pgrecall_template, context=adapters()) as connection:
        [[arrived, kind]] = connection.execute(
            "select a, pg_typeof(a)::text from (select %s) as sent (a)", (RealArray(vector),)
        ).fetchall()
    assert kind == "real[]"
    assert np.array_equal(np.array(arrived, dtype=np.float32), vector)
