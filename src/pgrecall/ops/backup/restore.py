"""A backup, put into a database: checked before, compared afterwards, resumed where it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TypeAlias
from uuid import UUID

from psycopg.rows import DictRow

from pgrecall._sync.session import Session
from pgrecall.domain.backups import BackupFile, Manifest, RestoreReport, TableContents
from pgrecall.domain.identity import organization_uuid
from pgrecall.errors import BackupError, ConflictError, SchemaMissingError
from pgrecall.ops.backup import ledger
from pgrecall.ops.backup.encryption import identities
from pgrecall.ops.backup.indexes import MEMORIES, OnStep, built_afterwards
from pgrecall.ops.backup.places import place
from pgrecall.ops.backup.reader import BackupReader
from pgrecall.ops.backup.rows import checksum, count_rows
from pgrecall.ops.backup.tables import (
    Table,
    backup_session,
    find_tables,
)
from pgrecall.ops.backup.tombstones import RELAXED, TombstoneFilter
from pgrecall.ops.erasure import repeat_erasures
from pgrecall.sql.failures import MIGRATE_HINT

Numbered: TypeAlias = tuple[int, BackupFile, list[bytes]]

ORGANIZATIONS = "agent_memory.organizations"
MEMBERS = "agent_memory.members"
VECTORS = "agent_memory.embeddings"
KEYS = "agent_memory.keys"
_ERASURES = ("agent_memory.tombstones", "agent_memory.erasures")
# An organization has these as soon as somebody has opened it, with nothing in it.
_SETTLED = (ORGANIZATIONS, MEMBERS, *_ERASURES)
# What does not name a user or an agent that may have been erased.
_BEFORE_SIFTING = (ORGANIZATIONS, KEYS, "agent_memory.tombstones")
_NO_VECTORS = (
    "vectors are kept out: this server has no pgvector, or an older one than 0.7; recall finds by "
    "words. Once it has one, `pgrecall migrate` and restore with --merge bring them in."
)
_UNPLACED = (
    "{:,} rows were left out, since what they belong to is known here by another id: the same "
    "text or conversation was stored again"
)
_NO_KEYS = "API keys are kept out, since each is of one organization: create new ones"


def restore(
    dsn: str,
    source: str,
    *,
    as_organization: str | UUID | None = None,
    merge: bool = False,
    identity: str | None = None,
    on_step: OnStep | None = None,
) -> RestoreReport:
    """Put a backup of an organization into a migrated database.

    `source` is a path or URL; `as_organization` another organization to put it in, by name or
    UUID; `identity` the path of a file with age's secret keys. All of the file is checked before
    anything is written, and what is written is compared with it afterwards. The organization must
    not be there, or be empty; with `merge` what is there stays, and what is missing is added. It
    is visible to its members at the end. An interrupted restore goes on when it is run again.
    `on_step` hears what is done, and how many of how many rows.

    Raises DamagedBackupError for a file that is truncated, altered or none of ours,
    ConflictError where rows are in the way, SchemaMissingError where the schema is older.
    """
    began = time.monotonic()
    reader = BackupReader(place(source), identities(identity))
    tell = on_step or (lambda step, done, total: None)
    manifest = reader.check(lambda rows: tell("Checking", rows, rows))
    with backup_session(dsn, "restore") as session:
        target = _target(session, manifest, str(reader.place), as_organization, merge=merge)
        with ledger.record_failure(target.entry):
            memories = manifest.table(MEMORIES).rows
            with built_afterwards(session, dsn, target.entry, memories, tell):
                last = target.load(reader, tell)
                target.link(reader, tell)
            target.compare(reader, tell)
            target.admit(last)
            added, skipped = target.added, target.skipped
            target.entry.done(manifest.source.snapshot_at, added, None, skipped)
            if target.unplaced:
                target.notices.append(_UNPLACED.format(target.unplaced))
    return RestoreReport(
        backup_id=manifest.id,
        organization_id=target.organization_id,
        organization=target.organization,
        snapshot_at=manifest.source.snapshot_at,
        rows=manifest.rows,
        added=added,
        kept=target.kept - added,
        skipped=skipped,
        resumed=target.resumed,
        notices=tuple(target.notices),
        seconds=time.monotonic() - began,
    )


@dataclass(kw_only=True)
class _Target:
    """The organization that a backup is put into, and how far that has come."""

    session: Session
    manifest: Manifest
    tables: dict[str, Table]
    organization_id: UUID
    organization: str
    entry: ledger.Entry
    is_fresh: bool
    merge: bool
    files_loaded: int = 0
    added: int = 0
    kept: int = 0
    skipped: int = 0
    unplaced: int = 0
    filter: TombstoneFilter = field(init=False)
    notices: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)

    @property
    def resumed(self) -> bool:
        return self.files_loaded > 0

    def load(self, reader: BackupReader, tell: OnStep) -> list[Numbered]:
        """Put in every file that is not in yet, but for the members, which come back."""
        loading = {name: self._loading(name) for name in self.tables}
        members: list[Numbered] = []
        done = 0
        self.filter = TombstoneFilter(self.session, self.organization_id)
        is_prepared = False
        for number, (file, lines) in enumerate(reader.files(self.manifest)):
            done += file.rows
            if not is_prepared and file.table not in _BEFORE_SIFTING:
                # Now that the tombstones are there.
                self.filter.prepare(self.manifest.organization_id, self._by_table(reader))
                is_prepared = True
            if file.table == MEMBERS:
                members.append((number, file, lines))
            elif number >= self.files_loaded:
                self._load(number, file.table, lines, loading.get(file.table))
            tell("Restoring", done, self.manifest.rows)
        if self.organization != self.manifest.organization:
            self._run("rename_organization", name=self.organization)
        return members

    def admit(self, members: list[Numbered]) -> None:
        """Put in the members, to whom the organization is visible from now on."""
        loading = self._loading(MEMBERS)
        for number, _, lines in members:
            if number >= self.files_loaded:
                self._load(number, MEMBERS, lines, loading)
        if self._is_whole(contents := self.manifest.table(MEMBERS)):
            self._compare_table(contents)

    def link(self, reader: BackupReader, tell: OnStep) -> None:
        """Lead links within a table to where they belong, now that all rows are there."""
        linked = [(each, link) for each in self.manifest.tables for link in each.links]
        for contents, link in linked:
            [linking] = self.session.compose("compose_linking", table=contents.name, link=link)
            for done, lines in self._files_of(reader, contents):
                self.session.execute(linking, self.organization_id, _texts(lines))
                tell("Linking", done, contents.rows)
        if self.filter.active or self.merge:
            self.filter.settle()
        self._erase_again(reader)

    def _erase_again(self, reader: BackupReader) -> None:
        """Erase what somebody erased before all of it was in."""
        with self.session.connection.transaction():
            # Those under way are waited for; later ones see all rows.
            self._run("lock_out_erasures")
            [answer] = self._run("has_tombstones")
            if not answer["has_tombstones"]:
                return
            erased = repeat_erasures(self.session, self.organization_id)
        self.added -= erased
        self.skipped += erased
        self.filter = TombstoneFilter(self.session, self.organization_id)
        self.filter.prepare(self.manifest.organization_id, self._by_table(reader))

    def compare(self, reader: BackupReader, tell: OnStep) -> None:
        """Raise BackupError unless all is there as the backup says it."""
        done = 0
        for contents in self.manifest.tables:
            if contents.name in self.left_out or contents.name == MEMBERS:
                continue
            if self._is_whole(contents):
                self._compare_table(contents)
            else:
                self._compare_rows(reader, contents)
            done += contents.rows
            tell("Comparing", done, self.manifest.rows)

    def _load(self, number: int, table: str, lines: list[bytes], loading: str | None) -> None:
        """Put in one file, or pass over it, and tell the ledger, in one transaction."""
        kept = self.filter.passing(table, lines)
        skipped = len(lines) - len(kept)
        with self.session.connection.transaction():
            answer = {"kept": 0, "added": 0}
            if loading is not None:
                values = self.organization_id, _texts(kept)
                [answer] = self.session.execute(loading, *values)
                self.unplaced += len(kept) - answer["kept"]
            progress = {"files_loaded": number, "added": answer["added"], "skipped": skipped}
            if not self._run("advance_ledger_entry", id=self.entry.id, **progress):
                raise ConflictError("another restore of this backup goes on at the same time")
        self.added += answer["added"]
        self.kept += answer["kept"]
        self.skipped += skipped

    def _loading(self, name: str) -> str:
        contents = self.manifest.table(name)
        given = {**asdict(contents), "table": name}
        given["replaced"] = None if self.merge else ORGANIZATIONS
        for each in ("columns", "key", "links"):
            given[each] = list(given[each])
        [loading] = self.session.compose("compose_load", **given)
        return loading

    def _is_whole(self, contents: TableContents) -> bool:
        is_renamed = self.organization != self.manifest.organization
        is_as_it_was = self.is_fresh and not self.filter.active
        return is_as_it_was and not (contents.name == ORGANIZATIONS and is_renamed)

    def _compare_table(self, contents: TableContents) -> None:
        found = checksum(self.session, _as_then(contents), self.organization_id)
        if found != (contents.rows, contents.sha256):
            raise _differs(contents.name)

    def _compare_rows(self, reader: BackupReader, contents: TableContents) -> None:
        if self.merge and not self.is_fresh:
            return
        columns, key = list(contents.columns), list(contents.key)
        [comparing] = self.session.compose(
            "compose_comparison", table=contents.name, columns=columns, key=key
        )
        relaxed = ["name"] if contents.name == ORGANIZATIONS else RELAXED.get(contents.name, [])
        for _, lines in self._files_of(reader, contents):
            kept = self.filter.passing(contents.name, lines)
            values = self.organization_id, _texts(kept), relaxed
            [found] = self.session.execute(comparing, *values)
            if found["equal"] != len(kept):
                raise _differs(contents.name)

    def _by_table(self, reader: BackupReader) -> Iterator[tuple[str, list[bytes]]]:
        for file, lines in reader.files(self.manifest):
            yield file.table, lines

    def _files_of(
        self, reader: BackupReader, contents: TableContents
    ) -> Iterator[tuple[int, list[bytes]]]:
        done = 0
        for file, lines in reader.files(self.manifest):
            if file.table == contents.name:
                done += file.rows
                yield done, lines

    def _run(self, named: str, /, **given: object) -> list[DictRow]:
        return self.session.rows(named, organization_id=self.organization_id, **given)


def _target(
    session: Session,
    manifest: Manifest,
    source: str,
    as_organization: str | UUID | None,
    *,
    merge: bool,
) -> _Target:
    """Where a backup goes, once nothing stands in its way; nothing was written but the ledger."""
    organization_id, name = _named(manifest, as_organization)
    tables = find_tables(session)
    kept, left_out, notices = _choose(manifest, tables, organization_id)
    unfinished = session.rows(
        "find_unfinished_restore", organization_id=organization_id, backup_id=manifest.id
    )
    there = [t.name for t in tables if count_rows(session, t, organization_id)]
    # Where the organization was deleted since, it begins anew.
    if unfinished and (ORGANIZATIONS in there or not unfinished[0]["files_loaded"]):
        [row] = unfinished
        entry = ledger.Entry(session, organization_id, manifest.id, row["id"])
        is_fresh, loaded = row["is_fresh"], row["files_loaded"]
        added, skipped = row["rows"] or 0, row["skipped"] or 0
    else:
        if not merge:
            _refuse_rows(organization_id, [each for each in there if each not in _SETTLED])
        is_fresh, loaded, added, skipped = not there, 0, 0, 0
        entry = ledger.begin(
            session, organization_id, manifest.id, "restore", source, is_fresh=is_fresh
        )
    return _Target(
        session=session,
        manifest=manifest,
        tables=kept,
        organization_id=organization_id,
        organization=name,
        entry=entry,
        is_fresh=is_fresh,
        merge=merge,
        files_loaded=loaded,
        added=added,
        kept=added,
        skipped=skipped,
        left_out=left_out,
        notices=notices,
    )


def _named(manifest: Manifest, as_organization: str | UUID | None) -> tuple[UUID, str]:
    if as_organization is None:
        return manifest.organization_id, manifest.organization
    found = organization_uuid(as_organization)
    is_named = str(found) != str(as_organization).lower()
    return found, str(as_organization) if is_named else manifest.organization


def _choose(
    manifest: Manifest, tables: list[Table], organization_id: UUID
) -> tuple[dict[str, Table], set[str], list[str]]:
    """The tables that are filled, those that are left out, and what is to be said of the latter."""
    here = {table.name: table for table in tables}
    left_out: set[str] = set()
    notices: list[str] = []
    for contents in manifest.tables:
        if contents.name == VECTORS and not _holds_vectors(here.get(VECTORS)):
            left_out.add(VECTORS)
            notices += [_NO_VECTORS] if contents.rows else []
        elif contents.name == KEYS and organization_id != manifest.organization_id:
            left_out.add(KEYS)
            notices += [_NO_KEYS] if contents.rows else []
        elif contents.name not in here or set(contents.columns) - set(here[contents.name].columns):
            raise SchemaMissingError(
                f"the backup is of a newer schema, in which {contents.name} has more to it",
                hint=MIGRATE_HINT,
            )
    filled = {each.name: here[each.name] for each in manifest.tables if each.name not in left_out}
    return filled, left_out, notices


def _holds_vectors(table: Table | None) -> bool:
    # DROP EXTENSION vector CASCADE leaves the table without the column.
    return table is not None and "embedding" in table.columns


def _refuse_rows(organization_id: UUID, tables: list[str]) -> None:
    if tables:
        raise ConflictError(
            f"organization {organization_id} is here already, with rows in {', '.join(tables)}",
            hint="--as-organization puts the backup beside it; --merge adds what is missing to it.",
        )


def _as_then(contents: TableContents) -> Table:
    """The table with the columns that it had when it was backed up."""
    return Table(contents.name, list(contents.columns), list(contents.key), list(contents.links))


def _differs(table: str) -> BackupError:
    return BackupError(
        f"the rows of {table} are not those of the backup",
        hint="Something else wrote to the organization meanwhile, or the servers differ.",
    )


def _texts(lines: list[bytes]) -> list[str]:
    return [line.decode() for line in lines]
