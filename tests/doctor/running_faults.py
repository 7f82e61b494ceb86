"""Faults of a server at work: sessions, connections, vacuum, indexes, disks, and secrets."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread

import psycopg

from tests.doctor.fault import Fault, Sandbox

STATS = "public.agent_memory_stats"
FILL = f"""insert into {STATS} (organization_id, agent_id, hour)
  select o.organization_id, 'agent ' || n % 100, '2020-01-01'::timestamptz + n * interval '1 hour'
  from agent_memory.organizations as o cross join generate_series(1, {{rows}}) as n"""
LEFT_OUT = f"alter table {STATS} set (autovacuum_enabled = off)"
COUNTED = f"select {{what}} from pg_stat_all_tables where relid = '{STATS}'::regclass"


def until(sandbox: Sandbox, question: str) -> None:
    """Wait for what the server does by itself, such as counting."""
    deadline = time.monotonic() + 60
    while not sandbox.ask(f"select coalesce(({question}), false)"):
        assert time.monotonic() < deadline, question
        time.sleep(0.02)


def connected(sandbox: Sandbox, *, autocommit: bool = False) -> psycopg.Connection:
    return psycopg.connect(sandbox.dsn, autocommit=autocommit, application_name="busy")


@contextmanager
def _idle_in_transaction(sandbox: Sandbox) -> Iterator[None]:
    with connected(sandbox) as resting:
        resting.execute("select 1")
        until(
            sandbox,
            "select state = 'idle in transaction' from pg_stat_activity"
            f" where pid = {resting.info.backend_pid}",
        )
        yield
        # The cure has ended it, so that there is nothing to roll back.
        resting.close()


@contextmanager
def _long_query(sandbox: Sandbox) -> Iterator[None]:
    with _at_work(sandbox, "select pg_sleep(600)") as pid:
        until(sandbox, f"select wait_event = 'PgSleep' from pg_stat_activity where pid = {pid}")
        yield


@contextmanager
def _lock_wait(sandbox: Sandbox) -> Iterator[None]:
    with connected(sandbox) as holder:
        holder.execute("lock table public.ai_memories in access exclusive mode")
        with _at_work(sandbox, "select count(*) from public.ai_memories") as pid:
            until(sandbox, f"select cardinality(pg_blocking_pids({pid})) > 0")
            yield
        holder.close()


@contextmanager
def _at_work(sandbox: Sandbox, query: str) -> Iterator[int]:
    """A session that runs a query in the background; whatever becomes of it."""
    with connected(sandbox, autocommit=True) as working:
        thread = Thread(target=_run, args=(working, query), daemon=True)
        thread.start()
        try:
            yield working.info.backend_pid
        finally:
            sandbox.run(f"select pg_terminate_backend({working.info.backend_pid})")
            thread.join(60)


def _run(connection: psycopg.Connection, query: str) -> None:
    with suppress(psycopg.Error):
        connection.execute(query.encode())


@contextmanager
def _exhausted_pool(sandbox: Sandbox) -> Iterator[None]:
    busy = [connected(sandbox, autocommit=True) for _ in range(4)]
    sandbox.run(f"alter database {sandbox.name} connection limit 4")
    try:
        yield
    finally:
        for each in busy:
            each.close()


def _dead_rows(sandbox: Sandbox) -> None:
    sandbox.run(LEFT_OUT, FILL.format(rows=6000), f"analyze {STATS}", f"delete from {STATS}")
    until(sandbox, COUNTED.format(what="n_dead_tup >= 6000"))


def _never_vacuumed(sandbox: Sandbox) -> None:
    sandbox.run(LEFT_OUT, FILL.format(rows=51_000), f"analyze {STATS}")
    until(sandbox, COUNTED.format(what="n_live_tup >= 50000"))


def _never_analyzed(sandbox: Sandbox) -> None:
    sandbox.run(LEFT_OUT, FILL.format(rows=6000))
    until(sandbox, COUNTED.format(what="n_live_tup >= 6000"))


def _stale_statistics(sandbox: Sandbox) -> None:
    # Up to 14, what a statement changed may be counted only after the ANALYZE that followed it.
    sandbox.run(LEFT_OUT, FILL.format(rows=6000))
    until(sandbox, COUNTED.format(what="n_mod_since_analyze >= 6000"))
    sandbox.run(f"analyze {STATS}")
    until(sandbox, COUNTED.format(what="n_mod_since_analyze = 0"))
    sandbox.run(f"update {STATS} set recalls = 1", f"vacuum {STATS}")
    until(sandbox, COUNTED.format(what="n_mod_since_analyze >= 6000"))


def _autovacuum_off(sandbox: Sandbox) -> None:
    sandbox.run("alter system set autovacuum = off", "select pg_reload_conf()")
    until(sandbox, "current_setting('autovacuum') = 'off'")


def _bloated_index(sandbox: Sandbox) -> None:
    sandbox.run(
        LEFT_OUT,
        FILL.format(rows=90_000),
        f"delete from {STATS} where extract(day from hour) > 1",
        f"vacuum (analyze) {STATS}",
    )


def _unused_index(sandbox: Sandbox) -> None:
    sandbox.run(
        FILL.format(rows=30_000),
        f"create index unused on {STATS} (updated_at, hour, agent_id)",
        f"vacuum (analyze) {STATS}",
    )


@contextmanager
def _full_tablespace(sandbox: Sandbox) -> Iterator[None]:
    """A tablespace on a file system of 4 MB, all but full."""
    folder = Path(mkdtemp(prefix="pgrecall-small-"))
    name = f"small_{sandbox.name}"
    account = _account_of(Path(sandbox.ask("select current_setting('data_directory')")))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "small", folder], check=True)
    try:
        os.chown(folder, *account)
        sandbox.run(
            f"create tablespace {name} location '{folder}'",
            f"alter table {STATS} set tablespace {name}",
        )
        free = shutil.disk_usage(folder).free
        (folder / "ballast").write_bytes(bytes(int(free * 0.995)))
        yield
        # Files of a table that was moved go at the next checkpoint.
        sandbox.run(f"alter table {STATS} set tablespace pg_default", "checkpoint")
        sandbox.run(f"drop tablespace {name}")
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def _account_of(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


@contextmanager
def _unread_slot(sandbox: Sandbox) -> Iterator[None]:
    name = f"slot_{sandbox.name}"
    sandbox.run(
        f"select pg_create_physical_replication_slot('{name}', true)",
        # So that there is something to keep.
        FILL.format(rows=100),
    )
    try:
        yield
    finally:
        sandbox.run(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
            f" where slot_name = '{name}'"
        )


@contextmanager
def _login_that_sees_all(sandbox: Sandbox) -> Iterator[None]:
    sandbox.run(
        "create role pgrecall_app login noinherit bypassrls", "grant authenticated to pgrecall_app"
    )
    try:
        yield
    finally:
        sandbox.run("drop role pgrecall_app")


@contextmanager
def _superusers_login(sandbox: Sandbox) -> Iterator[None]:
    sandbox.run("create role pgrecall_app login noinherit superuser")
    try:
        yield
    finally:
        sandbox.run("drop role pgrecall_app")


def written(text: str, mode: int = 0o600) -> Callable[[Sandbox], None]:
    def write(sandbox: Sandbox) -> None:
        path = sandbox.folder / ".env"
        path.write_text(text)
        path.chmod(mode)

    return write


FAULTS = (
    Fault(
        "a session is idle in a transaction",
        "sessions",
        "warning",
        "SELECT pg_terminate_backend({pid});",
        _idle_in_transaction,
        bounds={"idle_in_transaction": 0.01},
    ),
    Fault(
        "a query runs too long",
        "sessions",
        "warning",
        "SELECT pg_cancel_backend({pid});",
        _long_query,
        bounds={"query": 0.01},
    ),
    Fault(
        "a lock is waited for",
        "sessions",
        "error",
        "SELECT pg_terminate_backend({pid});",
        _lock_wait,
        bounds={"lock_wait": 0.01},
    ),
    Fault(
        "the connections are used up",
        "pool",
        "critical",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
        " current_database() AND state = 'idle' AND pid <> pg_backend_pid();",
        _exhausted_pool,
    ),
    Fault(
        "the pool is larger than the server",
        "pool",
        "warning",
        "sed -i 's/^PGRECALL_POOL_MAX_SIZE=.*/PGRECALL_POOL_MAX_SIZE={size}/' .env",
        written("PGRECALL_POOL_MAX_SIZE=1000\n"),
    ),
    Fault(
        "the application's login bypasses Row Level Security",
        "logins",
        "warning",
        'ALTER ROLE "pgrecall_app" NOSUPERUSER NOBYPASSRLS;',
        _login_that_sees_all,
    ),
    Fault(
        "the application's login is a superuser",
        "logins",
        "warning",
        'ALTER ROLE "pgrecall_app" NOSUPERUSER NOBYPASSRLS;',
        _superusers_login,
    ),
    Fault("many dead rows", "vacuum", "warning", f"VACUUM (ANALYZE) {STATS};", _dead_rows),
    Fault(
        "a large table was never vacuumed",
        "vacuum",
        "notice",
        f"VACUUM (ANALYZE) {STATS};",
        _never_vacuumed,
    ),
    Fault(
        "autovacuum leaves a table out",
        "vacuum",
        "warning",
        "ALTER TABLE public.ai_memories RESET (autovacuum_enabled);",
        ("alter table public.ai_memories set (autovacuum_enabled = off)",),
    ),
    Fault(
        "autovacuum is off",
        "vacuum",
        "error",
        "ALTER SYSTEM RESET autovacuum;\nSELECT pg_reload_conf();",
        _autovacuum_off,
    ),
    Fault(
        "rows are not frozen in time",
        "vacuum",
        "error",
        "VACUUM (FREEZE) agent_memory.audit;",
        (
            # As old as 300 million transactions make it.
            "update pg_catalog.pg_class set relfrozenxid ="
            " ((txid_current() - 300000000 + 4294967296) % 4294967296)::text::xid"
            " where oid = 'agent_memory.audit'::regclass",
        ),
    ),
    Fault(
        "a filled table was never analyzed",
        "statistics",
        "warning",
        f"ANALYZE {STATS};",
        _never_analyzed,
    ),
    Fault("stale statistics", "statistics", "warning", f"ANALYZE {STATS};", _stale_statistics),
    Fault(
        "a duplicate index",
        "index_use",
        "warning",
        "DROP INDEX CONCURRENTLY public.again;",
        ("create index again on public.ai_memories (organization_id, user_id, occurred_at)",),
    ),
    Fault(
        "an index that nobody uses",
        "index_use",
        "notice",
        "DROP INDEX CONCURRENTLY public.unused;",
        _unused_index,
        bounds={"unused_days": 0.0},
    ),
    Fault(
        "a bloated index",
        "index_bloat",
        "warning",
        "REINDEX INDEX CONCURRENTLY public.agent_memory_stats_pkey;",
        _bloated_index,
    ),
    Fault(
        "HNSW indexes don't fit in memory",
        "index_memory",
        "warning",
        "ALTER DATABASE {database} RESET effective_cache_size;",
        ("alter database {database} set effective_cache_size = '64kB'",),
        needs=("vector",),
    ),
    Fault(
        "a tablespace is full",
        "disk",
        "critical",
        "ALTER TABLE ALL IN TABLESPACE {name} SET TABLESPACE pg_default;\n"
        "ALTER INDEX ALL IN TABLESPACE {name} SET TABLESPACE pg_default;",
        _full_tablespace,
        needs=("mount",),
    ),
    Fault(
        "a replication slot keeps all logs",
        "disk",
        "error",
        "SELECT pg_drop_replication_slot('{slot}');",
        _unread_slot,
        bounds={"slot_bytes": 1.0},
    ),
    Fault(
        "a secret is in a public variable",
        "secrets",
        "critical",
        "sed -i -E 's/^((export )?)NEXT_PUBLIC_OPENAI_API_KEY=/\\1OPENAI_API_KEY=/' .env",
        written("NEXT_PUBLIC_OPENAI_API_KEY=sk-0123456789abcdef0123\n"),
    ),
    Fault(
        "the service key is published, too",
        "secrets",
        "critical",
        "sed -i -E 's/^((export )?)NEXT_PUBLIC_KEY=/\\1KEY=/' .env",
        written("SUPABASE_SERVICE_ROLE_KEY=sb_secret_1\nexport NEXT_PUBLIC_KEY=sb_secret_1\n"),
    ),
    Fault(
        "everybody may read .env",
        "secrets",
        "warning",
        "chmod 600 .env",
        written("OPENAI_API_KEY=sk-0123456789abcdef0123\n", 0o644),
    ),
)
