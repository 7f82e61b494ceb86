"""pgrecall tune: what to set otherwise, and why."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from pgrecall import Settings
from pgrecall._sync.link import Address
from pgrecall.cli.confirmation import Yes, confirm, is_asked
from pgrecall.cli.database import resolve_database
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import print_json, say, waiting
from pgrecall.errors import InvalidInputError
from pgrecall.ops import tuning
from pgrecall.ops.tuning import Hardware, Proposal, Tuning

_MEMORY_HELP = "The memory of the server's machine, such as 8GB; with --cores."
_CORES_HELP = "The cores of the server's machine."
_MEASURE_HELP = "Measure recall on what is stored; it takes some seconds."
_APPLY_HELP = "Make the changes that this role may make, after asking."

Memory: TypeAlias = Annotated[str | None, typer.Option(help=_MEMORY_HELP, metavar="SIZE")]
Cores: TypeAlias = Annotated[
    int | None, typer.Option(help=_CORES_HELP, metavar="N", min=1, max=4096)
]
Measure: TypeAlias = Annotated[bool, typer.Option("--measure/--no-measure", help=_MEASURE_HELP)]
Apply: TypeAlias = Annotated[bool, typer.Option("--apply", help=_APPLY_HELP)]


def tune(
    *,
    memory: Memory = None,
    cores: Cores = None,
    measure: Measure = True,
    apply: Apply = False,
    yes: Yes = False,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Propose settings for the server, with the reason and effect.

    The effect is measured where it can be. Changes nothing without --apply. Each proposal has its
    statement, or for the settings of a hosted server its host's command.
    """
    if (memory is None) != (cores is None):
        raise InvalidInputError("--memory and --cores go together")
    hardware = None
    if memory is not None and cores is not None:
        hardware = Hardware(tuning.parse_size(memory), cores, "as told")
    is_embedded = Address.of(dsn, Settings()).dsn is None
    with resolve_database(dsn) as database:
        with waiting("Reading and measuring"):
            found = tuning.propose(
                database, hardware=hardware, is_embedded=is_embedded, is_measuring=measure
            )
        if not as_json:
            _print(found)
        done = _apply(database, found, yes=yes) if apply else []
    if as_json:
        print_json({"tuning": found, "applied": [each.name for each in done]})


def _apply(database: str, found: Tuning, *, yes: bool) -> list[Proposal]:
    doable = [each for each in found.proposals if each.can_apply]
    if not doable:
        say("nothing that this role may change")
        return []
    if not yes:
        if not is_asked():
            raise InvalidInputError("--apply changes the server: say --yes where nobody is asked")
        confirm(f"Change {len(doable)} settings?")
    done = tuning.apply(database, doable)
    say(f"{len(done)} settings changed; connections that are open keep some of the old ones")
    if any(each.needs_restart for each in done):
        say("some take effect with the server's next start")
    return done


def _print(found: Tuning) -> None:
    if found.hardware is not None:
        gigabytes = found.hardware.memory / 2**30
        say(f"{gigabytes:.1f} GB, {found.hardware.cores} cores, {found.hardware.source}")
    for search in found.measured.searches:
        say(
            f"ef_search {search.ef_search}: {search.recall:.1%} of the nearest, "
            f"{search.milliseconds:.1f} ms"
        )
    for note in found.notes:
        say(note)
    if not found.proposals:
        typer.echo("nothing to change")
    for each in found.proposals:
        _print_proposal(each)


def _print_proposal(each: Proposal) -> None:
    typer.echo(f"{each.name}: {each.current} -> {each.proposed}")
    typer.echo(f"  why        {each.reason}")
    if each.effect:
        typer.echo(f"  measured   {each.effect}")
    typer.echo(f"  change     {each.statement}")
    if each.needs_restart:
        typer.echo("  restart    needed")
