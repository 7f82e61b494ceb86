"""What `pgrecall tune` proposes, decided without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrecall.errors import InvalidInputError
from pgrecall.ops.server_settings import Server, ServerSetting
from pgrecall.ops.tuning.decisions import decide, provider_command
from pgrecall.ops.tuning.facts import Measurement, Search, ServerFacts, Table, Workload, size
from pgrecall.ops.tuning.hardware import Hardware, parse_size, this_machine
from pgrecall.ops.tuning.proposal import Proposal

GB = 2**30
MB = 2**20
OWN = Server(180006, "app", True, True, None, True)
RESTARTING = ("shared_buffers", "max_connections")
UNITS = {
    "shared_buffers": "8kB",
    "effective_cache_size": "8kB",
    "work_mem": "kB",
    "maintenance_work_mem": "kB",
    "max_wal_size": "MB",
}
WELL_SET = {
    "shared_buffers": str(2 * GB // 8192),
    "effective_cache_size": str(6 * GB // 8192),
    "work_mem": str(8 * MB // 1024),
    "maintenance_work_mem": str(GB // 1024),
    "max_connections": "100",
    "random_page_cost": "1.1",
    "max_wal_size": "4096",
    "checkpoint_completion_target": "0.9",
    "autovacuum_vacuum_scale_factor": "0.2",
}
QUIET = Workload(20 * GB, 10**6, 10**4, 0, 0, 5, 86_400.0)


def facts(work: Workload = QUIET, **settings: str) -> ServerFacts:
    return ServerFacts(
        server=OWN,
        settings={
            name: ServerSetting(
                name,
                value,
                UNITS.get(name, ""),
                "postmaster" if name in RESTARTING else "sighup",
                "default",
                False,
            )
            for name, value in {**WELL_SET, **settings}.items()
        },
        workload=work,
        hardware=Hardware(8 * GB, 4, "as told"),
    )


def one(found: ServerFacts) -> Proposal:
    [proposal] = decide(found)
    assert proposal.reason
    return proposal


def test_a_server_that_is_well_set_gets_no_proposal() -> None:
    assert decide(facts()) == []


@pytest.mark.parametrize(
    ("name", "now", "proposed"),
    [
        ("shared_buffers", str(128 * MB // 8192), "2GB"),
        ("shared_buffers", str(5 * GB // 8192), "2GB"),
        ("effective_cache_size", str(GB // 8192), "6GB"),
        ("maintenance_work_mem", str(64 * MB // 1024), "512MB"),
        ("work_mem", str(256 * MB // 1024), "8MB"),
        ("random_page_cost", "4", "1.1"),
        ("checkpoint_completion_target", "0.5", "0.9"),
    ],
)
def test_each_setting_by_itself(name: str, now: str, proposed: str) -> None:
    found = one(facts(**{name: now}))
    assert (found.name, found.proposed) == (name, proposed)
    assert found.needs_restart == (name in RESTARTING)
    assert found.can_apply


def test_a_small_database_needs_small_buffers() -> None:
    small = replace(QUIET, database_bytes=50 * MB)
    assert decide(facts(small, shared_buffers=str(128 * MB // 8192))) == []


def test_spilled_sorts_get_more_memory() -> None:
    spilling = replace(QUIET, temp_files=500, temp_bytes=3 * GB)
    found = one(facts(spilling, work_mem="4096"))
    assert (found.proposed, found.effect) == ("8MB", "500 files of 3GB so far")


def test_a_vector_index_gets_room_to_be_built() -> None:
    found = one(facts(replace(QUIET, largest_vector_index=GB), maintenance_work_mem="524288"))
    assert (found.name, found.proposed) == ("maintenance_work_mem", "1280MB")


def test_checkpoints_that_the_log_forces_get_a_larger_log() -> None:
    forced = replace(QUIET, checkpoints_requested=90, checkpoints_timed=10)
    assert one(facts(forced)).proposed == "8GB"
    assert decide(facts(replace(forced, checkpoints_timed=900))) == []


def test_connections_and_pools() -> None:
    assert one(facts(replace(QUIET, connections=95))).proposed == "150"
    assert one(replace(facts(), pool_max_size=200)).proposed == "16"
    assert one(replace(facts(), pool_max_size=200)).can_apply is False


def test_a_large_table_is_cleaned_earlier() -> None:
    large = Table("public.ai_memories", 5_000_000, 9 * GB, 400_000, None)
    small = replace(large, rows=10_000)
    tended = replace(large, scale_factor=0.02)
    found = one(facts(replace(QUIET, tables=(large, small, tended))))
    assert (found.target, found.current, found.proposed) == ("public.ai_memories", "0.2", "0.02")
    assert "1,000,000 dead" in found.reason


def searched(*searches: tuple[int, float, float]) -> ServerFacts:
    measured = Measurement(tuple(Search(*each) for each in searches), 20, 100_000, 120.0)
    return replace(facts(), measured=measured, exact_limit=10_000)


@pytest.mark.parametrize(
    ("searches", "proposed"),
    [
        ([(100, 0.80, 1.0), (200, 0.90, 2.0), (400, 0.99, 3.0), (800, 1.0, 6.0)], "400"),
        ([(100, 0.80, 1.0), (200, 0.90, 2.0), (400, 0.95, 3.0), (800, 0.95, 6.0)], "400"),
        ([(40, 0.99, 0.5), (100, 0.99, 1.0), (200, 1.0, 2.0)], "40"),
        ([(100, 0.99, 1.8), (200, 1.0, 2.0)], None),
        ([(100, 0.90, 1.0), (200, 0.99, 2.0), (400, 1.0, 3.0)], None),
        ([], None),
    ],
)
def test_ef_search_follows_what_was_measured(
    searches: list[tuple[int, float, float]], proposed: str | None
) -> None:
    found = [each for each in decide(searched(*searches)) if each.name == "pgrecall.ef_search"]
    assert [each.proposed for each in found] == ([] if proposed is None else [proposed])


def test_exact_limit_follows_what_was_measured() -> None:
    # 1.2 µs a vector: 16,000 in 20 ms.
    [found] = decide(replace(searched(), exact_limit=5000))
    assert (found.name, found.proposed) == ("pgrecall.exact_limit", "16000")
    assert decide(searched()) == []


def test_without_the_machine_only_the_rest_is_decided() -> None:
    blind = replace(
        facts(shared_buffers="16384", random_page_cost="4", effective_cache_size="1"),
        hardware=None,
    )
    assert one(blind).name == "random_page_cost"


def test_what_a_role_may_not_do_is_not_applied() -> None:
    hosted = replace(OWN, is_superuser=False, provider="Supabase")
    found = decide(replace(searched((200, 0.9, 1), (400, 1.0, 2)), server=hosted))
    assert [(each.name, each.can_apply) for each in found] == [("pgrecall.ef_search", False)]
    found = decide(replace(facts(random_page_cost="4", shared_buffers="16384"), server=hosted))
    assert [(each.name, each.can_apply) for each in found] == [
        ("shared_buffers", False),
        ("random_page_cost", True),
    ]
    assert provider_command(found[0], "Supabase").endswith("--config shared_buffers=2GB")


@given(
    st.integers(2**27, 2**42),
    st.integers(1, 256),
    st.integers(2**23, 2**44),
    st.integers(0, 2**40),
    st.integers(10, 2000),
)
def test_no_proposal_takes_more_than_there_is(
    memory: int, cores: int, database: int, index: int, connections: int
) -> None:
    busy = replace(QUIET, database_bytes=database, largest_vector_index=index, temp_files=10**6)
    found = replace(
        facts(busy, max_connections=str(connections), shared_buffers="16", work_mem="64"),
        hardware=Hardware(memory, cores, "drawn"),
    )
    proposed = {each.name: each.proposed for each in decide(found)}
    for name in ("shared_buffers", "effective_cache_size", "maintenance_work_mem"):
        if name in proposed:
            assert parse_unit(proposed[name]) <= max(memory, 256 * MB)


def parse_unit(text: str) -> int:
    units = {"kB": 2**10, "MB": MB, "GB": GB}
    return int(text[:-2]) * units[text[-2:]]


@given(st.integers(1, 2**40))
def test_sizes_are_read_back(kilobytes: int) -> None:
    assert parse_unit(size(kilobytes * 1024)) == kilobytes * 1024


@pytest.mark.parametrize("text", ["8", "8 apples", "1MB", "-8GB", ""])
def test_a_strange_amount_of_memory_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_size(text)


def test_amounts_of_memory() -> None:
    assert parse_size("8GB") == parse_size("8 gb") == 8 * GB
    assert parse_size("1.5GB") == 1536 * MB
    assert this_machine().memory > 2**27
    assert this_machine().cores >= 1
