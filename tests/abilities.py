"""What a server can that a test asks for."""

from __future__ import annotations

import psycopg


def stores_vectors(dsn: str) -> bool:
    """Whether vectors can be stored and compared in a database of pgrecall."""
    with psycopg.connect(dsn) as connection:
        return connection.execute("select agent_memory.has_vector()").fetchone() == (True,)
