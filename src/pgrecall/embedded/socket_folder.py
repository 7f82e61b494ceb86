"""Where the server's socket is: in the home, or in the temporary directory for a long path."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from pgrecall.embedded.account import Account
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.probe import PORT

_LONGEST = 103 if sys.platform == "darwin" else 107
_SOCKET = f"/.s.PGSQL.{PORT}"


def socket_folder(layout: Layout, account: Account) -> Path:
    """The folder for the socket of this home; it may not exist yet."""
    if _is_usable(layout.run):
        return layout.run
    digest = hashlib.sha256(os.fsencode(layout.home)).hexdigest()[:16]
    name = f"pgrecall-{account.uid}-{digest}"
    places = (Path(tempfile.gettempdir()).resolve() / name, Path("/tmp").resolve() / name)  # noqa: S108
    return next((place for place in places if _is_usable(place)), places[-1])


def remove_outside(folder: Path, layout: Layout) -> None:
    """Remove the empty folder of a stopped server from the temporary directory."""
    if folder != layout.run:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _is_usable(folder: Path) -> bool:
    """Whether libpq and PostgreSQL both take this path; both read a comma as a list."""
    text = str(folder)
    fits = len(os.fsencode(text + _SOCKET)) <= _LONGEST
    return fits and text.isprintable() and not any(mark in text for mark in ",\"'\\")
