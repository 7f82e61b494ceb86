"""Random operations of random members against the model: 2,000, or 20,000 at night.

PGRECALL_HYPOTHESIS=nightly asks for the many, and for others each time.
"""

from __future__ import annotations

import os

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg.rows import dict_row

from tests.isolation.machine import Isolation

IS_NIGHTLY = os.environ.get("PGRECALL_HYPOTHESIS") == "nightly"
OPERATIONS = 20_000 if IS_NIGHTLY else 2_000
# A step makes one operation or more; a few examples are short.
EXAMPLES = settings(
    max_examples=OPERATIONS // 50,
    stateful_step_count=50,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.hypothesis
def test_random_operations_agree_with_the_model(pgrecall_dsn: str) -> None:
    with psycopg.connect(pgrecall_dsn, autocommit=True, row_factory=dict_row) as connection:
        Isolation.connection, Isolation.operations = connection, 0
        run_state_machine_as_test(Isolation, settings=EXAMPLES)
    print(f"{Isolation.operations} operations")  # noqa: T201
    assert Isolation.operations >= OPERATIONS
