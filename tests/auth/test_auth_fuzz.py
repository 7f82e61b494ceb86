"""Whatever is sent: one kind of error, or claims whose signature holds."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import jwt
from hypothesis import given, settings
from hypothesis import strategies as st

from pgrecall.auth import Claims
from pgrecall.auth.keys import usable_keys
from pgrecall.errors import AuthenticationError
from tests.auth.signing import EC, ED, KEYS, ORGANIZATION, SECRET, SigningKey, payload, pinned

VERIFIER = pinned()
QUICK = settings(max_examples=100)

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["authenticated", "service_role", "agent:x", ORGANIZATION, "ec-1", "HS256", "none"]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*payload(), "nbf", "organization_id", "org_id"]) | st.text(max_size=4)
HEADERS = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jku", "jwk", "x5c", "zip", "cty"])


def outcome(token: Any) -> Claims | None:
    try:
        return VERIFIER.verify(token)
    except AuthenticationError:
        return None


def assert_signed(token: str, claims: Claims) -> None:
    """By PyJWT alone, with the one key of the algorithm."""
    algorithm = jwt.get_unverified_header(token)["alg"]
    key = next(each for each in KEYS if each.algorithm == algorithm)
    public = SECRET if algorithm == "HS256" else key.private.public_key()
    told = jwt.decode(token, public, [algorithm], audience="authenticated")
    assert told == dict(claims)
    assert (told["role"], told["sub"]) == ("authenticated", claims.subject)
    assert not claims.subject.startswith("agent:")


@QUICK
@given(st.one_of(st.text(), st.binary(), st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*"), JSON))
def test_noise(token: Any) -> None:
    assert outcome(token) is None


@QUICK
@given(st.sampled_from(KEYS), st.dictionaries(NAMES, JSON | st.just(...), max_size=3))
def test_payloads(key: SigningKey, changes: dict[str, Any]) -> None:
    token = key.sign(payload(**changes))
    claims = outcome(token)
    if claims is not None:
        assert_signed(token, claims)


@QUICK
@given(st.sampled_from(KEYS), st.dictionaries(HEADERS, JSON, max_size=3))
def test_headers(key: SigningKey, changes: dict[str, Any]) -> None:
    token = key.sign(payload(), **changes)
    claims = outcome(token)
    if claims is not None:
        assert_signed(token, claims)


@QUICK
@given(st.sampled_from(KEYS), st.integers(0, 3000), st.characters() | st.sampled_from("._-Aa0="))
def test_one_other_character(key: SigningKey, place: int, character: str) -> None:
    token = key.sign(payload())
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    assert (outcome(changed) is not None) == (changed == token)


@QUICK
@given(st.sampled_from(KEYS), st.binary(max_size=200), st.binary(max_size=200))
def test_bytes_that_are_signed(key: SigningKey, header: bytes, body: bytes) -> None:
    assert outcome(key.sign_text(header, body)) is None
    assert outcome(key.sign(body)) is None


@QUICK
@given(st.dictionaries(st.sampled_from([*EC.jwk(), *ED.jwk(), "n", "e", "key_ops", "d"]), JSON))
def test_documents(changes: dict[str, Any]) -> None:
    keys = usable_keys({"keys": [EC.jwk(**changes), ED.jwk(**changes), changes]})
    for algorithm, _ in keys:
        assert algorithm in ("ES256", "EdDSA")


@QUICK
@given(JSON)
def test_documents_of_any_shape(document: Any) -> None:
    with suppress(ValueError):
        assert usable_keys(document) == {}
