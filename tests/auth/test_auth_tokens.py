"""Attacks on the token, its header and its signature."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import jwt
import pytest

from pgrecall.auth import Verifier
from tests.auth.signing import (
    EC,
    ED,
    ISSUER,
    KEYS,
    LEGACY,
    RSA,
    SECRET,
    SigningKey,
    document,
    ec_key,
    ed448_key,
    ed_key,
    encoded,
    p384_key,
    payload,
    pinned,
    public_texts,
    refusal,
    rsa_key,
)

VERIFIER = pinned()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_an_honest_token(key: SigningKey) -> None:
    told = payload()
    assert dict(VERIFIER.verify(key.sign(told))) == told


async def test_an_honest_token_in_a_thread() -> None:
    told = payload()
    assert (await VERIFIER.verify_async(EC.sign(told))).subject == told["sub"]


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS512", "RS512", "ES256K"])
def test_an_algorithm_that_is_not_allowed(name: str) -> None:
    unsigned = ".".join(EC.sign(payload(), alg=name).split(".")[:2])
    assert refusal(VERIFIER, EC.sign(payload(), alg=name)) == "the algorithm is not allowed"
    for signature in (".", "", ".e30", "." + encoded(b"\0" * 64)):
        refusal(VERIFIER, unsigned + signature)


@pytest.mark.parametrize("value", [None, 1, ["HS256"], {"HS256": 1}, True])
def test_an_algorithm_of_another_type(value: Any) -> None:
    header = json.dumps({"alg": value, "kid": EC.key_id}).encode()
    assert refusal(VERIFIER, EC.sign_text(header, payload())) == "the algorithm is not allowed"
    assert refusal(VERIFIER, EC.sign_text(b"{}", payload())) == "the algorithm is not allowed"


@pytest.mark.parametrize("secret", public_texts())
def test_a_public_key_is_no_secret(secret: bytes) -> None:
    """RS/HS confusion: HMAC keyed with what everybody may read."""
    forged = SigningKey("HS256", RSA.key_id, secret).sign(payload())
    for verifier in (VERIFIER, Verifier(issuer=ISSUER, keys=document(RSA))):
        refusal(verifier, forged)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
@pytest.mark.parametrize("other", ["HS256", "RS256", "ES256", "EdDSA"])
def test_a_key_has_one_algorithm(key: SigningKey, other: str) -> None:
    if other != key.algorithm:
        refusal(VERIFIER, key.sign(payload(), alg=other))


@pytest.mark.parametrize(
    "key", [rsa_key(), ec_key(), ed_key(), SigningKey("HS256", "x", b"another secret" * 3)]
)
def test_the_key_of_somebody_else(key: SigningKey) -> None:
    assert refusal(VERIFIER, key.sign(payload())) == "the signature does not hold"


@pytest.mark.parametrize("key", [p384_key(), ed448_key()], ids=["P-384", "Ed448"])
def test_a_key_of_the_right_name_and_another_type(key: SigningKey) -> None:
    refusal(VERIFIER, key.sign(payload()))
    refusal(VERIFIER, key.sign(payload(), alg="ES256"))
    refusal(VERIFIER, key.sign(payload(), alg="EdDSA"))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.algorithm)
def test_a_signature_that_is_not_the_tokens(key: SigningKey) -> None:
    head, body, signature = key.sign(payload()).split(".")
    _, other, _ = key.sign(payload(sub="victim")).split(".")
    raw = urlsafe_b64decode(signature + "==")
    zeros, cut, longer = b"\0" * len(raw), raw[:-1], raw + b"\0"
    for wrong in ("", "A", *map(encoded, (zeros, cut, longer, raw[::-1]))):
        refusal(VERIFIER, f"{head}.{body}.{wrong}")
    refusal(VERIFIER, f"{head}.{other}.{signature}")


def test_a_token_is_spelled_in_one_way() -> None:
    token = ED.sign(payload())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes leave four unused bits in the last character.
    alias = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    for wrong in (alias, token + "=", token + "\n", " " + token, token.replace(".", "..", 1)):
        refusal(VERIFIER, wrong)


@pytest.mark.parametrize(
    "key_id",
    [
        "../../../../dev/null",
        "/dev/null",
        "/etc/passwd",
        "x' union select 'key",
        "ec-1'--",
        "https://evil.example/key",
        "ec-1\x00",
        "ec-1\n",
        "",
        "\ud800",
        "k" * 200,
        "unknown",
        "EC-1",
        "rsa-1",
        None,
        0,
        ["ec-1"],
        {"kid": "ec-1"},
    ],
)
@pytest.mark.parametrize("keys", [document(EC), document(RSA, EC, ED)], ids=["one", "three"])
def test_a_kid_names_a_key_or_nothing(key_id: Any, keys: dict[str, object]) -> None:
    header = json.dumps({"alg": "ES256", "kid": key_id}).encode()
    refusal(Verifier(issuer=ISSUER, keys=keys), EC.sign_text(header, payload()))
    refusal(Verifier(issuer=ISSUER, keys=keys), EC.sign_text(b'{"alg":"ES256"}', payload()))


@pytest.mark.parametrize(
    "key_id", ["../../../../dev/null", "/dev/null", "' or 1=1", "http://x", "", 7, None]
)
def test_a_kid_beside_a_secret_looks_like_one(key_id: Any) -> None:
    header = json.dumps({"alg": "HS256", "kid": key_id}).encode()
    assert (
        refusal(VERIFIER, LEGACY.sign_text(header, payload())) == "the kid does not look like one"
    )


@pytest.mark.parametrize("key_id", [None, "hEJ9/4sJqXwXcGQn", "key-1", "0190a2c4-7b1e-7c3a"])
def test_a_kid_beside_a_secret_is_not_needed(key_id: str | None) -> None:
    assert VERIFIER.verify(LEGACY.sign(payload(), kid=key_id))


def test_keys_that_a_token_brings_along_are_not_looked_at() -> None:
    mine = ec_key("mine")
    brought: dict[str, object] = {
        "jwk": mine.jwk(),
        "jku": "http://127.0.0.1:1/jwks.json",
        "x5u": "http://127.0.0.1:1/cert.pem",
        "x5c": ["MIIB"],
        "x5t": "abc",
    }
    assert refusal(VERIFIER, mine.sign(payload(), **brought)).startswith("no pinned key")
    refusal(VERIFIER, mine.sign(payload(), **brought, kid="ec-1"))
    assert VERIFIER.verify(EC.sign(payload(), **brought))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": True},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"crit": "b64"},
    ],
)
def test_headers_that_change_the_meaning(header: dict[str, object]) -> None:
    assert refusal(VERIFIER, EC.sign(payload(), **header)) == "the header has crit or b64"


def test_a_detached_or_unencoded_payload() -> None:
    head, _, signature = EC.sign(payload()).split(".")
    refusal(VERIFIER, f"{head}..{signature}")
    told = json.dumps(payload())
    header = encoded(b'{"alg":"ES256","kid":"ec-1","b64":false,"crit":["b64"]}')
    signed = jwt.get_algorithm_by_name("ES256").sign(f"{header}.{told}".encode(), EC.private)
    refusal(VERIFIER, f"{header}.{told}.{encoded(signed)}")
    refusal(VERIFIER, f"{header}..{encoded(signed)}")


@pytest.mark.parametrize("kind", ["JWE", "", 1, ["JWT"], {}, "dpop+jwt"])
def test_a_token_of_another_type(kind: Any) -> None:
    refusal(VERIFIER, EC.sign(payload(), typ=kind))


@pytest.mark.parametrize("kind", [None, "jwt", "at+jwt"])
def test_a_token_of_this_type(kind: str | None) -> None:
    assert VERIFIER.verify(EC.sign(payload(), typ=kind))


@pytest.mark.parametrize(
    "token",
    [
        None,
        b"e30.e30.e30",
        7,
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "\x00",
        "\ud800.\udfff.\ud800",
        "e30.e30.\ud800",
        "é.é.é",
        "e30.e30.e30",
        "Bearer e30.e30.e30",
        "." * 16_384,
        "a" * 1_000_000,
        "e30." * 300_000,
    ],
)
def test_what_is_no_token(token: Any) -> None:
    refusal(VERIFIER, token)


def test_a_long_token() -> None:
    long = EC.sign(payload(user_metadata={"x": "x" * 1_000_000}))
    assert len(long) > 1_000_000
    assert refusal(VERIFIER, long) == "the token is too long"
    assert VERIFIER.verify(EC.sign(payload(user_metadata={"x": "x" * 11_000})))


@pytest.mark.parametrize("part", ["header", "payload"])
@pytest.mark.parametrize(
    "text",
    [b"[" * 10_000, b'{"a":' * 2_000, b'{"a":' * 40 + b"1" + b"}" * 40, b"[" * 33 + b"]" * 33],
)
def test_deep_nesting(part: str, text: bytes) -> None:
    if part == "header":
        refusal(
            VERIFIER, EC.sign_text(b'{"alg":"ES256","kid":"ec-1","x":' + text + b"}", payload())
        )
    else:
        inside = json.dumps(payload()).encode()[:-1] + b',"x":' + text + b"}"
        refusal(VERIFIER, EC.sign(inside))
        refusal(VERIFIER, EC.sign(text))


def test_the_secret_signs_nothing_that_a_verifier_without_it_takes() -> None:
    verifier = Verifier(issuer=ISSUER, keys=document(EC))
    assert refusal(verifier, LEGACY.sign(payload())).startswith("signed with a secret")
    alone = Verifier(issuer=ISSUER, secret=SECRET)
    assert refusal(alone, EC.sign(payload())).startswith("no pinned key")
