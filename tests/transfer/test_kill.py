"""An import that is killed again and again."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Shell

MEMORIES = 6000
KILLS = 10


@pytest.mark.nightly
def test_a_killed_import_is_finished_by_the_next(pgrecall_dsn: str, tmp_path: Path) -> None:
    rng = random.Random(11)
    file = tmp_path / "memories.jsonl"
    with file.open("w") as stream:
        for number in range(MEMORIES):
            item = {"content": f"memory number {number}", "idempotency_key": f"key {number}"}
            stream.write(json.dumps(item) + "\n")
    shell = Shell({"DATABASE_URL": pgrecall_dsn, "PGRECALL_EMBEDDER": "none"})
    with psycopg.connect(pgrecall_dsn, autocommit=True) as watching:

        def stored() -> int:
            [count] = watching.execute("select count(*) from ai_memories").fetchone() or [0]
            return int(count)

        killed_at = []
        for _ in range(KILLS):
            before = stored()
            running = shell.process("import", str(file))
            # Once it writes, at any moment of a page.
            while stored() == before and running.poll() is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.1))
            running.kill()
            running.communicate()
            killed_at.append(stored())
        assert len(set(killed_at)) > KILLS // 2, killed_at
        done = shell.json("import", str(file))
        assert done["counts"].keys() == {"added", "duplicate"}
        assert done["counts"]["duplicate"] >= killed_at[-1]
        rows = watching.execute("select content from ai_memories").fetchall()
    assert Counter(content for (content,) in rows) == {
        f"memory number {number}": 1 for number in range(MEMORIES)
    }
