"""Tokens expire, memories are valid from a time to a time, and recency is counted from now: the
server's clock and this machine's should agree. Where they don't, sign-ins fail at random and
memories come back that are over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, shell
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase


@dataclass(frozen=True)
class ClockFacts:
    """Seconds by which the server's clock is ahead, give or take `doubt`, and how much may be."""

    ahead: float
    doubt: float
    allowed: float


def read(database: CheckedDatabase) -> ClockFacts:
    """Both clocks; the answer was given at some time between asking and hearing."""
    clock = database.surroundings.clock
    asked = clock()
    server_time = float(database.row("doctor_clock")["seconds"])
    heard = clock()
    ahead = server_time - (asked + heard) / 2
    return ClockFacts(ahead, (heard - asked) / 2, database.surroundings.bounds.clock_skew)


def judge(facts: ClockFacts) -> Iterator[Sign]:
    """Apart by more than is allowed, in the best case."""
    apart = abs(facts.ahead) - facts.doubt
    if apart > facts.allowed:
        way = "ahead of" if facts.ahead > 0 else "behind"
        yield Finding(
            "error" if apart > 10 * facts.allowed else "warning",
            "clock",
            f"the server's is {abs(facts.ahead):.0f} s {way} this machine's",
            shell("timedatectl set-ntp true  # on the machine whose clock is wrong"),
        )


CHECK = Check("clock", "Clocks", read, judge, needs="database")
