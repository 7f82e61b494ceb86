"""What is to be done, from what was found. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pgrecall.domain.maintenance import (
    HourFacts,
    IndexFacts,
    MaintenanceFacts,
    RetentionFacts,
    TableFacts,
    Task,
    VectorFacts,
)

# Below these, what is gained is less than what it costs to look.
LEAST_DEAD_ROWS = 1000
LEAST_CHANGED_ROWS = 500
LEAST_INDEX_BYTES = 16 * 1024 * 1024
DEAD_SHARE = 0.1
CHANGED_SHARE = 0.1
BLOAT = 2.5
# Of so many rows autovacuum's default, a fifth of them, lets millions of dead ones gather.
LARGE_TABLE = 1_000_000
LARGE_TABLE_SHARE = 0.05
LONG_TRANSACTION = 3600.0
MEGABYTE = 1024 * 1024


def plan_tasks(facts: MaintenanceFacts, *, batch: int, days: int) -> tuple[Task, ...]:
    """The tasks in the order in which they are done: what deletes rows comes before VACUUM.

    `batch` is how many rows a transaction deals with; `days`, after how many of them hours of
    statistics become days.
    """
    return (
        *(_retention(each, batch) for each in facts.retention if each.memories),
        *(_vectors(each, batch) for each in facts.vectors if each.vectors),
        *_statistics(facts.hours, batch, days),
        *(task for index in facts.indexes for task in _index(index)),
        *(task for table in facts.tables for task in _table(table, facts.oldest_transaction)),
    )


def _retention(due: RetentionFacts, batch: int) -> Task:
    done = "erased" if due.action == "erase" else "forgotten"
    return Task(
        kind="retention",
        target=f"{due.agent_id} in {due.organization_id}",
        reason=f"{due.memories:,} memories are past their retention and are to be {done}",
        sql=due.retain_sql,
        name="retain",
        parameters={
            "organization_id": due.organization_id,
            "agent_id": due.agent_id,
            "batch": batch,
        },
    )


def _vectors(left: VectorFacts, batch: int) -> Task:
    return Task(
        kind="vectors",
        target=f"{left.model} of {left.agent_id} in {left.organization_id}",
        reason=f"{left.vectors:,} vectors are left of a model that was dropped",
        sql=left.delete_sql,
        name="delete_dropped_vectors",
        parameters={
            "organization_id": left.organization_id,
            "agent_id": left.agent_id,
            "model": left.model,
            "batch": batch,
        },
    )


def _statistics(found: HourFacts | None, batch: int, days: int) -> Iterator[Task]:
    if found and found.hours:
        yield Task(
            kind="statistics",
            target="public.agent_memory_stats",
            reason=(
                f"{found.hours:,} hours are older than {days} days and are to be added up by day"
            ),
            sql=found.roll_up_sql,
            name="roll_up_stats",
            parameters={"days": days, "batch": batch},
        )


def _index(index: IndexFacts) -> Iterator[Task]:
    if index.is_being_built:
        return
    if not index.is_valid and index.is_leftover:
        reason = "it is left over from a REINDEX CONCURRENTLY that did not end"
        yield Task("index", index.name, reason, index.drop_sql)
    elif not index.is_valid:
        reason = "it is invalid: it costs every write and serves no read"
        yield Task("index", index.name, reason, index.reindex_sql)
    elif index.needed and index.size > max(LEAST_INDEX_BYTES, BLOAT * index.needed):
        reason = (
            f"it takes {index.size / MEGABYTE:,.0f} MB, and its rows need about "
            f"{index.needed / MEGABYTE:,.0f} MB"
        )
        yield Task("index", index.name, reason, index.reindex_sql)


def _table(table: TableFacts, oldest_transaction: float) -> Iterator[Task]:
    rows = max(table.rows, table.live_rows)
    if table.dead_rows > max(LEAST_DEAD_ROWS, DEAD_SHARE * rows):
        reason = f"{table.dead_rows:,} dead rows beside {table.live_rows:,}"
        if oldest_transaction > LONG_TRANSACTION:
            hours = oldest_transaction / 3600
            reason += f"; none since the oldest transaction began, {hours:.0f} h ago, can go"
        yield Task("vacuum", table.name, reason, table.vacuum_sql)
    elif not table.is_analyzed and table.live_rows > 0:
        yield Task("analyze", table.name, "the planner knows nothing of it", table.analyze_sql)
    elif table.changed_rows > max(LEAST_CHANGED_ROWS, CHANGED_SHARE * rows):
        reason = f"{table.changed_rows:,} of {rows:,} rows have changed since it was analyzed"
        yield Task("analyze", table.name, reason, table.analyze_sql)
    if rows >= LARGE_TABLE and table.vacuum_share > LARGE_TABLE_SHARE:
        reason = f"autovacuum comes once {table.vacuum_share:.0%} of {rows:,} rows are dead"
        yield Task("advice", table.name, reason, table.advice_sql)
