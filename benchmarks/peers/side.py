"""A memory system in a process of its own, asked by JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
OURS = "pgrecall"
PEERS = ("mem0", "langgraph")
LEAST = "bare"
"""A table of texts and vectors and nothing else: the least that a committed write costs."""

_QUIET = {
    "MEM0_TELEMETRY": "false",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "HF_HUB_OFFLINE": "1",
    "PGRECALL_EMBEDDER": "none",
}
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Search:
    """Turn ids that were found, best first, and the seconds of the call."""

    turns: list[str]
    seconds: float


@dataclass(frozen=True)
class Side:
    """One memory system that answers."""

    name: str
    process: subprocess.Popen[str]

    def prepare(self, scope: str) -> None:
        self.ask(do="prepare", scope=scope)

    def write(self, scope: str, messages: Sequence[Mapping[str, Any]]) -> float:
        """Seconds of one call that writes all messages."""
        seconds: list[float] = self.ask(do="write", scope=scope, messages=messages)["seconds"]
        return sum(seconds)

    def write_each(self, scope: str, messages: Sequence[Mapping[str, Any]]) -> list[float]:
        """Seconds of each of as many calls as there are messages."""
        seconds: list[float] = self.ask(do="write_each", scope=scope, messages=messages)["seconds"]
        return seconds

    def search(self, scope: str, query: str, limit: int) -> Search:
        answer = self.ask(do="search", scope=scope, query=query, limit=limit)
        return Search(answer["turns"], answer["seconds"][0])

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.heard()

    def heard(self) -> dict[str, Any]:
        """The next answer; RuntimeError if the process ended instead, having said why."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended; the reason stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def side(name: str, python: Path, url: str, vectors: Path, folder: Path) -> Iterator[Side]:
    """The named system, started and connected; it ends with the block."""
    home = folder / name
    home.mkdir()
    command = [
        python,
        "-I",
        FOLDER / "serving.py",
        FOLDER / name / "adapter.py",
        url,
        vectors,
        home,
    ]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=home,
        env=environment(os.environ, home),
    )
    with process:
        started = Side(name, process)
        started.heard()
        yield started
        assert process.stdin is not None
        process.stdin.close()


def environment(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """Without keys, proxies and telemetry; what a peer keeps for itself goes to `home`."""
    passed = {name: given[name] for name in _PASSED_ON if name in given}
    return {**passed, **_QUIET, "MEM0_DIR": str(home), "XDG_CACHE_HOME": str(home)}


def our_python() -> Path:
    return Path(sys.executable)
