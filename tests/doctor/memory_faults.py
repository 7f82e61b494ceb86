"""Faults of memories: missing and stale vectors, recall that is cut, backups that are old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg

from pgrecall.domain.diagnosis import command
from pgrecall.domain.identity import agent_claims, organization_uuid
from pgrecall.embedding.local import LocalEmbedder
from tests.doctor.fault import Fault, Sandbox, apply
from tests.doctor.running_faults import until, written

LOCAL = LocalEmbedder.model
HERE = "--organization {organization} --agent default"
HNSW = "agent_memory.embeddings_hnsw_256_idx"
DIMENSION = 256
OLDER = "update public.ai_memories set created_at = created_at - interval '10 days'"
BACKED_UP = """insert into agent_memory.backups
    (organization_id, backup_id, action, place, state, started_at, finished_at, snapshot_at, reason)
  select organization_id, agent_memory.uuid_v7(), 'backup', 'default.tar', '{state}', t.at, t.at,
         t.at, '{reason}'
  from agent_memory.organizations cross join (select now() - interval '{age}' as at) as t"""


def _model(model: str, state: str) -> str:
    return (
        "insert into agent_memory.models"
        " (organization_id, agent_id, model, dimension, state, changed_by)"
        f" select organization_id, 'default', '{model}', 384, '{state}', 'agent:default'"
        " from agent_memory.organizations"
    )


def _copied(model: str) -> str:
    """The vectors there are, as if another model had made them."""
    return (
        "insert into agent_memory.embeddings (organization_id, memory_id, model, embedding)"
        f" select organization_id, memory_id, '{model}', embedding from agent_memory.embeddings"
        f" where model = '{LOCAL}'"
    )


def _remember(sandbox: Sandbox, organization: str, count: int) -> None:
    """Memories of an organization of its own, with random vectors of few directions."""
    organization_id = organization_uuid(organization)
    draws = np.random.default_rng(7)
    vectors = draws.standard_normal((count, DIMENSION)).astype(np.float32)
    memories = [
        {
            "content": f"note number {number} of {organization}",
            "visibility": "agent",
            "embedding": [round(float(value), 4) for value in vector],
            "embedding_model": "random",
        }
        for number, vector in enumerate(vectors)
    ]
    with psycopg.connect(sandbox.dsn, autocommit=True) as connection:
        connection.execute(
            "select agent_memory.settle_agent(%s, %s, 'default')", (organization_id, organization)
        )
        connection.execute(
            "select set_config('request.jwt.claims', %s, false)",
            (json.dumps(agent_claims(organization_id, "default")),),
        )
        for start in range(0, count, 500):
            page = json.dumps(memories[start : start + 500])
            connection.execute("select count(*) from public.remember_memories(%s::jsonb)", (page,))


@contextmanager
def _vectors_that_the_index_lost(sandbox: Sandbox) -> Iterator[None]:
    """Rows that were written while the index was not kept, as after a crash that lost its pages."""
    index = f"indexrelid = '{HNSW}'::regclass"
    sandbox.run(
        f"alter database {sandbox.name} set pgrecall.exact_limit = 300",
        f"update pg_catalog.pg_index set indisready = false, indisvalid = false where {index}",
    )
    _remember(sandbox, "large", 900)
    sandbox.run(
        "update agent_memory.embeddings set is_indexed = true where model = 'random'",
        f"update pg_catalog.pg_index set indisready = true, indisvalid = true where {index}",
    )
    # These alone the index knows.
    _remember_again(sandbox)
    sandbox.run("vacuum (analyze) public.ai_memories, agent_memory.embeddings")
    until(
        sandbox,
        "select n_mod_since_analyze = 0 from pg_stat_all_tables"
        " where relid = 'public.ai_memories'::regclass",
    )
    yield


def _remember_again(sandbox: Sandbox) -> None:
    sandbox.run(
        "update agent_memory.embeddings set created_at = created_at + interval '1 s',"
        " embedding = embedding where model = 'random' and memory_id in"
        " (select memory_id from agent_memory.embeddings where model = 'random'"
        " order by memory_id limit 300)"
    )


def _unproven_backup(sandbox: Sandbox) -> None:
    """A backup of forty days ago, since when nothing was remembered."""
    apply(command("pgrecall backup kept.tar"), sandbox)
    sandbox.run(
        "update public.ai_memories set created_at = created_at - interval '50 days'",
        "update agent_memory.backups set snapshot_at = snapshot_at - interval '40 days'",
    )


FAULTS = (
    Fault(
        "memories have no vectors",
        "embeddings",
        "warning",
        f"pgrecall embeddings backfill --embedder local {HERE}",
        ("delete from agent_memory.embeddings",),
        needs=("vector",),
    ),
    Fault(
        "vectors of a model that nobody has",
        "embeddings",
        "warning",
        "DELETE FROM agent_memory.embeddings WHERE organization_id = '{organization}'"
        " AND model = 'forgotten-model';",
        (_copied("forgotten-model"),),
        needs=("vector",),
    ),
    Fault(
        "a former model keeps its vectors",
        "embeddings",
        "notice",
        f"pgrecall embeddings drop former-model {HERE} --yes",
        (_model("former-model", "former"), _copied("former-model")),
        bounds={"former_days": 0.0},
        needs=("vector",),
    ),
    Fault(
        "a filled-in model is not switched to",
        "embeddings",
        "notice",
        f"pgrecall embeddings switch next-model {HERE}",
        (_model("next-model", "next"), _copied("next-model")),
        needs=("vector",),
    ),
    Fault(
        "all vectors are of an older model",
        "embeddings",
        "warning",
        f"pgrecall embeddings backfill --embedder multilingual {HERE}",
        written("PGRECALL_EMBEDDER=multilingual\n"),
        needs=("vector",),
    ),
    Fault(
        "recall is cut, since the index has lost vectors",
        "recall",
        "error",
        f"REINDEX INDEX CONCURRENTLY {HNSW};",
        _vectors_that_the_index_lost,
        needs=("vector",),
    ),
    Fault(
        "recall is cut by a setting",
        "session_settings",
        "warning",
        "ALTER DATABASE {database} RESET hnsw.max_scan_tuples;",
        ("load 'vector'", "alter database {database} set hnsw.max_scan_tuples = 10"),
        needs=("vector",),
    ),
    Fault(
        "there is no backup",
        "backups",
        "warning",
        "pgrecall backup {file} --organization {organization}",
        (OLDER,),
    ),
    Fault(
        "the newest backup is old",
        "backups",
        "warning",
        "pgrecall backup {file} --organization {organization}",
        (BACKED_UP.format(state="done", age="9 days", reason=""),),
    ),
    Fault(
        "no backup was ever verified",
        "backups",
        "notice",
        "pgrecall backup verify {file}",
        _unproven_backup,
    ),
    Fault(
        "the last backup failed",
        "backups",
        "warning",
        "pgrecall backup {file} --organization {organization}",
        (BACKED_UP.format(state="failed", age="1 hour", reason="no space left"),),
    ),
)
