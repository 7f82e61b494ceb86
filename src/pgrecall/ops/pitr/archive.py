"""The archive's folder: made, opened to the server's account alone, read.

archive.json   which database it is of
timelines.json when each timeline but the first took the database over
wal/           the log, one compressed file for each 16 MB
base/          base backups, each a folder with its data directory and base.json
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pgrecall.domain.times import moment
from pgrecall.embedded.access import let_in
from pgrecall.embedded.account import Account
from pgrecall.embedded.archive_command import SUFFIX
from pgrecall.embedded.archiving import Archiving
from pgrecall.embedded.binaries import binary
from pgrecall.embedded.command import run_command
from pgrecall.embedded.failures import directory_errors
from pgrecall.embedded.folders import make_private, opened, opener_in, read_text, write_text
from pgrecall.embedded.wal import (
    Lineage,
    find_segment,
    history_name,
    lineage_of,
    list_reached,
    list_timelines,
)
from pgrecall.errors import ArchiveError

_RECORD = "archive.json"
_BEGINNINGS = "timelines.json"
# A command line has room for so many paths.
_AT_ONCE = 500
# The times at which transactions of one file of the log ended, the last one of them.
_PRINT_LAST_MOMENT = """
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && file="$folder/$3" &&
case "$2" in *.gz) gzip -dc "$2" >"$file" ;; *) cp "$2" "$file" ;; esac &&
"$1" --rmgr=Transaction "$file" 2>/dev/null |
  sed -nE 's/.*desc: (COMMIT|ABORT)[A-Z_]* [^;]*([0-9]{4}(-[0-9]{2}){2} [0-9:.]+) UTC.*/\\2/p' |
  sort | tail -n 1
"""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


@dataclass(frozen=True)
class Log:
    """The files of the log that are at hand, and how their timelines hang together.

    `left_over` is the log's folder of a server that can't run, whose last files were never filed.
    """

    archiving: Archiving
    lineage: Lineage
    names: frozenset[str]
    left_over: Path | None = None


def make_archive(archiving: Archiving, account: Account) -> None:
    """Make the folder, or make sure that an existing one is this database's.

    Raises ArchiveError for a folder that holds something else, DataDirectoryError for one that
    the server's account can't have.
    """
    folder = archiving.archive
    with directory_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _require_ours(archiving)
        make_private(folder, account)
        let_in(account, [folder])
        with opened(folder) as directory:
            text = json.dumps({"system_identifier": archiving.system_identifier}) + "\n"
            write_text(directory, _RECORD, text, account)
        for inner in (archiving.wal, archiving.base):
            make_private(inner, account)


def find_identifier(archive: Path) -> int | None:
    """Which database an archive is of; None if the folder is no archive."""
    try:
        with opened(archive) as directory:
            text = read_text(directory, _RECORD)
            return None if text is None else int(json.loads(text)["system_identifier"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def read_beginnings(archiving: Archiving) -> dict[int, datetime]:
    """When each timeline that a recovery of pgrecall's began took the database over."""
    with directory_errors(archiving.archive), opened(archiving.archive) as directory:
        written = json.loads(read_text(directory, _BEGINNINGS) or "{}")
    found = {int(number): moment("a timeline's beginning", at) for number, at in written.items()}
    return {number: at for number, at in found.items() if at is not None}


def note_beginning(archiving: Archiving, timeline: int, at: datetime, account: Account) -> None:
    """Note when a timeline takes the database over."""
    noted = {**read_beginnings(archiving), timeline: at}
    text = json.dumps({str(number): str(begun) for number, begun in sorted(noted.items())})
    with directory_errors(archiving.archive), opened(archiving.archive) as directory:
        write_text(directory, _BEGINNINGS, f"{text}\n", account)


def list_archived_timelines(archiving: Archiving) -> list[int]:
    """The timelines of the archive, oldest first."""
    return sorted({1, *list_timelines(_names(archiving.wal))})


def read_log(archiving: Archiving, timeline: int, left_over: Path | None = None) -> Log:
    """What there is of the log that leads to a timeline's end; ArchiveError without an archive."""
    found = _names(archiving.wal)
    own = frozenset(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX))
    beside = frozenset(_names(left_over)) if left_over else frozenset[str]()
    names = own | {name for name in beside if find_segment(name)}
    return Log(archiving, _lineage(archiving, timeline), names, left_over)


def find_last_moment(log: Log, account: Account, first_number: int) -> datetime | None:
    """When the last transaction ended that can be reached from file `first_number`, without a gap.

    None if there is no transaction since.
    """
    for segment in reversed(list_reached(log.names, log.lineage, first_number)):
        found = _read_moment(_path(log, segment.name), segment.name, account)
        if found is not None:
            return found
    return None


def remove(account: Account, paths: Sequence[Path]) -> None:
    """Remove files or folders of the account, as that account."""
    for first in range(0, len(paths), _AT_ONCE):
        some = map(str, paths[first : first + _AT_ONCE])
        done = run_command(account, ["rm", "-rf", "--", *some])
        if done.code != 0:
            raise ArchiveError(
                f"What is no longer needed can't be removed: {done.output.strip()[:300]}",
                hint="Make the archive writable for the server's account.",
            )


def _require_ours(archiving: Archiving) -> None:
    folder = archiving.archive
    if not os.path.lexists(folder):
        return
    found = find_identifier(folder)
    if found == archiving.system_identifier or (found is None and not any(folder.iterdir())):
        return
    what = "another database's archive" if found else "something else than an archive"
    raise ArchiveError(
        f"{folder} holds {what}.", hint="Name a folder that is new or empty: --archive DIR."
    )


def _names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise ArchiveError(
            f"The log can't be read from {folder}: {error.strerror}.",
            hint="Mount it, or name the archive's folder: --archive DIR.",
        ) from error


def _lineage(archiving: Archiving, timeline: int) -> Lineage:
    if timeline == 1:
        return lineage_of(1, "")
    name = history_name(timeline) + SUFFIX
    try:
        with opened(archiving.wal) as folder, open(name, "rb", opener=opener_in(folder)) as file:
            return lineage_of(timeline, gzip.decompress(file.read()).decode())
    except (OSError, EOFError) as error:
        raise ArchiveError(
            f"The history of timeline {timeline} can't be read from {archiving.wal / name}.",
            hint="Name a timeline whose history file is there: --timeline N.",
        ) from error


def _path(log: Log, name: str) -> Path:
    filed = log.archiving.wal / f"{name}{SUFFIX}"
    return filed if log.left_over is None or filed.exists() else log.left_over / name


def _read_moment(path: Path, name: str, account: Account) -> datetime | None:
    script = ["/bin/sh", "-c", _PRINT_LAST_MOMENT, "sh", str(binary("pg_waldump")), str(path), name]
    printed = run_command(account, script).output.strip().splitlines()
    if not printed or not _MOMENT.fullmatch(printed[-1]):
        return None
    return moment("the log", f"{printed[-1]}+00:00")
