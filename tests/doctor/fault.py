"""What a fault is, and how one is tried: break, look, cure as printed, look again."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
from dotenv import dotenv_values
from psycopg.conninfo import conninfo_to_dict

from pgrecall.domain.diagnosis import Cure, Diagnosis, Finding
from pgrecall.ops.doctor.examination import examine
from pgrecall.ops.doctor.surroundings import Bounds, Surroundings
from pgrecall.testing.databases import cloned
from tests.server_statistics import settle

# A fault of one thing may show in others, which are cured after it.
ROUNDS = 4
COMMAND = "from pgrecall.cli.main import main; main()"


@dataclass(frozen=True)
class Sandbox:
    """A database of its own for one fault, and a folder that is the working directory."""

    surroundings: Surroundings

    @property
    def dsn(self) -> str:
        """A superuser's."""
        return self.surroundings.dsn

    @property
    def name(self) -> str:
        """Of the database."""
        return str(conninfo_to_dict(self.dsn)["dbname"])

    @property
    def folder(self) -> Path:
        """Where `.env` lies."""
        return self.surroundings.folder

    def run(self, *statements: str) -> None:
        """Statements, one by one, each a transaction."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for each in statements:
                connection.execute(each.encode())

    def settle(self) -> None:
        """Wait until the server's statistics know of all that was done."""
        settle(self.dsn)

    def ask(self, query: str) -> Any:
        """The one value that a query gives."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
            return None if row is None else row[0]


Break: TypeAlias = Callable[[Sandbox], "AbstractContextManager[object] | None"]


@dataclass(frozen=True)
class Fault:
    """One way in which a database breaks.

    `check` must name it with `severity` and the cure `cure`, in which `{…}` stands for what differs
    from run to run. `breaks` are statements, or a function; one that returns a context manager
    holds something until the cure was applied. `bounds` replaces some of the doctor's, since a test
    can't wait for a minute. `needs` what not every server has: vector, mount.
    """

    name: str
    check: str
    severity: str
    cure: str
    breaks: tuple[str, ...] | Break
    bounds: Mapping[str, float] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    is_empty: bool = False
    """Whether it happens to a database without pgrecall."""
    moves: bool = False
    """Whether the advice is to take a database of its own, which is followed."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The cure as an expression, in which `{…}` is whatever it is in this run."""
        return re.compile(".+".join(map(re.escape, re.split(r"\{\w+\}", self.cure))), re.DOTALL)


@dataclass(frozen=True)
class Tried:
    """What became of a fault. `after` is what the doctor said once the cures were applied."""

    fault: Fault
    before: Diagnosis
    after: Diagnosis
    seconds: float

    @property
    def named(self) -> list[Finding]:
        """The findings of the check that must name it."""
        return [
            finding
            for each in self.before.examinations
            if each.check == self.fault.check
            for finding in each.findings
        ]

    @property
    def left(self) -> list[tuple[str, Finding]]:
        """What is still found."""
        return [
            (each.check, finding) for each in self.after.examinations for finding in each.findings
        ]


def attempt(fault: Fault, sandbox: Sandbox) -> Tried:
    """Break the database, look, do what the doctor says, and look again."""
    began = time.monotonic()
    bounds = replace(Bounds(), **fault.bounds)
    surroundings = replace(sandbox.surroundings, bounds=bounds)
    with ExitStack() as held:
        if isinstance(fault.breaks, tuple):
            sandbox.run(*(each.replace("{database}", sandbox.name) for each in fault.breaks))
        else:
            held.enter_context(fault.breaks(sandbox) or nullcontext())
        before = after = examine(fresh(surroundings))
        for _ in range(ROUNDS):
            for cure in cures(after):
                if fault.moves and cure.kind == "advice":
                    sandbox = moved(sandbox, held)
                    surroundings = replace(surroundings, dsn=sandbox.dsn)
                else:
                    apply(cure, sandbox)
            sandbox.settle()
            after = examine(fresh(surroundings))
            if after.worst is None:
                break
    return Tried(fault, before, after, time.monotonic() - began)


def moved(sandbox: Sandbox, held: ExitStack) -> Sandbox:
    """The same with an empty database of its own."""
    dsn = held.enter_context(cloned(sandbox.dsn, "template0"))
    return Sandbox(replace(sandbox.surroundings, dsn=dsn))


def fresh(surroundings: Surroundings) -> Surroundings:
    """The surroundings with what `.env` says now."""
    written = dotenv_values(surroundings.folder / ".env")
    named = {name: value for name, value in written.items() if value is not None}
    return replace(surroundings, environment={**surroundings.environment, **named})


def cures(found: Diagnosis) -> list[Cure]:
    """Those of the first check that has any, each once: what later ones say may follow from it."""
    first = next((each.findings for each in found.examinations if each.findings), ())
    return list(dict.fromkeys(finding.cure for finding in first))


def apply(cure: Cure, sandbox: Sandbox) -> None:
    """Do what a cure says, as whoever reads it would."""
    match cure.kind:
        case "sql":
            sandbox.run(*cure.text.splitlines())
        case "command":
            _, *arguments = shlex.split(cure.text)
            _done([sys.executable, "-c", COMMAND, *arguments], sandbox)
        case "shell":
            _done(["sh", "-ec", cure.text], sandbox)
        case "advice":
            raise AssertionError(f"a cure that nobody can apply by machine: {cure.text}")


def _done(command: list[str], sandbox: Sandbox) -> None:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PGRECALL_")
    }
    environment = {
        **inherited,
        **sandbox.surroundings.environment,
        "DATABASE_URL": sandbox.dsn,
        "PGRECALL_HOME": str(sandbox.surroundings.home),
    }
    done = subprocess.run(
        command, cwd=sandbox.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
