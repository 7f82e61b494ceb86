"""pgrecall embeddings status, backfill, switch, drop."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer
from rich.table import Table

from pgrecall import Backfill, EmbeddingModel, Embeddings, Memory
from pgrecall._sync.vectors import DEFAULT
from pgrecall.cli.confirmation import Yes, confirm, is_asked
from pgrecall.cli.database import open_memory
from pgrecall.cli.exit_codes import ERROR, INTERRUPTED
from pgrecall.cli.options import Agent, AsJson, Dsn, Organization
from pgrecall.cli.output import console, print_json, progress, say
from pgrecall.cli.rendering import memories

_EMBEDDER_HELP = "The new model: local, openai:MODEL or openai:MODEL@DIMENSION; else the setting."
_MISSING_HELP = "Switch although so many memories have no vector of it yet."

EmbedderName: TypeAlias = Annotated[
    str, typer.Option("--embedder", help=_EMBEDDER_HELP, metavar="NAME", show_default=False)
]
Model: TypeAlias = Annotated[str, typer.Argument(metavar="MODEL", help="As `status` names it.")]
AllowMissing: TypeAlias = Annotated[int, typer.Option(help=_MISSING_HELP, metavar="COUNT", min=0)]

app = typer.Typer(
    name="embeddings",
    help="Move to another embedding model while recall goes on.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def status(
    *,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Show the agent's models, and how many memories have a vector of each."""
    with open_memory(dsn, organization, agent, None) as memory:
        models = memory.embeddings.status()
    if as_json:
        print_json({"models": models})
    else:
        _print_models(models)


@app.command()
def backfill(
    *,
    embedder: EmbedderName = DEFAULT,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Give every memory that lacks one a vector of the embedder.

    If that is another model than the agent's, it is filled in beside it and used only after
    `switch`. Safe to interrupt and to repeat: it goes on with what is missing.
    """
    with open_memory(dsn, organization, agent, embedder) as memory:
        done = _fill(memory)
    if as_json:
        print_json(done)
    else:
        _print_backfill(done)
    if done.rejected:
        say(f"{done.rejected:,} texts got no vector that can be stored")
        raise typer.Exit(ERROR)


@app.command()
def switch(
    model: Model,
    *,
    allow_missing: AllowMissing = 0,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Make a model that was filled in, or a former one, the agent's own, at once."""
    with open_memory(dsn, organization, agent, None) as memory:
        done = memory.embeddings.switch(model, allow_missing=allow_missing)
    if as_json:
        print_json(done)
        return
    was = "it was already" if done.former is None else f"before: {done.former}"
    typer.echo(f"agent {done.agent_id} uses {done.model} ({was})")
    if done.missing:
        say(
            f"{memories(done.missing)} of {done.memories:,} lack a vector of it: run backfill again"
        )
    if done.former is not None:
        say("next: give every client the new embedder, run backfill once more, drop the former one")


@app.command()
def drop(
    model: Model,
    *,
    yes: Yes = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Drop a model that is not the agent's own, with its vectors.

    Clients that still embed with it get errors from then on. On a terminal it asks first.
    """
    with open_memory(dsn, organization, agent, None) as memory:
        total = _vectors(memory.embeddings, model)
        if not yes and is_asked():
            confirm(f"Drop {total:,} vectors of {model}?")
        with progress("Dropping") as bar:
            done = memory.embeddings.drop(model, on_progress=lambda gone: bar(gone, total))
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{done.vectors:,} vectors of {done.model} dropped")


def _fill(memory: Memory) -> Backfill:
    heard = 0
    with progress("Embedding") as bar:

        def hear(done: int, total: int) -> None:
            nonlocal heard
            heard = done
            bar(done, total)

        try:
            return memory.embeddings.backfill(on_progress=hear)
        except KeyboardInterrupt:
            say(f"interrupted after {memories(heard)}; run it again to go on")
            raise typer.Exit(INTERRUPTED) from None


def _vectors(embeddings: Embeddings, model: str) -> int:
    return sum(each.vectors for each in embeddings.status() if each.model == model)


def _print_models(models: list[EmbeddingModel]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("model", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("dimension", "vectors", "missing"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in models:
        dimension = "" if each.dimension is None else str(each.dimension)
        counts = f"{each.vectors:,}", f"{each.missing:,}"
        table.add_row(each.model or "(text alone)", each.state, dimension, *counts)
    if models:
        console().print(table)
    else:
        say("nothing is remembered yet")


def _print_backfill(done: Backfill) -> None:
    typer.echo(f"{memories(done.stored)} got a vector of {done.model}")
    if done.missing:
        say(f"{memories(done.missing)} still lack one: run it again")
    if not done.is_current:
        say(f"next: pgrecall embeddings switch {done.model}")
