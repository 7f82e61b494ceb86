"""What a proposal is decided from: the server, its settings, its work, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgrecall.ops.server_settings import Server, ServerSetting
from pgrecall.ops.tuning.hardware import Hardware

_BYTES = {"B": 1, "kB": 2**10, "8kB": 2**13, "16kB": 2**14, "MB": 2**20, "GB": 2**30}


@dataclass(frozen=True)
class Table:
    """A table: rows by the planner's statistics, and the share of them that may be dead."""

    name: str
    rows: int
    bytes: int
    dead_rows: int
    scale_factor: float | None


@dataclass(frozen=True)
class Workload:
    """The work of the database since its statistics began, `seconds` ago."""

    database_bytes: int
    blocks_hit: int
    blocks_read: int
    temp_files: int
    temp_bytes: int
    connections: int
    seconds: float
    checkpoints_requested: int = 0
    checkpoints_timed: int = 0
    largest_vector_index: int = 0
    tables: tuple[Table, ...] = ()

    @property
    def hit_ratio(self) -> float | None:
        """The share of blocks found in shared buffers, 0 to 1; None before enough were read."""
        asked = self.blocks_hit + self.blocks_read
        return self.blocks_hit / asked if asked >= 10_000 else None


@dataclass(frozen=True)
class Search:
    """One ef_search: the share of the nearest that it finds, 0 to 1, and milliseconds."""

    ef_search: int
    recall: float
    milliseconds: float


@dataclass(frozen=True)
class Measurement:
    """What was measured; `exact_milliseconds` is comparing all `vectors` one by one."""

    searches: tuple[Search, ...] = ()
    queries: int = 0
    vectors: int = 0
    exact_milliseconds: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerFacts:
    """All of it. `hardware` None: it can't be seen, and nobody said. `share` is the part of the
    machine that the server may count on: all of it, or less beside programs of other kinds."""

    server: Server
    settings: Mapping[str, ServerSetting]
    workload: Workload
    hardware: Hardware | None = None
    share: float = 1.0
    pool_max_size: int = 10
    ef_search: int = 200
    exact_limit: int = 5000
    measured: Measurement = field(default_factory=Measurement)

    @property
    def memory(self) -> int | None:
        """The bytes that it may count on; None where the machine is not known."""
        return None if self.hardware is None else int(self.hardware.memory * self.share)

    def bytes(self, name: str) -> int | None:
        """A setting that is an amount of memory, in bytes; None if it can't be read."""
        found = self.settings.get(name)
        return None if found is None else int(found.setting) * _BYTES.get(found.unit, 1)

    def number(self, name: str) -> float | None:
        """A setting that is a number, in its own unit."""
        found = self.settings.get(name)
        return None if found is None else float(found.setting)

    def text(self, name: str) -> str | None:
        """A setting as the server has it."""
        found = self.settings.get(name)
        return None if found is None else found.setting


def size(amount: int) -> str:
    """Bytes as PostgreSQL reads them, such as 512MB."""
    for unit in ("GB", "MB", "kB"):
        if amount >= _BYTES[unit] and amount % _BYTES[unit] == 0:
            return f"{amount // _BYTES[unit]}{unit}"
    return f"{amount // 1024}kB"
