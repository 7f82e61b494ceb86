"""Read a server, measure it, propose, and apply what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pgrecall._sync.session import Session, connected
from pgrecall.ops.server_settings import (
    Server,
    compose_set,
    identify,
    read_settings,
    run_composed,
)
from pgrecall.ops.tuning.decisions import decide, provider_command
from pgrecall.ops.tuning.facts import Measurement, ServerFacts, Table, Workload
from pgrecall.ops.tuning.hardware import Hardware, this_machine
from pgrecall.ops.tuning.measurement import measure
from pgrecall.ops.tuning.proposal import Proposal
from pgrecall.settings import Settings

_NAMES = (
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "maintenance_work_mem",
    "max_connections",
    "random_page_cost",
    "max_wal_size",
    "checkpoint_completion_target",
    "autovacuum_vacuum_scale_factor",
)
# An embedded server shares its machine with the programs that use it.
_EMBEDDED_SHARE = 0.25
_UNSEEN = (
    "the hardware of this server can't be seen from here: what depends on it is left out; "
    "say it with --memory 8GB --cores 4"
)


@dataclass(frozen=True)
class Tuning:
    """What was read, and what is proposed; `notes` says what could not be seen or measured."""

    server: Server
    hardware: Hardware | None
    hit_ratio: float | None
    measured: Measurement
    proposals: tuple[Proposal, ...]
    notes: tuple[str, ...]


def propose(
    dsn: str,
    *,
    hardware: Hardware | None = None,
    is_embedded: bool = False,
    is_measuring: bool = True,
) -> Tuning:
    """What should be set otherwise; changes nothing.

    `hardware` is that of a server whose machine can't be seen, else what is to be reckoned with.
    Raises SchemaMissingError on a database that was not migrated.
    """
    with connected(dsn, "tune") as session:
        server = identify(session)
        if hardware is None and server.is_local:
            hardware = this_machine()
        facts = _read(session, server, hardware, is_embedded=is_embedded)
        if is_measuring:
            facts = replace(facts, measured=measure(session, facts.ef_search))
        proposals = with_statements(session, decide(facts), server)
    notes = [*facts.measured.notes, *([_UNSEEN] if hardware is None else [])]
    return Tuning(
        server=server,
        hardware=hardware,
        hit_ratio=facts.workload.hit_ratio,
        measured=facts.measured,
        proposals=tuple(proposals),
        notes=tuple(notes),
    )


def apply(dsn: str, proposals: Iterable[Proposal]) -> list[Proposal]:
    """Make those changes that the role may make, and return them."""
    doable = [each for each in proposals if each.can_apply and each.statement]
    with connected(dsn, "tune") as session:
        run_composed(session, [str(each.statement) for each in doable])
    return doable


def with_statements(
    session: Session, proposals: Sequence[Proposal], server: Server
) -> list[Proposal]:
    """The proposals, each with the statement or command that makes the change."""
    return [replace(each, statement=_statement(session, each, server)) for each in proposals]


def _statement(session: Session, proposal: Proposal, server: Server) -> str:
    name, value = proposal.name, proposal.proposed
    if proposal.where == "client":
        return f"{name}={value}"
    if proposal.where == "system":
        if server.provider and not server.is_superuser:
            return provider_command(proposal, server.provider)
        return compose_set(session, {name: value})[0]
    if proposal.where == "table":
        target = [proposal.target]
        return session.compose("compose_alter_table", names=[name], values=[value], targets=target)[
            0
        ]
    return session.compose("compose_alter_database", names=[name], values=[value])[0]


def _read(
    session: Session, server: Server, hardware: Hardware | None, *, is_embedded: bool
) -> ServerFacts:
    recall = session.row("get_recall_settings")
    return ServerFacts(
        server=server,
        settings=read_settings(session, _NAMES),
        workload=_read_workload(session),
        hardware=hardware,
        share=_EMBEDDED_SHARE if is_embedded else 1.0,
        pool_max_size=Settings().pool_max_size,
        ef_search=recall["ef_search"],
        exact_limit=recall["exact_limit"],
    )


def _read_workload(session: Session) -> Workload:
    work = session.row("get_workload")
    index = session.row("get_largest_vector_index")
    [checkpoints] = session.run_composed("compose_get_checkpoints")
    return Workload(
        **work,
        checkpoints_requested=checkpoints["requested"],
        checkpoints_timed=checkpoints["timed"],
        largest_vector_index=index["bytes"],
        tables=tuple(Table(**row) for row in session.rows("list_large_tables")),
    )
