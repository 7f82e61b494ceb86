"""A virtual environment per peer, made once and made anew when its requirements change."""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

import platformdirs
from rich.console import Console

from benchmarks.peers.side import FOLDER

_INSTALLED = "installed.txt"


def default_folder() -> Path:
    return platformdirs.user_cache_path("pgrecall") / "benchmarks" / "peers"


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter of the peer's environment, which is made if it is missing or out of date.

    Installing needs a package index; afterwards nothing of a peer needs a network.
    """
    home = folder / peer
    requirements = FOLDER / peer / "requirements.txt"
    python = home / "bin" / "python"
    if not is_current(home, requirements):
        Console(stderr=True).print(f"installing {peer} into {home}", highlight=False)
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True
        )
        shutil.copy(requirements, home / _INSTALLED)
    return python


def is_current(home: Path, requirements: Path) -> bool:
    installed = home / _INSTALLED
    return installed.exists() and installed.read_text("utf-8") == requirements.read_text("utf-8")


def version_of(python: Path, peer: str) -> str:
    """`mem0ai 2.2.1`: the first package of the peer's requirements, as installed."""
    first = (FOLDER / peer / "requirements.txt").read_text("utf-8").splitlines()[0]
    package = first.partition(">")[0]
    asked = f"from importlib.metadata import version; print(version('{package}'))"
    done = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True)
    return f"{package} {done.stdout.strip()}"
