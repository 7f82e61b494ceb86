"""Where output goes: results to standard output, everything else to standard error.

A terminal gets colours and wrapped lines. Anything else gets plain lines, one for each thing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from pgrecall.cli.interrupts import raise_pending
from pgrecall.cli.rendering import UNICODE, Blocks

_UNCUT = 300


def console(*, stderr: bool = False) -> Console:
    """A console on one of the two streams as they are now. Nothing in a text is markup."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def blocks(out: Console) -> Blocks:
    """The characters that bars are made of there."""
    return UNICODE if out.encoding.startswith("utf") else Blocks(full="#", parts="", empty=".")


def print_table(table: Table) -> None:
    """A table to standard output; what is no terminal gets it uncut."""
    out = console()
    if not out.is_terminal:
        out.width = _UNCUT
    out.print(table)


def say(line: str | Text) -> None:
    """One line to standard error."""
    console(stderr=True).print(Text(line, style="dim") if isinstance(line, str) else line)


def print_json(document: object) -> None:
    """One JSON document to standard output."""
    typer.echo(json.dumps(plain(document), indent=2, ensure_ascii=not _is_unicode()))


def plain(value: object) -> object:
    """The value in JSON's terms: dataclasses as objects, UUIDs and paths as text, ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


class Bar:
    """A progress bar: called with how many of how many are done, None where nobody knows."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=None)

    def __call__(self, done: int, total: int | None) -> None:
        raise_pending()
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def progress(label: str, *, is_bytes: bool = False) -> Iterator[Bar]:
    """A progress bar on standard error; it shows on a terminal only, and vanishes at the end.

    It counts items, or the bytes of a file.
    """
    out = console(stderr=True)
    counted = DownloadColumn() if is_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted)
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as shown:
        yield Bar(shown, label)


@contextmanager
def steps() -> Iterator[Callable[[str, int, int], None]]:
    """Progress of several steps, one bar after another: called with a step, done and total."""
    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as shown:
        task = shown.add_task("", total=None)

        def tell(step: str, done: int, total: int) -> None:
            raise_pending()
            shown.update(task, description=step, completed=done, total=total)

        yield tell


@contextmanager
def waiting(label: str) -> Iterator[None]:
    """A sign on a terminal's standard error that something goes on whose length is unknown."""
    with console(stderr=True).status(label):
        yield


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")
