"""pgrecall restore --to: the embedded server's database as it was at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from pgrecall import Settings
from pgrecall._sync.link import Address
from pgrecall.cli.confirmation import confirm, is_asked
from pgrecall.cli.output import print_json, say, waiting
from pgrecall.errors import InvalidInputError
from pgrecall.ops import pitr
from pgrecall.ops.pitr import Recovery, RecoveryPlan


@dataclass(frozen=True, kw_only=True)
class RecoveryOptions:
    """What `restore --to` is to do."""

    to: str
    into: Path | None
    archive: Path | None
    timeline: int | None
    is_dry_run: bool
    is_confirmed: bool


def restore_to(wanted: RecoveryOptions, dsn: str | None, *, as_json: bool) -> None:
    """Recover, after saying what will be done; on a terminal it asks first."""
    target = pitr.parse_target(wanted.to)
    address = Address.of(dsn, Settings())
    if address.dsn is not None:
        raise InvalidInputError(
            f"--to recovers the embedded server alone, and {address} is meant",
            hint="Unset DATABASE_URL for the embedded one; for a server of your own see "
            "docs/point-in-time-recovery.md.",
        )
    say(f"database: {address}")
    with waiting("Looking how far the archive leads"):
        plan = pitr.plan_recovery(
            address.home,
            target,
            archive=wanted.archive,
            into=wanted.into,
            timeline=wanted.timeline,
        )
    if plan.erasures is None:
        say(
            "the present database can't be asked for erasures made after that time: what they "
            "erased comes back; erase it again"
        )
    elif plan.erasures:
        say(f"erasures made after that time: {plan.erasures}. They are made again")
    if wanted.is_dry_run:
        _show_plan(plan, as_json=as_json)
        return
    if not wanted.is_confirmed and is_asked():
        for step in plan.steps:
            say(step)
        confirm("Recover?")
    done = pitr.recover(plan, say)
    _show(done, as_json=as_json)


def _show_plan(plan: RecoveryPlan, *, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": True, "plan": plan, "steps": plan.steps})
        return
    for number, step in enumerate(plan.steps, 1):
        typer.echo(f"{number}. {step}")
    say("nothing was changed")


def _show(done: Recovery, *, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": False, **done.__dict__})
        return
    typer.echo(f"recovered to {done.target:%Y-%m-%d %H:%M:%S.%f}+00 in {done.home}")
    if done.erased_again:
        say(f"memories erased again: {done.erased_again}")
    if done.aside is not None:
        say(f"the former data directory stays in {done.aside}: remove it when you are content")
        say("next: pgrecall server pitr base-backup")
