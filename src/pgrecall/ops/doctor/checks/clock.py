"""Tokens expire, memories are valid from a time to a time, and recency is counted from now: the
server's clock and this machine's should agree. Where they don't, sign-ins fail at random and
memories come back that are over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, shell
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.patient import Patient


@dataclass(frozen=True)
class Reading:
    """Seconds by which the server's clock is ahead, give or take `doubt`, and how much may be."""

    ahead: float
    doubt: float
    allowed: float


def read(patient: Patient) -> Reading:
    """Both clocks; the answer was given at some time between asking and hearing."""
    clock = patient.surroundings.clock
    asked = clock()
    told = float(patient.row("doctor_clock")["seconds"])
    heard = clock()
    ahead = told - (asked + heard) / 2
    return Reading(ahead, (heard - asked) / 2, patient.surroundings.bounds.clock_skew)


def judge(reading: Reading) -> Iterator[Sign]:
    """Apart by more than is allowed, in the best case."""
    apart = abs(reading.ahead) - reading.doubt
    if apart > reading.allowed:
        way = "ahead of" if reading.ahead > 0 else "behind"
        yield Finding(
            "error" if apart > 10 * reading.allowed else "warning",
            "clock",
            f"the server's is {abs(reading.ahead):.0f} s {way} this machine's",
            shell("timedatectl set-ntp true  # on the machine whose clock is wrong"),
        )


CHECK = Check("clock", "Clocks", read, judge, needs="database")
