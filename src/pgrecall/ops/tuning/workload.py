"""Settings of planning, writing, cleaning and connecting. Pure."""

from __future__ import annotations

from pgrecall.ops.tuning.facts import ServerFacts, Table, size
from pgrecall.ops.tuning.proposal import Proposal

_LARGE = 1_000_000
_GB = 2**30
_MANY_CONNECTIONS = 500


def random_page_cost(facts: ServerFacts) -> Proposal | None:
    """Near that of sequential reads, as on a solid-state disk."""
    now = facts.number("random_page_cost")
    if now is None or now <= 2:
        return None
    reason = "on a solid-state disk, or in memory, indexes cost hardly more than scans; leave it "
    reason += "on a spinning one"
    return Proposal("database", "random_page_cost", f"{now:g}", "1.1", reason)


def max_wal_size(facts: ServerFacts) -> Proposal | None:
    """Twice as much where the log's size forces most checkpoints."""
    now, work = facts.bytes("max_wal_size"), facts.workload
    if now is None or now >= 16 * _GB:
        return None
    if work.checkpoints_requested < 10 or work.checkpoints_requested <= work.checkpoints_timed:
        return None
    reason = "the size of the log, not the clock, makes the server write everything out"
    effect = f"{work.checkpoints_requested:,} of "
    effect += f"{work.checkpoints_requested + work.checkpoints_timed:,} checkpoints so far"
    return Proposal("system", "max_wal_size", size(now), size(2 * now), reason, effect=effect)


def checkpoint_completion_target(facts: ServerFacts) -> Proposal | None:
    """Checkpoints spread over nearly all of their interval, as from 14 on."""
    now = facts.number("checkpoint_completion_target")
    if now is None or now >= 0.8:
        return None
    reason = "writes are spread out, so that a checkpoint is not felt by recalls"
    return Proposal("system", "checkpoint_completion_target", f"{now:g}", "0.9", reason)


def max_connections(facts: ServerFacts) -> Proposal | None:
    """Half as many again where they run out."""
    now, used = facts.number("max_connections"), facts.workload.connections
    if now is None or used < 0.8 * now or now >= _MANY_CONNECTIONS:
        return None
    reason = "few are left; a pooler in transaction mode is the better cure beyond some hundred"
    effect = f"{used} are used now"
    return Proposal(
        where="system",
        name="max_connections",
        current=f"{now:.0f}",
        proposed=f"{now * 1.5:.0f}",
        reason=reason,
        effect=effect,
    )


def pool_size(facts: ServerFacts) -> Proposal | None:
    """Of each client: no more than work at once, no more than a fair part of the server's."""
    most, now = facts.number("max_connections"), facts.pool_max_size
    if most is None or facts.hardware is None:
        return None
    working = max(4, 4 * facts.hardware.cores)
    fair = max(1, int(most * 0.8))
    wanted = min(working, fair)
    if wanted / 2 <= now <= wanted * 2:
        return None
    reason = f"{facts.hardware.cores} cores work on some {working} short statements at once; "
    reason += "all clients together must stay below max_connections"
    return Proposal("client", "PGRECALL_POOL_MAX_SIZE", str(now), str(wanted), reason)


def autovacuum(facts: ServerFacts) -> list[Proposal]:
    """Large tables are cleaned after 2 % of their rows have changed, not a fifth."""
    general = facts.number("autovacuum_vacuum_scale_factor")
    if general is None:
        return []
    return [
        _cleaned(table, general)
        for table in facts.workload.tables
        if table.rows >= _LARGE and (table.scale_factor or general) > 0.05
    ]


def _cleaned(table: Table, general: float) -> Proposal:
    now = table.scale_factor or general
    return Proposal(
        "table",
        "autovacuum_vacuum_scale_factor",
        f"{now:g}",
        "0.02",
        f"{table.name} has {table.rows:,} rows: it would wait for {int(table.rows * now):,} dead "
        "ones, and indexes of vectors hold them until then",
        effect=f"{table.dead_rows:,} are dead now",
        target=table.name,
    )
