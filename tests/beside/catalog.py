"""What pgrecall made of a database, by the catalog: each object by its id, so that one that was
dropped and made again shows too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from pgrecall._sync.migrate import migrate

_OBJECTS = Path(__file__).with_name("catalog.sql").read_bytes()
# The kind of an object and its id; its name and its catalog row.
Objects = Mapping[tuple[str, str], tuple[str, Any]]


def read_objects(dsn: str) -> Objects:
    """All objects of a database but the system's own."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(_OBJECTS).fetchall()
    return {(kind, identity): (name, definition) for kind, identity, name, definition in rows}


def install(dsn: str) -> Objects:
    """Bring pgrecall into an application's database; what it made there."""
    before = read_objects(dsn)
    migrate(dsn)
    return {key: found for key, found in read_objects(dsn).items() if key not in before}


def touched(dsn: str, made: Objects) -> list[str]:
    """The objects that are gone or differ, by kind and name."""
    now = read_objects(dsn)
    return sorted(f"{key[0]} {made[key][0]}" for key in made if now.get(key) != made[key])


def public_tables(made: Objects) -> set[str]:
    """The names of pgrecall's tables in schema public."""
    (public,) = {
        definition["relnamespace"] for name, definition in relations(made) if name == "ai_memories"
    }
    return {
        name
        for name, definition in relations(made)
        if definition["relnamespace"] == public and definition["relkind"] == "r"
    }


def relations(made: Objects) -> list[tuple[str, Any]]:
    return [found for (kind, _), found in made.items() if kind == "relation"]
