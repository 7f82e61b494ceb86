"""pgrecall's migrations as files of a Supabase project, for `supabase db push` to apply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from pgrecall.domain.migration import MigrationFile
from pgrecall.errors import ConflictError, InvalidInputError
from pgrecall.sql.migration_files import NAME, read_release

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
    project: Path, *, force: bool = False, migrations: Iterable[MigrationFile] | None = None
) -> Export:
    """Write the migrations to `supabase/migrations` of a project's folder, made where missing.

    What is there with the same text stays as it is, so it is safe to repeat. `force` replaces
    files that say something else; `migrations` replaces those of this release.

    Raises ConflictError, before it writes anything, if a file says something else or another one
    has its number. Raises InvalidInputError if the folder can't be read or written.
    """
    files = read_release().install if migrations is None else tuple(migrations)
    if project.name == "supabase" and (project / "config.toml").exists():
        raise InvalidInputError(
            f"{project} is the inner folder of a project",
            hint="Name the folder that holds it: the project's own.",
        )
    folder = project / "supabase" / "migrations"
    try:
        states = {file: _state(folder, file) for file in files}
        _refuse_taken_numbers(folder, files)
        if not force:
            _refuse_edited(folder, [file.name for file in states if states[file] == "replaced"])
        for file, state in states.items():
            if state != "unchanged":
                _write(folder / file.name, file.text)
    except OSError as error:
        raise InvalidInputError(f"{error.filename or folder}: {error.strerror}") from None
    exported = tuple(ExportedFile(file.name, state) for file, state in states.items())
    return Export(folder, exported, _next_command(project))


def _state(folder: Path, file: MigrationFile) -> FileState:
    path = folder / file.name
    if not path.exists():
        return "written"
    # Git may have given it the line endings of another system.
    found = path.read_bytes().replace(b"\r\n", b"\n")
    return "unchanged" if found == file.text.encode() else "replaced"


def _refuse_taken_numbers(folder: Path, files: Iterable[MigrationFile]) -> None:
    ours = {_number(file.name): file.name for file in files}
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
