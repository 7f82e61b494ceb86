"""Where in a database some words stand: every column of every table, as text."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from tests.database.conftest import World

_TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
  and n.nspname !~ '^pg_toast'
order by 1, 2
"""


def places_of(world: World, words: Iterable[str]) -> list[str]:
    """The tables that hold one of the words, in any column and any case, with the word."""
    found = []
    for table in world.connection.execute(_TABLES).fetchall():
        name = sql.Identifier(table["nspname"], table["relname"])
        look = sql.SQL("select exists (select from {} as t where strpos(lower(t::text), %s) > 0)")
        for word in words:
            [row] = world.connection.execute(look.format(name), (word.lower(),)).fetchall()
            if row["exists"]:
                found.append(f"{table['nspname']}.{table['relname']}: {word}")
    return found
