"""The schema is made by migrations, each recorded in `agent_memory.migrations` with its checksum.
This check names files that are still to be applied, files whose text is not the one that was
applied, and files that only a later pgrecall knows. Before a first migration it names what stands
in the way: somebody else's tables under pgrecall's names, and rights that this role lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgrecall.domain.diagnosis import Finding, Sign, Unseen, advice, command, shell, sql
from pgrecall.domain.migration import MigrationState
from pgrecall.ops.doctor.check import Check
from pgrecall.ops.doctor.database import CheckedDatabase

_MIGRATE = "pgrecall migrate"


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way of a migration, and the statement that cures it."""

    what: str
    cure: str


@dataclass(frozen=True)
class MigrationFacts:
    """`states` are None where the ledger is there and can't be read."""

    has_schema: bool
    has_ledger: bool
    states: Sequence[MigrationState] | None
    taken: Sequence[Obstacle]
    lacking: Sequence[Obstacle]


def read(database: CheckedDatabase) -> MigrationFacts:
    """The ledger beside the files, and what stands in the way of them."""
    names = [name for file in database.files for name in file.public_names]
    taken = [Obstacle(**row) for row in database.rows("list_names_taken", names=names)]
    lacking = [Obstacle(**row) for row in database.rows("list_missing_grants")]
    outlook = database.outlook
    return MigrationFacts(
        outlook.has_schema, outlook.has_ledger, database.migration_states, taken, lacking
    )


def judge(facts: MigrationFacts) -> Iterator[Sign]:
    """What is still to be applied, and why it can't be."""
    if facts.states is None:
        yield Unseen("which migrations are applied", "the owner of schema agent_memory")
        return
    for each in facts.taken:
        evidence = "it has a name of pgrecall's and is not pgrecall's: no migration can be applied"
        yield Finding("error", each.what, evidence, sql(each.cure))
    pending = [state for state in facts.states if state.state == "pending"]
    if pending:
        for each in facts.lacking:
            evidence = f"this role lacks {each.what}, which migrations need"
            yield Finding("error", "rights to migrate", evidence, advice(each.cure))
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
    migrate = command(_MIGRATE, is_safe=not (facts.taken or facts.lacking))
    names = ", ".join(state.name for state in pending[:3])
    more = f" and {len(pending) - 3} more" if len(pending) > 3 else ""
    if not facts.has_schema:
        return Finding("critical", "schema", "pgrecall's schema is not here", migrate)
    if not facts.has_ledger:
        evidence = "no ledger says which were applied, so by psql; a run records it"
        return Finding("notice", "ledger", evidence, migrate)
    reason = f"; {pending[0].reason}" if pending[0].reason else ""
    return Finding("error", f"{names}{more}", f"still to be applied{reason}", migrate)


CHECK = Check("migrations", "Migrations", read, judge, needs="database")
