"""Generates src/pgrecall/_sync from src/pgrecall/_async; with --check, only says what is stale.

unasync drops `async` and `await` and renames; the words in docstrings are renamed here. The files
named in BY_HAND are written in both forms by hand.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/pgrecall/_async"
TARGET = ROOT / "src/pgrecall/_sync"
BY_HAND = {"__init__.py", "concurrency.py"}
HEADER = (
    "# Generated from ../_async/{name} by scripts/generate_sync.py: edit that file instead.\n\n"
)

NAMES = {
    "_async": "_sync",
    "AsyncConnection": "Connection",
    "AsyncConnectionPool": "ConnectionPool",
    "AsyncContext": "Context",
    "AsyncCursor": "Cursor",
    "AsyncEmbeddings": "Embeddings",
    "AsyncMemory": "Memory",
    "AsyncPipeline": "Pipeline",
    "AsyncRawCursor": "RawCursor",
    "AsyncTransfer": "Transfer",
    "aclose": "close",
}
WORDS = {
    "AsyncMemory": "Memory",
    "AsyncContext": "Context",
    "AsyncEmbeddings": "Embeddings",
    "AsyncTransfer": "Transfer",
    "await memory": "memory",
}


def generate() -> dict[str, str]:
    """The generated files: their names in _sync and their texts."""
    sources = [path for path in sorted(SOURCE.glob("*.py")) if path.name not in BY_HAND]
    with tempfile.TemporaryDirectory() as folder:
        rule = unasync.Rule(f"{SOURCE}/", f"{folder}/", NAMES)
        unasync.unasync_files([str(path) for path in sources], [rule])
        return {path.name: finish(Path(folder) / path.name) for path in sources}


def finish(path: Path) -> str:
    """The text of a file that unasync made, renamed in words, sorted and formatted."""
    text = HEADER.format(name=path.name) + path.read_text("utf-8")
    for word, other in WORDS.items():
        text = text.replace(word, other)
    place = ["--stdin-filename", str(TARGET / path.name), "-"]
    for command in (
        ["check", "-q", "--select", "I,SIM117,UP028", "--fix", "--unsafe-fixes"],
        ["format", "-q"],
    ):
        ruff = [sys.executable, "-m", "ruff", *command, *place]
        text = subprocess.run(ruff, input=text, cwd=ROOT, check=True, text=True, stdout=-1).stdout
    return text


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when stale")
    is_check = parser.parse_args().check
    fresh = generate()
    paths = [path for path in TARGET.glob("*.py") if path.name not in BY_HAND]
    present = {path.name: path.read_text("utf-8") for path in paths}
    stale = sorted(name for name in fresh | present if fresh.get(name) != present.get(name))
    if is_check and stale:
        sys.exit(f"stale in src/pgrecall/_sync: {', '.join(stale)}; run scripts/generate_sync.py")
    for name in stale:
        if name in fresh:
            (TARGET / name).write_text(fresh[name], "utf-8")
        else:
            (TARGET / name).unlink()
        print(f"src/pgrecall/_sync/{name}")


if __name__ == "__main__":
    main()
