"""What readers make of other systems' exports, and of what is none."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pgrecall.domain.transfer import import_draft
from pgrecall.errors import InvalidInputError
from pgrecall.ops.transfer.chat import Chat, read_chat
from pgrecall.ops.transfer.conversations import read_conversations
from pgrecall.ops.transfer.detection import detected_format
from pgrecall.ops.transfer.items import Item, Malformed, Skipped, SourcePart
from pgrecall.ops.transfer.langgraph import read_langgraph
from pgrecall.ops.transfer.mem0 import read_mem0
from pgrecall.ops.transfer.parquet import read_parquet
from pgrecall.ops.transfer.sources import SourceOptions, opened_source

THEN = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


def named(read: list[SourcePart], *names: str) -> list[tuple[Any, ...]]:
    """Some fields of the items; what is none, as its class and its position."""
    return [
        tuple(each.fields.get(name) for name in names)
        if isinstance(each, Item)
        else (type(each).__name__, each.position)
        for each in read
    ]


def checked(read: list[SourcePart]) -> list[SourcePart]:
    """The same; every item has to be one that an import takes."""
    for each in read:
        if isinstance(each, Item):
            import_draft(each.fields)
    return read


# Chat logs -----------------------------------------------------------------------------------


def chat(text: str | bytes, **options: Any) -> list[SourcePart]:
    told = {"context": "log", "began_at": BEGAN, "zone": UTC, **options}
    data = text.encode() if isinstance(text, str) else text
    return checked(list(read_chat(io.BytesIO(data), Chat(**told))))


@pytest.mark.parametrize(
    "line",
    [
        "[2024-05-06 07:08] Maria: Hi: you",
        "[2024-05-06T09:08:00+02:00] Maria: Hi: you",
        "2024-05-06T07:08:00Z <Maria> Hi: you",
        "2024-05-06 07:08 Maria: Hi: you",
        "[06.05.24, 07:08:00] Maria: Hi: you",
        "\u200e[06.05.2024, 7:08:00 AM] Maria: Hi: you",
        "06.05.24, 07:08 - Maria: Hi: you",
        "2024/05/06, 7:08\u202fa.m. - Maria: Hi: you",
    ],
)
def test_usual_lines(line: str) -> None:
    assert named(chat(line), "speaker", "content", "occurred_at") == [("Maria", "Hi: you", THEN)]


def test_afternoons_midnights_and_zones() -> None:
    log = "5/13/24, 12:01 AM - A: x\n5/13/24, 12:01 PM - A: y\n5/13/24, 1:01 PM - A: z"
    hours = [(0,), (12,), (13,)]
    assert [(at.hour,) for (at,) in named(chat(log), "occurred_at")] == hours
    [(at,)] = named(chat("2024-05-06 07:08 A: x", zone=timezone(timedelta(hours=2))), "occurred_at")
    assert at == THEN - timedelta(hours=2)


def test_lines_that_begin_no_message_belong_to_the_one_before() -> None:
    log = "lost\n[2024-05-06 07:08] Maria: one\n\nNote: two\n[2024-05-06 07:09] joined\n"
    assert named(chat(log), "content") == [
        ("Malformed", "line 1"),
        ("one\n\nNote: two",),
        ("Skipped", "line 5"),
    ]


def test_undated_messages_keep_their_order() -> None:
    read = chat("Maria: Hi.\nBot: Hello,\nhow are you?\n[21:45] Maria: Fine.\nMaria: \u200e")
    assert named(read, "speaker", "content", "trust") == [
        ("Maria", "Hi.", "user"),
        ("Bot", "Hello,\nhow are you?", "assistant"),
        ("Maria", "Fine.", "user"),
        ("Skipped", "line 5"),
    ]
    times = [at for (at,) in named(read[:3], "occurred_at")]
    assert times == [BEGAN + timedelta(microseconds=n) for n in (1, 2, 3)]


def test_named_assistants_replace_the_usual_names() -> None:
    read = chat("Hal: No.\nBot: Yes.", assistants=frozenset({"hal"}))
    assert named(read, "trust") == [("assistant",), ("user",)]


def test_the_whole_log_decides_on_the_order_of_its_dates() -> None:
    log = "1/2/24, 10:00 - A: x\n13/2/24, 10:00 - A: y"
    assert [(a.month, a.day) for (a,) in named(chat(log), "occurred_at")] == [(2, 1), (2, 13)]
    for ambiguous, why in (
        ("1/2/24, 10:00 - A: x", "can be read both ways"),
        ("1/13/24, 10:00 - A: x\n13/1/24, 10:00 - A: y", "contradict each other"),
    ):
        with pytest.raises(InvalidInputError, match=why):
            chat(ambiguous)
    read = chat("1/13/24, 10:00 - A: x\n1/2/24, 10:00 - A: y", order="dmy")
    assert named(read, "content") == [("Malformed", "line 1"), ("y",)]


def test_no_chat_and_too_long_messages() -> None:
    with pytest.raises(InvalidInputError, match="no line of the chat log begins a message"):
        chat("just\nwords")
    read = chat("A: " + "x\n" * 600_000 + "B: y")
    assert named(read, "content") == [("Malformed", "line 1"), ("y",)]
    assert named(chat(b"A: x\n\xff\nB: y"), "content") == [
        ("Malformed", "line 2"), ("x",), ("y",),
    ]  # fmt: skip


def test_ids_are_the_same_whenever_a_log_is_read_again() -> None:
    log = "[2024-05-06 07:08] Maria: one\n[2024-05-06 07:08] Maria: one\n"
    first, longer = chat(log), chat(log + "[2024-05-06 07:09] Maria: two", began_at=THEN)
    ids = [each for (each,) in named(longer, "id")]
    assert len(set(ids)) == 3
    assert [each for (each,) in named(first, "id")] == ids[:2]
    assert max(ids[:2]) < ids[2]


def test_messages_of_one_minute_keep_their_order() -> None:
    log = "".join(f"2024-05-06 07:08 Maria: {n}\n" for n in "abc") + "2024-05-06 07:09 Maria: d"
    times = [at for (at,) in named(chat(log), "occurred_at")]
    minute, microsecond = timedelta(minutes=1), timedelta(microseconds=1)
    assert times == [THEN, THEN + microsecond, THEN + 2 * microsecond, THEN + minute]


# Conversations -------------------------------------------------------------------------------


def node(parent: str | None, role: str, content: Any, at: float | None = None, **more: Any) -> Any:
    if isinstance(content, str):
        content = {"content_type": "text", "parts": [content]}
    message = {"id": f"m-{parent}", "author": {"role": role}, "content": content, **more}
    return {"parent": parent, "message": {**message, "create_time": at}}


def openai(**mapping: Any) -> dict[str, Any]:
    return {
        "title": "Tea", "create_time": 1714979280.0, "conversation_id": "c-1",
        "mapping": {"root": {"parent": None, "message": None}, **mapping},
    }  # fmt: skip


def conversations(source: str, *given: Any) -> list[SourcePart]:
    return checked(list(read_conversations(io.BytesIO(json.dumps(given).encode()), source)))


def test_openai_gives_the_branch_that_was_current() -> None:
    told = openai(
        a=node("root", "system", ""),
        b=node("a", "user", "Which tea?", 1714979281.5),
        old=node("b", "assistant", "None."),
        c=node("b", "assistant", {"content_type": "thoughts", "thoughts": []}),
        d=node("c", "assistant", {"content_type": "multimodal_text", "parts": [
            "Green.", {"asset_pointer": "x"}, {"content_type": "audio_transcription", "text": "!"},
        ]}),
        e=node("d", "tool", "found", author={"role": "tool", "name": "web"}),
        f=node("e", "user", "hidden", metadata={"is_visually_hidden_from_conversation": True}),
    ) | {"current_node": "f"}  # fmt: skip
    read = conversations("openai", told)
    assert named(read, "content", "trust", "speaker", "context_key") == [
        ("Skipped", "conversation 1, message 1"),
        ("Which tea?", "user", None, "c-1"),
        ("Skipped", "conversation 1, message 3"),
        ("Green.\n!", "assistant", None, "c-1"),
        ("found", "tool", "web", "c-1"),
        ("Skipped", "conversation 1, message 6"),
    ]
    [first, second, *_] = [each for each in read if isinstance(each, Item)]
    assert first.fields["occurred_at"] == THEN.replace(second=1, microsecond=500_000)
    # Without a time of its own: right after the one before.
    assert THEN < first.fields["occurred_at"] < second.fields["occurred_at"]  # type: ignore[operator]
    assert first.fields["metadata"] == {
        "role": "user", "source": "openai", "source_id": "m-a", "title": "Tea",
    }  # fmt: skip


def test_broken_conversations_keep_nothing_else_out() -> None:
    good = openai(a=node("root", "user", "Hi."))
    read = conversations(
        "openai",
        7,
        {"mapping": []},
        openai(a=node("b", "user", "x"), b=node("a", "user", "y")) | {"current_node": "a"},
        good | {"current_node": "nowhere"},
        good | {"conversation_id": None},
        openai(a={"parent": "root", "message": "x"}),
        openai(a=node("root", "user", "x", author={})),
        good,
    )
    assert named(read, "content") == [
        *[("Malformed", f"conversation {n}") for n in range(1, 6)],
        ("Malformed", "conversation 6, message 1"),
        ("Malformed", "conversation 7, message 1"),
        ("Hi.",),
    ]


def test_claude() -> None:
    told = {
        "uuid": "c-2", "name": "Tea", "chat_messages": [
            {"uuid": "1", "sender": "human", "text": "old", "created_at": THEN.isoformat(),
             "content": [{"type": "text", "text": "Which?"}, {"type": "thinking", "thinking": "x"}],
             "attachments": [{"file_name": "tea.txt"}], "files": [{"file_name": ""}, 7]},
            {"uuid": "2", "sender": "assistant", "text": "Green.", "content": []},
            {"uuid": "3", "sender": "human", "text": "", "content": None},
            {"uuid": "4", "sender": "nobody", "text": "x"},
            7,
        ],
    }  # fmt: skip
    read = conversations("claude", told, {"uuid": "c-3"}, {"chat_messages": []})
    assert named(read, "content", "trust", "occurred_at", "context_key") == [
        ("Which?", "user", THEN, "c-2"),
        ("Green.", "assistant", None, "c-2"),
        ("Skipped", "conversation 1, message 3"),
        ("Malformed", "conversation 1, message 4"),
        ("Malformed", "conversation 1, message 5"),
        ("Malformed", "conversation 2"),
        ("Malformed", "conversation 3"),
    ]
    [first, *_] = read
    assert isinstance(first, Item)
    assert first.fields["metadata"] == {
        "role": "user", "source": "claude", "source_id": "1", "title": "Tea", "files": ["tea.txt"],
    }  # fmt: skip


@pytest.mark.parametrize("at", [1714979280, 1714979280.0, "2024-05-06T07:08:00Z"])
def test_times_are_read_as_exports_have_them(at: Any) -> None:
    claude = {"uuid": "c", "chat_messages": [{"sender": "human", "text": "x", "created_at": at}]}
    for read in (
        conversations("openai", openai(a=node("root", "user", "x", at))),
        conversations("openai", openai(a=node("root", "user", "x")) | {"create_time": at}),
        conversations("claude", claude),
    ):
        [(read_at,)] = named(read, "occurred_at")
        assert THEN <= read_at <= THEN + timedelta(microseconds=1)


@pytest.mark.parametrize("at", [1714979280000, -1e18, True, "soon", []])
def test_what_is_no_time_is_refused(at: Any) -> None:
    read = conversations(
        "openai",
        openai(a=node("root", "user", "x", at), b=node("a", "user", "y")) | {"current_node": "b"},
        openai(a=node("root", "user", "x")) | {"create_time": at},
        openai(a=node("root", "user", "x")) | {"create_time": None},
    )
    assert named(read, "content") == [
        ("Malformed", "conversation 1, message 1"), ("y",), ("Malformed", "conversation 2"), ("x",),
    ]  # fmt: skip
    told = {"uuid": "c", "chat_messages": [{"sender": "human", "text": "x", "created_at": at}]}
    assert named(conversations("claude", told)) == [("Malformed", "conversation 1, message 1")]
    row = {"id": "1", "payload": {"data": "x", "created_at": at}}
    assert named(list(read_mem0([row]))) == [("Malformed", "row 1")]
    row = {"row": {**stored("x")["row"], "created_at": at}}
    assert named(list(read_langgraph([row], None))) == [("Malformed", "memories.maria/k")]


def test_nothing_is_said_after_the_last_of_all_times() -> None:
    told = openai(a=node("root", "user", "x"), b=node("a", "user", "y"))
    told["mapping"]["a"]["message"]["create_time"] = datetime.max.isoformat()
    read = conversations("openai", told | {"current_node": "b"})
    assert named(read, "content") == [("x",), ("Malformed", "conversation 1, message 2")]


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    data = json.dumps([openai(a=node("root", "user", text)) for text in ("x", "y")]).encode()
    read = list(read_conversations(io.BytesIO(data[:-40]), "openai"))
    assert named(read, "content") == [("x",), ("Malformed", "conversation 2")]
    assert named(list(read_conversations(io.BytesIO(b"{}"), "openai"))) == [
        ("Malformed", "conversation 1")
    ]


# Tables --------------------------------------------------------------------------------------


def test_mem0() -> None:
    rows = [
        {"id": "1", "payload": {
            "data": "Likes tea.", "user_id": "maria", "agent_id": "cook", "run_id": "r",
            "hash": "h", "created_at": "2024-05-06T00:08:00-07:00", "updated_at": "2024-05-07",
            "topic": "food", "expiration_date": "2030-01-31", "text_lemmatized": "like tea"}},
        {"id": "2", "payload": {"data": "Hi.", "role": "assistant", "actor_id": "Bot"}},
        {"id": "3", "payload": None},
        {"id": "4", "payload": {"data": None}},
        {"id": "5", "payload": {"data": "x", "expiration_date": "soon"}},
    ]  # fmt: skip
    read = checked(list(read_mem0(rows)))
    assert named(read, "content", "kind", "trust", "user_id", "agent_id", "context_key") == [
        ("Likes tea.", "fact", "inference", "maria", "cook", "r"),
        ("Hi.", "message", "assistant", None, None, None),
        *[("Malformed", f"row {n}") for n in (3, 4, 5)],
    ]
    first, second = read[:2]
    assert isinstance(first, Item) and isinstance(second, Item)
    assert first.fields["created_at"] == first.fields["occurred_at"] == THEN
    # mem0 shows it on that day still.
    assert first.fields["expires_at"] == datetime(2030, 2, 1, tzinfo=UTC)
    assert first.fields["metadata"] == {"topic": "food", "source": "mem0", "source_id": "1"}
    assert second.fields["speaker"] == "Bot"


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("9999-12-30", None),
        ("9999-12-31", None),
        ("9998-12-31", datetime(9999, 1, 1, tzinfo=UTC)),
        ("0001-01-01", datetime(1, 1, 2, tzinfo=UTC)),
    ],
)
def test_days_at_the_ends_of_the_calendar(day: str, end: datetime | None) -> None:
    payload = {"data": "x", "expiration_date": day, "created_at": f"{day}T23:59:59.999999-14:00"}
    [(expires_at, created_at)] = named(
        checked(list(read_mem0([{"id": "1", "payload": payload}]))), "expires_at", "created_at"
    )
    assert expires_at == end
    assert created_at.isoformat() == payload["created_at"]


def stored(value: Any, prefix: str = "memories.maria") -> dict[str, Any]:
    return {"row": {"prefix": prefix, "key": "k", "value": value, "created_at": THEN.isoformat()}}


def test_langgraph() -> None:
    rows = [
        stored({"kind": "Memory", "content": {"content": "Likes tea."}}),
        stored({"text": "Likes milk.", "score": 3}),
        stored({"type": "ai", "content": [{"type": "text", "text": "Hi."}], "name": "Bot"}),
        stored({"messages": [{"role": "user", "content": "A"}, {"type": "ai", "content": "B"}]}),
        stored({"likes": ["tea", 7]}),
        stored({"text": "x"}, "other"),
    ]
    read = checked(list(read_langgraph(rows, "memories.{user}")))
    assert named(read, "content", "kind", "trust", "user_id") == [
        ("Likes tea.", "fact", None, "maria"),
        ("Likes milk.", "fact", None, "maria"),
        ("Hi.", "message", "assistant", "maria"),
        ("A", "message", "user", "maria"),
        ("B", "message", "assistant", "maria"),
        ('{"likes": ["tea", 7]}', "fact", None, "maria"),
        ("Malformed", "other/k"),
    ]
    assert [m["score"] for (m,) in named(read[1:2], "metadata")] == [3]
    assert len({i for (i,) in named(read[3:5], "id")}) == 2
    assert named(list(read_langgraph(rows[:1], None)), "user_id", "created_at") == [(None, THEN)]
    with pytest.raises(InvalidInputError, match="names no part"):
        list(read_langgraph(rows, "memories.user"))


# Anything ------------------------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from([
            "mapping", "id", "conversation_id", "current_node", "parent", "message", "author",
            "role", "content", "parts", "text", "create_time", "chat_messages", "uuid", "sender",
            "created_at", "attachments", "messages", "type", "data", "a", "expiration_date",
        ]),
        inner,
        max_size=6,
    ),
    max_leaves=30,
)  # fmt: skip


@given(value=anything)
@settings(max_examples=300)
def test_no_document_breaks_a_reader(value: Any) -> None:
    text = json.dumps([value])
    for source in ("openai", "claude"):
        for read in read_conversations(io.BytesIO(text.encode()), source):
            assert read.position
    rows = [{"id": "1", "payload": value}]
    assert [each.position for each in read_mem0(rows)] == ["row 1"]
    for each in read_langgraph([stored(value)], None):
        assert each.position


@given(text=st.text(alphabet="Aa1:[]-/.,<> \n2024", max_size=200) | st.binary(max_size=100))
@example(text=b"x:\t\x00")
@example(text=b"\x00:\t\x00")
@settings(max_examples=300)
def test_no_text_breaks_the_reader_of_chats_and_none_of_it_is_lost(text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    try:
        read = chat(data)
    except InvalidInputError as error:
        assert error.hint
        return
    if not any(isinstance(each, (Malformed, Skipped)) for each in read):
        kept = " ".join(f"{said} {text}" for said, text in named(read, "speaker", "content"))
        assert kept.count("x") == data.decode().count("x")


@given(
    messages=st.lists(
        st.tuples(
            st.sampled_from(["Maria", "Bob", "Dr. No"]),
            st.text(alphabet="xyz \n", min_size=1).map(str.strip).filter(bool),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=100)
def test_a_written_log_comes_back(messages: list[tuple[str, str]]) -> None:
    lines = [
        f"[{THEN + timedelta(minutes=place):%d.%m.%y, %H:%M:%S}] {name}: {text}"
        for place, (name, text) in enumerate(messages)
    ]
    read = chat("\n".join(lines))
    assert named(read, "speaker", "content") == messages


# Parquet -------------------------------------------------------------------------------------


def parquet(content: pyarrow.Array, at: pyarrow.Array) -> list[SourcePart]:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"content": content, "occurred_at": at}), stream)
    return checked(list(read_parquet(stream)))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "-07:00"])
def test_parquet_has_times_of_many_kinds(unit: str, zone: str | None) -> None:
    times = pyarrow.array([THEN.replace(tzinfo=None), None], pyarrow.timestamp(unit))
    read = parquet(pyarrow.array(["x", "y"]), times.cast(pyarrow.timestamp(unit, zone)))
    assert named(read, "content", "occurred_at") == [("x", THEN), ("y", None)]


def test_parquet_has_parts_of_microseconds_and_days() -> None:
    then = int(THEN.timestamp()) * 10**9 + 1999
    read = parquet(pyarrow.array(["x"]), pyarrow.array([then], pyarrow.timestamp("ns")))
    assert named(read, "occurred_at") == [(THEN + timedelta(microseconds=1),)]
    for kind in (pyarrow.date32(), pyarrow.date64()):
        read = parquet(pyarrow.array(["x"]), pyarrow.array([THEN.date()], kind))
        assert named(read, "occurred_at") == [(THEN.replace(hour=0, minute=0),)]


@pytest.mark.parametrize(
    ("kind", "far"),
    [(pyarrow.timestamp("us"), 2**62), (pyarrow.timestamp("ms"), 2**62), (pyarrow.date32(), 2**30)],
)
def test_a_time_that_python_lacks_refuses_its_row_alone(kind: pyarrow.DataType, far: int) -> None:
    read = parquet(pyarrow.array(["x", "y"]), pyarrow.array([far, 0], kind))
    assert named(read, "content") == [("Malformed", "row 1"), ("y",)]
    read = parquet(pyarrow.array(["x"]), pyarrow.array([1], pyarrow.time64("ns")))
    assert named(read) == [("Malformed", "row 1")]


# Files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "head", "source"),
    [
        ("x", b'{"content": "x"}', "pgrecall"),
        ("x", b'\xef\xbb\xbf[{"title": "1", "mapping": {}}]', "openai"),
        ("x", b'[\n {"uuid": "1", "chat_messages": []}]', "claude"),
        ("x", b"[31.12.23, 21:45] Maria: x", "chat"),
        ("x.txt", b"Maria: x", "chat"),
        ("x", b'id,"content",kind\r\n1,x,fact\r\n', "csv"),
        ("x.csv", b"text\nx\n", "csv"),
        ("x", b"PAR1", "parquet"),
        ("x.jsonl", b"", "pgrecall"),
    ],
)
def test_guesses(file: str, head: bytes, source: str) -> None:
    assert detected_format(file, head) == source


def test_unknown_json_is_not_guessed() -> None:
    with pytest.raises(InvalidInputError, match="no export that pgrecall knows"):
        detected_format("x.json", b'[{"content": "x"}]')


def test_archives_as_they_are_downloaded(tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("user.json", "{}")
        for number in range(2):
            told = json.dumps([openai(a=node("root", "user", f"x{number}"))])
            archive.writestr(f"conversations-00{number}.json", told)
    with opened_source(str(file), "auto", SourceOptions()) as source:
        assert source.name == "export.zip, as openai"
        assert named(list(source.items), "content") == [("x0",), ("x1",)]
    file.write_bytes(file.read_bytes()[:-30])
    with (
        pytest.raises(InvalidInputError, match="no whole zip archive"),
        opened_source(str(file), "auto", SourceOptions()),
    ):
        pass
