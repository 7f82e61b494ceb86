"""What a recovery to a time would do, decided before anything is done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgrecall import embedded
from pgrecall.embedded.account import account_for
from pgrecall.embedded.archiving import (
    Archiving,
    find_archiving,
    settings_for,
    system_identifier,
)
from pgrecall.embedded.layout import Layout
from pgrecall.errors import ArchiveError, DatabaseError, EmbeddedServerError, InvalidInputError
from pgrecall.ops.pitr.archive import (
    find_identifier,
    find_last_moment,
    list_archived_timelines,
    read_beginnings,
    read_log,
)
from pgrecall.ops.pitr.archiver import file_away
from pgrecall.ops.pitr.base_backup import BaseBackup, list_backups
from pgrecall.ops.pitr.erasures import count_erasures
from pgrecall.ops.pitr.target import choose, live_timeline, require_reached, written


@dataclass(frozen=True)
class RecoveryPlan:
    """A recovery that can be done.

    `home` is where the database will be; `aside` the name that its present data directory gets;
    `last_moment` the end of the last transaction in the archive, which the target is before.
    `left_over` is the log's folder of a server that can't start, whose last files were not filed.
    `erasures` is how many erasures the database of `source` knows of that were made after the
    target: they are made again. None if it can't be asked: what was erased comes back.
    """

    home: Path
    target: datetime
    base: BaseBackup
    timeline: int
    last_moment: datetime
    archiving: Archiving
    aside: str
    left_over: Path | None
    is_in_place: bool
    source: Path
    erasures: int | None

    @property
    def steps(self) -> list[str]:
        """What will be done, in words."""
        place = f"{self.home}/data"
        last = (
            f"move {place} to {self.home / self.aside} and the recovered one to {place}"
            if self.is_in_place
            else f"move it to {place}; the server in another home is left as it is"
        )
        return [
            f"copy base backup {self.base.name} ({self.base.bytes:,} bytes, finished "
            f"{written(self.base.finished_at)}) to {self.home}/recovery, and verify it",
            f"recover timeline {self.timeline} to {written(self.target)} "
            f"(the archive leads to {written(self.last_moment)})",
            *([f"make {self.erasures} later erasures again"] if self.erasures else []),
            "check every page of it against its checksum",
            last,
        ]


def plan_recovery(
    home: Path,
    target: datetime,
    *,
    archive: Path | None = None,
    into: Path | None = None,
    timeline: int | None = None,
) -> RecoveryPlan:
    """Decide how to recover the database of `home` as it was at `target`; changes no data.

    A server that can run is made to file its log away first, so that the archive leads to now.
    `archive` replaces the folder that was settled, for a home that is lost; `into` is a new home
    for what is recovered, beside the present one; `timeline` replaces the one that was
    live at the target.

    Raises InvalidInputError for a target before the first base backup or not before the last
    archived moment, ArchiveError where there is nothing to recover from.
    """
    layout, now = Layout.of(home), datetime.now(UTC)
    destination = layout if into is None else Layout.of(into)
    if into is not None:
        _require_new(destination)
    archiving = _found_archiving(layout, archive)
    left_over, erasures = _complete(layout, archiving, target)
    log = read_log(archiving, timeline or _live_timeline(archiving, target), left_over)
    base = choose(list_backups(archiving), log.lineage, target)
    last = find_last_moment(log, account_for(archiving.wal), base.first_segment)
    last = max(last or base.finished_at, base.finished_at)
    require_reached(target, last)
    return RecoveryPlan(
        home=destination.home,
        target=target,
        base=base,
        timeline=log.lineage.timeline,
        last_moment=last,
        archiving=archiving,
        aside=f"data.before-{now:%Y%m%dT%H%M%SZ}",
        left_over=left_over,
        is_in_place=into is None,
        source=layout.home,
        erasures=erasures,
    )


def _found_archiving(layout: Layout, archive: Path | None) -> Archiving:
    found = find_archiving(layout) if layout.home.is_dir() else None
    if archive is not None:
        folder = archive.expanduser().resolve()
        identifier = find_identifier(folder)
        if identifier is None:
            raise ArchiveError(f"{folder} is no archive of pgrecall's.")
        found = Archiving(folder, identifier, is_on=False)
    if found is None:
        raise ArchiveError(
            f"Point-in-time recovery was never switched on for the server in {layout.home}.",
            hint="Name an archive (--archive DIR), or restore a backup: pgrecall restore FILE.",
        )
    return found


def _complete(
    layout: Layout, archiving: Archiving, target: datetime
) -> tuple[Path | None, int | None]:
    """Have the log up to now filed away; where that can't be, the folder that it is left in.

    And how many erasures were made since, if the server can tell.
    """
    if system_identifier(layout.data) != archiving.system_identifier:
        return None, None
    if not settings_for(layout):
        return None, None
    erasures = None
    try:
        with embedded.join(layout.home) as lease:
            # A database in which even that fails is what a recovery is for.
            with suppress(DatabaseError):
                erasures = count_erasures(lease.dsn, target)
            file_away(lease.dsn, archiving, layout.log_file)
    except EmbeddedServerError:
        return layout.data / "pg_wal", erasures
    return None, erasures


def _live_timeline(archiving: Archiving, target: datetime) -> int:
    timelines = list_archived_timelines(archiving)
    return live_timeline(timelines, read_beginnings(archiving), target)


def _require_new(destination: Layout) -> None:
    """Refuse a home that is more than what an interrupted recovery left."""
    if not destination.home.exists():
        return
    left = {destination.recovery.name, destination.pitr_lock.name}
    if not destination.home.is_dir() or {each.name for each in destination.home.iterdir()} - left:
        raise InvalidInputError(
            f"{destination.home} is not empty", hint="--into makes a new home: name a new folder."
        )
