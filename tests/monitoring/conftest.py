"""A database in which something was done, and what is exposed of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pgrecall import Memory, embedded
from pgrecall._sync.migrate import migrate
from pgrecall.ops.monitoring.exposition import registry
from pgrecall.testing import HashingEmbedder

BACKUPS = """
insert into agent_memory.backups
  (organization_id, backup_id, action, place, state, snapshot_at, finished_at)
select '00000000-0000-0000-0000-000000000000', agent_memory.uuid_v7(), action, 'x', 'done',
       now() - interval '2 hours', now() - interval '1 hour'
from unnest(array['backup', 'verification']) as action
"""


@dataclass(frozen=True)
class Exposition:
    """Samples by name: labels and value."""

    samples: dict[str, list[tuple[dict[str, str], float]]]

    @classmethod
    def of(cls, dsn: str | None, **options: bool) -> Exposition:
        samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        text = generate_latest(registry(dsn, **options)).decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append((sample.labels, sample.value))
        return cls(samples)

    def value(self, name: str, **labels: str) -> float:
        [found] = [value for given, value in self.samples[name] if labels.items() <= given.items()]
        return found


@pytest.fixture(scope="session")
def watched_server() -> Iterator[str]:
    """A server of its own that keeps statistics of statements."""
    with TemporaryDirectory(prefix="pgrecall-") as folder:
        home = Path(folder) / "home"
        with (
            embedded.join(home) as lease,
            psycopg.connect(lease.dsn, autocommit=True) as connection,
        ):
            connection.execute("alter system set shared_preload_libraries = pg_stat_statements")
        embedded.stop(home)
        with embedded.join(home) as lease:
            migrate(lease.dsn)
            with psycopg.connect(lease.dsn, autocommit=True) as connection:
                connection.execute("create extension if not exists pg_stat_statements")
                connection.execute(BACKUPS)
            with Memory(lease.dsn, embedder=HashingEmbedder()) as memory:
                memory.remember(["Tea is green.", "Milk is white."], user_id="maria")
                memory.recall("tea", user_id="maria")
                memory.recall("zebra", kinds=["event"])
            yield lease.dsn
