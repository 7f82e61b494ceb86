"""What maintenance finds, what it plans and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Kind = Literal["retention", "vectors", "statistics", "index", "vacuum", "analyze", "advice"]
State = Literal["planned", "done", "failed", "not reached", "advice"]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table: its rows as last counted (-1: never), those dead, changed since, and alive.

    `vacuum_share` is the share of dead rows at which autovacuum comes.
    """

    name: str
    rows: int
    dead_rows: int
    changed_rows: int
    is_analyzed: bool
    live_rows: int
    vacuum_share: float
    vacuum_sql: str
    analyze_sql: str
    advice_sql: str


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index: its size and, of a valid B-tree, what its rows need, both in bytes."""

    name: str
    is_valid: bool
    is_leftover: bool
    is_being_built: bool
    size: int
    needed: float | None
    reindex_sql: str
    drop_sql: str


@dataclass(frozen=True, slots=True)
class RetentionFacts:
    """How many memories of an agent are due, and what is to become of them."""

    organization_id: UUID
    agent_id: str
    action: str
    memories: int
    retain_sql: str


@dataclass(frozen=True, slots=True)
class VectorFacts:
    """How many vectors are left of a model that an agent has dropped."""

    organization_id: UUID
    agent_id: str
    model: str
    vectors: int
    delete_sql: str


@dataclass(frozen=True, slots=True)
class HourFacts:
    """How many hours of statistics are old enough to be added up by day."""

    hours: int
    roll_up_sql: str


@dataclass(frozen=True, slots=True)
class MaintenanceFacts:
    """All that a plan is made from. `oldest_transaction` is in seconds."""

    tables: tuple[TableFacts, ...] = ()
    indexes: tuple[IndexFacts, ...] = ()
    retention: tuple[RetentionFacts, ...] = ()
    vectors: tuple[VectorFacts, ...] = ()
    hours: HourFacts | None = None
    oldest_transaction: float = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: to what, why, and the statement that does it.

    `name` is that of the statement, if it is one of pgrecall's own, that is repeated with
    `parameters` until it answers 0; without one, `sql` is run once.
    """

    kind: Kind
    target: str
    reason: str
    sql: str
    name: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task. `rows` is how many memories, vectors or hours it dealt with."""

    task: Task
    state: State
    rows: int = 0
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The tasks of a run in order, and what became of each; `planned` if it was only looked."""

    database: str
    outcomes: tuple[Outcome, ...]
    is_applied: bool
    is_cut_short: bool

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The tasks that could not be done."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "failed")
