"""The schema is made by migrations, each recorded in `agent_memory.migrations` with its checksum.
This check names files that are still to be applied, files whose text is not the one that was
applied, and files that only a later pgrecall knows. Before a first migration it names what stands
in the way: another application's objects under pgrecall's names, which are never asked to move, and
rights that this role lacks. Where the ledger itself is lost, nothing tells the schema from another
application's, so it is to be made again, empty, before the migrations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, Unseen, advice, command, shell, sql
from pgrecall.domain.migration import MigrationState
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase
from pgrecall.sql.migration_files import ledger, read_release

_MIGRATE = "pgrecall migrate"


@dataclass(frozen=True)
class MigrationFacts:
    """`states` are None where the ledger is there and can't be read; `refusal` and `cure` say why
    a run would end before it changes anything, and what to do."""

    has_schema: bool
    has_ledger: bool
    states: Sequence[MigrationState] | None
    refusal: str | None
    cure: str


def read(database: CheckedDatabase) -> MigrationFacts:
    """The ledger beside the files, and what stands in the way of them."""
    refusal, outlook = database.migration_refusal, database.outlook
    return MigrationFacts(
        has_schema=outlook.has_schema,
        has_ledger=outlook.has_ledger,
        states=database.migration_states,
        refusal=None if refusal is None else refusal.message_primary,
        cure=(None if refusal is None else refusal.message_hint) or "By hand.",
    )


def judge(facts: MigrationFacts) -> Iterator[Sign]:
    """What is still to be applied, and why it can't be."""
    if facts.states is None:
        yield Unseen("which migrations are applied", "the owner of schema agent_memory")
        return
    pending = [state for state in facts.states if state.state == "pending"]
    if facts.has_schema and not facts.has_ledger:
        evidence = "agent_memory.migrations is missing, and a run would refuse what it did not make"
        yield Finding("error", "ledger", evidence, sql(*ledger(read_release())))
    elif pending:
        if facts.refusal:
            yield Finding("error", "migrations", facts.refusal, advice(facts.cure))
        yield _pending(facts, pending)
    for state in facts.states:
        if state.state == "edited":
            evidence = "it was applied with another text than this release has"
            yield Finding(
                "error", state.name, evidence, command(f"{_MIGRATE} --accept {state.name}")
            )
        elif state.state == "unknown":
            evidence = "a later pgrecall has applied it, and this one does not know it"
            yield Finding("error", state.name, evidence, shell("pip install --upgrade pgrecall"))


def _pending(facts: MigrationFacts, pending: Sequence[MigrationState]) -> Finding:
    migrate = command(_MIGRATE, is_safe=facts.refusal is None)
    names = ", ".join(state.name for state in pending[:3])
    more = f" and {len(pending) - 3} more" if len(pending) > 3 else ""
    if not facts.has_schema:
        return Finding("critical", "schema", "pgrecall's schema is not here", migrate)
    reason = f"; {pending[0].reason}" if pending[0].reason else ""
    return Finding("error", f"{names}{more}", f"still to be applied{reason}", migrate)


CHECK = Check("migrations", "Migrations", read, judge, needs="database")
