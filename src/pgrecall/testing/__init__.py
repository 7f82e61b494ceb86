"""For tests of programs that remember: doubles, a clock, databases and the conformance suite.

`pytest_plugins = ["pgrecall.testing.fixtures"]` in a conftest.py gives the fixtures.
"""

from pgrecall.testing.clock import FakeClock
from pgrecall.testing.databases import add_member, cloned, template_database
from pgrecall.testing.embedder import HashingEmbedder

__all__ = ["FakeClock", "HashingEmbedder", "add_member", "cloned", "template_database"]
