"""Connection strings: their parts, and in words without a password."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from psycopg import ProgrammingError, conninfo

from pgrecall.errors import ConfigurationError

# How to get there, and nothing of who goes there.
_KEPT = frozenset(
    {
        "channel_binding",
        "connect_timeout",
        "hostaddr",
        "sslmode",
        "sslnegotiation",
        "sslrootcert",
        "target_session_attrs",
    }
)


def parameters(dsn: str) -> dict[str, str]:
    """What a connection string says.

    Raises ConfigurationError if it is none, and leaves out the text, which may hold a password.
    """
    try:
        found = conninfo.conninfo_to_dict(dsn)
    except ProgrammingError:
        raise ConfigurationError(
            "the connection string is not one that PostgreSQL understands",
            hint="It looks like postgresql://user:password@host:5432/database; in a password, "
            "characters such as @ and / are written %40 and %2F.",
        ) from None
    return {name: str(value) for name, value in found.items() if value is not None}


def described(dsn: str) -> str:
    """Which database a connection string means, such as `database app at db.example.org:5432`."""
    parts = parameters(dsn)
    host = parts.get("host") or parts.get("hostaddr") or "the local socket"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"database {parts.get('dbname') or parts.get('user') or 'of the user'} at {host}{port}"


def for_login(dsn: str, database: str, role: str, password: str | None) -> str:
    """The address of a database as another role's, as a URL; PASSWORD stands for no password."""
    parts = parameters(dsn)
    host, port = parts.get("host", ""), parts.get("port", "")
    _, _, tenant = parts.get("user", "").partition(".")
    if tenant and host.endswith(".pooler.supabase.com"):
        # Supabase's pooler finds the project by the name of the user.
        role = f"{role}.{tenant}"
    kept = {name: value for name, value in parts.items() if name in _KEPT}
    if host.startswith(("/", "@")) or "," in host:
        kept |= {"host": host, "port": port} if port else {"host": host}
        place = ""
    else:
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = f"?{urlencode(kept, safe='/')}" if kept else ""
    named = f"{quote(role, safe='')}:{quote(password or 'PASSWORD', safe='')}"
    return f"postgresql://{named}@{place}/{quote(database, safe='')}{query}"
