"""Options that several commands have."""

from __future__ import annotations

import json
from typing import Annotated, TypeAlias

import typer

from pgrecall.domain.memory import KINDS
from pgrecall.errors import InvalidInputError

_KINDS = ", ".join(KINDS)
_DSN_HELP = "The database; else DATABASE_URL, else the embedded server."

Dsn: TypeAlias = Annotated[str | None, typer.Option(help=_DSN_HELP, metavar="URL")]
Organization: TypeAlias = Annotated[
    str, typer.Option(help="The organization, by name or UUID.", metavar="NAME")
]
Agent: TypeAlias = Annotated[str, typer.Option(help="The agent to act as.", metavar="NAME")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

User: TypeAlias = Annotated[str | None, typer.Option(help="Whom it is about.", metavar="ID")]
Context: TypeAlias = Annotated[
    str | None, typer.Option(help="The conversation, by its key.", metavar="KEY")
]
Kind: TypeAlias = Annotated[str | None, typer.Option(help=f"One of {_KINDS}.", metavar="KIND")]
Kinds: TypeAlias = Annotated[
    list[str] | None, typer.Option("--kind", help=f"{_KINDS}; repeatable.", metavar="KIND")
]
OfAgent: TypeAlias = Annotated[str | None, typer.Option(help="All of this agent.", metavar="NAME")]
Metadata: TypeAlias = Annotated[str | None, typer.Option(help="A JSON object.", metavar="JSON")]


def metadata_of(text: str | None) -> dict[str, object] | None:
    """What --metadata holds; InvalidInputError unless it is a JSON object."""
    if text is None:
        return None
    try:
        parsed: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"--metadata is no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise InvalidInputError('--metadata must be a JSON object, such as \'{"source": "mail"}\'')
    return parsed
