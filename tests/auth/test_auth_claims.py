"""Attacks on what a signed payload says."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from uuid import UUID

import pytest

from pgrecall.auth import Claims
from pgrecall.auth.claims import LEEWAY, checked_claims
from pgrecall.errors import AuthenticationError
from tests.auth.signing import EC, ISSUER, ORGANIZATION, payload, pinned, refusal

VERIFIER = pinned()
OTHER = "0190a2c4-7b1e-7c3a-9f10-2b8c5d6e7f81"
NOW = 1_800_000_000


def refused(**changes: object) -> str:
    return refusal(VERIFIER, EC.sign(payload(**changes)))


@pytest.mark.parametrize(
    "issuer",
    [..., None, "", ISSUER + "/", ISSUER.upper(), "https://evil.example/auth/v1", [ISSUER], 1],
)
def test_another_issuer(issuer: Any) -> None:
    assert refused(iss=issuer) == "the issuer is another"


@pytest.mark.parametrize(
    "audience",
    [
        ...,
        None,
        "",
        "anon",
        "Authenticated",
        [],
        ["anon"],
        ["authenticated", "evil"],
        ["authenticated", "authenticated"],
        [["authenticated"]],
        {"authenticated": 1},
        1,
        True,
    ],
)
def test_another_audience(audience: Any) -> None:
    assert refused(aud=audience) == "the audience is not ours alone"


def test_our_audience_alone() -> None:
    assert VERIFIER.verify(EC.sign(payload(aud=["authenticated"])))


@pytest.mark.parametrize(
    "role", [..., None, "", "service_role", "anon", "postgres", "AUTHENTICATED", ["authenticated"]]
)
def test_another_role(role: Any) -> None:
    assert refused(role=role) == "the role is not authenticated"


@pytest.mark.parametrize(
    "subject",
    [..., None, "", 7, True, ["maria"], {"id": "maria"}, "m" * 256, "agent:cook", "agent:"],
)
def test_a_subject_that_is_nobodys(subject: Any) -> None:
    assert refused(sub=subject).startswith("the subject is")


@pytest.mark.parametrize("subject", ["m", "m" * 255, "Agent:cook", "maría"])
def test_a_subject(subject: str) -> None:
    assert VERIFIER.verify(EC.sign(payload(sub=subject))).subject == subject


def test_anonymous_users_are_users() -> None:
    assert VERIFIER.verify(EC.sign(payload(is_anonymous=True, email="")))["is_anonymous"] is True


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [None, "2000000000", True, [1], {}, "", "Infinity"])
def test_a_time_that_is_no_number(name: str, value: Any) -> None:
    assert refused(**{name: value}) == f"{name} is not a number"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "9" * 5000])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_that_is_not_finite(name: str, number: str) -> None:
    text = json.dumps(payload(**{name: "here"})).replace('"here"', number)
    refusal(VERIFIER, EC.sign(text.encode()))


def times(**claims: object) -> dict[str, object]:
    return payload(**{"iat": NOW, "exp": NOW + 3600, **claims})


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": ...}, "exp is missing"),
        ({"exp": NOW}, "the token has expired"),
        ({"exp": NOW - 1}, "the token has expired"),
        ({"exp": 0}, "the token has expired"),
        ({"exp": -(10**4000)}, "the token has expired"),
        ({"exp": NOW + 86_401}, "the token lives for too long"),
        ({"exp": 10**12}, "the token lives for too long"),
        ({"exp": 10**4000}, "the token lives for too long"),
        ({"exp": 1e308}, "the token lives for too long"),
        ({"exp": NOW + 86_401, "iat": ...}, "the token lives for too long"),
        ({"exp": NOW + 10, "iat": NOW - 86_400}, "the token lives for too long"),
        ({"iat": -(10**4000)}, "the token lives for too long"),
        ({"iat": -1e308}, "the token lives for too long"),
        ({"iat": NOW + LEEWAY + 1}, "the token was issued in the future"),
        ({"iat": 10**4000, "exp": 10**4000 + 1}, "the token was issued in the future"),
        ({"nbf": NOW + LEEWAY + 1}, "the token is not valid yet"),
        ({"nbf": 10**4000}, "the token is not valid yet"),
    ],
)
def test_times(claims: dict[str, object], reason: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        checked_claims(times(**claims), ISSUER, "authenticated", NOW)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": NOW + 0.5},
        {"exp": NOW + 86_400},
        {"exp": NOW + 86_400, "iat": ...},
        {"iat": NOW + LEEWAY},
        {"nbf": NOW + LEEWAY},
        {"nbf": NOW - 10.5},
    ],
)
def test_times_that_will_do(claims: dict[str, object]) -> None:
    assert checked_claims(times(**claims), ISSUER, "authenticated", NOW)


def test_the_verifier_knows_what_time_it_is() -> None:
    now = int(time.time())
    assert refused(exp=now - 1, iat=now - 3600) == "the token has expired"
    assert refused(nbf=now + 60) == "the token is not valid yet"


NO_ORGANIZATIONS = [
    None,
    "",
    "acme",
    7,
    1.5,
    True,
    [ORGANIZATION],
    {"id": ORGANIZATION},
    ORGANIZATION.upper(),
    ORGANIZATION.replace("-", ""),
    "{" + ORGANIZATION + "}",
    " " + ORGANIZATION,
    ORGANIZATION + "\n",
    "urn:uuid:" + ORGANIZATION,
    "\u0660190a2c4-7b1e-7c3a-9f10-2b8c5d6e7f8",
]


@pytest.mark.parametrize("value", NO_ORGANIZATIONS)
def test_an_organization_of_another_shape(value: Any) -> None:
    reason = "the organization is not a UUID in lower case"
    assert refused(app_metadata={"organization_id": value}) == reason
    # It does not fall back to the next place either.
    assert refused(app_metadata={"organization_id": value}, org_id=OTHER) == reason
    for name in ("organization_id", "org_id"):
        assert refused(app_metadata={}, **{name: value}) == reason


@pytest.mark.parametrize("metadata", ["x", 1, True, [], ["organization_id"], [["organization_id"]]])
def test_app_metadata_of_another_shape(metadata: Any) -> None:
    assert refused(app_metadata=metadata) == "app_metadata is not an object"


@pytest.mark.parametrize(
    ("claims", "organization"),
    [
        ({"app_metadata": {"organization_id": OTHER}}, OTHER),
        ({"app_metadata": {"organization_id": OTHER}, "organization_id": ORGANIZATION}, OTHER),
        ({"app_metadata": {}, "organization_id": OTHER}, OTHER),
        ({"app_metadata": None, "organization_id": OTHER, "org_id": ORGANIZATION}, OTHER),
        ({"app_metadata": ..., "org_id": OTHER}, OTHER),
        ({"app_metadata": {"provider": "email"}}, None),
        ({"app_metadata": ...}, None),
        ({"app_metadata": {}, "user_metadata": {"organization_id": OTHER, "role": "x"}}, None),
        ({"app_metadata": {"app_metadata": {"organization_id": OTHER}}}, None),
    ],
)
def test_the_organization(claims: dict[str, object], organization: str | None) -> None:
    verified = VERIFIER.verify(EC.sign(payload(**claims)))
    assert verified.organization_id == (organization and UUID(organization))


@pytest.mark.parametrize("name", ["role", "sub", "aud", "exp", "app_metadata", "user_metadata"])
def test_a_claim_that_stands_twice(name: str) -> None:
    text = json.dumps(payload())[:-1]
    same = json.dumps(payload()[name])
    for value in (same, '"service_role"'):
        for spelling in (name, f"\\u{ord(name[0]):04x}{name[1:]}"):
            token = EC.sign(f'{text}, "{spelling}": {value}}}'.encode())
            assert refusal(VERIFIER, token) == "a JSON key stands twice"


def test_a_key_that_stands_twice_further_down() -> None:
    for twice in ('{"organization_id": 1, "organization_id": 2}', '[{"a": {"b": 1, "b": 1}}]'):
        text = json.dumps(payload(app_metadata="here")).replace('"here"', twice)
        assert refusal(VERIFIER, EC.sign(text.encode())) == "a JSON key stands twice"
    for name in ("alg", "kid"):
        header = f'{{"alg":"ES256","kid":"ec-1","{name}":"{EC.jwk()[name]}"}}'
        token = EC.sign_text(header.encode(), payload())
        assert refusal(VERIFIER, token) == "a JSON key stands twice"


@pytest.mark.parametrize("text", ["\x00", "\ud800", "\udfff", "a\ud83db"])
@pytest.mark.parametrize("name", ["sub", "email", "app_metadata"])
def test_text_that_the_database_does_not_take(name: str, text: str) -> None:
    assert "NUL or a lone surrogate" in refused(**{name: text})
    assert "NUL or a lone surrogate" in refused(**{name: {text: 1}})


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b"{",
        b"{}x",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"a":"\xed\xa0\x80"}',
    ]
    + ["{}".encode(coding) for coding in ("utf-16", "utf-32", "utf-16-le")],
)
def test_a_payload_that_is_no_object(text: bytes) -> None:
    refusal(VERIFIER, EC.sign(text))


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_payload_in_another_encoding(coding: str) -> None:
    assert refusal(VERIFIER, EC.sign(json.dumps(payload()).encode(coding))) == "malformed JSON"


def test_claims_can_not_be_changed() -> None:
    claims = VERIFIER.verify(EC.sign(payload()))
    metadata: Any = claims["app_metadata"]
    metadata["organization_id"] = OTHER
    assert claims["app_metadata"] == {"provider": "email", "organization_id": ORGANIZATION}
    with pytest.raises(TypeError):
        claims["sub"] = "victim"  # type: ignore[index]
    with pytest.raises(AttributeError):
        claims.organization_id = None  # type: ignore[misc]
    assert "maria@" not in f"{claims!r} {claims}"
    assert isinstance(claims, Claims)


def test_only_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    token = EC.sign(payload(role="service_role"))
    with caplog.at_level(logging.DEBUG):
        assert refusal(VERIFIER, token) == "the role is not authenticated"
    assert caplog.messages == ["token refused: the role is not authenticated"]
