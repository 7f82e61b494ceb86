"""Encryption as age does it (https://age-encryption.org/v1), in a stream.

    PGRECALL_BACKUP_RECIPIENTS    public keys (age1…), or a file of them: whom backups are for
    PGRECALL_BACKUP_IDENTITY      a file with the secret keys (AGE-SECRET-KEY-1…) that open them

So a machine that makes backups need not be able to read them, and the tool `age` opens them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pgrecall.errors import BackupError, ConfigurationError, DamagedBackupError, MissingExtraError

MAGIC = b"age-encryption.org/v1\n"


def recipients(given: str | None) -> list[Any]:
    """The public keys that a setting names: themselves, or the path of a file with one a line.

    Raises ConfigurationError for what is no key; no value gets into the message.
    """
    if not given:
        return []
    text = given if given.startswith("age1") else _read(given)
    return [_key(_age().x25519.Recipient.from_str, word) for word in _words(text)]


def identities(given: str | None) -> list[Any]:
    """The secret keys in the file that a setting names."""
    if not given:
        return []
    return [_key(_age().x25519.Identity.from_str, word) for word in _words(_read(given))]


@contextmanager
def encrypting(sink: Any, keys: Sequence[Any]) -> Iterator[Any]:
    """A stream whose bytes get into `sink` encrypted; `sink` itself where there are no keys."""
    if not keys:
        yield sink
        return
    age = _age()
    ours, theirs = _pipe()
    # age pulls what it encrypts, while a backup is pushed.
    work = _Work(lambda: age.encrypt_io(ours, sink, list(keys)), ours)
    try:
        with theirs:
            yield theirs
    except BrokenPipeError:
        _refuse_unwritten(work)
        raise
    finally:
        work.join()
    _refuse_unwritten(work)


@contextmanager
def decrypting(source: Any, keys: Sequence[Any]) -> Iterator[Any]:
    """A stream of what `source` holds, decrypted where it is encrypted.

    Reading raises DamagedBackupError if it was altered or truncated. Raises ConfigurationError
    where it is encrypted and no key is there, or none that opens it.
    """
    start = source.read(len(MAGIC))
    rest = _PrefixedStream(start, source)
    if start != MAGIC:
        yield rest
        return
    if not keys:
        raise ConfigurationError(
            "the backup is encrypted",
            hint="PGRECALL_BACKUP_IDENTITY names the file with the secret key that opens it.",
        )
    age = _age()
    ours, theirs = _pipe()
    work = _Work(lambda: age.decrypt_io(rest, theirs, list(keys)), theirs)
    try:
        with ours:
            yield _CheckedStream(ours, work)
    finally:
        work.join()


class _Work:
    """Something that goes on in a thread, and closes its end of the pipe afterwards."""

    def __init__(self, work: Callable[[], object], end: BinaryIO) -> None:
        self._work, self._end = work, end
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised where the work is waited for
            self.error = error
        finally:
            with suppress(BrokenPipeError):
                self._end.close()

    def join(self) -> None:
        self._thread.join()

    def end(self) -> None:
        """Wait, and raise what went wrong."""
        self.join()
        if self.error is not None:
            raise _translated(self.error) from self.error


class _CheckedStream:
    """What is read of a pipe; its end is an end only if the work that filled it succeeded."""

    def __init__(self, stream: BinaryIO, work: _Work) -> None:
        self._stream, self._work = stream, work

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        if not content:
            self._work.end()
        return content


class _PrefixedStream:
    """A stream with some bytes pushed back to its front."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream = start, stream

    def read(self, size: int) -> bytes:
        if self._start:
            given, self._start = self._start[:size], self._start[size:]
            return given
        return self._stream.read(size)


def _refuse_unwritten(work: _Work) -> None:
    work.join()
    if work.error is not None:
        raise BackupError(f"the backup can't be written: {work.error}") from work.error


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=1 << 16)


def _translated(error: BaseException) -> Exception:
    if isinstance(error, _age().DecryptError):
        # Of its first lines, which say whom it is for; what comes after them is an OSError.
        return ConfigurationError(
            f"none of the secret keys opens the backup: {error}",
            hint="PGRECALL_BACKUP_IDENTITY must name the file with the key it was made for.",
        )
    if isinstance(error, (BackupError, ConfigurationError)):
        return error
    return DamagedBackupError(f"the file is damaged, or can't be read: {error}")


def _key(read: Callable[[str], Any], word: str) -> Any:
    try:
        return read(word)
    except (_age().IdentityError, _age().RecipientError) as error:
        raise ConfigurationError(
            f"a key of age is not readable: {type(error).__name__}",
            hint="`age-keygen` makes a pair: age1… is public, AGE-SECRET-KEY-1… secret.",
        ) from None


def _words(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = " ".join(lines).replace(",", " ").split()
    if not found:
        raise ConfigurationError("the file with keys of age holds none")
    return found


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"the file with keys of age can't be read: {said}") from None


def _age() -> Any:
    try:
        import pyrage
    except ImportError:
        raise MissingExtraError(
            "encrypted backups need pyrage", hint="pip install 'pgrecall[backup]'"
        ) from None
    return pyrage
