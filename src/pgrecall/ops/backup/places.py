"""Where backups lie: a path on this machine, or the URL of an object store, by fsspec."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import urlsplit, urlunsplit

from pgrecall.errors import BackupError, ConflictError, MissingExtraError, NotFoundError

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
UNFINISHED = ".unfinished"


class Place(Protocol):
    """One file, there or not; or, for `names`, a folder."""

    def __str__(self) -> str: ...

    def exists(self) -> bool: ...

    def reading(self) -> Any:
        """A context in which its bytes can be read."""

    def writing(self) -> Any:
        """A context in which it is written; it is there only after an orderly end."""

    def names(self) -> list[str]:
        """The names of the files in this folder."""

    def within(self, name: str) -> Place:
        """The file of that name in this folder."""

    def delete(self) -> None: ...

    def is_folder(self) -> bool: ...


def place(named: str) -> Place:
    """The place that a path or URL names.

    Raises MissingExtraError for a URL where fsspec, or its part for that store, is missing.
    """
    return _Remote.of(named) if _URL.match(named) else _Local(Path(named))


def refuse_existing(there: Place) -> None:
    """Raise ConflictError if a backup would overwrite something."""
    if there.exists():
        raise ConflictError(f"{there} is there already", hint="Name another file, or delete it.")


@dataclass(frozen=True)
class _Local:
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        with _said(self), self.path.open("rb") as stream:
            yield stream

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        unfinished = self.path.with_name(self.path.name + UNFINISHED)
        with _said(self):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # What it holds is for nobody else's eyes, from its first byte on.
            opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                with os.fdopen(opened, "wb") as stream:
                    yield stream
                    stream.flush()
                    os.fsync(stream.fileno())
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
            unfinished.replace(self.path)
            _sync_folder(self.path.parent)

    def names(self) -> list[str]:
        with _said(self):
            return sorted(each.name for each in self.path.iterdir() if each.is_file())

    def within(self, name: str) -> Place:
        return _Local(self.path / name)

    def delete(self) -> None:
        with _said(self):
            self.path.unlink()

    def is_folder(self) -> bool:
        return self.path.is_dir()


@dataclass(frozen=True)
class _Remote:
    url: str
    system: Any
    path: str

    @classmethod
    def of(cls, url: str) -> _Remote:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtraError(
                f"{_without_secrets(url)} needs fsspec", hint="pip install 'pgrecall[backup]'"
            ) from None
        try:
            system, path = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise MissingExtraError(
                f"{_without_secrets(url)} can't be reached: {error}",
                hint="Install the package that gives fsspec this kind of store, such as s3fs.",
            ) from None
        return cls(url, system, path)

    def __str__(self) -> str:
        return _without_secrets(self.url)

    def exists(self) -> bool:
        with _said(self):
            return bool(self.system.exists(self.path))

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        with _said(self), self.system.open(self.path, "rb") as stream:
            yield cast("BinaryIO", stream)

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        unfinished = self.path + UNFINISHED
        with _said(self):
            self.system.makedirs(self.path.rpartition("/")[0], exist_ok=True)
            try:
                with self.system.open(unfinished, "wb") as stream:
                    yield cast("BinaryIO", stream)
            except BaseException:
                with suppress(OSError):
                    self.system.rm(unfinished)
                raise
            self.system.mv(unfinished, self.path)

    def names(self) -> list[str]:
        with _said(self):
            found = self.system.ls(self.path, detail=False)
        return sorted(str(each).rpartition("/")[2] for each in found)

    def within(self, name: str) -> Place:
        return _Remote.of(f"{self.url.rstrip('/')}/{name}")

    def delete(self) -> None:
        with _said(self):
            self.system.rm(self.path)

    def is_folder(self) -> bool:
        with _said(self):
            return bool(self.system.isdir(self.path))


@contextmanager
def _said(there: Place) -> Iterator[None]:
    """Raises the system's errors inside the block as pgrecall's."""
    try:
        yield
    except FileNotFoundError:
        raise NotFoundError(f"{there} is not there") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BackupError(f"{there}: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
