"""Slow recalls: each is counted, one a minute is logged with its steps and without its words."""

from __future__ import annotations

import json
import logging

from pgrecall.recall.result import Recall
from pgrecall.telemetry.process import PROCESS

LOG = logging.getLogger("pgrecall.slow")


def note_slow(recall: Recall, seconds: float) -> None:
    """Count a slow recall, and log it unless one was logged in the last minute."""
    if PROCESS.note_slow():
        LOG.warning("slow recall: %s", json.dumps(sample(recall, seconds)))


def sample(recall: Recall, seconds: float) -> dict[str, object]:
    """How a recall came to its hits, in numbers and in pgrecall's own words.

    Milliseconds in all, of the embedder and of the database; memories compared, terms, hits; the
    signals that ran; the steps in the database, each with its rows and milliseconds.
    """
    explanation = recall.explanation
    return {
        "milliseconds": round(1000 * seconds, 1),
        "embedding": round(explanation.timings.embedding, 1),
        "database": round(explanation.timings.database, 1),
        "compared": explanation.compared,
        "is_exact": explanation.is_exact,
        "terms": explanation.terms,
        "hits": explanation.hits,
        "signals": list(explanation.signals),
        "steps": [
            {"step": step.name, "rows": step.rows, "milliseconds": step.milliseconds}
            for step in explanation.steps
        ],
    }
