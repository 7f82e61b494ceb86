"""What an archive_command said when it failed, found in the server's log."""

from __future__ import annotations

import re
from pathlib import Path

_FAILED = "archive command failed"
_STAMPED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_READ = 65_536


def last_failure(log_file: Path) -> str:
    """The words of the last failure, or ''."""
    try:
        with log_file.open("rb") as file:
            file.seek(max(0, log_file.stat().st_size - _READ))
            return words_before_failure(file.read().decode(errors="replace").splitlines())
    except OSError:
        return ""


def words_before_failure(lines: list[str]) -> str:
    """The lines that the command itself wrote before the server noted its last failure. Pure."""
    places = [place for place, line in enumerate(lines) if _FAILED in line]
    if not places:
        return ""
    said: list[str] = []
    for line in reversed(lines[: places[-1]]):
        if _STAMPED.match(line):
            break
        said.insert(0, line.strip())
    return "; ".join(said[-3:]) or lines[places[-1]].partition("LOG:")[2].strip()
