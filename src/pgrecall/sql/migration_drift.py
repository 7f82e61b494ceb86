"""Drift: how a schema differs from what the migrations made, decided from two readings of it.

The reference is what the catalogs said when the migrations had been applied, read in the same
transaction. Shipping one instead would need a rendering for every version of PostgreSQL and of
pgvector; making one needs a second database, which hosted servers don't give. The price is that
the first reading is trusted. Later ones are not: an upgrade moves the reference by what it changed
itself, so what had drifted before it still shows. Whoever owns the schema can edit the reference,
too: this finds accidents, not intruders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from pgrecall.domain.drift import Drift, DriftReport, SchemaObject

Key: TypeAlias = tuple[str, str]
Objects: TypeAlias = Mapping[Key, SchemaObject]

REPAIR = "pgrecall migrate --repair"
# Of these no statement changes one into what it was: it goes, and comes back.
_REMADE = frozenset({"constraint", "index", "rule", "trigger"})
_BY_HAND = frozenset({"column", "table", "type"})
# Who is a member may be decided by a project's own tables; no migration makes these again.
_REPLACEABLE: frozenset[Key] = frozenset({("function", "agent_memory.memberships(text)")})


@dataclass(frozen=True)
class Move:
    """How the reference changes."""

    recorded: tuple[SchemaObject, ...]
    dropped: tuple[Key, ...]


def keyed(objects: Iterable[SchemaObject]) -> Objects:
    """Objects by kind and name."""
    return {(each.kind, each.name): each for each in objects}


def differences(reference: Objects, present: Objects) -> DriftReport:
    """What is missing, altered or added; parts of what is missing or added go without saying."""
    if not reference:
        return DriftReport(unknown=f"no reference was recorded yet; {REPAIR} records one")
    return DriftReport(
        tuple(
            drift
            for key in sorted(reference.keys() | present.keys())
            if (drift := _drift(key, reference, present))
        )
    )


def moved(reference: Objects, before: Objects, after: Objects, *, is_lossy: bool) -> Move:
    """How the reference changes with a migration that made `before` into `after`.

    Without a reference it becomes `after`. `is_lossy` says that an extension has gone: what went
    with it is not missed.
    """
    wanted = dict(reference)
    if not reference:
        wanted = dict(after)
    else:
        wanted |= {key: it for key, it in after.items() if not _is_same(before.get(key), it)}
        gone = before.keys() - after.keys()
        gone |= reference.keys() - after.keys() if is_lossy else set()
        wanted = {key: it for key, it in wanted.items() if key not in gone}
    return Move(
        tuple(it for key, it in wanted.items() if not _is_same(reference.get(key), it)),
        tuple(key for key in reference if key not in wanted),
    )


def _is_same(one: SchemaObject | None, other: SchemaObject) -> bool:
    return one is not None and one.definition == other.definition


def _drift(key: Key, reference: Objects, present: Objects) -> Drift | None:
    was, now = reference.get(key), present.get(key)
    if was and now:
        return None if _is_same(was, now) else _altered(was, now)
    if was and not _is_implied(was, reference, present):
        return _cured(Drift(*key, "missing", was.definition, None, cure=REPAIR), was.cure)
    if now and not _is_implied(now, present, reference) and not _is_tuning(now):
        return _cured(Drift(*key, "added", None, now.definition, cure="By hand."), now.removal)
    return None


def _altered(was: SchemaObject, now: SchemaObject) -> Drift:
    altered = Drift(was.kind, was.name, "altered", was.definition, now.definition, cure=REPAIR)
    if (was.kind, was.name) in _REPLACEABLE:
        return replace(altered, change="replaced", cure="None is needed.")
    if was.kind in _BY_HAND:
        return replace(altered, cure=f"By hand: it was {was.definition or 'a plain one'}.")
    if was.kind in _REMADE:
        return _cured(altered, now.removal, was.cure)
    return _cured(altered, was.cure)


def _cured(drift: Drift, *statements: str | None) -> Drift:
    """With the statements as the cure, if there are any."""
    found = tuple(each for each in statements if each)
    return replace(drift, cure=" ".join(found), statements=found) if found else drift


def _is_implied(part: SchemaObject, here: Objects, there: Objects) -> bool:
    """Whether the object that it is part of is not there, either."""
    if part.part_of is None:
        return False
    kind, _, name = part.part_of.partition(" ")
    return (kind, name) in here and (kind, name) not in there


def _is_tuning(added: SchemaObject) -> bool:
    """Whether it changes no answer: an index that is not unique."""
    return added.kind == "index" and not added.definition.startswith("CREATE UNIQUE ")
