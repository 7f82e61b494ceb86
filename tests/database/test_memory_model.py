"""Random operations agree with the model: 2,000, or 20,000 at night.

PGRECALL_HYPOTHESIS=nightly (make test-nightly) asks for the many, and for others each time.
"""

from __future__ import annotations

import os

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg.rows import dict_row

from tests.database.memory_machine import Facts

IS_NIGHTLY = os.environ.get("PGRECALL_HYPOTHESIS") == "nightly"
OPERATIONS = 20_000 if IS_NIGHTLY else 2_000
EXAMPLES = settings(
    max_examples=OPERATIONS // 40,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


class Memories(Facts):
    """All rules together."""


@pytest.mark.hypothesis
def test_random_operations_agree_with_the_model(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as connection:
        Memories.connection, Memories.operations = connection, 0
        connection.execute(
            "do $$ begin create role pgrecall_test; exception when duplicate_object then end $$"
        )
        run_state_machine_as_test(Memories, settings=EXAMPLES)
    print(f"{Memories.operations} operations")  # noqa: T201
    assert Memories.operations >= OPERATIONS
