"""Drizzle: push, pull and generate of drizzle-kit."""

from __future__ import annotations

import re
from pathlib import Path

from pgrecall.testing.databases import cloned
from tests.beside.catalog import install, public_tables, touched
from tests.beside.commands import Ended, address, run
from tests.beside.page import PAGE, shown

SCHEMA = """
import { boolean, pgTable, serial, text } from "drizzle-orm/pg-core";
export const invoices = pgTable("invoices", {
  id: serial().primaryKey(),
  title: text().notNull(),
});
"""
NEXT_SCHEMA = SCHEMA.replace("notNull(),", "notNull(),\n  paid: boolean(),")
_FILTERS = re.compile(r"^  (?:schemaFilter|tablesFilter): \[.*?\],\n", re.MULTILINE | re.DOTALL)


def configure(project: Path, schema: str, *, is_filtered: bool) -> None:
    config = shown("drizzle.config.ts")
    unfiltered = _FILTERS.sub("", config)
    assert "Filter" not in unfiltered
    (project / "drizzle.config.ts").write_text(config if is_filtered else unfiltered)
    (project / "schema.ts").write_text(schema)


def drizzle(project: Path, dsn: str, *arguments: str) -> Ended:
    program = project.parent / "node_modules" / ".bin" / "drizzle-kit"
    return run([program, *arguments], project, DATABASE_URL=address(dsn))


def begin(project: Path, dsn: str) -> None:
    """The application's own table, before pgrecall comes."""
    configure(project, SCHEMA, is_filtered=False)
    pushed = drizzle(project, dsn, "push", "--force")
    assert "Changes applied" in pushed.output, pushed.output


def test_without_filters_push_drops_our_tables(node_project: Path, database: str) -> None:
    begin(node_project, database)
    made = install(database)
    with cloned(database) as copy:
        pushed = drizzle(node_project, copy, "push", "--force", "--verbose")
        dropped = set(re.findall(r'DROP TABLE "(\w+)" CASCADE', pushed.output))
        assert dropped == public_tables(made)
        assert {f"relation {name}" for name in dropped} <= set(touched(copy, made))
    with cloned(database) as copy:
        # Nobody says yes to it here, and no row is in them: it doesn't ask.
        assert "Changes applied" in drizzle(node_project, copy, "push").output
        assert "relation ai_memories" in touched(copy, made)


def test_with_filters_push_changes_our_tables_not_at_all(node_project: Path, database: str) -> None:
    begin(node_project, database)
    made = install(database)
    configure(node_project, NEXT_SCHEMA, is_filtered=True)
    pushed = drizzle(node_project, database, "push", "--force", "--verbose")
    assert re.findall(r"^(?:ALTER|CREATE|DROP) .*", pushed.output, re.MULTILINE) == [
        'ALTER TABLE "invoices" ADD COLUMN "paid" boolean;'
    ]
    assert "No changes detected" in drizzle(node_project, database, "push", "--force").output
    assert touched(database, made) == []


def test_with_filters_pull_reads_the_application_only(node_project: Path, database: str) -> None:
    begin(node_project, database)
    made = install(database)
    configure(node_project, SCHEMA, is_filtered=False)
    assert drizzle(node_project, database, "pull").code == 0
    pulled = node_project / "drizzle" / "schema.ts"
    assert public_tables(made) < set(re.findall(r'pgTable\("(\w+)"', pulled.read_text()))
    configure(node_project, SCHEMA, is_filtered=True)
    assert drizzle(node_project, database, "pull").code == 0
    assert re.findall(r'pgTable\("(\w+)"', pulled.read_text()) == ["invoices"]


def test_roles_that_drizzle_is_to_manage_are_ours_too(node_project: Path, database: str) -> None:
    begin(node_project, database)
    install(database)
    ours = {"anon", "authenticated", "service_role"}
    (setting,) = re.findall(r"`(entities: .*?)`", PAGE.read_text("utf-8"))
    for entities, dropped in (("entities: { roles: true }", ours), (setting, set())):
        configure(node_project, NEXT_SCHEMA, is_filtered=True)
        config = node_project / "drizzle.config.ts"
        filtered = config.read_text()
        config.write_text(filtered.replace("  tablesFilter", f"  {entities},\n  tablesFilter"))
        # It prints what it would do, asks, and ends for want of a terminal.
        asked = drizzle(node_project, database, "push", "--verbose", "--strict")
        assert 'ADD COLUMN "paid"' in asked.output, asked.output
        assert set(re.findall(r'DROP ROLE "(\w+)"', asked.output)) & ours == dropped


def test_generate_and_migrate_need_no_filters(node_project: Path, database: str) -> None:
    configure(node_project, SCHEMA, is_filtered=False)
    assert drizzle(node_project, database, "generate").code == 0
    assert drizzle(node_project, database, "migrate").code == 0
    made = install(database)
    configure(node_project, NEXT_SCHEMA, is_filtered=False)
    assert drizzle(node_project, database, "generate").code == 0
    assert drizzle(node_project, database, "migrate").code == 0
    written = sorted((node_project / "drizzle").glob("*.sql"))
    assert written[1].read_text() == 'ALTER TABLE "invoices" ADD COLUMN "paid" boolean;'
    assert touched(database, made) == []
