"""A proposed change of one setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["system", "database", "table", "client"]


@dataclass(frozen=True)
class Proposal:
    """One setting with its value now, another one, and why.

    `where` says whose it is: the server's, the database's, a table's (`target`), or the clients'.
    `effect` is what was measured, or None. `statement` makes the change, where one can;
    `can_apply` says whether the connecting role may run it.
    """

    where: Where
    name: str
    current: str
    proposed: str
    reason: str
    effect: str | None = None
    target: str | None = None
    needs_restart: bool = False
    statement: str | None = None
    can_apply: bool = False
