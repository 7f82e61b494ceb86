"""The whole database by pg_dump, with tools that fit the server, and the rows in it counted."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest

from pgrecall import Memory
from pgrecall.domain.identity import organization_uuid
from pgrecall.errors import BackupError, ConflictError, DamagedBackupError
from pgrecall.ops.backup.dump import back_up_database, is_whole, restore_database
from pgrecall.ops.backup.tools import find_tools
from pgrecall.testing import HashingEmbedder
from tests.backup.conftest import ORGANIZATION, checksums, digest, fill

OTHER = organization_uuid("another")


def tool_folder(folder: Path, version: str) -> Path:
    """Programs that say they are of a version, and do nothing."""
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def require_tools(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        version = connection.info.parameter_status("server_version") or ""
    try:
        find_tools(version, None)
    except BackupError as error:
        pytest.skip(error.message)


@pytest.fixture
def dump(filled: str, tmp_path: Path) -> Path:
    """A dump of a database with two organizations, and a table of somebody else's."""
    require_tools(filled)
    fill(filled, "another")
    with psycopg.connect(filled) as connection:
        connection.execute("create table public.somebodys (secret text)")
        connection.execute("insert into public.somebodys values ('of somebody else')")
        connection.execute("create view public.somebodys_view as select * from public.somebodys")
    path = tmp_path / "all.dump"
    back_up_database(filled, str(path))
    return path


def test_it_comes_back_as_it_was(filled: str, elsewhere: str, dump: Path) -> None:
    assert is_whole(str(dump))
    done = restore_database(elsewhere, str(dump))
    for organization in (ORGANIZATION, OTHER):
        assert checksums(elsewhere, organization) == checksums(filled, organization)
    assert (done.notices, done.rows > 60) == ((), True)
    with psycopg.connect(elsewhere) as connection:
        [(found,)] = connection.execute("select to_regclass('public.somebodys')").fetchall()
        counted = connection.execute(
            "select rows from agent_memory.backups where action = 'restore'"
        )
        assert counted.fetchall() == [(done.rows,)]
    assert found is None
    with Memory(elsewhere, organization="another", embedder=HashingEmbedder()) as memory:
        assert memory.recall("works at Globex")[0].content == "Works at Globex."


def test_rows_in_the_way_are_kept(filled: str, dump: Path) -> None:
    before = checksums(filled)
    with pytest.raises(ConflictError, match="the database has rows in"):
        restore_database(filled, str(dump))
    assert checksums(filled) == before


def test_a_damaged_dump_writes_nothing(elsewhere: str, dump: Path) -> None:
    before = digest(elsewhere)
    text = dump.read_bytes()
    middle = len(text) // 2
    other = bytes([text[middle] ^ 1])
    for content in (text[:middle], text[:-1], text[:middle] + other + text[middle + 1 :], b""):
        dump.write_bytes(content)
        with pytest.raises(DamagedBackupError):
            restore_database(elsewhere, str(dump))
    dump.write_bytes(text)
    beside = dump.with_name("all.dump.json")
    beside.write_text(beside.read_text().replace("pgrecall database backup", "something else"))
    with pytest.raises(DamagedBackupError):
        restore_database(elsewhere, str(dump))
    assert digest(elsewhere) == before


def test_an_encrypted_dump(filled: str, elsewhere: str, tmp_path: Path) -> None:
    pyrage = pytest.importorskip("pyrage")
    require_tools(filled)
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(key))
    sealed = tmp_path / "all.dump.age"
    back_up_database(filled, str(sealed), for_recipients=str(key.to_public()))
    assert b"PGDMP" not in sealed.read_bytes()
    restore_database(elsewhere, str(sealed), identity=str(tmp_path / "key"))
    assert checksums(elsewhere) == checksums(filled)


@pytest.mark.parametrize("version", ["12.22", "99.1"])
def test_tools_of_another_major_are_refused(filled: str, tmp_path: Path, version: str) -> None:
    tools = tool_folder(tmp_path / "tools", version)
    with pytest.raises(BackupError, match=f"{version}") as caught:
        back_up_database(filled, str(tmp_path / "all.dump"), tools_in=tools)
    assert "PGRECALL_PG_BIN" in str(caught.value.hint)
    assert not (tmp_path / "all.dump").exists()


def test_tools_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="not there"):
        find_tools("18.6", tmp_path)
    mixed = tool_folder(tmp_path / "mixed", "18.6")
    tool_folder(tmp_path / "older", "17.2").joinpath("pg_restore").replace(mixed / "pg_restore")
    with pytest.raises(BackupError, match="not there"):
        find_tools("18.6", mixed)
    fitting = find_tools("16.3 (Debian 16.3-1)", tool_folder(tmp_path / "fit", "16.10"))
    assert fitting.version == "16.10"


def test_a_program_that_fails_leaves_no_file(filled: str, tmp_path: Path) -> None:
    with psycopg.connect(filled) as connection:
        version = connection.info.parameter_status("server_version") or ""
    tools = tool_folder(tmp_path / "tools", version.split()[0])
    text = (tools / "pg_dump").read_text()
    (tools / "pg_dump").write_text(f'{text}[ "$1" = --version ] || {{ echo no >&2; exit 1; }}\n')
    with pytest.raises(BackupError, match="pg_dump failed: no"):
        back_up_database(filled, str(tmp_path / "all.dump"), tools_in=tools)
    assert not [each for each in tmp_path.iterdir() if each.name in ("all.dump", "all.dump.json")]
