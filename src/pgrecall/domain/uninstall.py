"""What an uninstallation takes away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One thing that the installation made, or that stands on it.

    `statement` takes it away. Without one it stays: `used_by` says what else uses it, or, if that
    is None too, it is another application's and built on pgrecall, which can't go before it.
    """

    kind: str
    name: str
    statement: str | None
    used_by: str | None


@dataclass(frozen=True)
class Uninstallation:
    """What would go or has gone, in order, and what stays; nothing where pgrecall is not.

    `organizations` and `memories` are how many were there; `kept` the backups that were made.
    """

    database: str
    is_done: bool
    organizations: int
    memories: int
    gone: tuple[Part, ...]
    stays: tuple[Part, ...]
    dependents: tuple[Part, ...]
    kept: tuple[str, ...] = ()
