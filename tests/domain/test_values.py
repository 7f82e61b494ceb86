"""Times, scopes, changes, answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from pgrecall.domain.changes import changes
from pgrecall.domain.remembered import Remembered, RememberedItem
from pgrecall.domain.scope import scope
from pgrecall.domain.secrets import why_secret
from pgrecall.domain.times import moment
from pgrecall.errors import (
    ConflictError,
    InvalidInputError,
    InvalidScopeError,
    LimitExceededError,
    PermissionDeniedError,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01T12:00:00Z",
        " 2026-03-01 12:00 ",
        "2026-03-01T12:00:00.0+00:00",
        "2026-03-01T14:00:00.000000000+02:00",
        datetime(2026, 3, 1, 12),
        datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_times_are_read(written: Any) -> None:
    assert moment("at", written) == NOON


@pytest.mark.parametrize("written", ["", "noon", "2026-13-01", 7, NOON.date(), "infinity"])
def test_times_that_are_refused(written: Any) -> None:
    with pytest.raises(InvalidInputError, match="at must be"):
        moment("at", written)


def test_scopes() -> None:
    one, two = uuid4(), uuid4()
    assert scope(one, None, None, None) == {"ids": [str(one)]}
    assert scope([one, str(two)], "maria", "cook", "key") == {
        "ids": [str(one), str(two)],
        "user_id": "maria",
        "agent_id": "cook",
        "context_key": "key",
    }


@pytest.mark.parametrize("ids", [None, [], (), set()])
def test_an_empty_scope_is_refused(ids: Any) -> None:
    with pytest.raises(InvalidScopeError):
        scope(ids, None, None, None)


@pytest.mark.parametrize("ids", ["", "all", [None], ["x"], [7]])
def test_ids_that_are_none(ids: Any) -> None:
    with pytest.raises(InvalidInputError, match="no id of a memory"):
        scope(ids, "maria", None, None)


def test_changes() -> None:
    given = {"content": "Te\x00a.", "valid_to": None, "occurred_at": NOON, "importance": 1}
    assert changes(given) == {
        "content": "Tea.",
        "valid_to": None,
        "occurred_at": "2026-03-01T12:00:00+00:00",
        "importance": 1.0,
    }


@pytest.mark.parametrize(
    "given", [{}, {"id": 1}, {"content": None}, {"content": 7}, {"kind": "memo"}, {"kind": None}]
)
def test_changes_that_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        changes(given)


def test_answers() -> None:
    added = RememberedItem(1, UUID(int=1), "added", "added", None)
    rejected = RememberedItem(2, None, "rejected", "empty_content", "content is empty")
    both = Remembered((added, rejected))
    assert (both.ids, both.added, both.rejected) == ((UUID(int=1),), (added,), (rejected,))
    assert (both[0], both[-1], len(both), list(both)) == (added, rejected, 2, [added, rejected])
    assert Remembered((added,)).id == UUID(int=1)
    assert Remembered((rejected,)).status == "rejected"
    for value in (both, Remembered(()), Remembered((rejected,))):
        with pytest.raises(InvalidInputError):
            _ = value.id


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("id_taken", ConflictError),
        ("key_taken", ConflictError),
        ("contended", ConflictError),
        ("not_permitted", PermissionDeniedError),
        ("too_long", LimitExceededError),
        ("empty_content", InvalidInputError),
        ("a code of a later release", InvalidInputError),
    ],
)
def test_the_error_of_a_rejection_follows_from_its_code(code: str, kind: type[Exception]) -> None:
    error = RememberedItem(1, None, "rejected", code, "such words as may be").error()
    assert type(error) is kind
    assert error.message == "such words as may be"


SERVICE_TOKEN = "h.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.s"
ANON_TOKEN = "h.eyJyb2xlIjoiYW5vbiJ9.s"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEXT_PUBLIC_KEY", "sb_secret_abc"),
        ("NEXT_PUBLIC_KEY", SERVICE_TOKEN),
        ("NEXT_PUBLIC_KEY", " the-key "),
        ("NEXT_PUBLIC_DB", "postgresql://maria:hunter2@db/app"),
        ("NEXT_PUBLIC_SUPABASE_SERVICE_ROLE_KEY", "x"),
        ("NEXT_PUBLIC_DB", "host=db password=hunter2"),
        ("NEXT_PUBLIC_DB", "postgresql://db/app?user=maria&password=hunter2"),
        ("NEXT_PUBLIC_DATABASE_URL", "postgresql://db/app"),
        ("NEXT_PUBLIC_KEY", "sbp_0123456789abcdef"),
        ("NEXT_PUBLIC_KEY", "sk-proj-0123456789abcdef"),
    ],
)
def test_secrets_are_seen(name: str, value: str) -> None:
    assert why_secret(name, value, "the-key") is not None


@pytest.mark.parametrize(
    "value",
    [
        ANON_TOKEN,
        "https://x.supabase.co",
        "sb_publishable_abc",
        "a.b.c",
        "a.W10.c",
        "postgresql://db/app",
        "sk-SK",
        "  ",
        "h." + "W1tb" * 4000 + ".s",
        "https://x.app/?reset_password=1",
    ],
)
def test_what_may_be_public(value: str) -> None:
    assert why_secret("NEXT_PUBLIC_VALUE", value, "the-key") is None
