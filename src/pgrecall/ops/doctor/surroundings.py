"""What is given to the doctor before it looks: which database, which environment, which bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values


@dataclass(frozen=True)
class Bounds:
    """From where on something is a finding; times in seconds unless they say otherwise."""

    statement: float = 20.0
    """How long one look may take; the check says then that it could not see."""
    idle_in_transaction: float = 60.0
    query: float = 300.0
    lock_wait: float = 10.0
    clock_skew: float = 10.0
    backup_days: float = 2.0
    verified_days: float = 35.0
    disk_free: float = 0.05
    """The part of a file system that should be free; a fifth of it is critical."""
    slot_bytes: float = 1e9
    """What a replication slot that nobody reads may keep."""
    unused_days: float = 7.0
    former_days: float = 30.0
    """How long a former embedding model may keep its vectors."""


@dataclass(frozen=True)
class Surroundings:
    """`folder` is the working directory, where `.env` lies; `environment` what both together say.

    `home` is where the embedded server keeps its data; `is_embedded` says that it is the one that
    is looked at. `clock` gives the time in seconds since 1970.
    """

    dsn: str
    environment: Mapping[str, str]
    folder: Path
    home: Path
    is_embedded: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    clock: Callable[[], float] = time.time

    def is_written(self, name: str) -> bool:
        """Whether `.env` sets a variable."""
        return dotenv_values(self.folder / ".env").get(name) is not None
