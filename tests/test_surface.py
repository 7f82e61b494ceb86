"""What `import pgrecall` gives, and that the plain half is the generated one."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import pgrecall
from pgrecall import (
    AsyncContext,
    AsyncEmbeddings,
    AsyncMemory,
    AsyncTransfer,
    Context,
    Embeddings,
    Memory,
    Transfer,
)

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", pgrecall.__all__)
def test_every_export_is_there(name: str) -> None:
    assert getattr(pgrecall, name).__name__ == name
    assert name in dir(pgrecall)


def test_what_is_not_exported_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = pgrecall.Nothing


def test_the_import_is_light() -> None:
    check = "import sys, pgrecall; print(*{'psycopg', 'pydantic', 'numpy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == ""


def test_the_generated_half_is_fresh() -> None:
    check = [sys.executable, "scripts/generate_sync.py", "--check"]
    run = subprocess.run(check, cwd=ROOT, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("plain", "waiting"),
    [
        (Memory, AsyncMemory),
        (Context, AsyncContext),
        (Embeddings, AsyncEmbeddings),
        (Transfer, AsyncTransfer),
    ],
)
def test_both_halves_have_the_same_methods(plain: type, waiting: type) -> None:
    def parameters(of: type) -> dict[str, list[str]]:
        return {
            name: [str(each) for each in inspect.signature(member).parameters.values()]
            for name, member in inspect.getmembers(of, inspect.isfunction)
            if not name.startswith("_")
        }

    assert parameters(plain) == parameters(waiting)
    assert not any(map(inspect.iscoroutinefunction, vars(plain).values()))
