"""Recall, deliberately made worse, which a floor must notice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.isolation.mutants import edited

SCORE = (
    "agent_memory.score_memories(uuid, uuid[], tsquery[], real[], real[], text,"
    " agent_memory.query_cues, timestamptz, jsonb, agent_memory.background,"
    " boolean, integer, real, boolean)"
)
IN_CONTEXT = (
    "public.recall_in_context(text, real[], text, text, text, text, text[], jsonb, timestamptz,"
    " timestamptz, timestamptz, integer, real)"
)
QUERY_TERMS = "agent_memory.query_terms(text, text[])"


@dataclass(frozen=True)
class Mutant:
    """Settings or SQL; `variant` and `category` say which floors of test_quality.py notice.

    `is_before_writing` is of what changes how memories are stored.
    """

    name: str
    variant: str
    category: str
    weights: Mapping[str, float] = field(default_factory=dict)
    sql: str = ""
    is_before_writing: bool = False


def without(signal: str, variant: str, category: str) -> Mutant:
    return Mutant(f"without {signal}", variant, category, weights={signal: 0})


SIGNALS = [
    without("words", "text", "own words"),
    without("window_words", "text", "speaker"),
    without("meaning", "vectors", "paraphrase"),
    without("near_meaning", "vectors", "paraphrase"),
    without("context_meaning", "vectors", "topic"),
    without("date", "text", "temporal"),
    without("speaker", "text", "speaker"),
    without("user_words", "text", "list"),
    without("wish", "text", "advice"),
    without("help", "vectors", "topic"),
    without("time_words", "text", "single-hop"),
    without("opening", "text", "opening"),
    without("answer", "text", "answer"),
    without("statement", "text", "multi-hop"),
    without("digits", "text", "number"),
    without("recency", "text", "latest"),
    without("latest", "text", "latest"),
    without("importance", "text", "important"),
]

FUNCTIONS = [
    Mutant(
        "the best hits come last",
        "text",
        "single-hop",
        sql=edited(IN_CONTEXT, "order by h.score desc, h.id desc", "order by h.score, h.id"),
    ),
    Mutant(
        "the worst hits are chosen",
        "text",
        "single-hop",
        sql=edited(
            SCORE,
            "order by f.score desc, f.id desc limit row_limit",
            "order by f.score, f.id limit row_limit",
        ),
    ),
    Mutant(
        "a rare word counts no more than a frequent one",
        "text",
        "single-hop",
        sql=edited(
            SCORE,
            "ln(one + (compared - count(*) + half) / (count(*) + half))",
            "1.0::double precision",
        ),
    ),
    Mutant(
        "no match reaches a neighbour",
        "text",
        "answer",
        sql=edited(SCORE, "case when are_neighbours then", "case when false then"),
    ),
    Mutant(
        "what was said just before counts for nothing",
        "text",
        "answer",
        sql=edited(SCORE, "half * m.before", "none * m.before"),
    ),
    Mutant(
        "ts_rank decides",
        "text",
        "answer",
        sql=edited(
            SCORE,
            "((s.alone + words_weight * s.words",
            "((s.alone + 1000 * (select ts_rank(m.search_vector, t.any_term)"
            " from public.ai_memories as m, (select string_agg(u::text, ' | ')::tsquery as any_term"
            " from unnest(terms) as u) as t where m.id = s.id)"
            " + words_weight * s.words",
        ),
    ),
    Mutant(
        "questions are not stemmed",
        "text",
        "temporal",
        sql=edited(
            QUERY_TERMS, "agent_memory.lexemes(spoken.language,", "agent_memory.lexemes('simple',"
        ),
    ),
    Mutant(
        "questions are read in English alone",
        "text",
        "german",
        sql=edited(
            "agent_memory.languages(uuid)",
            "where c.organization_id = languages.organization_id",
            "where false",
        ),
    ),
    Mutant(
        "vectors are not looked at",
        "vectors",
        "paraphrase",
        sql=edited(
            "agent_memory.check_embedding(uuid, real[], text)",
            "return stored is not null",
            "return false and stored is not null",
        ),
    ),
    Mutant(
        "nothing is stemmed",
        "text",
        "speaker",
        sql=edited(
            "agent_memory.text_config(text)",
            "return case",
            "return 'pg_catalog.simple'::pg_catalog.regconfig; return case",
        ),
        is_before_writing=True,
    ),
]

MUTANTS = [*SIGNALS, *FUNCTIONS]

CONTROLS = [
    Mutant("nothing is changed", "vectors", "paraphrase"),
    Mutant("nothing is changed before writing", "text", "speaker", is_before_writing=True),
]
"""What spoils nothing, by the same ways."""
