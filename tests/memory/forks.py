"""Work that is done in a process that is forked off."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Child:
    """A forked process whose answer comes through a pipe."""

    process: int
    pipe: int

    def answer(self) -> Any:
        """What the work returned. A child that takes too long is killed, and fails the test."""
        heard = b""
        try:
            while select.select([self.pipe], [], [], PATIENCE_SECONDS)[0]:
                if not (more := os.read(self.pipe, 65536)):
                    return json.loads(heard)
                heard += more
            raise AssertionError("the child does not answer")
        finally:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            os.close(self.pipe)


def fork(work: Callable[[], Any]) -> Child:
    """Do the work in a child, which ends without any of the parent's own endings."""
    reading, writing = os.pipe()
    process = os.fork()
    if process != 0:
        os.close(writing)
        return Child(process, reading)
    try:
        told = json.dumps(work())
    except BaseException:  # noqa: BLE001
        # Whatever it is, the parent's test must not go on in the child.
        told = json.dumps(traceback.format_exc())
    os.write(writing, told.encode())
    os._exit(0)
