"""pgrecall beside mem0 and LangGraph's store: how fast each writes and searches, what each finds.

    python -m benchmarks.peers --data DIR

All are given the same texts of LoCoMo's conversations and the same vectors, made beforehand, and a
database each on the same server; no language model takes part. Each runs in a process and a
virtual environment of its own, and takes its turn with the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

from benchmarks import locomo_data
from benchmarks.conversations import Conversation
from benchmarks.databases import database
from benchmarks.peers.comparison import Tally, as_json, compare
from benchmarks.peers.databases import databases, vacuum
from benchmarks.peers.report import print_comparison
from benchmarks.peers.serving import key
from benchmarks.peers.side import LEAST, OURS, PEERS, our_python, side
from benchmarks.peers.venvs import default_folder, python_of, version_of
from benchmarks.report import Setting
from benchmarks.vectors import CachedEmbedder
from pgrecall._sync.migrate import migrate
from pgrecall.embedding.local import LocalEmbedder


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    conversations = locomo_data.load(options.data)[: options.limit_conversations]
    pythons = {peer: python_of(peer, options.venvs) for peer in options.peers}
    versions = [version_of(python, peer) for peer, python in pythons.items()]
    with TemporaryDirectory(prefix="pgrecall-peers-") as temporary:
        folder = Path(temporary)
        model = _save_vectors(conversations, folder / "vectors.npz")
        all_pythons = {OURS: our_python(), **pythons, LEAST: our_python()}
        tally, server = _measure(options, conversations, all_pythons, folder)
    setting = Setting(_described(conversations), model, f"{server}, {', '.join(versions)}")
    print_comparison(setting, tally, options.peers, Console(markup=False, highlight=False))
    if options.json:
        figures = {"setting": asdict(setting), **as_json(tally, OURS, [*options.peers, LEAST])}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _measure(
    options: argparse.Namespace,
    conversations: Sequence[Conversation],
    pythons: dict[str, Path],
    folder: Path,
) -> tuple[Tally, str]:
    with ExitStack() as stack:
        place = stack.enter_context(database(options.dsn))
        urls = stack.enter_context(databases(place.dsn, list(pythons)))
        migrate(urls[OURS])
        sides = [
            stack.enter_context(side(name, python, urls[name], folder / "vectors.npz", folder))
            for name, python in pythons.items()
        ]
        tally = compare(sides, conversations, partial(vacuum, urls), options.singles)
        return tally, place.server()


def _save_vectors(conversations: Sequence[Conversation], path: Path) -> str:
    """Those of all turns and questions, by text; the model's name."""
    with CachedEmbedder(LocalEmbedder()) as embedder:
        texts = sorted({text for each in conversations for text in each.contents})
        asked = sorted({q.text for each in conversations for q in each.questions} - set(texts))
        vectors = [*embedder.embed(texts), *map(embedder.embed_query, asked)]
        np.savez(path, keys=np.array([key(text) for text in texts + asked]), vectors=vectors)
        return embedder.model


def _described(conversations: Sequence[Conversation]) -> str:
    turns = sum(len(conversation.turns) for conversation in conversations)
    questions = sum(len(conversation.questions) for conversation in conversations)
    return f"{len(conversations)} conversations, {turns} turns, {questions} questions"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="LoCoMo's conversations"
    )
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument(
        "--venvs",
        type=Path,
        default=default_folder(),
        metavar="DIR",
        help="where the peers' virtual environments are made; default: the user's cache",
    )
    parser.add_argument(
        "--dsn",
        help="a superuser's; each system gets a database there, dropped afterwards; "
        "default: DATABASE_URL, or a fresh embedded server",
    )
    parser.add_argument("--limit-conversations", type=int, metavar="N", help="only the first N")
    parser.add_argument(
        "--singles", type=int, default=1200, metavar="N", help="single writes of each system"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
