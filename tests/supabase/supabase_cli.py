"""The `supabase` command of npm, installed into pgrecall's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import platformdirs

VERSION = "3.1.0"
SECONDS = 600
QUIET = [
    "--loglevel=error",
    "--no-audit",
    "--no-fund",
    "--no-save",
    "--no-package-lock",
    "--ignore-scripts",
]


@dataclass(frozen=True)
class SupabaseCli:
    """The command; `home` keeps what it writes about itself."""

    programs: Path
    home: Path

    def run(self, command: str, **environment: str) -> str:
        """What a shell command with `supabase` in it prints; it has to succeed."""
        surroundings = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "DO_NOT_TRACK": "1",
            **environment,
        }
        done = subprocess.run(
            ["sh", "-c", command],
            env=surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def installed() -> Path:
    """The folder of the command, installed where it is missing; npm has to be there."""
    target = platformdirs.user_cache_path("pgrecall") / "supabase-cli" / VERSION
    if not target.exists():
        unfinished = target.with_name(f"{VERSION}.unfinished.{os.getpid()}")
        unfinished.mkdir(parents=True)
        install = ["npm", "install", *QUIET, "--prefix", str(unfinished), f"supabase@{VERSION}"]
        subprocess.run(install, cwd=unfinished, check=True, timeout=SECONDS)
        try:
            unfinished.rename(target)
        except OSError:
            # Another run was faster.
            shutil.rmtree(unfinished)
    return target / "node_modules" / ".bin"
