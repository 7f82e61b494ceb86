"""Who gets in: to the server, and through the directories above it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrecall import embedded
from pgrecall.embedded import access
from pgrecall.embedded.access import Entry, read_access_list, with_search
from pgrecall.embedded.account import account_for
from pgrecall.errors import DataDirectoryError, EmbeddedServerError

OWNER, USER, GROUP_OWNER, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another")


def allowed(entries: list[Entry]) -> dict[tuple[int, int], int]:
    """What each entry is worth after the mask."""
    mask = next((entry.permissions for entry in entries if entry.tag == MASK), 7)
    masked = (USER, GROUP_OWNER, GROUP)
    return {
        (entry.tag, entry.id): entry.permissions & (mask if entry.tag in masked else 7)
        for entry in entries
        if entry.tag != MASK
    }


permissions = st.integers(0, 7)
named = st.dictionaries(st.tuples(st.sampled_from([USER, GROUP]), st.integers(1, 5)), permissions)


@given(permissions, permissions, permissions, permissions, named)
def test_only_the_one_account_gains_and_only_search(owner, group, other, mask, others):
    entries = [Entry(OWNER, owner), Entry(GROUP_OWNER, group), Entry(OTHER, other)]
    if others:
        entries += [Entry(tag, allowed_, id_) for (tag, id_), allowed_ in others.items()]
        entries += [Entry(MASK, mask)]
    before, after = allowed(entries), allowed(with_search(entries, uid=3))
    assert after.pop((USER, 3)) == before.pop((USER, 3), 0) | 1
    assert after == before


@root_only
def test_closed_parents_open_for_the_account_alone(home_at, tmp_path, as_nobody):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home_at(closed / "home")
    with embedded.join(closed / "home") as lease:
        assert lease.started
    account = account_for(closed / "home")
    assert read_access_list(closed) == [
        Entry(OWNER, 7),
        Entry(USER, 1, account.uid),
        Entry(GROUP_OWNER, 0),
        Entry(MASK, 1),
        Entry(OTHER, 0),
    ]
    assert as_nobody(lambda: str(os.access(closed / "home", os.F_OK))) == "False"


@root_only
def test_an_existing_access_list_is_kept(home_at, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    entries = [
        Entry(OWNER, 7),
        Entry(USER, 7, NOBODY),
        Entry(GROUP_OWNER, 5),
        Entry(MASK, 4),
        Entry(OTHER, 0),
    ]
    packed = access._VERSION + b"".join(access._ENTRY.pack(*entry) for entry in entries)
    os.setxattr(closed, access._ATTRIBUTE, packed)
    home_at(closed / "home")
    embedded.join(closed / "home").release()
    after = allowed(read_access_list(closed))
    assert after.pop((USER, account_for(closed / "home").uid)) == 1
    assert after == allowed(entries)


@root_only
def test_a_file_system_without_access_lists_is_refused_with_two_cures(tmpfs):
    place = tmpfs("mode=700", kind="ramfs")
    place.chmod(0o700)
    with pytest.raises(DataDirectoryError) as caught:
        embedded.join(place / "home")
    assert str(place) in caught.value.message
    assert "PGRECALL_HOME" in (caught.value.hint or "")
    assert f"chmod o+x '{place}'" in (caught.value.hint or "")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.chmod(0o711)
    with embedded.join(place / "home") as lease:
        assert lease.started


def run_with_mounts(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A script that may mount what nobody else sees, given a folder and this Python."""
    command = ["unshare", "--mount", "sh", "-ec", script, "sh", folder, sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no mounts here")
    return done


WITHOUT_ACCOUNT = """
grep -v ^pgrecall: /etc/passwd > "$1/passwd"
mount --bind "$1/passwd" /etc/passwd
mount --bind /bin/false "$(command -v useradd || echo /usr/sbin/useradd)"
exec "$2" -c "from pathlib import Path; from pgrecall import embedded; embedded.join(Path('$1'))"
"""


@root_only
def test_an_account_that_can_not_be_created(tmp_path):
    done = run_with_mounts(WITHOUT_ACCOUNT, tmp_path)
    assert "the system account pgrecall could not be created: useradd" in done.stderr
    assert "Run pgrecall as an ordinary user" in done.stderr


WITH_NEW_ACCOUNT = """
for name in passwd group shadow gshadow; do
  [ ! -e "$1/etc/$name" ] || sed -i '/^pgrecall:/d' "$1/etc/$name"
done
mount --bind "$1/etc" /etc
for number in 1 2 3 4 5 6; do
  "$2" -c "import os, pathlib; from pgrecall.embedded.account import account_for
os.write(1, b'%d ' % account_for(pathlib.Path('/')).uid)" &
done
wait
id -u pgrecall
"""


@root_only
def test_processes_that_create_the_account_together_agree_on_it(tmp_path):
    shutil.copytree("/etc", tmp_path / "etc", symlinks=True)
    done = run_with_mounts(WITH_NEW_ACCOUNT, tmp_path)
    assert (len(done.stdout.split()), len(set(done.stdout.split()))) == (7, 1), done


@root_only
def test_programs_that_the_account_may_not_read(home, tmp_path):
    installation = tmp_path / "closed" / "pginstall"
    for name in ("bin/postgres", "bin/initdb", "share/postgres.bki"):
        (installation / name).parent.mkdir(parents=True, exist_ok=True)
        (installation / name).touch(mode=0o600)
    (tmp_path / "closed").chmod(0o700)
    with pytest.raises(EmbeddedServerError) as caught:
        access.let_run(account_for(home), installation)
    assert f"chmod -R o+rX '{installation}'" in str(caught.value)
    subprocess.run(["chmod", "-R", "o+rX", installation], check=True)
    access.let_run(account_for(home), installation)


def test_folders_and_socket_are_closed(home):
    with embedded.join(home):
        account = account_for(home)
        for folder in ("data", "run", "log"):
            found = (home / folder).stat()
            assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, account.uid)
        assert stat.S_IMODE((home / "run" / ".s.PGSQL.5432").stat().st_mode) == 0o700
        for file in ("start.lock", "users.lock", "server.lock", "log/server.log"):
            assert stat.S_IMODE((home / file).stat().st_mode) == 0o600
        assert not home.stat().st_mode & 0o066


@pytest.fixture
def dsn(home):
    with embedded.join(home) as lease:
        yield lease.dsn


def test_nothing_listens_on_the_network(dsn, query):
    assert query(dsn, "show listen_addresses") == ""
    assert query(dsn, "select inet_server_addr()") is None


def test_settings_are_safe_and_fit(dsn, query):
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "jit": "off",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "max_connections": "100",
        "unix_socket_permissions": "0700",
        "default_text_search_config": "pg_catalog.english",
    }
    assert {name: query(dsn, "select current_setting(%s)", name) for name in wanted} == wanted


def test_the_owner_may_log_in_as_any_role(dsn, query):
    query(dsn, "create role visitor login")
    assert (
        query(f"{dsn} user=visitor".replace("user=postgres ", ""), "select current_user")
        == "visitor"
    )


def connect_text(dsn: str) -> str:
    with psycopg.connect(dsn) as connection:
        return str(connection.info.status)


def test_another_user_can_not_reach_the_socket(dsn, as_nobody):
    assert "Permission denied" in as_nobody(lambda: connect_text(dsn))


def test_another_user_is_refused_by_the_server_too(own_home, as_nobody):
    """Even with every folder and the socket open, which takes their owner to do."""
    with embedded.join(own_home) as lease:
        socket = own_home / "run" / ".s.PGSQL.5432"
        for path in (own_home / "run", own_home, *own_home.parents):
            if path.stat().st_mode & 0o001 == 0:
                path.chmod(path.stat().st_mode | 0o001)
        socket.chmod(0o777)
        for user in ("postgres", "nobody", "pgrecall"):
            dsn = lease.dsn.replace("user=postgres", f"user={user}")
            assert "Peer authentication failed" in as_nobody(lambda dsn=dsn: connect_text(dsn))


def test_a_path_too_long_for_a_socket(home_at, tmp_path, query):
    long = tmp_path / ("long" * 20) / "home"
    long.parent.mkdir()
    home_at(long)
    with embedded.join(long) as lease:
        folder = Path(lease.dsn.split("host=")[1].split(" ")[0])
        assert long not in folder.parents
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == account_for(long).uid
        assert query(lease.dsn, "select 1") == 1
        with embedded.join(long) as again:
            assert again.dsn == lease.dsn
    assert not folder.exists()


def test_a_path_with_a_comma(home_at, tmp_path, query):
    home = home_at(tmp_path / "a,b")
    with embedded.join(home) as lease:
        assert query(lease.dsn, "select 1") == 1
    assert not embedded.status(home).is_running


@root_only
def test_a_socket_folder_of_another_user_is_refused(home_at, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = home_at(tmp_path / "a,b")
    with embedded.join(home) as lease:
        folder = Path(lease.dsn.split("host=")[1].split(" ")[0])
    assert folder.parent == tmp_path
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(DataDirectoryError, match="belongs to another user"):
        embedded.join(home)
    folder.rmdir()
