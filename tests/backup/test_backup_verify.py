"""A verification restores, compares, tells the ledger, and leaves nothing behind."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from pgrecall.errors import BackupError, DamagedBackupError
from pgrecall.ops.backup.archive import ArchiveWriter, members
from pgrecall.ops.backup.dump import back_up_database
from pgrecall.ops.backup.verification import SAMPLE, verify
from tests.backup.test_backup_dump import require_tools


def scratch_databases(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select datname from pg_database where datname like 'pgrecall\\_verify\\_%'"
        ).fetchall()
    return [name for (name,) in rows]


def last_entry(dsn: str) -> tuple[str, str, str | None]:
    with psycopg.connect(dsn) as connection:
        [(action, state, reason)] = connection.execute(
            "select action, state, reason from agent_memory.backups order by started_at desc"
            " limit 1"
        ).fetchall()
    return action, state, reason


def forged(backup: Path, table: str, old: bytes, new: bytes) -> None:
    """Change a row, and every checksum with it."""
    content = dict(members(io.BytesIO(backup.read_bytes())))
    manifest = json.loads(content["manifest.json"])
    name = f"{table}/000001.jsonl.gz"
    text = gzip.decompress(content[name])
    assert old in text
    text = text.replace(old, new)
    content[name] = gzip.compress(text)
    for file in manifest["files"]:
        if file["name"] == name:
            file["sha256"] = hashlib.sha256(content[name]).hexdigest()
            file["bytes"] = len(content[name])
    for each in manifest["tables"]:
        if each["name"] == table:
            each["sha256"] = hashlib.sha256(text).hexdigest()
    content["manifest.json"] = json.dumps(manifest).encode()
    sha256 = hashlib.sha256(content["manifest.json"]).hexdigest()
    content["manifest.sha256"] = f"{sha256}  manifest.json\n".encode()
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    for each_name, each_content in content.items():
        writer.add(each_name, each_content)
    writer.end()
    backup.write_bytes(stream.getvalue())


def test_of_an_organization(filled: str, backup: Path) -> None:
    done = verify(filled, str(backup))
    assert done.rows > 30
    assert done.policies == 16  # four of each table that clients read
    assert (done.recalls, done.notices) == (SAMPLE, ())
    assert last_entry(filled) == ("verification", "done", None)
    assert scratch_databases(filled) == []


def test_of_the_whole_database(filled: str, tmp_path: Path) -> None:
    require_tools(filled)
    back_up_database(filled, str(tmp_path / "all.dump"))
    steps: list[str] = []
    done = verify(
        filled, str(tmp_path / "all.dump"), on_step=lambda step, _done, _total: steps.append(step)
    )
    assert (done.recalls, done.notices) == (SAMPLE, ())
    assert "Restoring" in steps
    assert last_entry(filled) == ("verification", "done", None)
    assert scratch_databases(filled) == []


def test_what_can_not_be_restored_is_no_good(filled: str, backup: Path) -> None:
    # Consistent in itself, but no server would have written it: another spelling of a number.
    forged(backup, "public.ai_memories", b'"importance": 0.5', b'"importance": 0.50')
    with pytest.raises(BackupError, match="not those of the backup"):
        verify(filled, str(backup))
    action, state, reason = last_entry(filled)
    assert (action, state) == ("verification", "failed")
    assert reason
    assert "ai_memories" in reason
    assert scratch_databases(filled) == []
    backup.write_bytes(backup.read_bytes()[:-1])
    with pytest.raises(DamagedBackupError):
        verify(filled, str(backup))


def test_what_a_killed_one_left_is_dropped(filled: str, backup: Path) -> None:
    hour_old = f"pgrecall_verify_{int(time.time()) - 4000}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute(f"create database {hour_old} template template0".encode())
    verify(filled, str(backup))
    assert scratch_databases(filled) == []
