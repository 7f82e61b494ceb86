"""The database of one client: opened for its caller, and transactions in it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psycopg

from pgrecall._async.concurrency import sleep
from pgrecall._async.link import LINKS, Address, Link, Stake
from pgrecall._async.session import Session
from pgrecall._async.transaction import Caller, Rows, run
from pgrecall.auth.signing import Signer
from pgrecall.domain.identity import Identity
from pgrecall.errors import NoOrganizationError
from pgrecall.settings import Settings
from pgrecall.sql.failures import is_lost, is_worth_retrying, transaction_failure, translated
from pgrecall.sql.loader import Statement, statement
from pgrecall.telemetry.calls import call, whereabouts

ATTEMPTS = 5
SOON_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Database:
    """An opened database. `has_vector` says whether it stores vectors."""

    stake: Stake
    caller: Caller
    has_vector: bool
    where: Mapping[str, str | int]

    @property
    def link(self) -> Link:
        """The way to it, which this process's other clients share."""
        return self.stake.link

    async def run(
        self,
        statements: Iterable[Statement],
        *,
        is_read: bool = False,
        on_rows: Callable[[int], None] | None = None,
    ) -> list[Rows]:
        """The rows of each statement, all in one transaction of the caller.

        A transaction that lost against another one is run again, so `statements` must bear being
        gone through again. Raises pgrecall's errors.
        """
        with call(statements, self.where):
            return await self._run(statements, is_read, on_rows)

    async def _run(
        self,
        statements: Iterable[Statement],
        is_read: bool,
        on_rows: Callable[[int], None] | None,
    ) -> list[Rows]:
        attempt = 1
        while True:
            began = time.monotonic()
            worked = 0.0
            try:
                async with self.link.connection() as connection:
                    return await run(connection, self.caller, statements, on_rows)
            except psycopg.Error as error:
                if is_lost(error):
                    await self.link.mend()
                else:
                    worked = time.monotonic() - began
                if attempt == ATTEMPTS or not is_worth_retrying(error, is_read=is_read):
                    raise transaction_failure(error, is_read=is_read) from error
            # After a deadlock at first about as long as was worked, or it meets the other one
            # again; twice as long each time, since that one may be slow.
            longer = 2.0 ** (attempt - 1)
            await sleep(random.uniform(0.5, 1) * longer * max(0.04, worked))  # noqa: S311
            attempt += 1

    async def run_once(self, each: Statement) -> Rows:
        """The rows of a statement that nobody waits for: tried once, and given up soon."""
        try:
            async with self.link.connection(SOON_SECONDS) as connection:
                [rows] = await run(connection, self.caller, [each])
                return rows
        except psycopg.Error as error:
            raise transaction_failure(error, is_read=False) from error

    async def close(self) -> None:
        """Leave the connections and the embedded server to the others; the last one closes them."""
        await self.link.leave(self.stake)


async def open_database(address: Address, identity: Identity, settings: Settings) -> Database:
    """The database, its schema there and the agent a member of the organization.

    The embedded server is started and migrated; any other database is left as it is. Raises
    DatabaseUnavailableError, SchemaMissingError, NoOrganizationError, PermissionDeniedError.
    """
    stake = LINKS.get().enter(address, settings)
    link = stake.link
    try:
        dsn = await link.open()
        caller = Caller(
            identity.claims,
            _signer(settings),
            round(settings.statement_timeout * 1000),
            settings.pipeline,
        )
        has_vector = await _prepare(link, identity, caller)
    except BaseException:
        await link.leave(stake)
        raise
    return Database(stake, caller, has_vector, whereabouts(dsn))


def _signer(settings: Settings) -> Signer:
    secret = settings.claims_secret
    return Signer(None if secret is None else secret.get_secret_value().encode())


async def _prepare(link: Link, identity: Identity, caller: Caller) -> bool:
    """Whether the server has vectors, once the agent's own member is there."""
    with translated():
        async with link.connection() as connection:
            [[seen]] = await run(connection, caller, [statement("look_around")])
            if identity.is_program and not seen["is_member"]:
                await _add_agent(Session(connection), identity)
    return bool(seen["has_vector"])


async def _add_agent(session: Session, identity: Identity) -> None:
    try:
        await session.rows(
            "settle_agent",
            organization_id=identity.organization_id,
            name=identity.organization_name,
            agent_id=identity.agent_id,
        )
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise NoOrganizationError(
            f"agent {identity.agent_id} is no member of organization {identity.organization_name}, "
            "and this connection may not make it one",
            hint="The schema's owner can: select agent_memory.settle_agent("
            f"'{identity.organization_id}', {_quoted(identity.organization_name)}, "
            f"{_quoted(identity.agent_id)});",
        ) from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
