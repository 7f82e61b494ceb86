"""What a schema is made of, and how it came to differ from what the migrations made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Change = Literal["missing", "altered", "added", "replaced"]


class SchemaObject(NamedTuple):
    """One object of a database, such as a policy, a column or an index.

    `kind` and `name` identify it; `part_of` is the object with which it comes and goes.
    `definition` is equal for equal objects of one server. `removal` is the statement that takes it
    away, None where that makes no sense; `cure` the one that brings it back, None where applying
    the migrations again does.
    """

    kind: str
    name: str
    part_of: str | None
    definition: str
    removal: str | None
    cure: str | None


@dataclass(frozen=True)
class Drift:
    """An object that is not as the migrations made it, and what cures that.

    `was` and `now` are its definitions, None where it is not there. `cure` says it in words, or
    is the command or the `statements` that do it. `replaced` is what a project may replace by its
    own; it is told, and no fault.
    """

    kind: str
    name: str
    change: Change
    was: str | None
    now: str | None
    cure: str
    statements: tuple[str, ...] = ()

    @property
    def is_fault(self) -> bool:
        """Whether there is anything to cure."""
        return self.change != "replaced"


@dataclass(frozen=True)
class DriftReport:
    """All that differs, by kind and name. `unknown` says why it can't be told, else None."""

    drift: tuple[Drift, ...] = ()
    unknown: str | None = None
