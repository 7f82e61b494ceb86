"""From the schema of every release to that of this tree; see released/README.md."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pgrecall._sync.migrate import migrate, sql, status
from pgrecall.sql.migration_files import parse_migration, read_release
from tests.migrations.catalog import changed, ours

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
FILE = re.compile(r"^-- ([0-9]+_\w+\.sql)\n\n", re.MULTILINE)
REMEMBER = """
set request.jwt.claims = '{"sub": "agent:default"}';
select agent_memory.settle_agent(gen_random_uuid(), 'acme', 'default');
select id::text from public.remember_memories('[{"content": "It was raining in Lisbon."}]');
"""
RECALL = """
set request.jwt.claims = '{"sub": "agent:default"}';
select id::text from public.recall_memories('Lisbon');
"""


def parse_release(text):
    """What `pgrecall migrate --sql` printed as one text."""
    _, *parts = FILE.split(text)
    install = tuple(parse_migration(text.removesuffix("\n")) for text in parts[1::2])
    assert [file.name for file in install] == parts[::2]
    return replace(read_release(), version=install[0].release, install=install, upgrades=())


def upgraded(database, ask, release):
    """A database that a release has made and used, in the schema of this tree; a memory's id."""
    migrate(database, release=release)
    [memory] = ask(database, REMEMBER)
    migrate(database)
    return memory


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_release_is_upgraded(make_database, ask, released):
    old, fresh = make_database(), make_database()
    memory = upgraded(old, ask, parse_release(released.read_text(encoding="utf-8")))
    migrate(fresh)
    assert status(old).is_current
    assert changed(ours(old), ours(fresh)) == {}
    assert ask(old, RECALL) == [memory]
    assert migrate(old).applied == ()


def test_what_this_tree_prints_is_what_it_would_store_as_a_release(database, ask):
    release = parse_release(f"{sql()}\n")
    assert release.install == read_release().install
    memory = upgraded(database, ask, release)
    assert status(database).is_current
    assert ask(database, RECALL) == [memory]


def test_released_files_are_named_after_versions():
    assert [path.name for path in RELEASED if not re.fullmatch(r"\d+\.\d+\.\d+", path.stem)] == []
