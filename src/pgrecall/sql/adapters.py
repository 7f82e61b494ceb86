"""How PostgreSQL's values become Python's, and Python's PostgreSQL's."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import psycopg
from psycopg.adapt import AdaptersMap, Buffer, Dumper, Loader
from psycopg.pq import Format

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector: TypeAlias = npt.NDArray[np.float32]

_TYPES = psycopg.postgres.types


@dataclass(frozen=True, slots=True)
class RealArray:
    """A vector that is sent as a `real[]`, shape (dimension,)."""

    vector: Vector


class RealArrayDumper(Dumper):
    """In binary form, which the server reads at once: its text takes it .2 ms at 384 dimensions."""

    format = Format.BINARY
    oid = _TYPES["float4"].array_oid

    def dump(self, obj: RealArray) -> bytes:
        """One dimension, no nulls, from 1; then each value behind its length, as array_send()."""
        import numpy as np

        values = np.empty(len(obj.vector), dtype=[("length", ">i4"), ("value", ">f4")])
        values["length"] = 4
        values["value"] = obj.vector
        return struct.pack(">iiIii", 1, 0, _TYPES["float4"].oid, len(values), 1) + values.tobytes()


class TimeLoader(Loader):
    """Times, in UTC, as a transaction of `act_as` writes them: 2026-11-23 10:15:00.5+00.

    psycopg's own loader goes by the date style that the connection had before the transaction
    set its own. The schema holds no times that Python can't.
    """

    def load(self, data: Buffer) -> datetime:
        """The time."""
        return datetime.fromisoformat(bytes(data).decode("ascii"))


def adapters() -> AdaptersMap:
    """psycopg's adapters with that of times replaced, and vectors known."""
    found = AdaptersMap(psycopg.adapters)
    found.register_loader("timestamptz", TimeLoader)
    found.register_dumper(RealArray, RealArrayDumper)
    return found
