"""Directories that can't hold a database: what is said, and that nothing is harmed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from pgrecall import embedded
from pgrecall.embedded.account import account_for
from pgrecall.errors import DataDirectoryError, EmbeddedServerError, ServerStartError

LIMITED_JOIN = """
import resource, sys
from pathlib import Path
from pgrecall import embedded
from pgrecall.errors import EmbeddedServerError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    embedded.join(Path(sys.argv[1]))
except EmbeddedServerError as error:
    print(type(error).__name__, error)
"""


def refusal(home: Path, kind: type[EmbeddedServerError] = DataDirectoryError) -> str:
    """The message of the error, which must name the place and a cure."""
    with pytest.raises(kind) as caught:
        embedded.join(home)
    assert caught.value.hint
    assert str(home) in caught.value.message
    assert not embedded.status(home).is_running if home.is_dir() else True
    return str(caught.value)


def test_home_is_a_file(tmp_path):
    (tmp_path / "home").write_text("mine")
    assert "a file stands where a directory is needed" in refusal(tmp_path / "home")
    assert (tmp_path / "home").read_text() == "mine"


def test_home_is_below_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataDirectoryError, match="a file stands"):
        embedded.join(tmp_path / "file" / "home")


def test_data_is_something_else(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine")
    assert "something else than a database" in refusal(tmp_path)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["thesis.txt"]
    assert not list(tmp_path.glob("data.new-*"))


def test_data_is_a_link(home, tmp_path):
    (home / "data").rename(tmp_path / "elsewhere")
    (home / "data").symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in refusal(home)
    (home / "data").unlink()
    (tmp_path / "elsewhere").rename(home / "data")


def test_data_is_of_another_version(home):
    version = home / "data" / "PG_VERSION"
    version.write_text("16\n")
    message = refusal(home)
    assert "was made by PostgreSQL 16; this server is 18." in message
    assert "Dump it" in message
    version.write_text("18\n")
    with embedded.join(home) as lease:
        assert lease.started


def test_an_empty_data_directory_is_used(tmp_path):
    (tmp_path / "data").mkdir()
    with embedded.join(tmp_path) as lease:
        assert lease.started


def test_a_data_directory_open_to_others_is_closed(home):
    (home / "data").chmod(0o755)
    with embedded.join(home):
        assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700


def test_a_moved_home_keeps_its_data(home_at, tmp_path, query):
    home = home_at(tmp_path / "home")
    with embedded.join(home) as lease:
        query(lease.dsn, "create table kept as select 42 as answer")
    moved = home_at(tmp_path / "it's a moved home")
    with embedded.join(moved) as lease:
        assert query(lease.dsn, "select answer from kept") == 42


@pytest.fixture
def main_settings(home):
    """postgresql.conf, restored after the test."""
    main = home / "data" / "postgresql.conf"
    before = main.read_text()
    yield main
    main.write_text(before)


def test_settings_of_ones_own_survive(home, main_settings, query):
    text = main_settings.read_text() + "work_mem = '7MB'\njit = on\n"
    main_settings.write_text(text)
    for _ in range(2):
        with embedded.join(home) as lease:
            assert query(lease.dsn, "show work_mem") == "7MB"
            assert query(lease.dsn, "show jit") == "on"
    assert main_settings.read_text() == text
    assert text.count("include = 'pgrecall.conf'") == 1


def test_a_broken_setting_is_told_in_the_servers_words(home, main_settings):
    main_settings.write_text(main_settings.read_text() + "shared_buffers = 'plenty'\n")
    message = refusal(home, ServerStartError)
    assert 'invalid value for parameter "shared_buffers": "plenty"' in message


def test_a_log_that_can_not_be_written_is_told(home):
    log = embedded.status(home).log_file
    log.unlink(missing_ok=True)
    log.mkdir()
    assert "server.log: Is a directory" in refusal(home, ServerStartError)
    log.rmdir()


def test_a_data_directory_of_another_account(home):
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    found = (home / "data").stat()
    for other in (0, 65534):
        os.chown(home / "data", other, -1)
        assert "chown -R pgrecall" in refusal(home)
    os.chown(home / "data", found.st_uid, found.st_gid)


def test_home_that_may_not_be_written(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    assert "permission denied" in refusal(tmp_path)
    with pytest.raises(DataDirectoryError, match="permission denied"):
        embedded.join(tmp_path / "home")
    tmp_path.chmod(0o700)


def test_home_of_another_user(own_home, as_nobody):
    own_home.chmod(0o777)
    os.chown(own_home, account_for(own_home).uid, -1)
    for folder in own_home.parents:
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(0o711)
    message = as_nobody(lambda: str(embedded.join(own_home)))
    assert "DataDirectoryError" in message
    assert "belongs to another user" in message


def test_root_uses_the_home_of_a_user_as_that_user(own_home, tmpfs):
    if os.geteuid() != 0:
        pytest.skip("only root can")
    nobody = 65534
    subprocess.run(["chown", "-R", f"{nobody}:{nobody}", own_home], check=True)
    with embedded.join(own_home):
        pid = embedded.status(own_home).pid
        assert Path(f"/proc/{pid}").stat().st_uid == nobody
    assert {path.lstat().st_uid for path in own_home.rglob("*")} == {nobody}


def test_read_only_file_system(tmpfs, home):
    place = tmpfs("size=100m")
    shutil.copytree(home, place / "home")
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    assert "read-only" in refusal(place / "new")
    assert "read-only" in refusal(place / "home")


def test_a_disk_too_small_for_a_new_database(tmpfs):
    place = tmpfs("size=8m,mode=711")
    message = refusal(place)
    assert "the disk is full" in message
    assert "Free some space" in message
    assert not (place / "data").exists()
    assert not list(place.glob("data.new-*"))


def test_a_disk_that_is_full_later(tmpfs, home, query):
    place = tmpfs("size=90m,mode=711") / "home"
    subprocess.run(["cp", "-a", home, place], check=True)
    with (place.parent / "ballast").open("wb") as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(1 << 16))
            file.flush()
    assert "the disk is full" in refusal(place)
    (place.parent / "ballast").unlink()
    with embedded.join(place) as lease:
        assert query(lease.dsn, "select 1") == 1


def test_a_limit_on_file_sizes(tmp_path, python):
    output, _ = python(LIMITED_JOIN, tmp_path / "home").communicate()
    assert output.startswith(("DataDirectoryError", "ServerStartError"))
    assert "limit" in output
    assert not (tmp_path / "home" / "data").exists()
    assert not list((tmp_path / "home").glob("data.new-*"))
