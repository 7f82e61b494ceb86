"""The fingerprints of a schema: read from the catalogs, kept beside the ledger, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pgrecall._async.session import Session
from pgrecall.domain.drift import DriftReport, SchemaObject
from pgrecall.sql.migration_drift import Move, Objects, differences, keyed, moved


@dataclass
class Fingerprints:
    """The objects of one database; `public_names` are those of schema public that count.

    Its methods are called within a transaction.
    """

    session: Session
    public_names: Sequence[str]
    _before: Objects | None = None

    async def is_missing(self) -> bool:
        """Whether the table is there, and nobody has noted yet what the files made."""
        return await self._has_table() and not await self._read_reference()

    async def compare(self) -> DriftReport:
        """How the schema differs from its reference."""
        return differences(await self._read_reference(), await self._read_present())

    async def begin(self) -> DriftReport:
        """Remember how things are before a migration; how they differ from the reference.

        What the last migration of this run left is still known: no time to speak of has passed.
        """
        if self._before is not None:
            return DriftReport()
        self._before = await self._read_present()
        return differences(await self._read_reference(), self._before)

    async def record(self, *, is_lossy: bool) -> None:
        """Move the reference by what the migration has changed; without `begin`, take it anew.

        `is_lossy` says that an extension has gone, and what belonged to it.
        """
        after = await self._read_present()
        reference = await self._read_reference()
        before = {} if self._before is None else self._before
        await self._write(moved(reference, before, after, is_lossy=is_lossy))
        self._before = after

    async def _read_present(self) -> Objects:
        await self.session.rows("settle_renderings")
        return await self._read("list_schema_objects", names=list(self.public_names))

    async def _read_reference(self) -> Objects:
        # Whoever has dropped it gets it back by a repair.
        return await self._read("list_fingerprints") if await self._has_table() else {}

    async def _has_table(self) -> bool:
        return bool((await self.session.row("has_fingerprints"))["has_fingerprints"])

    async def _read(self, name: str, **given: object) -> Objects:
        return keyed(SchemaObject(**row) for row in await self.session.rows(name, **given))

    async def _write(self, move: Move) -> None:
        rows = move.recorded
        await self.session.rows(
            "record_fingerprints",
            kinds=[row.kind for row in rows],
            names=[row.name for row in rows],
            parts=[row.part_of for row in rows],
            definitions=[row.definition for row in rows],
            cures=[row.cure for row in rows],
        )
        kinds, names = [key[0] for key in move.dropped], [key[1] for key in move.dropped]
        await self.session.rows("drop_fingerprints", kinds=kinds, names=names)
