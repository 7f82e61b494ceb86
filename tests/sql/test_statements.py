"""The named statements, and what PostgreSQL's errors become."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

import pgrecall
from pgrecall.errors import (
    ConfigurationError,
    DatabaseError,
    DatabaseUnavailableError,
    InvalidInputError,
    InvalidScopeError,
    LimitExceededError,
    NoOrganizationError,
    NotFoundError,
    PermissionDeniedError,
    SchemaMissingError,
)
from pgrecall.sql import statement
from pgrecall.sql.address import described
from pgrecall.sql.failures import failure, is_worth_retrying, transaction_failure
from pgrecall.sql.loader import statements

SOURCE = Path(pgrecall.__file__).parent
PREPARABLE = sorted(
    name
    for name, text in statements().items()
    # What stands on a function of the session is run by the tests of uninstalling.
    if re.search(r"^(select|insert)", text, re.MULTILINE) and "pg_temp." not in text
)


@pytest.mark.parametrize("name", PREPARABLE)
def test_a_statement_is_valid(pgrecall_template: str, name: str) -> None:
    text: str = statements()[name]
    for place, parameter in enumerate(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)), 1):
        text = text.replace(f"%({parameter})s", f"${place}")
    with psycopg.connect(pgrecall_template) as connection:
        # The migration runner's ledger is made with the first migration.
        connection.execute(f"prepare statement as {text.replace('%%', '%')}".encode())


def test_every_statement_is_used_and_every_used_one_exists() -> None:
    python = "\n".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    unused = {name for name in statements() if f'"{name}"' not in python}
    assert unused == set()
    asked = set(re.findall(r'\bstatement\(\s*"(\w+)"', python))
    assert asked <= set(statements())


def test_a_role_that_is_missing_has_a_state_of_its_own(pgrecall_dsn: str) -> None:
    text = statements()["act_as"].replace("authenticated", "nobody_here")
    given = dict.fromkeys(re.findall(r"%\((\w+)\)s", text), "0")
    with psycopg.connect(pgrecall_dsn) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(text.encode(), given)
    assert isinstance(failure(caught.value), SchemaMissingError)


def test_an_unknown_statement_is_an_error() -> None:
    with pytest.raises(KeyError):
        statement("drop_everything")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("42883", SchemaMissingError),
        ("42P01", SchemaMissingError),
        ("3F000", SchemaMissingError),
        ("42704", SchemaMissingError),
        ("42501", PermissionDeniedError),
        ("08006", DatabaseUnavailableError),
        ("57P01", DatabaseUnavailableError),
        ("28P01", DatabaseUnavailableError),
        ("22P02", InvalidInputError),
        ("22021", InvalidInputError),
        ("22023", InvalidInputError),
        ("54000", LimitExceededError),
        ("23514", DatabaseError),
        ("40001", DatabaseError),
        ("57014", DatabaseError),
    ],
)
def test_states_become_classes(state: str, kind: type[Exception]) -> None:
    error = errors.lookup(state)("said")
    error.sqlstate = state
    found = failure(error)
    assert type(found) is kind
    assert "said" in str(found)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("PM001", NoOrganizationError),
        ("PM002", PermissionDeniedError),
        ("PM003", InvalidInputError),
        ("PM004", NotFoundError),
        ("PM006", InvalidScopeError),
        ("PM008", LimitExceededError),
    ],
)
def test_own_states_become_classes_of_that_code(
    pgrecall_template: str, state: str, kind: type[Exception]
) -> None:
    raising = (
        f"do $$ begin raise exception using errcode = '{state}', message = 'm', hint = 'h'; end $$"
    )
    with psycopg.connect(pgrecall_template) as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(raising.encode())
        found = failure(caught.value)
    assert type(found) is kind
    assert (found.message, found.hint) == ("m", "h")


def test_what_is_worth_retrying() -> None:
    deadlock, lost = errors.DeadlockDetected("x"), psycopg.OperationalError("gone")
    for is_read in (True, False):
        assert is_worth_retrying(deadlock, is_read=is_read)
        assert is_worth_retrying(lost, is_read=is_read) == is_read
        assert not is_worth_retrying(errors.UniqueViolation("x"), is_read=is_read)
    assert "stored or not" in str(transaction_failure(lost, is_read=False))
    assert "stored or not" not in str(transaction_failure(lost, is_read=True))


def test_databases_are_described_without_passwords() -> None:
    dsn = "postgresql://maria:hunter2@db.example.org:6432/app?sslmode=require"
    assert described(dsn) == "database app at db.example.org:6432"
    assert described("dbname=app password=hunter2") == "database app at the local socket"
    with pytest.raises(ConfigurationError) as caught:
        described("postgresql//maria:hunter2@db")
    assert "hunter2" not in str(caught.value)
