"""pgrecall's migrations as files of a Supabase project, for `supabase db push` to apply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Literal

from pgrecall.domain.migration import Release
from pgrecall.errors import ConflictError, InvalidInputError
from pgrecall.sql.migration_files import NAME, parse_migration, read_release

FileState = Literal["written", "unchanged", "replaced"]


@dataclass(frozen=True)
class ExportedFile:
    """One migration in the project; `replaced`: another text was there before."""

    name: str
    state: FileState


@dataclass(frozen=True)
class Export:
    """What was done with each migration, in the order in which they are to be applied.

    `next_command` is the shell command that applies them to the database of DATABASE_URL.
    """

    folder: Path
    files: tuple[ExportedFile, ...]
    next_command: str


def export_migrations(
    project: Path, *, force: bool = False, release: Release | None = None
) -> Export:
    """Write the migrations to `supabase/migrations` of a project's folder, made where missing.

    A project that has the files of an earlier release keeps them, since `supabase db push` notices
    no edit of what it has applied, and gets one file more, `…_pgrecall_<version>.sql`, with what
    brings it to this release. What is there with the same text stays as it is, so it is safe to
    repeat. `force` replaces files that say something else; `release` replaces this one.

    Raises ConflictError, before it writes anything, if a file says something else or another one
    has its number. Raises InvalidInputError if the folder can't be read or written.
    """
    release = release or read_release()
    if project.name == "supabase" and (project / "config.toml").exists():
        raise InvalidInputError(
            f"{project} is the inner folder of a project",
            hint="Name the folder that holds it: the project's own.",
        )
    folder = project / "supabase" / "migrations"
    try:
        texts = _texts(folder, release)
        states = {name: _state(folder, name, text) for name, text in texts.items()}
        _refuse_taken_numbers(folder, texts)
        if not force:
            _refuse_edited(folder, [name for name in states if states[name] == "replaced"])
        for name, state in states.items():
            if state != "unchanged":
                _write(folder / name, texts[name])
    except OSError as error:
        raise InvalidInputError(f"{error.filename or folder}: {error.strerror}") from None
    exported = tuple(ExportedFile(name, state) for name, state in states.items())
    return Export(folder, exported, _next_command(project))


def _texts(folder: Path, release: Release) -> dict[str, str]:
    """What the project is to have, by name: the install, or an earlier one and what follows it."""
    install = {file.name: file.text for file in release.install}
    earlier = {name: text for name in install if (text := _earlier(folder / name, release))}
    if not earlier:
        return install
    name = f"{datetime.now(UTC):%Y%m%d%H%M%S}_pgrecall_{release.version}.sql"
    found = sorted(folder.glob(f"*_pgrecall_{release.version}.sql"))
    upgrade = "\n".join(f"-- {file.name}\n\n{file.text}" for file in release.files)
    return {**install, **earlier, found[0].name if found else name: upgrade}


def _earlier(path: Path, release: Release) -> str | None:
    """The text of a file as an earlier release has written it; None if there is none."""
    if not path.exists():
        return None
    try:
        file = parse_migration(_read(path))
    except ValueError:
        return None
    return file.text if _numbers(file.release) < _numbers(release.version) else None


def _read(path: Path) -> str:
    # Git may have given it the line endings of another system.
    return path.read_bytes().replace(b"\r\n", b"\n").decode(errors="replace")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]+", version)))


def _state(folder: Path, name: str, text: str) -> FileState:
    path = folder / name
    if not path.exists():
        return "written"
    return "unchanged" if _read(path) == text else "replaced"


def _refuse_taken_numbers(folder: Path, texts: dict[str, str]) -> None:
    ours = {_number(name): name for name in texts}
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        name = ours.get(_number(path.name))
        if name and path.name != name:
            raise ConflictError(
                f"{path} has the number of pgrecall's {name}, and `supabase db push` silently "
                "skips the second of two files with one number",
                hint="Rename it; if an earlier pgrecall wrote it, delete it.",
            )


def _number(name: str) -> str | None:
    found = NAME.fullmatch(name)
    return found and found[1]


def _refuse_edited(folder: Path, edited: list[str]) -> None:
    if edited:
        raise ConflictError(
            f"{', '.join(edited)} in {folder}: the text is not that of this release",
            hint="It was edited, or written by another release. --force replaces it.",
        )


def _write(path: Path, text: str) -> None:
    """Write a file so that an interruption leaves the earlier one, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(text.encode())
    unfinished.replace(path)


def _next_command(project: Path) -> str:
    # Ours are dated before those that a project has, so without --include-all it would refuse.
    workdir = "" if project == Path() else f" --workdir {quote(str(project))}"
    return f'supabase db push{workdir} --include-all --db-url "$DATABASE_URL"'
