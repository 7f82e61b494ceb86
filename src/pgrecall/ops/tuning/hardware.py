"""The machine that a server runs on: seen where it is this one, else as somebody says."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from pgrecall.embedded.machine import memory
from pgrecall.errors import InvalidInputError

_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(kb|mb|gb|tb)", re.IGNORECASE)


@dataclass(frozen=True)
class Hardware:
    """What the server may use: memory in bytes, cores. `source` says who knows."""

    memory: int
    cores: int
    source: str


def parse_size(text: str) -> int:
    """Bytes of a text such as 8GB; InvalidInputError for anything else."""
    found = _SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    if size < 2**27:
        raise InvalidInputError(
            f"{text!r} is no amount of memory that a server can have",
            hint="Say it as 512MB or 8GB, 128MB at least.",
        )
    return size


def this_machine() -> Hardware:
    """This machine, or what its container allows."""
    if hasattr(os, "sched_getaffinity"):
        return Hardware(memory(), len(os.sched_getaffinity(0)), "seen on this machine")
    return Hardware(memory(), os.cpu_count() or 1, "seen on this machine")
