"""The file of a backup: read by other tools, refused with any byte altered."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgrecall.errors import ConfigurationError, DamagedBackupError, NotFoundError
from pgrecall.ops.backup.archive import ArchiveWriter, members
from pgrecall.ops.backup.places import place
from pgrecall.ops.backup.reader import BackupReader
from pgrecall.ops.backup.restore import restore
from pgrecall.ops.backup.writer import back_up
from tests.backup.conftest import AWKWARD, ORGANIZATION, digest

Members = st.lists(
    st.tuples(st.from_regex(r"[a-z]{1,8}/[0-9]{1,3}", fullmatch=True), st.binary(max_size=3000)),
    min_size=1,
    max_size=6,
)


def archive(content: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    for name, text in content:
        writer.add(name, text)
    writer.end()
    assert writer.bytes == len(stream.getvalue())
    return stream.getvalue()


def checked(text: bytes, folder: Path) -> None:
    path = folder / "altered.tar"
    path.write_bytes(text)
    BackupReader(place(str(path))).check()


@given(Members)
def test_an_archive_is_a_tar_and_is_read_as_it_was_written(
    content: list[tuple[str, bytes]],
) -> None:
    text = archive(content)
    assert list(members(io.BytesIO(text))) == content
    with tarfile.open(fileobj=io.BytesIO(text)) as found:
        assert [
            (each.name, file.read()) for each in found if (file := found.extractfile(each))
        ] == content


@given(Members, st.data())
@settings(max_examples=200)
def test_no_byte_of_an_archive_can_change_or_go_unnoticed(
    content: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    text = archive(content)
    where = data.draw(st.integers(0, len(text) - 1))
    altered = bytearray(text)
    altered[where] ^= 1 << data.draw(st.integers(0, 7))
    for damaged in (bytes(altered), text[:where], text + b"\0", text + bytes(512)):
        try:
            found = list(members(io.BytesIO(damaged)))
        except DamagedBackupError:
            continue
        # The contents themselves are the manifest's to check.
        assert [name for name, _ in found] == [name for name, _ in content]
        assert found != content


def test_any_flipped_bit_and_any_truncation_is_refused(backup: Path, tmp_path: Path) -> None:
    text = backup.read_bytes()
    for where in [*range(0, len(text), 499), len(text) - 1]:
        altered = bytearray(text)
        altered[where] ^= 1 << where % 8
        with pytest.raises(DamagedBackupError):
            checked(bytes(altered), tmp_path)
    for length in [*range(0, len(text), 2047), len(text) - 1]:
        with pytest.raises(DamagedBackupError):
            checked(text[:length], tmp_path)


def test_a_damaged_or_foreign_file_writes_nothing(
    backup: Path, elsewhere: str, tmp_path: Path
) -> None:
    before = digest(elsewhere)
    text = backup.read_bytes()
    middle = len(text) // 2
    flipped = text[:middle] + bytes([text[middle] ^ 1]) + text[middle + 1 :]
    foreign = io.BytesIO()
    with tarfile.open(fileobj=foreign, mode="w") as tar:
        tar.add(__file__, "test.py")
    wrong = tmp_path / "wrong.tar"
    for content in (flipped, text[:middle], b"", b"no backup", foreign.getvalue()):
        wrong.write_bytes(content)
        with pytest.raises(DamagedBackupError):
            restore(elsewhere, str(wrong))
    with pytest.raises(NotFoundError):
        restore(elsewhere, str(tmp_path / "nothing.tar"))
    assert digest(elsewhere) == before


def test_a_manifest_of_another_version_says_so(backup: Path, tmp_path: Path) -> None:
    content = dict(members(io.BytesIO(backup.read_bytes())))
    manifest = content["manifest.json"].replace(b'"version": 1,', b'"version": 2,')
    content["manifest.json"] = manifest
    content["manifest.sha256"] = f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n".encode()
    with pytest.raises(DamagedBackupError, match="version 2") as caught:
        checked(archive(list(content.items())), tmp_path)
    assert "release" in str(caught.value.hint)


def test_a_bomb_is_refused(backup: Path, tmp_path: Path) -> None:
    content = dict(members(io.BytesIO(backup.read_bytes())))
    content["public.ai_memories/000001.jsonl.gz"] = gzip.compress(bytes(100_000_000))
    with pytest.raises(DamagedBackupError, match="larger"):
        checked(archive(list(content.items())), tmp_path)


def test_other_tools_read_it(backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    subprocess.run(["tar", "xf", backup, "-C", folder], check=True)
    subprocess.run(["sha256sum", "--check", "manifest.sha256"], cwd=folder, check=True)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for file in manifest["files"]:
        content = (folder / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    for table in manifest["tables"]:
        lines = subprocess.run(
            f"zcat -f {table['name']}/* 2>/dev/null || true", shell=True, cwd=folder,
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert hashlib.sha256(lines).hexdigest() == table["sha256"]
        assert len(lines.splitlines()) == table["rows"]
        assert all(set(json.loads(line)) == set(table["columns"]) for line in lines.splitlines())
        if table["name"] == "public.ai_memories":
            assert AWKWARD in {json.loads(line)["content"] for line in lines.splitlines()}


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_full_disk_leaves_no_file(filled: str, tmp_path: Path, is_encrypted: bool) -> None:
    key = str(pytest.importorskip("pyrage").x25519.Identity.generate().to_public())
    code = (
        "import resource, signal, sys; from uuid import UUID\n"
        "from pgrecall.ops.backup.writer import back_up\n"
        "from pgrecall.errors import BackupError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: back_up(sys.argv[1], UUID(sys.argv[2]), sys.argv[3], for_recipients=sys.argv[4])\n"
        "except BackupError as error: print(type(error).__name__, error)\n"
    )
    given = (filled, str(ORGANIZATION), str(tmp_path / "x.tar"), key if is_encrypted else "")
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True)
    assert done.stdout.startswith("BackupError "), done.stderr
    assert "File too large" in done.stdout
    assert not list(tmp_path.iterdir())


def test_an_encrypted_backup_opens_with_its_key_alone(
    filled: str, elsewhere: str, tmp_path: Path
) -> None:
    pyrage = pytest.importorskip("pyrage")
    ours, theirs = (pyrage.x25519.Identity.generate() for _ in range(2))
    for name, key in (("ours", ours), ("theirs", theirs)):
        (tmp_path / name).write_text(f"# a key\n{key}\n")
    sealed = tmp_path / "sealed.tar.age"
    made = back_up(filled, ORGANIZATION, str(sealed), for_recipients=str(ours.to_public()))
    assert made.is_encrypted
    assert made.bytes == sealed.stat().st_size
    assert sealed.read_bytes().startswith(b"age-encryption.org/v1\n")
    before = digest(elsewhere)
    with pytest.raises(ConfigurationError, match="the backup is encrypted"):
        restore(elsewhere, str(sealed))
    with pytest.raises(ConfigurationError, match="none of the secret keys"):
        restore(elsewhere, str(sealed), identity=str(tmp_path / "theirs"))
    text = sealed.read_bytes()
    for where in range(30, len(text), len(text) // 40):
        for damaged in (text[:where], text[:where] + bytes([text[where] ^ 1]) + text[where + 1 :]):
            (tmp_path / "damaged").write_bytes(damaged)
            with pytest.raises((DamagedBackupError, ConfigurationError)):
                restore(elsewhere, str(tmp_path / "damaged"), identity=str(tmp_path / "ours"))
    assert digest(elsewhere) == before
    restore(elsewhere, str(sealed), identity=str(tmp_path / "ours"))
    opened = pyrage.decrypt(text, [ours])
    assert dict(members(io.BytesIO(opened)))["manifest.json"]
