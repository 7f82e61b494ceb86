"""Settings that hand out memory. Pure; each function decides one and returns None to leave it."""

from __future__ import annotations

from pgrecall.ops.tuning.facts import ServerFacts, size
from pgrecall.ops.tuning.proposal import Proposal

_MB = 2**20
_GB = 2**30


def shared_buffers(facts: ServerFacts) -> Proposal | None:
    """A quarter of the memory, but no more than twice what there is to hold."""
    now, memory = facts.bytes("shared_buffers"), facts.memory
    if now is None or memory is None:
        return None
    useful = _rounded(2 * facts.workload.database_bytes, at_least=128 * _MB)
    wanted = min(_rounded(memory // 4, at_least=128 * _MB), useful, 16 * _GB)
    too_much = now > memory * 0.4
    if not too_much and now >= wanted * 0.8:
        return None
    proposed = _rounded(memory // 4, at_least=128 * _MB) if too_much else wanted
    hit = facts.workload.hit_ratio
    return Proposal(
        "system",
        "shared_buffers",
        size(now),
        size(proposed),
        "more than 40 % of the memory leaves too little to the system's cache and to queries"
        if too_much
        else "a quarter of the memory keeps indexes and vectors at hand, no more than twice "
        f"the database's {size(_rounded(facts.workload.database_bytes, at_least=_MB))}",
        effect=None if hit is None else f"now {hit:.1%} of blocks are found there",
    )


def effective_cache_size(facts: ServerFacts) -> Proposal | None:
    """Three quarters of the memory: what the planner may expect to be cached."""
    now, memory = facts.bytes("effective_cache_size"), facts.memory
    if now is None or memory is None:
        return None
    wanted = _rounded(memory * 3 // 4, at_least=256 * _MB)
    if 0.6 * wanted <= now <= 1.5 * wanted:
        return None
    reason = "the planner weighs indexes by what the whole machine can cache; takes no memory"
    return Proposal("system", "effective_cache_size", size(now), size(wanted), reason)


def work_mem(facts: ServerFacts) -> Proposal | None:
    """More where sorts spill to disk, within what all connections together may take."""
    now, memory = facts.bytes("work_mem"), facts.memory
    connections, work = facts.number("max_connections"), facts.workload
    if now is None or memory is None or connections is None:
        return None
    # Each connection may take it twice or so at once: a quarter of the memory in the worst case.
    most = max(4 * _MB, _power(int(memory / 4 / connections / 2)))
    if now > 4 * most:
        reason = f"{connections:.0f} connections could take more than the memory at once"
        return Proposal("system", "work_mem", size(now), size(most), reason)
    wanted = min(2 * now, most, 64 * _MB)
    if work.temp_files < 10 or wanted <= now:
        return None
    reason = "sorts were spilled to files; all connections at once stay within half the memory"
    spilled = f"{work.temp_files:,} files of {size(work.temp_bytes)} so far"
    return Proposal("system", "work_mem", size(now), size(wanted), reason, effect=spilled)


def maintenance_work_mem(facts: ServerFacts) -> Proposal | None:
    """Enough to build the largest HNSW index in memory, a quarter of the machine at most."""
    now, memory = facts.bytes("maintenance_work_mem"), facts.memory
    if now is None or memory is None:
        return None
    index = facts.workload.largest_vector_index
    needed = max(memory // 16, index * 5 // 4)
    wanted = _rounded(min(needed, memory // 4, 8 * _GB), at_least=64 * _MB)
    if now >= wanted * 0.8:
        return None
    reason = "an HNSW index that does not fit while it is built takes many times as long"
    effect = f"the largest one has {size(index // 1024 * 1024)}" if index >= _MB else None
    return Proposal(
        "system", "maintenance_work_mem", size(now), size(wanted), reason, effect=effect
    )


def _rounded(amount: int, *, at_least: int) -> int:
    """Down to 64 MB from a gigabyte on, to 16 MB below, to 1 MB below 64 MB."""
    step = 64 * _MB if amount >= _GB else 16 * _MB if amount >= 64 * _MB else _MB
    return max(at_least, amount // step * step)


def _power(amount: int) -> int:
    """The largest power of two within it, from a megabyte on."""
    return max(_MB, 1 << (max(amount, 1).bit_length() - 1))
