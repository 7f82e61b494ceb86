"""Settings of recall's own, from what was measured. Pure."""

from __future__ import annotations

from pgrecall.ops.tuning.facts import Search, ServerFacts
from pgrecall.ops.tuning.proposal import Proposal

GOOD = 0.98
"""The share of the nearest vectors that a search by index should find."""
_FAST_MILLISECONDS = 20.0
_SMALLEST_LIMIT, _LARGEST_LIMIT = 1000, 50_000


def ef_search(facts: ServerFacts) -> Proposal | None:
    """The smallest that finds nearly all; a smaller one than now only if it saves a quarter."""
    tried = sorted(facts.measured.searches, key=lambda search: search.ef_search)
    now = next((each for each in tried if each.ef_search == facts.ef_search), None)
    if now is None:
        return None
    good = [each for each in tried if each.recall >= GOOD]
    best = good[0] if good else max(tried, key=lambda each: (each.recall, -each.ef_search))
    is_better = best.recall > now.recall and now.recall < GOOD
    is_cheaper = best.recall >= GOOD and best.milliseconds <= 0.75 * now.milliseconds
    if best.ef_search == now.ef_search or not (is_better or is_cheaper):
        return None
    reason = (
        f"hnsw.ef_search of recall: the search by index misses {1 - now.recall:.0%} of the nearest"
        if is_better
        else f"hnsw.ef_search of recall: {best.recall:.0%} of the nearest are found for less"
    )
    return Proposal(
        "database",
        "pgrecall.ef_search",
        str(now.ef_search),
        str(best.ef_search),
        reason,
        effect=f"{_said(now)}; {_said(best)} ({facts.measured.queries} queries)",
    )


def exact_limit(facts: ServerFacts) -> Proposal | None:
    """As many as can be compared one by one in 20 ms, where that is far from what is set."""
    measured = facts.measured
    if measured.exact_milliseconds is None or measured.vectors < facts.exact_limit:
        return None
    each = measured.exact_milliseconds / measured.vectors
    fitting = min(int(_FAST_MILLISECONDS / each / 1000) * 1000, _LARGEST_LIMIT)
    if fitting < _SMALLEST_LIMIT or 0.5 <= fitting / facts.exact_limit <= 2:
        return None
    return Proposal(
        "database",
        "pgrecall.exact_limit",
        str(facts.exact_limit),
        str(fitting),
        f"so many vectors are compared one by one, which finds all, in "
        f"{_FAST_MILLISECONDS:.0f} ms here; counts for what is stored from then on",
        effect=f"{measured.vectors:,} vectors took {measured.exact_milliseconds:.1f} ms",
    )


def _said(search: Search) -> str:
    return f"{search.ef_search}: {search.recall:.1%} in {search.milliseconds:.1f} ms"
