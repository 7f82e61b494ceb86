"""The server of one home. Whoever starts or stops it holds the home's start.lock."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pgrecall.embedded import leftovers
from pgrecall.embedded.account import Account, account_for
from pgrecall.embedded.launch import RECOVERY_SECONDS, launch
from pgrecall.embedded.layout import Layout
from pgrecall.embedded.log import ServerLog
from pgrecall.embedded.polling import wait_until
from pgrecall.embedded.probe import Answer, ask, ensure_database
from pgrecall.embedded.process import read_pid_file, serves
from pgrecall.embedded.socket_folder import remove_outside, socket_folder
from pgrecall.errors import ServerStartError

_STOP_SECONDS = 30.0
_SILENCE_SECONDS = 3.0


@dataclass(frozen=True)
class Server:
    """The server of one home, running or not."""

    layout: Layout
    account: Account
    socket_directory: Path

    @classmethod
    def of(cls, layout: Layout) -> Server:
        account = account_for(layout.home)
        return cls(layout, account, socket_folder(layout, account))

    def find_socket(self) -> Path | None:
        """The folder of the socket at which the server answers as ready, or None."""
        return next((place for place in self._places() if ask(place) is Answer.READY), None)

    def ensure_running(self) -> tuple[Path, bool]:
        """Start the server unless it runs; return its socket's folder and whether it started."""
        socket = self.find_socket() or self._await_living()
        is_new = socket is None
        if socket is None:
            launch(self.layout, self.account, self.socket_directory)
            socket = self.socket_directory
        ServerLog(self.layout.log_file, self.account).shorten()
        ensure_database(socket, self.account)
        return socket, is_new

    def stop(self) -> bool:
        """Stop the server and wait until it is gone; return whether there was one.

        Raises ServerStartError when it does not end.
        """
        pid = leftovers.await_postmaster(self.layout)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if not wait_until(_STOP_SECONDS, lambda: self._has_ended(pid)):
            raise ServerStartError(
                f"The server (process {pid}) of {self.layout.home} has not stopped within "
                f"{_STOP_SECONDS:.0f} seconds; it goes on stopping.",
                hint="Look again in a while: pgrecall server status.",
            )
        remove_outside(self.socket_directory, self.layout)
        return True

    def _has_ended(self, pid: int) -> bool:
        return not serves(pid, self.layout.data) and not leftovers.has_processes(self.layout)

    def _await_living(self) -> Path | None:
        """Wait for a server that lives but is not ready; None when there is none, or no more."""
        heard = time.monotonic()
        deadline = heard + RECOVERY_SECONDS
        while (pid := leftovers.await_postmaster(self.layout)) and time.monotonic() < deadline:
            answers = {ask(place): place for place in self._places()}
            if Answer.READY in answers:
                return answers[Answer.READY]
            if Answer.BUSY in answers or self._is_changing():
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_SECONDS:
                break
        if pid is None:
            return None
        raise ServerStartError(
            f"The server (process {pid}) of {self.layout.home} runs, but does not answer.",
            hint="Wait if it recovers from a crash (see its log); otherwise stop it "
            "(pgrecall server stop) and try again.",
        )

    def _is_changing(self) -> bool:
        written = read_pid_file(self.layout)
        return written is not None and not written.is_ready

    def _places(self) -> Iterator[Path]:
        """Where its socket may be: where we put it, and where the running server says it is."""
        yield self.socket_directory
        written = read_pid_file(self.layout)
        if written is not None and written.socket_directory not in ("", str(self.socket_directory)):
            yield Path(written.socket_directory)
