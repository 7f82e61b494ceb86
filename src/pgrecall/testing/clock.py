"""A clock that tests can set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from pgrecall._sync.session import BUILT_IN, connected

_PATIENCE_SECONDS = 10.0


class FakeClock:
    """The time that one database believes it is, for sessions of superusers and of pgrecall_test.

    A new time ends the database's sessions, since each learns the time when it begins; a Memory
    connects again by itself. `dsn` is a superuser's; the role pgrecall_test is made if missing.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.now = datetime.now(UTC)
        with connected(dsn, "test", settings=BUILT_IN) as session:
            session.run_composed("compose_create_test_role")

    def set(self, now: datetime) -> None:
        """It is now the given time, which must be aware, and stays so."""
        with connected(self._dsn, "test", settings=BUILT_IN) as session:
            session.run_composed("compose_set_clock", now=now.isoformat())
        self.now = now
        self._disconnect()

    def advance(self, duration: timedelta) -> None:
        """It is later, and stays so."""
        self.set(self.now + duration)

    def _disconnect(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with connected(self._dsn, "test", settings=BUILT_IN) as session:
            while any(session.row("disconnect_others").values()):
                if time.monotonic() > deadline:
                    raise TimeoutError("sessions of the database did not end")
                time.sleep(0.01)
