"""The commands by which a PostgreSQL server files its log away and gets it back. Pure.

Plain shell with gzip, so that they outlive the virtual environment of pgrecall and serve servers
that pgrecall did not start. A shell runs them in the server's data directory.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from pgrecall.errors import InvalidInputError

WORDS = "pgrecall archive:"
SUFFIX = ".gz"

# A file appears under its name whole, on disk, and once: ln refuses a name that is taken, where
# a file system has no links mv after a look. What is there already must be the same, as after a
# crash between filing and noting it.
_ARCHIVE = """\
d={folder}; f="$d/%f{suffix}"; t="$d/%f.part"; \
if [ -e "$f" ]; then \
gzip -dc "$f" | cmp -s - "%p" || {{ echo "{words} $f is there and differs" >&2; exit 1; }}; \
else gzip -1c <"%p" >"$t" && sync "$t" && \
if ln "$t" "$f" 2>/dev/null; then rm -f "$t"; else [ ! -e "$f" ] && mv "$t" "$f"; fi; \
fi && sync "$f" "$d"\
"""
_FETCH = 'f={folder}/%f{suffix}; [ -e "$f" ] && gzip -dc "$f" >"%p"'
_FETCH_PLAIN = "cp {folder}/%f %p"


def archive_command(folder: Path) -> str:
    """The value of archive_command that files the log into a folder of the server's machine.

    Raises InvalidInputError for a path that a setting can't hold.
    """
    return _ARCHIVE.format(folder=_placed(folder), suffix=SUFFIX, words=WORDS)


def restore_command(folder: Path, left_over: Path | None = None) -> str:
    """The value of restore_command that gets the log back from such a folder.

    What is not there is looked for in `left_over`, the log's folder of a broken server.
    """
    fetch = _FETCH.format(folder=_placed(folder), suffix=SUFFIX)
    if left_over is None:
        return fetch
    return f"{{ {fetch}; }} || {_FETCH_PLAIN.format(folder=_placed(left_over))}"


def _placed(folder: Path) -> str:
    if not str(folder).isprintable():
        raise InvalidInputError(f"{str(folder)!r} can't be the path of an archive")
    return quote(str(folder)).replace("%", "%%")
