"""The benchmark of imports, small: both ways come to an end."""

from __future__ import annotations

from benchmarks.bulk_import import measure
from benchmarks.population import Population, Sizes


def test_a_small_one(pgrecall_server: str) -> None:
    seconds = measure(pgrecall_server, Population(Sizes(600, 0, 1, 64)))
    assert set(seconds) == {"row by row", "built afterwards"}
    assert min(seconds.values()) > 0
