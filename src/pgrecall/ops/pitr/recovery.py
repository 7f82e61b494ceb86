"""Recover an embedded server's database as it was at a time.

A copy of a base backup recovers in a home of its own, with a server of its own that files nothing
away, and is checked. Only then it takes the place of the data directory, which stays aside. Until
then nothing of the old one is touched, so all of it can be interrupted and begun again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pgrecall import embedded
from pgrecall._sync.session import connected
from pgrecall.embedded import leftovers, swap
from pgrecall.embedded.account import account_for
from pgrecall.embedded.archive_command import SUFFIX, restore_command
from pgrecall.embedded.archiving import Archiving
from pgrecall.embedded.failures import directory_errors
from pgrecall.embedded.folders import make_home
from pgrecall.embedded.launch import Run
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.lease import DECISION_SECONDS
from pgrecall.embedded.locks import holding
from pgrecall.embedded.polling import wait_until
from pgrecall.embedded.recovery import (
    check_pages,
    clear_away,
    copy_base,
    file_later,
    recovered,
    running,
)
from pgrecall.embedded.server import Server
from pgrecall.embedded.wal import list_timelines
from pgrecall.errors import DataDirectoryError, ServerStartError
from pgrecall.ops.pitr.archive import note_beginning
from pgrecall.ops.pitr.base_backup import data_of
from pgrecall.ops.pitr.erasures import KEEPING, Erasures, RepeatedErasures, read_erasures, repeat
from pgrecall.ops.pitr.lock import archive_lock
from pgrecall.ops.pitr.plan import RecoveryPlan
from pgrecall.ops.pitr.target import written

_END_SECONDS = 10.0
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What was done. `aside` is where the old data directory stays; None if there was none.

    `last_transaction_at` is the last one that was recovered; None if none is later than the
    base backup. `erased_again` is how many memories went by later erasures, made once more; None
    if nobody could tell which those are.
    """

    home: Path
    target: datetime
    base_backup: str
    last_transaction_at: datetime | None
    aside: Path | None
    erased_again: int | None


def recover(plan: RecoveryPlan, say: Say = lambda _: None) -> Recovery:
    """Do what the plan says; `say` hears of each step.

    Raises ArchiveError or ServerStartError if it can't be done; nothing has changed then. Safe
    to interrupt and to repeat.
    """
    layout = Layout.of(plan.home)
    with directory_errors(layout.home):
        make_home(layout.home)
    with archive_lock(layout):
        work = Layout.of(layout.recovery)
        clear_away(work)
        try:
            last, erased_again = _recover_in(work, plan, say)
        except ServerStartError:
            clear_away(work)
            raise
        say("putting it in place")
        aside = _put_in_place(layout, plan)
        clear_away(work)
    return Recovery(
        home=layout.home,
        target=plan.target,
        base_backup=plan.base.name,
        last_transaction_at=last,
        aside=aside,
        erased_again=erased_again,
    )


def _recover_in(work: Layout, plan: RecoveryPlan, say: Say) -> tuple[datetime | None, int | None]:
    """When the last transaction of it was, and how many memories were erased again."""
    erasures = read_erasures(plan.source, plan.target) if plan.erasures else None
    say(f"copying and verifying base backup {plan.base.name}")
    copy_base(work, data_of(plan.archiving, plan.base.name))
    say(f"recovering to {written(plan.target)}")
    with recovered(work, options(plan)) as dsn:
        found = _get_recovered(dsn)
    repeated = _repeat(work, erasures, say) if erasures else RepeatedErasures(0, [])
    say("checking every page")
    check_pages(work)
    if plan.is_in_place:
        _announce(work, plan.archiving, repeated.log)
    return found["last_transaction_at"], None if plan.erasures is None else repeated.memories


def _repeat(work: Layout, erasures: Erasures, say: Say) -> RepeatedErasures:
    say("making later erasures again")
    with running(work, Run(KEEPING)) as dsn:
        return repeat(dsn, erasures)


def _announce(work: Layout, archiving: Archiving, log: list[str]) -> None:
    """Have the new timeline's history and log filed away as soon as the server runs as usual."""
    names = [file.name for file in (work.data / "pg_wal").glob("*.history")]
    new = [name for name in names if not (archiving.wal / f"{name}{SUFFIX}").exists()]
    for name in [*new, *log]:
        file_later(work, name)
    for timeline in list_timelines(new):
        account = account_for(archiving.wal)
        # An archive that takes nothing more must not stand in the way of what it holds.
        with suppress(DataDirectoryError):
            note_beginning(archiving, timeline, datetime.now(UTC), account)


def options(plan: RecoveryPlan) -> dict[str, str]:
    """The settings of a server that recovers as planned. Pure.

    It files nothing away: a timeline that ends with this run must not be in the archive.
    """
    return {
        "restore_command": restore_command(plan.archiving.wal, plan.left_over),
        "recovery_target_time": written(plan.target),
        "recovery_target_inclusive": "on",
        "recovery_target_timeline": str(plan.timeline),
        "recovery_target_action": "promote",
        "hot_standby": "off",
        "archive_mode": "off",
        "primary_conninfo": "",
    }


def _stop(server: Server) -> bool:
    """Stop the old server; one that is too broken to stop is ended, its data goes aside anyway."""
    try:
        return server.stop()
    except ServerStartError:
        leftovers.end_processes(server.layout, server.account)
        if not wait_until(_END_SECONDS, lambda: not leftovers.has_processes(server.layout)):
            raise
        return True


def _get_recovered(dsn: str) -> dict[str, Any]:
    with connected(dsn, "pitr") as session:
        row = session.row("get_recovered")
    if row["is_recovering"]:
        raise ServerStartError("The server has not ended its recovery.")
    return row


def _put_in_place(layout: Layout, plan: RecoveryPlan) -> Path | None:
    """Let it take the data directory's place, and see that a server starts on it."""
    aside = layout.home / plan.aside if layout.data.exists() else None
    with directory_errors(layout.home):
        server = Server.of(layout)
        with holding(layout.start_lock, DECISION_SECONDS):
            was_running = _stop(server)
            new = Path(layout.recovery.name) / "data"
            swap.put_in_place(layout, swap.Swap(str(new), plan.aside))
            if was_running:
                server.ensure_running()
    embedded.join(layout.home).release()
    return aside
