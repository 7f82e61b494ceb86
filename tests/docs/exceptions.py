"""What the pages show and this machine can't run, each with its reason.

Commands of pgrecall among them are parsed all the same, and Python is compiled.
"""

from __future__ import annotations

_SELF = "builds or tests the whole project, as CI does in other steps"
_STANDS_FOR = "stands for something of the reader's own"
_SERVER = "needs a server, a store or a service of the reader's own"
_SERVES = "serves until it is stopped: tests/cli does that"
_TOOL = "belongs to another program"
_TOKEN = "needs a token of an issuer: tests/auth has one"
_ARCHIVE = "needs the archive that its own tests make, and a moment in it"

EXCEPTIONS = {
    ("README.md", "make demo"): _SELF,
    ("README.md", "make test"): _SELF,
    ("README.md", "pgrecall history ID"): _STANDS_FOR,
    ("README.md", "export DATABASE_URL=postgresql://…"): _STANDS_FOR,
    ("README.md", "pgrecall restore --to '2026-11-23 10:15+00' --dry-run"): _ARCHIVE,
    ("README.md", "pgrecall metrics --listen 127.0.0.1:9187"): _SERVES,
    ("monitoring.md", "pgrecall metrics --listen 127.0.0.1:9187"): _SERVES,
    ("setup.md", "export DATABASE_URL=postgresql://owner@db.example.org/app"): _STANDS_FOR,
    ("backup.md", "pgrecall backup s3://bucket/acme.tar --organization acme"): _SERVER,
    ("backup.md", "age-keygen -o backup.key"): _TOOL,
    ("backup.md", "export PGRECALL_BACKUP_RECIPIENTS=age1…"): _STANDS_FOR,
    ("backup.md", "export PGRECALL_BACKUP_IDENTITY=backup.key"): _STANDS_FOR,
    ("backup.md", "age --decrypt --identity backup.key default.tar.age | tar t"): _TOOL,
    ("backup.md", "tar xf default.tar && zcat public.ai_memories/*.gz | jq -r .content"): _TOOL,
    (
        "embeddings.md",
        "pgrecall embeddings backfill --embedder openai:text-embedding-3-small",
    ): _SERVER,
    ("embeddings.md", "pgrecall embeddings switch text-embedding-3-small"): _SERVER,
    ("embeddings.md", "pgrecall embeddings drop all-MiniLM-L6-v2-int8"): _SERVER,
    ("embeddings.md", "python -m benchmarks.reembedding"): _SELF,
    (
        "export-import.md",
        "pgrecall import postgresql://localhost/app --from mem0 --table mem0",
    ): _SERVER,
    (
        "export-import.md",
        "pgrecall import postgresql://localhost/app --from langgraph --namespace memories.{user}",
    ): _SERVER,
    ("recall.md", "python -m benchmarks.quality --data DIR --set locomo"): _STANDS_FOR,
    (
        "recall.md",
        "python -m benchmarks.quality --data DIR --set locomo --embedder none",
    ): _STANDS_FOR,
    ("recall.md", "python -m benchmarks.locomo --data DIR --rates"): _STANDS_FOR,
    ("schema.md", "cd src/pgrecall/sql"): "tests/migrations runs the files by psql",
    (
        "schema.md",
        'for file in install/*.sql; do psql "$DATABASE_URL" --single-transaction'
        ' -v ON_ERROR_STOP=1 -f "$file"; done',
    ): "tests/migrations runs the files by psql",
}
# Whole pages of them.
PAGE_EXCEPTIONS = {
    "isolation.md": _SELF,
    "point-in-time-recovery.md": _ARCHIVE,
    "tokens.md": _TOKEN,
}
# Commands that ask before they go on, where nobody is there to answer.
ASKING = {"pgrecall erase --user maria --every-agent", "pgrecall tune --apply"}
# Doctor's exit code is the gravest finding's, and an embedded server without a backup has one.
EXITS = {"pgrecall doctor": {0, 10, 11}}
