"""Run psql under a lease: python -m pgrecall.embedded.psql HOME [ARGUMENTS OF PSQL]."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from pgrecall.embedded.binaries import binary
from pgrecall.embedded.lease import join
from pgrecall.errors import EmbeddedServerError


def main(home: str, *arguments: str) -> int:
    """Return psql's exit code; 2 when there is no server, as psql's own."""
    try:
        lease = join(Path(home))
    except EmbeddedServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        # Ctrl-C cancels a statement in psql; it must not end the one that holds the lease.
        signal.signal(signal.SIGINT, lambda *_: None)
        command = [str(binary("psql")), "--dbname", lease.dsn, *arguments]
        return subprocess.run(command, check=False).returncode
    finally:
        lease.release()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
