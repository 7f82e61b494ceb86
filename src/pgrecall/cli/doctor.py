"""pgrecall doctor."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from dotenv import dotenv_values
from rich.console import Console
from rich.text import Text

from pgrecall._sync.link import Address
from pgrecall.cli.confirmation import Yes, confirm, is_asked
from pgrecall.cli.exit_codes import DONE, FOUND_CRITICAL, FOUND_ERROR, FOUND_WARNING
from pgrecall.cli.failures import print_error
from pgrecall.cli.options import AsJson, Dsn
from pgrecall.cli.output import console, plain, print_json, say, waiting
from pgrecall.domain.diagnosis import Cure, Diagnosis, Examination, Finding, Severity
from pgrecall.embedded import default_home, join
from pgrecall.errors import ConflictError, PgRecallError
from pgrecall.ops.doctor.cures import apply, safe_cures
from pgrecall.ops.doctor.examination import examine
from pgrecall.ops.doctor.surroundings import Bounds, Surroundings

_FIX_HELP = "Then apply the cures that are safe, after asking."
_ONLY_HELP = "Make this check only; repeatable."
_PATIENCE_HELP = "Name transactions that rest, and queries that run five times, as long."
_TIMEOUT_HELP = "Give a look up after so long."

Fix: TypeAlias = Annotated[bool, typer.Option("--fix", help=_FIX_HELP)]
Only: TypeAlias = Annotated[
    list[str] | None, typer.Option("--only", help=_ONLY_HELP, metavar="NAME", show_default=False)
]
Patience: TypeAlias = Annotated[
    float, typer.Option(help=_PATIENCE_HELP, metavar="SECONDS", min=0.001)
]
StatementTimeout: TypeAlias = Annotated[
    float, typer.Option(help=_TIMEOUT_HELP, metavar="SECONDS", min=0.001)
]

_CODES: Mapping[Severity | None, int] = {
    None: DONE,
    "notice": DONE,
    "warning": FOUND_WARNING,
    "error": FOUND_ERROR,
    "critical": FOUND_CRITICAL,
}
_STYLES: Mapping[Severity, str] = {
    "notice": "cyan",
    "warning": "yellow",
    "error": "red",
    "critical": "bold red",
}


def doctor(
    *,
    only: Only = None,
    fix: Fix = False,
    yes: Yes = False,
    patience: Patience = Bounds.idle_in_transaction,
    statement_timeout: StatementTimeout = Bounds.statement,
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Name what is wrong with a database, and what cures it.

    It changes nothing without --fix, works with whatever rights it has, and says what it could not
    see. The exit code is that of the gravest finding: 10 for a warning, 11 for an error, 12 for a
    critical one. docs/doctor.md has a section for each check.
    """
    bounds = Bounds(statement=statement_timeout, idle_in_transaction=patience, query=5 * patience)
    with _surroundings(dsn, bounds) as surroundings:
        with waiting("Looking"):
            found = examine(surroundings, only or ())
        tried: set[Cure] = set()
        while fix and (cures := [cure for cure in safe_cures(found) if cure not in tried]):
            _ask(cures, is_sure=yes)
            _apply(surroundings.dsn, cures)
            tried.update(cures)
            found = examine(surroundings, only or ())
    if as_json:
        print_json(_document(found))
    else:
        _print(found)
    raise typer.Exit(_CODES[found.worst])


@contextmanager
def _surroundings(dsn: str | None, bounds: Bounds) -> Iterator[Surroundings]:
    """What is looked at. Not by Settings(), which refuse what the doctor is to name."""
    written = {name: text for name, text in dotenv_values(".env").items() if text is not None}
    environment = {**written, **os.environ}
    home = Path(environment.get("PGRECALL_HOME") or default_home())
    address = Address(dsn or environment.get("DATABASE_URL") or None, home)
    say(f"database: {address}")
    if address.dsn is not None:
        yield Surroundings(address.dsn, environment, Path(), home, bounds=bounds)
        return
    with waiting("Starting the server"):
        lease = join(home)
    with lease:
        yield Surroundings(lease.dsn, environment, Path(), home, is_embedded=True, bounds=bounds)


def _ask(cures: Sequence[Cure], *, is_sure: bool) -> None:
    lines = [line for cure in cures for line in cure.text.splitlines()]
    say("\n".join(["cures that are safe:", *(f"  {line}" for line in lines)]))
    if is_sure:
        return
    if not is_asked():
        raise ConflictError("there is nobody to ask", hint="--yes does it without asking.")
    confirm(f"Apply {'it' if len(cures) == 1 else f'these {len(cures)}'}?")


def _apply(dsn: str, cures: Sequence[Cure]) -> None:
    for cure in cures:
        try:
            apply(dsn, cure)
        except PgRecallError as error:
            # The next look tells that it is still so.
            print_error(error)


def _document(found: Diagnosis) -> object:
    checks = [{"page": each.page, **_plain(each)} for each in found.examinations]
    return {"database": found.database, "worst": found.worst, "checks": checks}


def _plain(each: Examination) -> Mapping[str, object]:
    document = plain(each)
    assert isinstance(document, dict)
    return document


def _print(found: Diagnosis) -> None:
    out = console()
    for each in found.examinations:
        for finding in each.findings:
            _print_finding(out, each, finding)
        for unseen in each.unseen:
            out.print(Text(f"unseen    {each.check}: {unseen.what}", style="dim"))
            out.print(Text(f"          needs: {unseen.needs}", style="dim"))
    for each in found.examinations:
        for fact in each.facts:
            say(f"{each.check}: {fact}")
    count = sum(len(each.findings) for each in found.examinations)
    if count == 0:
        out.print(f"healthy: {len(found.examinations)} checks found nothing")


def _print_finding(out: Console, each: Examination, finding: Finding) -> None:
    style = _STYLES[finding.severity]
    head = Text(f"{finding.severity:<8}  ", style=style)
    out.print(head + Text(f"{each.check}: {finding.subject}: {finding.evidence}", style=""))
    for line in finding.cure.text.splitlines():
        out.print(Text(f"          {'run' if finding.cure.kind != 'advice' else 'cure'}: {line}"))
    out.print(Text(f"          see: {each.page}", style="dim"))
