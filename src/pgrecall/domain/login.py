"""The login of a service."""

from __future__ import annotations

from dataclasses import dataclass, field

LOGIN_ROLE = "pgrecall_app"


@dataclass(frozen=True, kw_only=True)
class LoginReport:
    """What was done about a login.

    `changes` are the statements that were run, but for the one with the password; none if all was
    as it should be. `password` is the generated one, None if it was given or left as it was. `url`
    is the connection string, with the word PASSWORD in place of a password that was not generated.
    """

    database: str
    role: str
    is_new: bool
    changes: tuple[str, ...]
    password: str | None = field(repr=False)
    url: str = field(repr=False)
