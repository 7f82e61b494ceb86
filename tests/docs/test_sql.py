"""README's SQL runs as printed, by psql, after `pgrecall migrate`."""

from __future__ import annotations

import re
import subprocess

from pgrecall import Memory, embedded
from tests.docs.pages import ROOT

_BLOCK = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_readmes_sql_runs_and_meets_the_default_organization_of_python(pgrecall_dsn: str) -> None:
    [block] = _BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
    command = [embedded.binary("psql"), "-AtXq", "-v", "ON_ERROR_STOP=1", "-d", pgrecall_dsn]
    for statuses in ("added", "duplicate"):
        done = subprocess.run(command, input=block, capture_output=True, text=True, check=True)
        assert f"{statuses}\n" in done.stdout
        assert "I'm vegetarian.|" in done.stdout
    with Memory(pgrecall_dsn, embedder=None) as memory:
        [record] = memory.list(user_id="maria").items
    assert record.content == "I'm vegetarian."
