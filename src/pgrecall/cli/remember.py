"""pgrecall remember."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pgrecall import Remembered
from pgrecall.cli.content import content_of
from pgrecall.cli.database import open_memory
from pgrecall.cli.exit_codes import ERROR
from pgrecall.cli.options import (
    Agent,
    AsJson,
    Context,
    Dsn,
    Kind,
    Metadata,
    Organization,
    User,
    metadata_of,
)
from pgrecall.cli.output import print_json, progress, say

_TEXTS_HELP = "Texts, or - for the lines of standard input."
_FILE_HELP = (
    'A file of JSON lines: messages {"role", "content", "name"?, "created_at"?}, '
    "or texts in quotes."
)

Texts: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[TEXT...|-]", help=_TEXTS_HELP)
]
File: TypeAlias = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, metavar="FILE", help=_FILE_HELP)
]
Slot: TypeAlias = Annotated[
    str | None, typer.Option(help="Subject and attribute, as user:maria/diet.", metavar="SLOT")
]
Importance: TypeAlias = Annotated[float | None, typer.Option(help="0 to 1.", metavar="SHARE")]
OccurredAt: TypeAlias = Annotated[
    str | None, typer.Option(help="When it happened, in ISO 8601.", metavar="TIME")
]
Visibility: TypeAlias = Annotated[
    str | None, typer.Option(help="private, agent or organization.", metavar="WHO")
]
IdempotencyKey: TypeAlias = Annotated[
    str | None, typer.Option(help="Remember only once under this key.", metavar="KEY")
]


def remember(
    texts: Texts = None,
    *,
    file: File = None,
    user: User = None,
    context: Context = None,
    kind: Kind = None,
    slot: Slot = None,
    metadata: Metadata = None,
    importance: Importance = None,
    occurred_at: OccurredAt = None,
    visibility: Visibility = None,
    idempotency_key: IdempotencyKey = None,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Remember texts, lines, or a file of messages.

    Lines come from standard input, where - stands for the texts.
    """
    content, document = content_of(texts, file), metadata_of(metadata)
    with open_memory(dsn, organization, agent) as memory, progress("Remembering") as bar:
        answers = memory.remember(
            content,
            user_id=user,
            context=context,
            kind=kind,
            slot=slot,
            metadata=document,
            importance=importance,
            occurred_at=occurred_at,
            visibility=visibility,
            idempotency_key=idempotency_key,
            on_progress=bar,
        )
    _show(answers, as_json=as_json)


def _show(answers: Remembered, *, as_json: bool) -> None:
    counts = Counter(answer.status for answer in answers)
    if as_json:
        print_json({"items": answers.items, "counts": counts})
    elif len(answers) == 1 and not answers.rejected:
        reason = f" ({answers.reason})" if answers.reason else ""
        typer.echo(f"{answers.status} {answers.id}{reason}")
    else:
        typer.echo(", ".join(f"{count} {status}" for status, count in counts.items()) or "nothing")
    for answer in answers.rejected:
        say(f"rejected item {answer.ordinal} ({answer.code}): {answer.reason}")
    if answers.rejected:
        raise typer.Exit(ERROR)
