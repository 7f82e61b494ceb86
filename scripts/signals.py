"""What is made of the declaration of signals: SQL for score_memories(), a table for the docs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

Signal: TypeAlias = "dict[str, Any]"

BEGIN, END = "<!-- signals: begins -->\n", "<!-- signals: ends -->\n"


def read_signals(path: Path) -> list[Signal]:
    """The signals in the order of their declaration."""
    signals: list[Signal] = tomllib.loads(path.read_text("utf-8"))["signal"]
    for signal in signals:
        if ("memory" in signal) == ("recall" in signal):
            raise SystemExit(f"the signal {signal['name']} has either `memory` or `recall`")
    return signals


def placeholders(signals: Sequence[Signal]) -> dict[str, str]:
    """What stands in the sources for the signals."""
    return {
        "weights": _quoted(json.dumps({each["name"]: each["weight"] for each in signals})),
        "signal-weights": "\n  ".join(map(_declaration, signals)),
        "signal-total": _sum(f"{each['name']}_weight" for each in signals),
        "signals-of-memory": _sum(_score(each) for each in signals if "memory" in each),
        "signals-of-recall": _sum(_score(each) for each in signals if "recall" in each),
        "signal-parts": ",\n        ".join(map(_part, signals)),
    }


def with_table(page: str, signals: Sequence[Signal]) -> str:
    """A page of the docs with the table of signals between its marks made anew."""
    rows = [f"| `{each['name']}` | {each['text']} | {each['weight']} |" for each in signals]
    table = "\n".join(["| signal | what | weight |", "| --- | --- | --- |", *rows])
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}{table}\n{END}", page)


def _declaration(signal: Signal) -> str:
    weight = f"(weights ->> '{signal['name']}')::double precision"
    if "when" in signal:
        weight = f"case when {signal['when']} then {weight} else 0 end"
    return f"{signal['name']}_weight constant double precision := {weight};"


def _score(signal: Signal) -> str:
    return _value(signal).replace("$w", f"{signal['name']}_weight")


def _part(signal: Signal) -> str:
    """For the explanation: the name, the raw value, the scaled one, the weight, if it runs."""
    scaled = _value(signal).replace("$w", "one")
    raw, when = signal.get("raw", "null"), signal.get("when", "true")
    name = signal["name"]
    return f"('{name}', {raw}, {scaled}, {name}_weight, {when})"


def _value(signal: Signal) -> str:
    value: str = signal.get("memory") or signal["recall"]
    return value


def _sum(terms: Any) -> str:
    return "\n             + ".join(terms)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
