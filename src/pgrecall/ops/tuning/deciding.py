"""All proposals for a reading. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgrecall.ops.tuning import memory, searching, working
from pgrecall.ops.tuning.proposal import Proposal
from pgrecall.ops.tuning.reading import Reading

Decision = Callable[[Reading], Proposal | None]

DECISIONS: tuple[Decision, ...] = (
    searching.ef_search,
    searching.exact_limit,
    memory.shared_buffers,
    memory.effective_cache_size,
    memory.work_mem,
    memory.maintenance_work_mem,
    working.random_page_cost,
    working.max_wal_size,
    working.checkpoint_completion_target,
    working.max_connections,
    working.pool_size,
)


def decide(reading: Reading) -> list[Proposal]:
    """What should change, by how much recall feels it; nothing for a server that is well set."""
    found = [each for decision in DECISIONS if (each := decision(reading)) is not None]
    return [_placed(each, reading) for each in (*found, *working.autovacuum(reading))]


def _placed(proposal: Proposal, reading: Reading) -> Proposal:
    """The proposal with who may make the change, and what it takes."""
    setting = reading.settings.get(proposal.name)
    needs_restart = proposal.where == "system" and setting is not None and setting.needs_restart
    # A setting of pgrecall's own, which no extension has declared, takes a superuser.
    is_own = proposal.name.startswith("pgrecall.")
    may = {
        "system": reading.server.is_superuser,
        "database": reading.server.is_superuser or (reading.server.owns_database and not is_own),
        "table": reading.server.owns_database,
        "client": False,
    }
    return replace(proposal, needs_restart=needs_restart, can_apply=may[proposal.where])


def provider_command(proposal: Proposal, provider: str) -> str:
    """How a host's customer makes a change that ALTER SYSTEM may not."""
    if provider == "Supabase":
        return (
            "supabase --experimental --project-ref REF postgres-config update "
            f"--config {proposal.name}={proposal.proposed}"
        )
    return f"set {proposal.name} = {proposal.proposed} in the server's settings at {provider}"
