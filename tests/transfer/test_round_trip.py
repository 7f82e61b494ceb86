"""What goes out comes in again: the same, once, wherever the import was interrupted."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgrecall import Memory
from pgrecall.domain.transfer import FIELDS
from pgrecall.errors import InvalidInputError, NoOrganizationError
from pgrecall.ops.transfer.columns import read_csv
from pgrecall.ops.transfer.export import export_to, format_of
from pgrecall.ops.transfer.import_ import import_items
from pgrecall.ops.transfer.items import SourceParts
from pgrecall.ops.transfer.json_lines import read_json_lines
from pgrecall.ops.transfer.parquet import read_parquet
from pgrecall.testing import HashingEmbedder
from tests.transfer.conftest import carried

OpenMemory = Callable[..., Memory]
READERS: dict[str, Callable[[Any], SourceParts]] = {
    "jsonl": read_json_lines,
    "csv": read_csv,
    "parquet": read_parquet,
}
AWKWARD = [
    'A "quoted", comma; and\r\nlines\n\nof\ttext ',
    "=SUM(A1:A9)",
    "Ünïcödé 日本語 🫖 \u2028 \ufeff end",
    "<b>\\n not a newline</b>",
    "''",
]


def fill(memory: Memory) -> None:
    """Memories of every shape that remember, update and forget can give them."""
    for text in AWKWARD:
        memory.remember(text, user_id="maria", metadata={"é": [1, 2.5, None, {"x": text}]})
    for year, diet in ((2020, "vegan"), (2022, "vegetarian"), (2021, "all"), (2023, "vegan")):
        memory.remember(
            diet, slot="user:maria/diet", user_id="maria", valid_from=datetime(year, 1, 1),
            kind="preference", importance=0.3, confidence=0.1, trust="inference",
        )  # fmt: skip
    said = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    memory.remember(
        [
            {"role": "user", "name": "Maria", "content": "Still there?", "created_at": said},
            {"role": "assistant", "content": "Yes.", "created_at": said + timedelta(seconds=1)},
        ],
        user_id="maria",
        context="ticket-1",
    )
    forgotten = memory.remember("Never mind.", context="ticket-2", visibility="organization")
    memory.forget(forgotten.id)
    memory.remember("Never mind.", context="ticket-2", visibility="organization")
    updated = memory.remember("Teh.", expires_at="2999-01-01", valid_to="2998-01-01")
    memory.update(updated.id, content="Tea.")


@pytest.mark.parametrize("file_format", READERS)
def test_another_organization_gets_equal_rows(
    opened: OpenMemory, tmp_path: Path, file_format: str
) -> None:
    there, here = opened(), opened()
    fill(there)
    file = tmp_path / f"memories.{file_format}"
    written = export_to(file, format_of(str(file), None), there.transfer.export())
    with file.open("rb") as stream:
        outcomes = list(import_items(READERS[file_format](stream), lambda _: here.transfer))
    assert Counter(each.status for each in outcomes).keys() <= {"added", "superseded"}
    assert written == len(outcomes) == len(carried(there))
    assert carried(here) == carried(there)
    found = there.recall("vegan tea", user_id="maria"), here.recall("vegan tea", user_id="maria")
    assert [hit.id for hit in found[0]] == [hit.id for hit in found[1]] != []
    # Once more, it is all there already.
    with file.open("rb") as stream:
        again = list(import_items(READERS[file_format](stream), lambda _: here.transfer))
    assert {each.status for each in again} == {"duplicate"}
    assert carried(here) == carried(there)


def test_an_import_embeds_what_is_new_and_nothing_else(opened: OpenMemory) -> None:
    class Counting(HashingEmbedder):
        texts = 0

        def embed(self, texts: Any) -> Any:
            Counting.texts += len(texts)
            return super().embed(texts)

    memory = opened(embedder=Counting())
    items = [{"content": f"memory {n}", "idempotency_key": str(n)} for n in range(5)]
    assert len(memory.transfer.store(items).added) == 5
    with psycopg.connect(memory._store.address.dsn or "") as connection:
        row = connection.execute("select agent_memory.has_vector()").fetchone()
    if row != (True,):
        pytest.skip("this server has no pgvector")
    assert Counting.texts == 5
    answers = memory.transfer.store([*items, {"content": "new"}, {"content": ""}])
    assert [each.status for each in answers] == ["duplicate"] * 5 + ["added", "rejected"]
    assert Counting.texts == 6
    [model] = memory.embeddings.status()
    assert (model.memories, model.vectors) == (6, 6)


def test_an_export_holds_one_moment(opened: OpenMemory) -> None:
    memory = opened()
    memory.remember([f"memory {n}" for n in range(1200)])
    records = memory.transfer.export()
    first = next(records)
    memory.forget([row["id"] for row in memory.transfer.export()])
    memory.remember("later")
    rows = [first, *records]
    assert len(rows) == 1200
    assert {row["forgotten_at"] for row in rows} == {None}


def test_an_export_has_documented_fields_and_filters(opened: OpenMemory) -> None:
    memory = opened()
    fill(memory)
    everything = list(memory.transfer.export())
    assert tuple(everything[0]) == FIELDS

    def contents(**filters: Any) -> list[str]:
        return [row["content"] for row in memory.transfer.export(**filters)]

    assert contents(context="ticket-1") == ["Still there?", "Yes."]
    assert contents(kinds=["message"]) == ["Still there?", "Yes."]
    assert contents(kinds="preference", user_id="paul") == []
    assert contents(agent_id="other") == []
    assert contents(since="2024-05-06", until="2024-05-06T07:08:10Z") == ["Still there?"]
    [updated] = [r for r in memory.transfer.export(with_history=True) if r["content"] == "Tea."]
    [change] = updated["history"]
    assert change["change"] == "updated"
    assert change["before"]["content"] == "Teh."


def test_an_export_is_what_the_caller_may_see(opened: OpenMemory, transfer_dsn: str) -> None:
    from pgrecall.testing import add_member

    memory = opened()
    memory.remember("Maria's.", user_id="maria")
    memory.remember("Paul's.", user_id="paul")
    organization = memory._store.identity.organization_id
    add_member(transfer_dsn, organization, "maria", "member")
    claims = {"sub": "maria", "app_metadata": {"organization_id": str(organization)}}
    maria = opened(organization=organization, claims=claims)
    assert [row["content"] for row in maria.transfer.export()] == ["Maria's."]
    stranger = opened(organization=organization, claims={**claims, "sub": "eve"})
    with pytest.raises(NoOrganizationError):
        next(stranger.transfer.export())


def test_an_unfinished_export_leaves_no_file(tmp_path: Path) -> None:
    def breaking() -> Any:
        yield {"content": "x"}
        raise RuntimeError

    file = tmp_path / "memories.jsonl"
    with pytest.raises(RuntimeError):
        export_to(file, "jsonl", breaking())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidInputError, match="No such file"):
        export_to(tmp_path / "nowhere" / "memories.jsonl", "jsonl", [])


def test_broken_lines_keep_nothing_else_out(opened: OpenMemory) -> None:
    lines = [
        b'{"content": "First."}',
        b"",
        b'{"content": "no end',
        b'["a list"]',
        b'{"content": NaN}',
        b'{"content": "\xff"}',
        b"[" * 100_000,
        b'{"content": "x", "colour": "red"}',
        b'{"content": 7}',
        b'{"content": "Last.", "metadata": {"n": 1e999}}',
        b'{"content": "\\ud800 lone, \\u0000 nul"}',
    ]
    memory = opened()
    stream = io.BytesIO(b"\n".join(lines))
    outcomes = list(import_items(read_json_lines(stream), lambda _: memory.transfer))
    assert [(each.position, each.status) for each in outcomes if each.status != "rejected"] == [
        ("line 1", "added"), ("line 11", "added"),
    ]  # fmt: skip
    reasons = {each.position: each.reason or "" for each in outcomes}
    assert "no JSON" in reasons["line 3"]
    assert reasons["line 4"] == "no JSON object"
    assert "NaN is no JSON" in reasons["line 5"]
    assert "no UTF-8" in reasons["line 6"]
    assert "no JSON" in reasons["line 7"]
    assert "unknown field 'colour'" in reasons["line 8"]
    assert "content must be a text" in reasons["line 9"]
    assert "metadata.n must be a finite number" in reasons["line 10"]
    contents = [row["content"] for row in memory.transfer.export()]
    assert contents == ["First.", "\ufffd lone,  nul"]


texts = st.text(min_size=1).filter(str.strip)
records = st.lists(
    st.fixed_dictionaries(
        {"content": texts, "importance": st.floats(0, 1, width=32)},
        optional={
            "metadata": st.dictionaries(st.text(), st.none() | st.integers() | st.text()),
            "user_id": texts,
            "slot": texts,
        },
    )
)


@given(records=records)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("file_format", READERS)
def test_files_give_back_what_was_written(file_format: str, records: list[dict[str, Any]]) -> None:
    stream = io.BytesIO()
    export_to(stream, file_format, records)
    stream.seek(0)
    read = list(READERS[file_format](stream))
    fields = [{k: v for k, v in item.fields.items() if v is not None} for item in read]  # type: ignore[union-attr]
    assert fields == [json.loads(json.dumps(record)) for record in records]


@given(data=st.binary(max_size=400))
@settings(max_examples=200)
@pytest.mark.parametrize("file_format", READERS)
def test_readers_take_any_bytes(file_format: str, data: bytes) -> None:
    try:
        for item in READERS[file_format](io.BytesIO(data)):
            assert item.position
    except InvalidInputError as error:
        assert error.message
