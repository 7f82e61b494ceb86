from datetime import UTC, datetime

import pytest

from pgrecall.domain.migration import AppliedMigration, MigrationFile, Release
from pgrecall.errors import EditedMigrationError, InvalidInputError, MigrationError
from pgrecall.sql.migration_plan import NEVER_NEEDED, compare, find_pending, has_lost_extension

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def file(name, release="2.0.0", checksum="a"):
    return MigrationFile(name, f"select '{name}';", checksum * 64, release)


BASE, STATS = file("1_base.sql"), file("2_stats.sql")
EARLIER, LATER = file("7_earlier.sql", "1.5.0"), file("8_later.sql")
RELEASE = Release("2.0.0", (BASE, STATS), (EARLIER, LATER), (), ())
INSTALL = ["1_base.sql", "2_stats.sql"]


def row(file, *features, checksum=None, release=None):
    checksum, release = checksum or file.checksum, release or file.release
    return AppliedMigration(file.name, checksum, release, NOON, "postgres", features)


def ledger(*features):
    return [row(file, *features) for file in RELEASE.files]


def of_1_0(*features):
    """The ledger of a database that an earlier release made."""
    return [row(each, *features, checksum="b" * 64, release="1.0.0") for each in RELEASE.install]


def names(pending):
    return [migration.name for migration in pending]


def test_a_new_database_gets_the_install_and_needs_no_upgrade():
    assert names(find_pending(RELEASE, [], [])) == INSTALL
    states = compare(RELEASE, [], [])
    assert [state.state for state in states] == ["applied", "applied", "pending", "pending"]
    assert states[0].reason == "a new database has what it changes"


def test_nothing_is_pending_when_all_is_applied():
    assert find_pending(RELEASE, ledger("vector 0.8.1"), ["vector 0.8.1"]) == ()


def test_an_earlier_releases_database_gets_the_upgrades_and_then_the_install():
    pending = find_pending(RELEASE, of_1_0(), [])
    assert names(pending) == ["7_earlier.sql", "8_later.sql", *INSTALL]
    assert [each.reason for each in pending][1:3] == [
        "it is new here",
        "it was applied as release 1.0.0 has it",
    ]


def test_only_the_upgrades_that_it_lacks():
    assert names(find_pending(RELEASE, [*of_1_0(), row(EARLIER)], [])) == ["8_later.sql", *INSTALL]


def test_the_install_follows_an_upgrade_even_if_its_text_is_the_same():
    applied = [row(BASE), row(STATS), row(EARLIER)]
    pending = find_pending(RELEASE, applied, [])
    assert names(pending) == ["8_later.sql", *INSTALL]
    assert pending[-1].reason == "it belongs to 8_later.sql"


def test_what_a_new_database_never_needed_is_not_edited():
    applied = [
        row(BASE), row(STATS), *(row(each, checksum=NEVER_NEEDED) for each in RELEASE.upgrades)
    ]  # fmt: skip
    assert find_pending(RELEASE, applied, []) == ()


def test_files_of_the_install_are_pending_together():
    pending = find_pending(RELEASE, [*ledger()[:2], row(BASE), row(STATS, checksum="b" * 64)], [])
    assert names(pending) == INSTALL
    assert pending[0].reason == "it belongs to 2_stats.sql"


def test_a_repair_applies_the_install_again():
    pending = find_pending(RELEASE, ledger(), [], repair=True)
    assert names(pending) == INSTALL
    assert {each.reason for each in pending} == {"it is applied again"}


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        ([], ["vector available"], "extension vector was missing, now it is available"),
        ([], ["vector 0.8.1"], "extension vector was missing, now it is 0.8.1"),
        (["vector available"], ["vector 0.8.1"], "extension vector was available, now it is 0.8.1"),
        (["vector 0.6.0"], ["vector 0.8.1"], "extension vector was 0.6.0, now it is 0.8.1"),
        (["vector 0.8.1"], [], "extension vector was 0.8.1, now it is missing"),
        (["vector 0.8.1", "btree_gin 1.3"], ["btree_gin 1.3"], "extension vector was 0.8.1"),
    ],
)
def test_a_change_of_an_extension_brings_the_install_back(then, now, reason):
    pending = find_pending(RELEASE, ledger(*then), now)
    assert names(pending) == INSTALL
    assert all(each.reason.startswith(reason) for each in pending)


def test_an_extension_that_is_lost_takes_what_belongs_to_it():
    assert has_lost_extension(["vector 0.8.1"], [])
    assert has_lost_extension(["vector 0.8.1"], ["vector available"])
    assert not has_lost_extension(["vector available"], [])
    assert not has_lost_extension(["vector 0.8.0"], ["vector 0.8.1"])


def test_an_edited_upgrade_is_refused_by_name():
    applied = [row(EARLIER, checksum="c" * 64), *ledger()[1:]]
    with pytest.raises(EditedMigrationError, match=r"7_earlier\.sql") as caught:
        find_pending(RELEASE, applied, [])
    assert "--accept 7_earlier.sql" in str(caught.value.hint)
    states = [state.state for state in compare(RELEASE, applied, [])]
    assert states == ["edited", "applied", "applied", "applied"]


def test_an_accepted_edit_is_pending_with_the_install():
    applied = [row(EARLIER, checksum="c" * 64), *ledger()[1:]]
    pending = find_pending(RELEASE, applied, [], accept=["7_earlier.sql"])
    assert names(pending) == ["7_earlier.sql", *INSTALL]
    assert pending[0].reason == "its new text was accepted"


def test_accepting_what_is_not_edited_changes_nothing():
    assert find_pending(RELEASE, ledger(), [], accept=["8_later.sql"]) == ()


@pytest.mark.parametrize("name", ["9_none.sql", "1_base.sql"])
def test_only_upgrades_can_be_accepted(name):
    with pytest.raises(InvalidInputError, match=name):
        find_pending(RELEASE, ledger(), [], accept=[name])


def test_a_newer_releases_database_is_refused():
    newer = [row(each, release="10.0.0") for each in RELEASE.files]
    with pytest.raises(MigrationError, match=r"newer pgrecall.*10\.0\.0, and this is 2\.0\.0"):
        find_pending(RELEASE, newer, [])


def test_a_file_that_is_unknown_is_of_a_newer_release():
    applied = [*ledger(), row(file("9_future.sql"))]
    with pytest.raises(MigrationError, match=r"newer pgrecall.*9_future\.sql") as caught:
        find_pending(RELEASE, applied, [])
    assert not isinstance(caught.value, EditedMigrationError)
    assert compare(RELEASE, applied, [])[-1].state == "unknown"
