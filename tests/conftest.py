"""Fixtures of all tests: those that pgrecall ships; and how property tests draw.

Each run draws the same, so that a change alone makes them fail. PGRECALL_HYPOTHESIS=nightly (make
test-nightly) draws others each time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("nightly", database=None, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("PGRECALL_HYPOTHESIS", "same"))

pytest.register_assert_rewrite("pgrecall.testing.conformance")

pytest_plugins = ["pgrecall.testing.fixtures"]
