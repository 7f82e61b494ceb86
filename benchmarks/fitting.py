"""Searches the weights that recall ships with, and tells how they do on what was left out.

    python -m benchmarks.fitting --locomo DIR --beam DIR --longmemeval DIR

The database computes each signal of each memory for each question; the search adds them up as
score_memories() does. From equal weights it goes by simulated annealing, with a seed, to the
weights at which the figures of the sets add up to most among those that keep the floors of the
labelled set (tests/quality), which it prints as `searched`.

Six more searches leave out a conversation of LoCoMo and a sixth of the others each; the figures to
report are those of what was left out. LongMemEval's haystacks are drawn three times. A set that is
not named takes no part.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.annealing import Cooling
from benchmarks.databases import Database, database
from benchmarks.floors import Floors, ask_labelled, floors_of
from benchmarks.memories import Target
from benchmarks.quality import RUNS, WIDTH, draws
from benchmarks.search import (
    COOLINGS,
    FITTED_TO,
    TEXT,
    Goal,
    figures_of,
    scored,
    search,
)
from benchmarks.signals import SIGNALS, Asked, Numbers, ask, built_in_weights, digest
from benchmarks.vectors import CachedEmbedder
from pgrecall.embedding.local import LocalEmbedder

FOLDS = 6

T = TypeVar("T")
Fold: TypeAlias = "Sequence[Sequence[Asked]]"
"""Questions, each as asked in one draw or several."""
Folds: TypeAlias = "Mapping[str, Sequence[Fold]]"
"""By set."""


@dataclass(frozen=True)
class Fit:
    """Weights in the order of SIGNALS: the schema's, those found by all, and without each fold."""

    built_in: Numbers
    searched: Numbers
    to_folds: Sequence[Numbers]


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    folders = {name: folder for name in FITTED_TO if (folder := vars(options)[name])}
    if not folders:
        _parser().error("name the folder of one set at least, such as --locomo DIR")
    with CachedEmbedder(LocalEmbedder()) as embedder, database(options.dsn) as place:
        kept = partial(_kept, options.signals)
        floors = floors_of(kept("labelled", partial(ask_labelled, place, embedder)))
        folds = {
            name: kept(name, partial(_ask, name, folder, place, embedder))
            for name, folder in folders.items()
        }
        if "locomo" in folders:
            folds[TEXT] = kept(
                "locomo-text",
                partial(_ask, "locomo", folders["locomo"], place, embedder, text=True),
            )
        # Opening a memory makes the schema, which nothing has made yet where all signals were kept.
        with Target(place, embedder, "weights").open("none"):
            built_in = built_in_weights(place.dsn)
    coolings = [replace(each, tries=min(each.tries, options.tries)) for each in COOLINGS]
    fitted = fit_folds(folds, floors, built_in, coolings)
    figures = list(_figures(folds, fitted))
    _print(fitted, figures, Console(markup=False, highlight=False, width=WIDTH))
    if options.json:
        report = json.dumps({"figures": figures, "weights": _named(fitted)}, indent=2)
        options.json.write_text(report + "\n", encoding="utf-8")
    return 0


def fit_folds(
    folds: Folds, floors: Floors, built_in: Numbers, coolings: Sequence[Cooling] = COOLINGS
) -> Fit:
    """A search by all questions, and one by all but each fold in turn."""
    with ProcessPoolExecutor() as pool:
        searches = [
            pool.submit(search, _without(folds, left_out), floors, coolings)
            for left_out in (None, *range(FOLDS))
        ]
        searched, *to_folds = (each.result() for each in searches)
    return Fit(built_in, searched, to_folds)


def _kept(folder: Path | None, name: str, compute: Callable[[], T]) -> T:
    """What is kept in the folder by that name; computed, and kept there, where there is none.

    Another schema computes other signals, so its digest is part of the name.
    """
    if folder is None:
        return compute()
    file = folder / f"{name}-{digest()}.pickle"
    if file.exists():
        return cast("T", pickle.loads(file.read_bytes()))
    computed = compute()
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps(computed))
    return computed


def _ask(
    name: str, folder: Path, place: Database, embedder: CachedEmbedder, *, text: bool = False
) -> list[Fold]:
    """The questions of each fold; what is drawn several times is asked in each draw.

    As from the text alone there is no embedder.
    """
    kind = "text" if text else "vectors"
    drawn = [
        _folds(ask(Target(place, embedder, f"{name}-{kind}-{number}", not text), load(folder)))
        for number, load in enumerate(draws(name, RUNS))
    ]
    return [list(zip(*parts, strict=True)) for parts in zip(*drawn, strict=True)]


def _folds(conversations: Iterable[Sequence[Asked]]) -> list[list[Asked]]:
    folds: list[list[Asked]] = [[] for _ in range(FOLDS)]
    for number, asked in enumerate(conversations):
        folds[number % FOLDS] += asked
    return folds


def _without(folds: Folds, left_out: int | None) -> dict[str, list[Asked]]:
    kept = {
        name: [each for number, part in enumerate(parts) if number != left_out for each in part]
        for name, parts in folds.items()
    }
    return {name: _each(fold) for name, fold in kept.items() if fold}


def _each(fold: Fold) -> list[Asked]:
    return [asked for question in fold for asked in question]


def _figures(folds: Folds, fitted: Fit) -> Iterator[dict[str, Any]]:
    """Each goal by the schema's weights, by the search, and on what a search left out."""
    whole = scored(_without(folds, None))
    built_in, searched = (figures_of(whole, of) for of in (fitted.built_in, fitted.searched))
    left_out = _left_out(folds, fitted.to_folds)
    for goal in searched:
        yield {
            "set": goal.set_name,
            "figure": goal.name,
            "before": goal.before,
            "schema": built_in[goal],
            "searched": searched[goal],
            "left out": left_out[goal],
        }


def _left_out(folds: Folds, to_folds: Sequence[Numbers]) -> dict[Goal, float]:
    """The means over all questions, each by the weights that have not seen it."""
    total: dict[Goal, float] = defaultdict(float)
    for number, weights in enumerate(to_folds):
        fold = {name: parts[number] for name, parts in folds.items() if parts[number]}
        asked = scored({name: _each(part) for name, part in fold.items()})
        for goal, value in figures_of(asked, weights).items():
            total[goal] += value * len(fold[goal.set_name])
    return {goal: of / sum(map(len, folds[goal.set_name])) for goal, of in total.items()}


def _named(fitted: Fit) -> dict[str, dict[str, float]]:
    """By signal its weights: the schema's, those found, and those found without each fold."""
    rows = {"schema": fitted.built_in, "searched": fitted.searched}
    rows |= {f"without {number}": row for number, row in enumerate(fitted.to_folds, start=1)}
    return {
        signal: {name: round(float(row[place]), 2) for name, row in rows.items()}
        for place, signal in enumerate(SIGNALS)
    }


def _print(fitted: Fit, figures: Sequence[Mapping[str, Any]], console: Console) -> None:
    for rows in (figures, [{"signal": name} | row for name, row in _named(fitted).items()]):
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name, value in rows[0].items():
            table.add_column(name, justify="left" if isinstance(value, str) else "right")
        for row in rows:
            table.add_row(*(x if isinstance(x, str) else f"{x:.3f}" for x in row.values()))
        console.print(table, "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/fitting.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name in FITTED_TO:
        parser.add_argument(f"--{name}", type=Path, metavar="DIR", help="that set's folder")
    parser.add_argument(
        "--dsn", help="database to write to; default: DATABASE_URL, or a fresh embedded server"
    )
    parser.add_argument(
        "--signals",
        type=Path,
        metavar="DIR",
        help="keep what the database computes there, and take it from there the next time",
    )
    parser.add_argument(
        "--tries",
        type=int,
        default=max(each.tries for each in COOLINGS),
        metavar="N",
        help="how many weights each part of a search looks at, at most; for a quick look",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
