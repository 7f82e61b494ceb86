"""How the demo looks."""

from __future__ import annotations

import sys
from datetime import datetime
from shutil import which

from rich.console import Console
from rich.text import Text

from pgrecall.cli.demo_run import ORGANIZATION, Answer, Ingestion, Seen, Slot, Stranger
from pgrecall.cli.hits import print_hanging, print_hits
from pgrecall.cli.output import blocks, console
from pgrecall.cli.rendering import bars, day, visible


def print_demo(seen: Seen, agent: str) -> None:
    """All that was seen, in the order in which it happened."""
    out = console()
    _print_ingested(out, seen.ingested)
    for place, answer in enumerate(seen.answers, 1):
        _print_answer(out, place, answer)
    _print_slot(out, seen.slot)
    _print_stranger(out, seen.stranger)
    _print_end(out, seen, agent)


def _print_ingested(out: Console, ingested: Ingestion) -> None:
    counts = ", ".join(f"{count} {status}" for status, count in ingested.statuses.items())
    result = "all duplicates, so nothing was stored twice" if ingested.is_known else counts
    line = Text(f"{ingested.turns} messages in {ingested.sessions} conversations")
    line.append(f" and {ingested.facts} facts in {ingested.seconds:.1f} s: {result}")
    print_hanging(out, Text("Remembered ", "bold"), line)


def _print_answer(out: Console, place: int, answer: Answer) -> None:
    question, took = answer.question, answer.found.explain().timings.total
    named = ("since", question.since), ("until", question.until), ("as of", question.as_of)
    filters = ", ".join(f"{name} {value}" for name, value in named if value)
    title = Text(f"{place}. {question.query}", "bold")
    title.append(f"  ({filters})" if filters else "", "not bold")
    out.print()
    out.print(title)
    out.print(Text(f"    {question.shows}; {took:.0f} ms", "dim"))
    drawn = blocks(out)
    print_hits(out, answer.found, below=lambda hit: [bars(hit.signals, drawn)])


def _print_slot(out: Console, slot: Slot) -> None:
    out.print()
    out.print(Text.assemble(("What changed over time", "bold"), f"  ({slot.slot})"))
    for value in slot.values:
        lead = Text(f"    {_validity(value.valid_from, value.valid_to):<29}", "cyan")
        print_hanging(out, lead, Text(visible(value.content)))


def _validity(begins: datetime, ends: datetime | None) -> str:
    return f"since {day(begins)}" if ends is None else f"{day(begins)} to {day(ends)}"


def _print_stranger(out: Console, stranger: Stranger) -> None:
    out.print()
    out.print(Text.assemble(("A stranger", "bold"), f"  (organization {stranger.organization})"))
    out.print(f"    the same {stranger.questions} questions: {stranger.hits} hits")
    out.print(f"    a memory by its id: {stranger.error}")


def _print_end(out: Console, seen: Seen, agent: str) -> None:
    first, all_of_it = seen.seconds_to_first_recall, seen.seconds
    out.print()
    out.print(f"First recall {first:.1f} s after the start, all of it in {all_of_it:.1f} s.")
    out.print(f"Database: {seen.database}. Ask it something yourself:")
    # As it was called, where the shell would not find it by its name alone.
    command = "pgrecall" if which("pgrecall") else sys.argv[0]
    out.print(f'    {command} recall "Who is Pixel?" --organization {ORGANIZATION} --agent {agent}')
