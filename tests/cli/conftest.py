"""The command line, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pgrecall.cli.main import app

COMMAND = (sys.executable, "-c", "from pgrecall.cli.main import main; main()")


@dataclass(frozen=True)
class Shell:
    """Runs pgrecall with an environment of its own."""

    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str | bytes | None = None) -> Result:
        """The result of a command, run in this process."""
        return CliRunner().invoke(app, arguments, input=stdin, env=self.environment)

    def json(self, *arguments: str, stdin: str | bytes | None = None) -> Any:
        """The document that a command prints with --json; it has to succeed."""
        result = self.run(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def process(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """The command in a process of its own, its outputs in pipes unless told otherwise."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # Unbuffered, Python does not notice that a reader has left.
        environment = {**os.environ, **self.environment, "PYTHONUNBUFFERED": ""}
        return subprocess.Popen(
            [*COMMAND, *arguments],
            text=True,
            env=environment,
            # A test run in the background hands down that interrupts are ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **{**pipes, **options},
        )


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env and no setting of the developer's plays a part."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PGRECALL_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def shell(pgrecall_dsn: str) -> Shell:
    """pgrecall on an empty database, without an embedder, so that it starts at once."""
    return Shell({"DATABASE_URL": pgrecall_dsn, "PGRECALL_EMBEDDER": "none"})
