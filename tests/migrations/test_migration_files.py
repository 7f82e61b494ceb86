import hashlib
from dataclasses import FrozenInstanceError

import pytest

from pgrecall.sql.migration_files import NAME, parse_migration, read_migrations, sql

GUIDE = [
    "20230901_memory_context_management.sql",
    "20250706_agent_memory_config.sql",
    "20250707_agent_memory_stats.sql",
]


def test_the_guides_files_come_first_and_all_are_in_order():
    names = [file.name for file in read_migrations()]
    assert names[:3] == GUIDE
    assert names == sorted(names)


def test_every_file_has_a_number_of_its_own(pytestconfig):
    folder = pytestconfig.rootpath / "src" / "pgrecall" / "sql" / "migrations"
    matches = [NAME.fullmatch(path.name) for path in folder.iterdir()]
    assert all(matches), "supabase db push takes no other names"
    numbers = [match[1] for match in matches if match]
    assert len(numbers) == len(set(numbers)), "supabase db push skips the second file of a number"


def test_files_leave_transactions_to_who_runs_them():
    for file in read_migrations():
        for line in file.text.lower().splitlines():
            assert line.strip() not in ("begin;", "commit;", "rollback;"), file.name
            assert not line.startswith("\\"), f"{file.name} has a command for psql alone"


def test_the_checksum_does_not_see_line_endings():
    unix, windows = (parse_migration("1_a.sql", text) for text in ("a\nb\n", "a\r\nb\r\n"))
    assert unix == windows
    assert unix.checksum == hashlib.sha256(b"a\nb\n").hexdigest()


@pytest.mark.parametrize(
    ("text", "extensions"),
    [
        ("-- About it.\n-- rerun-when: vector\n\nselect 1;", ("vector",)),
        ("-- rerun-when: vector, btree_gin\n", ("vector", "btree_gin")),
        ("-- rerun-when: vector\n--rerun-when: uuid-ossp\n", ("vector", "uuid-ossp")),
        ("select 1;\n-- rerun-when: vector\n", ()),
        ("-- rerun-when:\n", ()),
        ("", ()),
    ],
)
def test_the_head_names_the_extensions_that_matter(text, extensions):
    assert parse_migration("1_a.sql", text).rerun_when == extensions


def test_a_file_knows_the_tables_that_it_creates():
    tables = {table for file in read_migrations() for table in file.tables}
    assert {"agent_memory.organizations", "public.ai_memories", "agent_memory.embeddings"} <= tables


def test_all_sql_can_be_printed_without_a_database():
    text = sql()
    positions = [text.index(f"-- {file.name}\n\n{file.text}") for file in read_migrations()]
    assert positions == sorted(positions)


def test_files_are_frozen():
    with pytest.raises(FrozenInstanceError):
        read_migrations()[0].text = ""  # type: ignore[misc]
