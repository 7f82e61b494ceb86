"""A server's settings, and the statements that change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pgrecall._sync.session import Session

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


def identify(session: Session) -> Server:
    """Who answers."""
    row = session.row("identify_server")
    providers = [_PROVIDERS[role] for role in row.pop("provider_roles")]
    return Server(**row, provider=next(iter(providers), None))


def read_settings(session: Session, names: Iterable[str]) -> dict[str, ServerSetting]:
    """Those of the named settings that the server has and the role may read."""
    found = session.rows("list_server_settings", names=list(names))
    return {row["name"]: ServerSetting(**row) for row in found}


def compose_set(session: Session, values: Mapping[str, str]) -> list[str]:
    """One ALTER SYSTEM statement a setting, in the order given."""
    names, settings = list(values), list(values.values())
    return session.compose("compose_alter_system", names=names, values=settings)


def compose_reset(session: Session, names: Iterable[str]) -> list[str]:
    """One statement a setting that gives it back to the configuration files."""
    return session.compose("compose_reset_system", names=list(names))


def run_composed(session: Session, statements: Iterable[str]) -> None:
    """Run statements that the server composed, one by one, and have the settings read again."""
    for composed in statements:
        session.execute(composed)
    session.rows("reload_settings")
