"""A database of an application's own for each test, and the packages of npm."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pgrecall.testing.databases import cloned

_HERE = Path(__file__).parent
_QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


@pytest.fixture
def database(pgrecall_server: str) -> Iterator[str]:
    """An empty database: the application comes first, then pgrecall."""
    with cloned(pgrecall_server, "template0") as dsn:
        yield dsn


@pytest.fixture(scope="session")
def node_folder() -> Iterator[Path]:
    """A folder with the packages of package.json, gone afterwards: they take 300 MB."""
    with TemporaryDirectory(prefix="pgrecall-npm-") as name:
        folder = Path(name)
        for file in ("package.json", "schema-engine.mjs"):
            shutil.copy(_HERE / file, folder)
        subprocess.run(["npm", "install", *_QUIET], cwd=folder, check=True)
        yield folder


@pytest.fixture
def node_project(node_folder: Path) -> Iterator[Path]:
    """An empty project that finds the packages above it."""
    with TemporaryDirectory(dir=node_folder, prefix="project-") as name:
        yield Path(name)
