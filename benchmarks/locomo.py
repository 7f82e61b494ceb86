"""How well and how fast pgrecall finds the evidence of LoCoMo's questions.

    python -m benchmarks.locomo --data DIR

Each conversation is an organization, each session a context, each turn a message with its
session's time; questions of categories 1 to 4 that have evidence are asked. Beside `recall`, the
same rows are ranked by three baselines. No language model takes part.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console

from benchmarks import locomo_data
from benchmarks.conversations import Conversation
from benchmarks.databases import database
from benchmarks.measurement import bench, describe, measure
from benchmarks.memories import Target
from benchmarks.rates import measure_rates
from benchmarks.report import Report, print_report
from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding.local import LocalEmbedder


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    conversations = locomo_data.load(options.data)[: options.limit_conversations]
    asked = [_with_questions(conversation, options.questions) for conversation in conversations]
    report = _report(asked, options.dsn, options.rates)
    print_report(report, Console(markup=False, highlight=False))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    return 0


def _report(conversations: Sequence[Conversation], dsn: str | None, with_rates: bool) -> Report:
    with CachedEmbedder(LocalEmbedder()) as embedder, database(dsn) as place:
        target = Target(place, embedder, "locomo")
        with bench(target) as measured:
            tally = measure(measured, conversations)
            rates = measure_rates(target, conversations) if with_rates else {}
            setting = describe(conversations, measured)
    return Report(setting, tally.mean_scores(), tally.summarized_times(), rates)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/locomo.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="a directory with locomo10.json, or with one file per conversation",
    )
    parser.add_argument(
        "--dsn",
        help="database to write to; default: DATABASE_URL, or a fresh embedded server",
    )
    parser.add_argument("--limit-conversations", type=int, metavar="N", help="only the first N")
    parser.add_argument(
        "--questions",
        type=int,
        metavar="N",
        help="only N questions of each conversation, evenly spread",
    )
    parser.add_argument("--rates", action="store_true", help="measure the rates of writing too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


def _with_questions(conversation: Conversation, number: int | None) -> Conversation:
    """The conversation with so many of its questions, evenly spread over them."""
    total = len(conversation.questions)
    if number is None or number >= total:
        return conversation
    kept = (conversation.questions[index * total // number] for index in range(number))
    return replace(conversation, questions=tuple(kept))


if __name__ == "__main__":
    sys.exit(main())
