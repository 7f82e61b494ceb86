"""pgrecall recall."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeAlias

import typer
from rich.text import Text

from pgrecall import Hit, Recall
from pgrecall.cli.database import open_memory
from pgrecall.cli.hits import print_hits
from pgrecall.cli.options import (
    Agent,
    AsJson,
    Context,
    Dsn,
    Kinds,
    Metadata,
    Organization,
    User,
    metadata_of,
)
from pgrecall.cli.output import blocks, console, print_json, say
from pgrecall.cli.rendering import bars, origin, part_bar

Query: TypeAlias = Annotated[
    str, typer.Argument(metavar="QUERY", help="The question, in any words.")
]
Since: TypeAlias = Annotated[
    str | None, typer.Option(help="Only what happened then or later.", metavar="TIME")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option(help="Only what happened earlier.", metavar="TIME")
]
AsOf: TypeAlias = Annotated[str | None, typer.Option(help="What was true then.", metavar="TIME")]
Limit: TypeAlias = Annotated[
    int | None, typer.Option(help="How many hits, 1 to 1000; else as `config` has it.")
]
MinScore: TypeAlias = Annotated[float, typer.Option(help="Only hits of this score or more.")]
Explain: TypeAlias = Annotated[
    bool, typer.Option("--explain", help="Show the parts of each score, and what was done.")
]
AsPrompt: TypeAlias = Annotated[
    bool, typer.Option("--as-prompt", help="Print the block that goes into a prompt.")
]


def recall(
    query: Query,
    *,
    user: User = None,
    context: Context = None,
    kind: Kinds = None,
    metadata: Metadata = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    limit: Limit = None,
    min_score: MinScore = 0.0,
    explain: Explain = False,
    as_prompt: AsPrompt = False,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Find the memories that answer a question."""
    wanted = metadata_of(metadata)
    with open_memory(dsn, organization, agent) as memory:
        found = memory.recall(
            query,
            user_id=user,
            context=context,
            kinds=kind,
            metadata=wanted,
            since=since,
            until=until,
            as_of=as_of,
            limit=limit,
            min_score=min_score,
            explain=explain,
        )
    if as_prompt:
        _print_prompt(found, as_json=as_json)
    else:
        _print(found, explain=explain, as_json=as_json)


def _print_prompt(found: Recall, *, as_json: bool) -> None:
    if as_json:
        print_json({"query": found.query, "prompt": found.as_prompt()})
    elif found:
        typer.echo(found.as_prompt())


def _print(found: Recall, *, explain: bool, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        say("nothing was found")
    out = console()
    drawn = blocks(out)
    scores = {score.id: score for score in found.explain().scores}

    def below(hit: Hit) -> list[Text]:
        if not explain:
            return [origin(hit)]
        parts = scores[hit.id].parts if hit.id in scores else ()
        return [
            bars(hit.signals, drawn, with_numbers=True),
            *(part_bar(part, drawn) for part in parts if part.contribution),
            origin(hit),
        ]

    print_hits(out, found, below)
    if explain:
        typer.echo(f"\n{replace(found.explain(), scores=())}")
