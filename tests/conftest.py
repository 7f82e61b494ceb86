"""Fixtures of all tests: those that pgrecall ships."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("pgrecall.testing.conformance")

pytest_plugins = ["pgrecall.testing.fixtures"]
