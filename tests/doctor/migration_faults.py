"""Faults of migrations, extensions and settings."""

from __future__ import annotations

from tests.doctor.fault import Fault, Sandbox

MIGRATE = "pgrecall migrate"
A_DATABASE_OF_ITS_OWN = (
    "Nothing was changed. pgrecall needs these names: install it into a database of its own"
    " (CREATE DATABASE name; and run the migrations there)."
)
STATS = "20250707_agent_memory_stats.sql"


def _expect_fewer_files(sandbox: Sandbox) -> None:
    """As if the last file of this release had never been applied."""
    sandbox.run(
        "delete from agent_memory.migrations"
        " where name = (select max(name) from agent_memory.migrations)"
    )


FAULTS = (
    Fault("pgrecall was never here", "migrations", "critical", MIGRATE, (), is_empty=True),
    Fault(
        "another application's table has our name",
        "migrations",
        "error",
        A_DATABASE_OF_ITS_OWN,
        ("create table public.ai_memories (id int)",),
        is_empty=True,
        moves=True,
    ),
    Fault(
        "another application's function has our name",
        "migrations",
        "error",
        A_DATABASE_OF_ITS_OWN,
        (
            "create function public.memory_status(id int) returns text language sql"
            " as 'select null::text'",
        ),
        is_empty=True,
        moves=True,
    ),
    Fault(
        "another application's schema has our name",
        "migrations",
        "error",
        A_DATABASE_OF_ITS_OWN,
        ("create schema agent_memory", "create table agent_memory.members (id int)"),
        is_empty=True,
        moves=True,
    ),
    Fault("a migration is pending", "migrations", "error", MIGRATE, _expect_fewer_files),
    Fault(
        "a file was applied with another text",
        "migrations",
        "error",
        MIGRATE,
        (f"update agent_memory.migrations set checksum = repeat('0', 64) where name = '{STATS}'",),
    ),
    Fault(
        "the ledger is lost",
        "migrations",
        "error",
        "create table agent_memory.migrations {columns};\n"
        "alter table agent_memory.migrations enable row level security;",
        ("drop table agent_memory.migrations",),
    ),
    Fault(
        "vector is dropped",
        "extensions",
        "warning",
        MIGRATE,
        ("drop extension vector cascade",),
        needs=("vector",),
    ),
    Fault(
        "vector was installed later",
        "migrations",
        "error",
        MIGRATE,
        (
            "drop extension vector cascade",
            "update agent_memory.migrations set features = '{}'",
            "create extension vector",
        ),
        needs=("vector",),
    ),
    Fault(
        "vector was moved to another schema",
        "extensions",
        "error",
        "ALTER EXTENSION vector SET SCHEMA extensions;",
        ("create schema elsewhere", "alter extension vector set schema elsewhere"),
        needs=("vector",),
    ),
    Fault(
        "pgvector has a known hole",
        "releases",
        "error",
        "ALTER EXTENSION vector UPDATE;",
        (
            "update pg_catalog.pg_extension set extversion = '0.8.1' where extname = 'vector'",
            "update agent_memory.migrations"
            " set features = array_replace(features, 'vector 0.8.6', 'vector 0.8.1')",
        ),
        needs=("vector",),
    ),
    Fault(
        "every session begins as somebody",
        "session_settings",
        "critical",
        "ALTER DATABASE {database} RESET request.jwt.claims;",
        ("""alter database {database} set "request.jwt.claims" = '{"sub": "agent:default"}'""",),
    ),
    Fault(
        "reads under Row Level Security fail",
        "session_settings",
        "error",
        "ALTER DATABASE {database} RESET row_security;",
        ("alter database {database} set row_security = off",),
    ),
    Fault(
        "foreign keys are off for all sessions",
        "session_settings",
        "critical",
        "ALTER DATABASE {database} RESET session_replication_role;",
        ("alter database {database} set session_replication_role = replica",),
    ),
    Fault(
        "the database takes no writes",
        "session_settings",
        "error",
        "SET default_transaction_read_only = off;\nALTER DATABASE {database} RESET"
        " default_transaction_read_only;",
        ("alter database {database} set default_transaction_read_only = on",),
    ),
)
