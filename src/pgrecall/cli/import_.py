"""pgrecall import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TextIO, TypeAlias

import typer

from pgrecall._sync.vectors import DEFAULT
from pgrecall.cli.database import open_memory, resolve_open_database
from pgrecall.cli.exit_codes import ERROR, INTERRUPTED
from pgrecall.cli.options import Agent, AsJson, Context, Dsn, Organization, User
from pgrecall.cli.output import plain, print_json, progress, say, steps
from pgrecall.domain.identity import organization_uuid
from pgrecall.ops.backup.indexes import built_after_import
from pgrecall.ops.transfer.agents import Agents
from pgrecall.ops.transfer.files import as_json as json_line
from pgrecall.ops.transfer.import_ import Outcome, import_items
from pgrecall.ops.transfer.sources import SOURCES, TABLES, Source, SourceOptions, opened_source

# Of more the number is said; --report has them all.
SHOWN = 20
KEPT = 1000
# Bytes of a file from which its indexes may be built afterwards.
LARGE = 2 * 2**20

_FROM_HELP = f"{', '.join(SOURCES)}; auto looks at what is in it."
_REPORT_HELP = "Write there, as JSON lines, what became of each item."

_TABLE_HELP = "The table of " + ", ".join(f"{name} (else {t})" for name, t in TABLES.items()) + "."
_NAMESPACE_HELP = "What the parts of LangGraph's namespaces are, as memories.{user}.{context}."
_ASSISTANT_HELP = "A speaker in a chat log that is no person; repeatable."

File: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="FILE|-|URL", help="- is standard input; a URL, a database's."),
]
From: TypeAlias = Annotated[str, typer.Option("--from", metavar="SOURCE", help=_FROM_HELP)]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Write nothing; say what would become of each item.")
]
Report: TypeAlias = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help=_REPORT_HELP, dir_okay=False)
]
Table: TypeAlias = Annotated[str | None, typer.Option(metavar="NAME", help=_TABLE_HELP)]
Namespace: TypeAlias = Annotated[str | None, typer.Option(metavar="PATTERN", help=_NAMESPACE_HELP)]
DateOrder: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ORDER", help="Of dates in a chat log: dmy, mdy or ymd.")
]
TimeZone: TypeAlias = Annotated[
    str, typer.Option(metavar="NAME", help="Of a chat log, as Europe/Berlin.")
]
Assistants: TypeAlias = Annotated[
    list[str] | None, typer.Option("--assistant", metavar="NAME", help=_ASSISTANT_HELP)
]


class _Tally:
    """How many items ended how, and those that were not stored."""

    def __init__(self, report: TextIO | None) -> None:
        self.counts: Counter[str] = Counter()
        self.problems: list[Outcome] = []
        self._report = report

    def add(self, outcome: Outcome) -> None:
        """Count an outcome, and write it to the report."""
        self.counts[outcome.status] += 1
        if outcome.status == "rejected" and len(self.problems) < KEPT:
            self.problems.append(outcome)
        if self._report is not None:
            self._report.write(json_line(plain(outcome)) + "\n")


def import_(
    file: File,
    *,
    source: From = "auto",
    dry_run: DryRun = False,
    report: Report = None,
    user: User = None,
    context: Context = None,
    table: Table = None,
    namespace: Namespace = None,
    date_order: DateOrder = None,
    time_zone: TimeZone = "UTC",
    assistant: Assistants = None,
    organization: Organization = "default",
    agent: Agent = "default",
    dsn: Dsn = None,
    as_json: AsJson = False,
) -> None:
    """Read memories from a file, or from another system's tables.

    Safe to interrupt and to repeat: what was imported before is not added twice. --user and
    --context are for what names none itself.
    """
    defaults = {"user_id": user, "context_key": context}
    asked = SourceOptions(
        table=table,
        namespace=namespace,
        context=context,
        date_order=date_order,
        time_zone=time_zone,
        assistants=tuple(assistant or ()),
    )
    embedder = None if dry_run else DEFAULT
    with ExitStack() as stack:
        found = stack.enter_context(opened_source(file, source, asked))
        own = stack.enter_context(open_memory(dsn, organization, agent, embedder))
        agents = stack.enter_context(Agents(own, agent, dsn, organization, embedder))
        tally = _Tally(stack.enter_context(report.open("w", encoding="utf-8")) if report else None)
        say(f"reading: {found.name}")
        if not dry_run and _is_large(found):
            stack.enter_context(_indexing(dsn, organization, found.name))
        is_interrupted = _import(found, agents, tally, defaults, dry_run=dry_run)
    if is_interrupted:
        say(f"interrupted after {tally.counts.total():,} items; run it again to go on")
        raise typer.Exit(INTERRUPTED)
    _show(tally, dry_run=dry_run, as_json=as_json)


def _import(
    found: Source, agents: Agents, tally: _Tally, defaults: Mapping[str, object], *, dry_run: bool
) -> bool:
    """Whether somebody interrupted it."""
    with progress("Importing", is_bytes=found.is_bytes) as bar:
        try:
            for each in import_items(found.items, agents.way, defaults=defaults, dry_run=dry_run):
                tally.add(each)
                bar(*found.progress())
        except KeyboardInterrupt:
            return True
    return False


def _is_large(found: Source) -> bool:
    """Whether it may well have more memories than are compared one by one."""
    _, size = found.progress()
    return size is None or size >= LARGE


@contextmanager
def _indexing(dsn: str | None, organization: str, name: str) -> Iterator[None]:
    with (
        resolve_open_database(dsn) as database,
        built_after_import(database, organization_uuid(organization), name, steps),
    ):
        yield


def _show(tally: _Tally, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": dry_run, "counts": tally.counts, "rejected": tally.problems})
    else:
        said = ", ".join(f"{count:,} {status}" for status, count in sorted(tally.counts.items()))
        typer.echo(f"{'would be: ' if dry_run and said else ''}{said or 'nothing'}")
    for problem in tally.problems[:SHOWN]:
        say(f"rejected {problem.position}: {problem.reason}")
    left = tally.counts["rejected"] - SHOWN
    if left > 0:
        say(f"and {left:,} more; --report FILE has them all")
    if tally.counts["rejected"]:
        raise typer.Exit(ERROR)
