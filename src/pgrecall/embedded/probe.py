"""Talk to the server as a client does."""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.embedded.command import run
from pgrecall.errors import ServerStartError

DATABASE = "pgrecall"
USER = "postgres"
PORT = 5432


class Answer(Enum):
    """What came back from the socket."""

    READY = "ready"
    BUSY = "starting or stopping"
    NONE = "nothing"


def conninfo(directory: str | Path, database: str = DATABASE) -> str:
    """The connection string for the server whose socket is in `directory`."""
    parts = {"host": str(directory), "port": str(PORT), "user": USER, "dbname": database}
    if os.environ.get("PGHOSTADDR"):
        parts["hostaddr"] = ""  # else libpq would follow the variable, to another server
    return " ".join(f"{name}={_quoted(value)}" for name, value in parts.items())


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w./@+~:-]+", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def ask(directory: str | Path) -> Answer:
    """Whether a server answers at the socket in `directory`."""
    from psycopg.pq import PGconn, Ping

    answer = PGconn.ping(f"{conninfo(directory, 'postgres')} connect_timeout=2".encode())
    if answer == Ping.OK:
        return Answer.READY
    return Answer.BUSY if answer == Ping.REJECT else Answer.NONE


def ensure_database(directory: str | Path, account: Account) -> None:
    """Connect as every caller will, and create the database if it is missing."""
    problem = _find_problem(directory)
    if problem and "does not exist" in problem:
        done = run(
            account, "createdb", "--maintenance-db", conninfo(directory, "postgres"), DATABASE
        )
        problem = done.output if done.code else _find_problem(directory)
    if problem and "too many clients" not in problem and "reserved for roles" not in problem:
        raise ServerStartError(
            f"The embedded server runs, but refuses a connection: {problem.strip()}",
            hint="`pgrecall server stop` and a new start write its access rules anew.",
        )


def _find_problem(directory: str | Path) -> str:
    """Why a connection to the database fails, or nothing."""
    import psycopg

    try:
        psycopg.connect(conninfo(directory), connect_timeout=10).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def find_version(directory: str | Path) -> str | None:
    """The version of the server that answers, such as 18.6, or None."""
    import psycopg

    try:
        with psycopg.connect(conninfo(directory, "postgres"), connect_timeout=5) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError:
        return None
    return f"{number // 10000}.{number % 10000}"
