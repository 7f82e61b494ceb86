"""From what a caller gives to drafts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrecall.domain.draft import Draft, DraftDefaults, drafts, is_single
from pgrecall.domain.marks import CLOSING, OPENING
from pgrecall.errors import InvalidInputError, LimitExceededError


def fields(content: Any, **told: Any) -> dict[str, Any]:
    [draft] = drafts(content, DraftDefaults(**told))
    assert isinstance(draft, Draft)
    return dict(draft.fields)


def test_a_text_leaves_everything_to_the_database() -> None:
    assert fields("Tea.") == {"content": "Tea."}


def test_what_is_told_is_passed_on() -> None:
    told = fields(
        "Tea.",
        agent_id="cook",
        user_id="maria",
        context="one",
        kind="preference",
        slot="drink",
        metadata={"a": 1},
        importance=1,
        confidence=0,
        trust="tool",
        visibility="private",
        occurred_at=datetime(2026, 3, 1),
        expires_at="2026-03-01T12:00:00+02:00",
        idempotency_key="key",
    )
    assert told == {
        "content": "Tea.",
        "agent_id": "cook",
        "user_id": "maria",
        "context_key": "one",
        "kind": "preference",
        "slot": "drink",
        "metadata": {"a": 1},
        "importance": 1.0,
        "confidence": 0.0,
        "trust": "tool",
        "visibility": "private",
        "occurred_at": "2026-03-01T00:00:00+00:00",
        "expires_at": "2026-03-01T12:00:00+02:00",
        "idempotency_key": "key",
    }


@pytest.mark.parametrize(
    ("role", "trust"),
    [("user", "user"), ("assistant", "assistant"), ("tool", "tool"), ("system", "document")],
)
def test_the_role_says_how_far_to_trust(role: str, trust: str) -> None:
    message = {"role": role, "content": "Tea."}
    assert fields(message) == {
        "kind": "message",
        "trust": trust,
        "metadata": {"role": role},
        "content": "Tea.",
    }
    assert fields(message, trust="inference", kind="fact")["trust"] == "inference"


def test_a_message_has_a_speaker_and_a_time() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    message = {"role": "user", "content": "Tea.", "name": "Maria\x00", "created_at": at}
    told = fields(message, metadata={"role": "overruled", "n": 1}, occurred_at="2020-01-01")
    assert told["speaker"] == "Maria"
    assert told["occurred_at"] == "2026-03-01T12:00:00+00:00"
    assert told["metadata"] == {"role": "user", "n": 1}


def test_the_speaker_is_embedded_with_the_words() -> None:
    said = [
        {"role": "user", "content": "Tea.", "name": "Maria"},
        {"role": "user", "content": "Maria: Tea.", "name": "Maria"},
        {"role": "user", "content": "Tea."},
    ]
    made = drafts(said, DraftDefaults())
    texts = [draft.text_to_embed for draft in made if isinstance(draft, Draft)]
    assert texts == ["Maria: Tea.", "Maria: Tea.", "Tea."]


def test_idempotency_keys_of_a_list_are_numbered() -> None:
    made = drafts(("A.", "B."), DraftDefaults(idempotency_key="key"))
    assert [draft.fields["idempotency_key"] for draft in made] == ["key/1", "key/2"]
    assert drafts([], DraftDefaults(idempotency_key="key")) == []


def test_what_is_single() -> None:
    assert is_single("Tea.")
    assert is_single({"role": "user", "content": "Tea."})
    assert not is_single(["Tea."])


def test_recalled_blocks_are_left_out() -> None:
    block = f"{OPENING}\n- [memory {'7d3f0c1a' * 4}, 2026-03-01, fact from user] Tea.\n{CLOSING}"
    [draft] = drafts(f"Before\n{block}\nAfter", DraftDefaults())
    assert isinstance(draft, Draft)
    assert draft.fields["content"] == draft.text_to_embed == "Before\nAfter"
    # What has no words of its own goes to the database as it is, which refuses it.
    assert fields(block)["content"] == block
    mention = "What does <recalled-memories> mean? </recalled-memories>"
    assert fields(mention)["content"] == mention


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "content must be a text, a message or a list"),
        (b"Tea.", "not bytes"),
        (7, "not int"),
        ({"content": "Tea."}, "role must be one of user, assistant"),
        ({"role": "robot", "content": "Tea."}, "'robot'"),
        ({"role": ["user"], "content": "Tea."}, "role must be one of"),
        ({"role": "user"}, "content must be a text, not NoneType"),
        ({"role": "user", "content": ["Tea."]}, "content must be a text, not list"),
        ({"role": "user", "content": "Tea.", "tool_calls": []}, "unknown key 'tool_calls'"),
        ({"role": "user", "content": "Tea.", "name": 7}, "name must be a text"),
        ({"role": "user", "content": "Tea.", "created_at": 7}, "created_at must be a datetime"),
        ({"role": "user", "content": "Tea.", "created_at": "noon"}, "ISO 8601"),
    ],
)
def test_contents_that_are_refused(content: Any, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        drafts(content, DraftDefaults())


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (None, "invalid_item"),
        (["Tea."], "invalid_item"),
        ({"role": "robot", "content": "Tea."}, "invalid_field"),
        ({"role": "user", "content": 7}, "invalid_field"),
        ({"role": "user", "content": "Tea.", "tool_calls": []}, "unknown_field"),
        ({"role": "user", "content": "Tea.", "name": "x" * 256}, "too_long"),
        ({"role": "user", "content": "Tea.", "created_at": 7}, "invalid_time"),
        ({"role": "user", "content": "Tea.", "created_at": "noon"}, "invalid_time"),
    ],
)
def test_an_item_of_a_list_has_its_error_in_its_place(item: Any, code: str) -> None:
    first, wrong, last = drafts(["Tea.", item, "Milk."], DraftDefaults())
    assert isinstance(first, Draft)
    assert isinstance(wrong, InvalidInputError)
    assert isinstance(last, Draft)
    assert wrong.item_code == code


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"importance": float("nan")}, "importance must be a number from 0 to 1, not nan"),
        ({"importance": 1.01}, "importance"),
        ({"confidence": "high"}, "confidence must be a number"),
        ({"confidence": True}, "not bool"),
        ({"kind": "memo"}, "kind must be one of message, fact"),
        ({"trust": "god"}, "trust must be one of"),
        ({"visibility": "public"}, "visibility must be one of"),
        ({"user_id": 7}, "user_id must be a text"),
        ({"user_id": ""}, "user_id must have 1 to 255 characters"),
        ({"user_id": "x" * 256}, "it has 256"),
        ({"context": "x" * 501}, "context must have 1 to 500"),
        ({"slot": "a\x00"}, "NUL"),
        ({"slot": "a\ud800"}, "surrogates"),
        ({"metadata": ["a"]}, "metadata must be a mapping"),
        ({"metadata": {1: 2}}, "a key that is no text"),
        ({"metadata": {"a": {"b": float("inf")}}}, "metadata.a.b must be a finite number"),
        ({"metadata": {"a": [object()]}}, r"metadata.a\[0\] is no JSON: object"),
        ({"metadata": {"a": 10**301}}, "±1e300"),
        ({"metadata": {"a": "x" * 65_536}}, "more than 64 KiB"),
        ({"valid_to": "soon"}, "valid_to must be a time"),
        ({"idempotency_key": "x" * 256}, "idempotency_key"),
    ],
)
def test_arguments_that_are_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        drafts("Tea.", DraftDefaults(**told))


def nested(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels - 1):
        document = {"a": document}
    return document


def test_metadata_has_at_most_32_levels() -> None:
    assert fields("Tea.", metadata=nested(32))
    for too_deep in (nested(33), nested(5000), {"a": [[[]]] * 2} | {"b": nested(32)}):
        with pytest.raises(LimitExceededError, match="32 levels"):
            fields("Tea.", metadata=too_deep)


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_becomes_one_that_can_be_stored(text: str) -> None:
    content = fields(text)["content"]
    content.encode("utf-8")
    assert "\x00" not in content
    assert fields(content)["content"] == content
