"""Transactions as spans of a database's client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from pgrecall.sql.address import parameters
from pgrecall.sql.batches import Batches
from pgrecall.sql.loader import Statement
from pgrecall.telemetry.tracing import tracing

_NOTHING = nullcontext()


def call(
    statements: Iterable[Statement], where: Mapping[str, str | int]
) -> AbstractContextManager[None]:
    """The span of a transaction, named by its first statement, while it is entered."""
    found = tracing()
    return _NOTHING if found is None else found.call(_name(statements), where)


def whereabouts(dsn: str) -> dict[str, str | int]:
    """The attributes of a database that its connection string tells; no login, no password."""
    given = parameters(dsn)
    found: dict[str, str | int] = {"db.system.name": "postgresql"}
    if given.get("dbname"):
        found["db.namespace"] = str(given["dbname"])
    if given.get("host"):
        found["server.address"] = str(given["host"])
    if str(given.get("port", "")).isdigit():
        found["server.port"] = int(str(given["port"]))
    return found


def _name(statements: Iterable[Statement]) -> str:
    if isinstance(statements, Batches):
        return statements.name
    if isinstance(statements, Sequence) and statements:
        first: Statement = statements[0]
        return first.name
    return "transaction"
