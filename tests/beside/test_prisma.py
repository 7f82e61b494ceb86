"""Prisma: migrate dev, db push, db pull, migrate status, diff and reset."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg

from pgrecall.testing.databases import cloned
from tests.beside.catalog import Objects, install, public_tables, touched
from tests.beside.commands import Ended, address, run, run_in_terminal
from tests.beside.page import shown

GENERATOR = """
generator client {
  provider = "prisma-client"
  output   = "../generated"
}
"""
ONE_SCHEMA = """
datasource db {
  provider = "postgresql"
}
"""
MODEL = """
model Invoice {
  id    Int    @id @default(autoincrement())
  title String
  @@map("invoices")
}
"""
_EXTERNAL = re.compile(r"^  (?:experimental|tables): .*\n", re.MULTILINE)


def with_next_column(model: str) -> str:
    return model.replace("title String\n", "title String\n  paid  Boolean?\n")


def in_public(model: str) -> str:
    """As Prisma wants models where several schemas are named."""
    return model.replace("  @@map", '  @@schema("public")\n  @@map')


def write(project: Path, datasource: str, model: str) -> None:
    (project / "prisma").mkdir(exist_ok=True)
    (project / "prisma" / "schema.prisma").write_text(GENERATOR + datasource + model)


def declare_tables(project: Path, dsn: str, *, are_external: bool) -> None:
    config = shown("prisma.config.ts")
    plain = _EXTERNAL.sub("", config)
    assert "xternal" not in plain
    (project / "prisma.config.ts").write_text(config if are_external else plain)
    with psycopg.connect(dsn) as connection:
        row = connection.execute(shown("pgrecall-tables.sql").encode()).fetchone()
    assert row is not None
    (project / "pgrecall-tables.json").write_text(json.dumps(row[0]))


def prisma(project: Path, url: str, *arguments: str) -> Ended:
    program = project.parent / "node_modules" / ".bin" / "prisma"
    engine = project.parent / "schema-engine.mjs"
    in_terminal = arguments[:2] == ("migrate", "dev")
    return (run_in_terminal if in_terminal else run)(
        [program, *arguments],
        project,
        DATABASE_URL=url,
        PRISMA_SCHEMA_ENGINE_BINARY=str(engine),
        PRISMA_HIDE_UPDATE_MESSAGE="1",
    )


def migrate_dev(project: Path, url: str, name: str) -> str:
    """Make the next migration and run it; its SQL."""
    done = prisma(project, url, "migrate", "dev", "--name", name)
    assert "Your database is now in sync with your schema" in done.output, done.output
    (file,) = (project / "prisma" / "migrations").glob(f"*_{name}/migration.sql")
    return file.read_text()


def begin(project: Path, dsn: str) -> Objects:
    """The application's first migration in `public`; then comes pgrecall."""
    declare_tables(project, dsn, are_external=False)
    write(project, ONE_SCHEMA, MODEL)
    migrate_dev(project, address(dsn), "first")
    return install(dsn)


def test_without_configuration_prisma_refuses_to_work(node_project: Path, database: str) -> None:
    made = begin(node_project, database)
    for arguments in (
        ("migrate", "dev"),
        ("db", "push", "--accept-data-loss"),
        ("db", "pull", "--print"),
    ):
        refused = prisma(node_project, address(database), *arguments)
        assert refused.code != 0
        assert "P4002" in refused.output, refused.output
    assert touched(database, made) == []


def test_migrations_that_are_only_run_need_no_configuration(
    node_project: Path, database: str
) -> None:
    made = begin(node_project, database)
    folder = node_project / "prisma" / "migrations" / "20990101000000_next"
    folder.mkdir()
    (folder / "migration.sql").write_text('ALTER TABLE "invoices" ADD COLUMN "paid" BOOLEAN;')
    deployed = prisma(node_project, address(database), "migrate", "deploy")
    assert (deployed.code, "20990101000000_next" in deployed.output) == (0, True)
    assert prisma(node_project, address(database), "migrate", "status").code == 0
    assert touched(database, made) == []


def test_half_the_cure_takes_our_tables_apart(node_project: Path, database: str) -> None:
    made = begin(node_project, database)
    write(node_project, shown("schema.prisma"), in_public(MODEL))
    drift = prisma(node_project, address(database), "migrate", "dev")
    assert drift.code != 0
    assert "Drift detected" in drift.output
    assert "All data will be lost" in drift.output
    reported = set(re.findall(r"^  - (\w+)$", drift.output, re.MULTILINE))
    assert public_tables(made) < reported
    assert touched(database, made) == []
    with cloned(database) as copy:
        # It stops at a table that our functions need, and what it did until then is not undone.
        pushed = prisma(node_project, address(copy), "db", "push", "--accept-data-loss")
        assert "cannot drop table" in pushed.output, pushed.output
        assert any(name.startswith("constraint ") for name in touched(copy, made))


def test_external_tables_are_neither_dropped_nor_drift(node_project: Path, database: str) -> None:
    made = begin(node_project, database)
    declare_tables(node_project, database, are_external=True)
    write(node_project, shown("schema.prisma"), with_next_column(in_public(MODEL)))
    url = address(database)
    assert re.findall(r"^[A-Z].*", migrate_dev(node_project, url, "next"), re.MULTILINE) == [
        'ALTER TABLE "invoices" ADD COLUMN     "paid" BOOLEAN;'
    ]
    assert "Already in sync" in prisma(node_project, url, "migrate", "dev").output
    assert "already in sync" in prisma(node_project, url, "db", "push").output
    assert "up to date" in prisma(node_project, url, "migrate", "status").output
    schema = ("--to-schema", "prisma/schema.prisma")
    compared = prisma(
        node_project, url, "migrate", "diff", "--from-config-datasource", *schema, "--exit-code"
    )
    assert (compared.code, "No difference" in compared.output) == (0, True), compared.output
    assert touched(database, made) == []


def test_models_of_external_tables_are_for_us_to_write(node_project: Path, database: str) -> None:
    made = begin(node_project, database)
    declare_tables(node_project, database, are_external=True)
    write(node_project, shown("schema.prisma"), in_public(MODEL))
    url = address(database)
    assert prisma(node_project, url, "db", "pull").code == 0
    pulled = (node_project / "prisma" / "schema.prisma").read_text()
    assert public_tables(made) < set(re.findall(r"^model (\w+)", pulled, re.MULTILINE))
    refused = prisma(node_project, url, "validate")
    assert (refused.code != 0, "type: Gin" in refused.output) == (True, True), refused.output
    write(node_project, shown("schema.prisma"), in_public(MODEL) + shown("memory.prisma"))
    assert prisma(node_project, url, "validate").code == 0
    assert "Already in sync" in prisma(node_project, url, "migrate", "dev").output
    assert touched(database, made) == []


def test_reset_drops_external_tables(node_project: Path, database: str) -> None:
    made = begin(node_project, database)
    declare_tables(node_project, database, are_external=True)
    write(node_project, shown("schema.prisma"), in_public(MODEL))
    assert prisma(node_project, address(database), "migrate", "reset", "--force").code == 0
    assert "relation ai_memories" in touched(database, made)


def test_a_schema_of_its_own_needs_no_configuration(node_project: Path, database: str) -> None:
    url = address(database, schema="app")
    declare_tables(node_project, database, are_external=False)
    write(node_project, ONE_SCHEMA, MODEL)
    migrate_dev(node_project, url, "first")
    made = install(database)
    write(node_project, ONE_SCHEMA, with_next_column(MODEL))
    assert re.findall(r"^[A-Z].*", migrate_dev(node_project, url, "next"), re.MULTILINE) == [
        'ALTER TABLE "invoices" ADD COLUMN     "paid" BOOLEAN;'
    ]
    assert "Already in sync" in prisma(node_project, url, "migrate", "dev").output
    assert "already in sync" in prisma(node_project, url, "db", "push").output
    pulled = prisma(node_project, url, "db", "pull", "--print").output
    assert re.findall(r"^model (\w+)", pulled, re.MULTILINE) == ["Invoice"]
    assert prisma(node_project, url, "migrate", "reset", "--force").code == 0
    assert touched(database, made) == []
