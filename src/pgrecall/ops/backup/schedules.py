"""Files for cron and systemd that back up, prune and verify by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import Literal

from pgrecall.domain.retention import BackupRetention

Kind = Literal["cron", "systemd"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is done every night, and what every Sunday.

    `command` is how pgrecall is called; `environment` a file with DATABASE_URL and the keys.
    """

    command: str
    environment: str
    folder: str
    organization: str | None
    retention: BackupRetention


def cron(schedule: Schedule) -> str:
    """A file for /etc/cron.d."""
    daily, weekly = (
        f"set -a; . {quote(schedule.environment)}; {commands}".replace("%", r"\%")
        for commands in (" && ".join(_daily(schedule)), _weekly(schedule))
    )
    return (
        "# Backups of pgrecall: every night, verified every Sunday.\n"
        "SHELL=/bin/sh\n"
        f"15 3 * * * root {daily}\n"
        f"45 4 * * 0 root {weekly}\n"
    )


def systemd(schedule: Schedule) -> dict[str, str]:
    """Files for /etc/systemd/system, by name."""
    return {
        "pgrecall-backup.service": _service(schedule, "Back up pgrecall", _daily(schedule)),
        "pgrecall-backup.timer": _timer("Every night", "*-*-* 03:15:00"),
        "pgrecall-verify.service": _service(
            schedule, "Verify the newest backup of pgrecall", [_weekly(schedule)]
        ),
        "pgrecall-verify.timer": _timer("Every Sunday", "Sun *-*-* 04:45:00"),
    }


def _daily(schedule: Schedule) -> list[str]:
    what = (
        "--whole"
        if schedule.organization is None
        else f"--organization {quote(schedule.organization)}"
    )
    keep = schedule.retention
    folder = quote(schedule.folder.rstrip("/") + "/")
    return [
        f"{schedule.command} backup create {folder} {what}",
        f"{schedule.command} backup prune {folder} --keep-daily {keep.daily}"
        f" --keep-weekly {keep.weekly} --keep-monthly {keep.monthly}",
    ]


def _weekly(schedule: Schedule) -> str:
    return f"{schedule.command} backup verify {quote(schedule.folder.rstrip('/') + '/')}"


def _service(schedule: Schedule, description: str, commands: list[str]) -> str:
    # systemd reads % as the beginning of a specifier.
    lines = "".join(f"ExecStart={command}\n".replace("%", "%%") for command in commands)
    return (
        f"[Unit]\nDescription={description}\n\n"
        f"[Service]\nType=oneshot\nEnvironmentFile={schedule.environment}\n{lines}"
    )


def _timer(description: str, when: str) -> str:
    return (
        f"[Unit]\nDescription={description}\n\n"
        f"[Timer]\nOnCalendar={when}\nPersistent=true\nRandomizedDelaySec=15min\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
