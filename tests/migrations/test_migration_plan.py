from datetime import UTC, datetime, timedelta

import pytest

from pgrecall.domain.migration import AppliedMigration
from pgrecall.errors import EditedMigrationError, InvalidInputError, MigrationError
from pgrecall.sql.migration_files import parse_migration
from pgrecall.sql.migration_plan import compare, find_pending, watched_extensions

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BASE = parse_migration("1_base.sql", "select 1;")
VECTORS = parse_migration("2_vectors.sql", "-- rerun-when: vector\nselect 2;")
LATER = parse_migration("3_later.sql", "select 3;")
FILES = (BASE, VECTORS, LATER)


def row(file, minute, *features, checksum=None):
    at = NOON + timedelta(minutes=minute)
    return AppliedMigration(file.name, checksum or file.checksum, at, "postgres", features)


def ledger(*features):
    return [row(file, minute, *features) for minute, file in enumerate(FILES)]


def names(pending):
    return [migration.name for migration in pending]


def test_everything_is_pending_in_an_empty_database():
    assert names(find_pending(FILES, [], [])) == ["1_base.sql", "2_vectors.sql", "3_later.sql"]


def test_nothing_is_pending_when_all_is_applied():
    assert find_pending(FILES, ledger("vector 0.8.1"), ["vector 0.8.1"]) == ()


def test_a_new_last_file_is_pending_alone():
    assert names(find_pending(FILES, ledger()[:2], [])) == ["3_later.sql"]


def test_a_file_that_was_left_out_makes_those_after_it_pending_too():
    applied = [ledger()[0], ledger()[2]]
    assert names(find_pending(FILES, applied, [])) == ["2_vectors.sql", "3_later.sql"]


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        ([], ["vector available"], "extension vector was missing, now it is available"),
        ([], ["vector 0.8.1"], "extension vector was missing, now it is 0.8.1"),
        (["vector available"], ["vector 0.8.1"], "extension vector was available, now it is 0.8.1"),
        (["vector 0.6.0"], ["vector 0.8.1"], "extension vector was 0.6.0, now it is 0.8.1"),
        (["vector 0.8.1"], [], "extension vector was 0.8.1, now it is missing"),
    ],
)
def test_a_change_of_the_extension_brings_its_file_and_those_after_it_back(then, now, reason):
    pending = find_pending(FILES, ledger(*then), now)
    assert names(pending) == ["2_vectors.sql", "3_later.sql"]
    assert [migration.reason for migration in pending] == [reason, "it follows 2_vectors.sql"]


def test_another_extension_does_not_matter():
    assert find_pending(FILES, ledger(), ["vectorscale 0.7"]) == ()


def test_a_run_that_was_interrupted_goes_on_with_the_files_after():
    again = row(VECTORS, 10, "vector 0.8.1")
    pending = find_pending(FILES, [ledger()[0], again, ledger()[2]], ["vector 0.8.1"])
    assert names(pending) == ["3_later.sql"]


def test_an_edited_file_is_refused_by_name():
    applied = [ledger()[0], row(VECTORS, 1, checksum="0" * 64), ledger()[2]]
    with pytest.raises(EditedMigrationError, match=r"2_vectors\.sql") as caught:
        find_pending(FILES, applied, [])
    assert "--accept 2_vectors.sql" in str(caught.value.hint)
    states = [state.state for state in compare(FILES, applied, [])]
    assert states == ["applied", "edited", "applied"]


def test_an_accepted_edit_is_pending_with_what_follows():
    applied = [ledger()[0], row(VECTORS, 1, checksum="0" * 64), ledger()[2]]
    pending = find_pending(FILES, applied, [], accept=["2_vectors.sql"])
    assert names(pending) == ["2_vectors.sql", "3_later.sql"]


def test_accepting_what_is_not_edited_changes_nothing():
    assert find_pending(FILES, ledger(), [], accept=["1_base.sql"]) == ()


def test_accepting_an_unknown_file_is_a_mistake():
    with pytest.raises(InvalidInputError, match=r"4_none\.sql"):
        find_pending(FILES, ledger(), [], accept=["4_none.sql"])


def test_a_newer_pgrecalls_ledger_is_refused():
    with pytest.raises(MigrationError, match=r"newer pgrecall.*3_later\.sql") as caught:
        find_pending(FILES[:2], ledger(), [])
    assert not isinstance(caught.value, EditedMigrationError)
    assert compare(FILES[:2], ledger(), [])[-1].state == "unknown"


def test_the_extensions_to_ask_the_server_about():
    assert watched_extensions(FILES) == ["vector"]
