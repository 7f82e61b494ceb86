import hashlib
from dataclasses import FrozenInstanceError

import pytest

from pgrecall.sql.migration_files import NAME, parse_migration, preflight, read_release, sql
from tests.migrations.releases import assembler

RELEASE = read_release()
GUIDE = [
    "20230901_memory_context_management.sql",
    "20250706_agent_memory_config.sql",
    "20250707_agent_memory_stats.sql",
]


def recorded(text, function="record_migration", end="\n"):
    """A file of this text."""
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return f"{text}select agent_memory.{function}('1_a.sql', '1.2', '{checksum}');{end}"


def test_the_install_is_the_guides_three_files_in_order():
    assert [file.name for file in RELEASE.install] == GUIDE
    assert {file.release for file in RELEASE.install} == {RELEASE.version}


def test_every_file_has_a_number_of_its_own():
    matches = [NAME.fullmatch(file.name) for file in RELEASE.files]
    numbers = [match[1] for match in matches if match]
    assert len(numbers) == len(matches), "supabase db push takes no other names"
    assert len(numbers) == len(set(numbers)), "supabase db push skips the second file of a number"


def test_files_leave_transactions_to_who_runs_them():
    for file in RELEASE.files:
        for line in file.text.lower().splitlines():
            assert line.strip() not in ("begin;", "commit;", "rollback;"), file.name
            assert not line.startswith("\\"), f"{file.name} has a command for psql alone"


def test_every_file_sets_what_it_needs_and_takes_it_back():
    for file in RELEASE.files:
        assert "set_config('lock_timeout'" in file.text
        assert file.text.endswith(assembler().EPILOGUE)


def test_what_is_assembled_is_what_the_sources_say(pytestconfig):
    for path, text in assembler().assemble().items():
        assert path.read_text("utf-8") == text, "run scripts/assemble_schema.py"


def test_a_file_knows_its_name_release_and_checksum():
    for function in ("record_migration", "record_upgrade"):
        file = parse_migration(recorded("select 1;\n", function, "\nreset lock_timeout;\n"))
        assert (file.name, file.release) == ("1_a.sql", "1.2")
        assert file.checksum == hashlib.sha256(b"select 1;\n").hexdigest()


def test_the_checksum_does_not_see_line_endings():
    text = recorded("a\nb\n")
    assert parse_migration(text) == parse_migration(text.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("select 1;\n", "does not record that it was applied"),
        (f"-- edited\n{recorded('select 1;')}", "does not record"),
        (f"-- edited\n{recorded('')}", "1_a.sql was edited after it had been assembled"),
    ],
)
def test_a_file_that_was_not_assembled_is_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_migration(text)


def test_a_release_knows_its_tables_and_its_names_in_schema_public():
    tables, names = set(RELEASE.tables), set(RELEASE.public_names)
    assert {"agent_memory.organizations", "public.ai_memories", "agent_memory.embeddings"} <= tables
    assert {"public.ai_memories", "public.recall_memories"} <= names


def test_the_preflight_is_one_statement_that_changes_nothing():
    text = preflight(RELEASE)
    assert text.startswith("do $preflight$\n")
    assert text.endswith("$preflight$;\n")
    assert "create " not in "\n".join(
        line for line in text.splitlines() if "'" not in line and "--" not in line
    )


def test_all_sql_can_be_printed_without_a_database():
    text = sql()
    positions = [text.index(f"-- {file.name}\n\n{file.text}") for file in RELEASE.install]
    assert positions == sorted(positions)


def test_files_are_frozen():
    with pytest.raises(FrozenInstanceError):
        RELEASE.install[0].text = ""  # type: ignore[misc]


def test_an_upgrade_names_its_release_in_its_first_line(tmp_path):
    path = tmp_path / "29990101_x.sql"
    path.write_text("select 1;\n")
    with pytest.raises(SystemExit, match=r"29990101_x\.sql must begin with: -- release"):
        assembler()._upgrade(path, [])
