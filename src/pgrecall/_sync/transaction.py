# Generated from ../_async/transaction.py by scripts/generate_sync.py: edit that file instead.

"""The one place where a transaction takes on its caller.

Every statement runs as the role `authenticated` under the caller's claims, for that transaction
alone. BEGIN, the preamble, the statements and COMMIT go to the server in one piece (a pipeline),
so that a recall is one round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import Cursor, Pipeline
from psycopg.rows import DictRow

from pgrecall._sync.pool import DictConnection
from pgrecall.auth.signing import Signer
from pgrecall.sql.loader import Statement, statement

Rows: TypeAlias = "list[DictRow]"


@dataclass(frozen=True, slots=True)
class Caller:
    """As whom transactions run, and how: the claims as JSON, a limit for each statement."""

    claims: str
    signer: Signer
    timeout_milliseconds: int
    is_pipelined: bool

    def preamble(self) -> Statement:
        """The statement that makes a transaction the caller's."""
        signature = self.signer.sign(self.claims)
        return statement(
            "act_as",
            {
                "claims": self.claims,
                "claims_expire": signature.expires_at,
                "claims_signature": signature.digest,
                "statement_timeout": str(self.timeout_milliseconds),
            },
        )


def run(
    connection: DictConnection,
    caller: Caller,
    statements: Iterable[Statement],
    on_rows: Callable[[int], None] | None = None,
) -> list[Rows]:
    """The rows of each statement, all of them in one transaction of the caller.

    `on_rows` hears after each statement how many rows there are so far; the next one is sent
    only then.
    """
    cursors: list[Cursor[DictRow]] = []
    answers: list[Rows] = []
    with _pipeline(connection, caller.is_pipelined):
        for each in (statement("begin"), caller.preamble()):
            connection.execute(each.sql, each.parameters)
        for each in statements:
            cursors.append(connection.execute(each.sql, each.parameters))
            if on_rows is not None:
                answers.append(cursors[-1].fetchall())
                on_rows(sum(map(len, answers)))
        connection.execute(statement("commit").sql)
    return answers or [cursor.fetchall() for cursor in cursors]


@contextmanager
def _pipeline(connection: DictConnection, is_pipelined: bool) -> Iterator[None]:
    if is_pipelined and Pipeline.is_supported():
        with connection.pipeline():
            yield
    else:
        yield
