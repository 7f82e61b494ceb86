from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conversations import Turn
from benchmarks.locomo_data import parse_time
from benchmarks.peers.comparison import (
    SEARCH,
    SESSION,
    SINGLE,
    WHOLE,
    Block,
    Tally,
    as_json,
    blocks_of,
    median_ratio,
    message,
)
from benchmarks.peers.databases import url
from benchmarks.peers.report import FOUND, ratios
from benchmarks.peers.serving import Message, Session, key
from benchmarks.peers.side import FOLDER, PEERS, environment
from benchmarks.peers.venvs import is_current


class Echo:
    """A memory system that finds what was written, newest first."""

    def __init__(self, loses: int = 0) -> None:
        self.ids: list[str] = []
        self.loses = loses

    def prepare(self, scope: str) -> None:
        """Nothing to do."""

    def write(self, scope: str, messages: list[Message]) -> list[str]:
        ids = [f"{scope} {len(self.ids) + number}" for number in range(len(messages))]
        self.ids += ids
        return ids[self.loses :]

    def search(self, scope: str, query: str, limit: int) -> list[str]:
        return self.ids[::-1][:limit]

    def close(self) -> None:
        """Nothing to do."""


def a_message(turn: str) -> Message:
    return {"turn": turn, "content": turn}


def test_what_a_peer_finds_comes_back_as_turns() -> None:
    session = Session(Echo())
    wrote = session.answer({"do": "write", "scope": "s", "messages": [a_message("D1:1")]})
    each = session.answer(
        {"do": "write_each", "scope": "s", "messages": [a_message("D1:2"), a_message("D1:3")]}
    )
    found = session.answer({"do": "search", "scope": "s", "query": "tea", "limit": 2})
    assert (len(wrote["seconds"]), len(each["seconds"])) == (1, 2)
    assert found["turns"] == ["D1:3", "D1:2"]


def test_a_message_that_a_peer_loses_ends_the_measurement() -> None:
    with pytest.raises(RuntimeError, match="2 messages were written, 1 ids came back"):
        Session(Echo(loses=1)).write("s", [a_message("D1:1"), a_message("D1:2")])


def test_a_text_has_one_key_however_it_is_trimmed() -> None:
    assert key(" tea\n") == key("tea") != key("coffee")


def test_ratios_are_medians_over_the_pairs_of_a_turn() -> None:
    ours = [Block(10, 1.0), Block(10, 1.0), Block(10, 5.0)]
    theirs = [Block(10, 2.0), Block(10, 4.0), Block(10, 5.0)]
    assert median_ratio(ours, theirs) == 2.0


def test_a_tally_gives_rates_times_and_shares() -> None:
    tally = Tally()
    for name, seconds in (("pgrecall", 1.0), ("mem0", 10.0)):
        for work in (SINGLE, SESSION, WHOLE):
            tally.blocks[work][name] = [Block(20, seconds)]
        tally.blocks[SEARCH][name] = [Block(1, seconds / 100)]
    tally.recalls["pgrecall"], tally.recalls["mem0"] = [1.0, 0.5], [0.5]
    assert tally.rate(SINGLE, "pgrecall") == 20
    assert tally.times("mem0").p50 == pytest.approx(100)
    beside = ratios(tally, "mem0")
    assert beside[WHOLE] == pytest.approx(10)
    assert beside[FOUND] == pytest.approx(1.5)
    assert as_json(tally, "pgrecall", ["mem0"])["recall_at_10"] == {"pgrecall": 0.75, "mem0": 0.5}


def test_blocks_are_of_one_size() -> None:
    messages = [{"turn": str(number)} for number in range(7)]
    assert [len(block) for block in blocks_of(messages, 3)] == [3, 3]


def test_a_turn_as_a_message() -> None:
    turn = Turn("D1:1", "session_1", "Ann: Hi", parse_time("1:56 pm on 8 May, 2023"))
    assert message(turn) == {
        "turn": "D1:1",
        "session": "session_1",
        "role": "user",
        "content": "Ann: Hi",
        "said_at": "2023-05-08T13:56:00+00:00",
    }


def test_a_connection_string_as_a_url_with_another_database() -> None:
    socket = url("host='/tmp/a b' port=5432 user=postgres dbname=pgrecall", "peers_mem0")
    assert socket == "postgresql://postgres@/peers_mem0?host=%2Ftmp%2Fa+b&port=5432"
    assert url("postgresql://me:p%40ss@db.example.org/x", "y").startswith(
        "postgresql://me:p%40ss@/y?host=db.example.org"
    )


def test_a_peer_sees_no_keys_and_sends_no_telemetry(tmp_path: Path) -> None:
    seen = environment({"OPENAI_API_KEY": "secret", "PATH": "/bin", "https_proxy": "p"}, tmp_path)
    assert "OPENAI_API_KEY" not in seen
    assert "https_proxy" not in seen
    assert (seen["PATH"], seen["MEM0_TELEMETRY"]) == ("/bin", "false")


def test_an_environment_is_made_anew_when_requirements_change(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("mem0ai>=2\n")
    assert not is_current(tmp_path, requirements)
    (tmp_path / "installed.txt").write_text("mem0ai>=2\n")
    assert is_current(tmp_path, requirements)


@pytest.mark.parametrize("peer", PEERS)
def test_every_peer_has_an_adapter_and_ranges_of_versions(peer: str) -> None:
    assert (FOLDER / peer / "adapter.py").exists()
    lines = (FOLDER / peer / "requirements.txt").read_text().splitlines()
    assert all(">=" in line and "<" in line for line in lines)
