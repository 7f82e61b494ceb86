"""All proposals for what is known of a server. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgrecall.ops.tuning import memory, search, workload
from pgrecall.ops.tuning.facts import ServerFacts
from pgrecall.ops.tuning.proposal import Proposal

Decision = Callable[[ServerFacts], Proposal | None]

DECISIONS: tuple[Decision, ...] = (
    search.ef_search,
    search.exact_limit,
    memory.shared_buffers,
    memory.effective_cache_size,
    memory.work_mem,
    memory.maintenance_work_mem,
    workload.random_page_cost,
    workload.max_wal_size,
    workload.checkpoint_completion_target,
    workload.max_connections,
    workload.pool_size,
)


def decide(facts: ServerFacts) -> list[Proposal]:
    """What should change, by how much recall feels it; nothing for a server that is well set."""
    found = [each for decision in DECISIONS if (each := decision(facts)) is not None]
    return [_placed(each, facts) for each in (*found, *workload.autovacuum(facts))]


def _placed(proposal: Proposal, facts: ServerFacts) -> Proposal:
    """The proposal with who may make the change, and what it takes."""
    setting = facts.settings.get(proposal.name)
    needs_restart = proposal.where == "system" and setting is not None and setting.needs_restart
    # A setting of pgrecall's own, which no extension has declared, takes a superuser.
    is_own = proposal.name.startswith("pgrecall.")
    may = {
        "system": facts.server.is_superuser,
        "database": facts.server.is_superuser or (facts.server.owns_database and not is_own),
        "table": facts.server.owns_database,
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
