"""A server's settings, and the statements that change them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pgrecall._sync.pool import DictConnection, connected
from pgrecall.settings import Settings
from pgrecall.sql import statement
from pgrecall.sql.failures import translated

_PROVIDERS = {
    "supabase_admin": "Supabase",
    "rds_superuser": "Amazon RDS",
    "cloudsqlsuperuser": "Google Cloud SQL",
    "azure_pg_admin": "Azure",
}


@dataclass(frozen=True)
class Server:
    """Who answers. `provider` is who hosts it, where its roles tell; `version` such as 180006.

    `is_local` says that it was reached by a socket of this machine.
    """

    version: int
    database: str
    is_superuser: bool
    owns_database: bool
    provider: str | None
    is_local: bool


@dataclass(frozen=True)
class ServerSetting:
    """One setting as the server has it, `unit` such as 8kB, kB, ms, s or ''."""

    name: str
    setting: str
    unit: str
    context: str
    source: str
    pending_restart: bool

    @property
    def needs_restart(self) -> bool:
        return self.context == "postmaster"


@contextmanager
def inquiring(dsn: str) -> Iterator[DictConnection]:
    """A connection to ask by; raises pgrecall's errors."""
    with translated(), connected(dsn, Settings()) as connection:
        yield connection


def rows(
    connection: DictConnection, name: str, parameters: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """All rows of a named statement."""
    asked = statement(name, parameters or {})
    return connection.execute(asked.sql, asked.parameters).fetchall()


def identify(connection: DictConnection) -> Server:
    """Who answers."""
    [row] = rows(connection, "identify_server")
    providers = [_PROVIDERS[role] for role in row.pop("provider_roles")]
    return Server(**row, provider=next(iter(providers), None))


def read_settings(connection: DictConnection, names: Iterable[str]) -> dict[str, ServerSetting]:
    """Those of the named settings that the server has and the role may read."""
    found = rows(connection, "list_server_settings", {"names": list(names)})
    return {row["name"]: ServerSetting(**row) for row in found}


def compose_set(connection: DictConnection, values: Mapping[str, str]) -> list[str]:
    """One ALTER SYSTEM statement a setting, in the order given."""
    given = {"names": list(values), "values": list(values.values())}
    return [row["composed"] for row in rows(connection, "compose_alter_system", given)]


def compose_reset(connection: DictConnection, names: Iterable[str]) -> list[str]:
    """One statement a setting that gives it back to the configuration files."""
    found = rows(connection, "compose_reset_system", {"names": list(names)})
    return [row["composed"] for row in found]


def run_composed(connection: DictConnection, statements: Iterable[str]) -> None:
    """Run statements that the server composed, one by one, and have the settings read again."""
    for composed in statements:
        connection.execute(composed.encode())
    rows(connection, "reload_settings")
