"""Verifiers that are not made, because they would not be safe."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from pgrecall import Settings, auth
from pgrecall.auth import Verifier
from pgrecall.auth.configuration import _configured
from pgrecall.auth.keys import usable_keys
from pgrecall.errors import ConfigurationError
from tests.auth.issuer import issuing
from tests.auth.signing import (
    EC,
    ED,
    ISSUER,
    LEGACY,
    RSA,
    SECRET,
    document,
    ec_key,
    ed448_key,
    p384_key,
    payload,
    public_texts,
    refusal,
    rsa_key,
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment without settings, and the process's verifier forgotten."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("SUPABASE_", "NEXT_PUBLIC_")):
            monkeypatch.delenv(name)
    _configured.cache_clear()
    yield monkeypatch
    _configured.cache_clear()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "x" * 31,
        "é" * 15,
        *(text.decode("latin-1") for text in public_texts() if text.isascii()),
        "sb_secret_0123456789012345678901234567890123456789",
        "sb_publishable_0123456789012345678901234567890123456789",
        LEGACY.sign(payload(role="anon")),
        "\ud800" * 40,
        b"x" * 40,
        7,
    ],
)
def test_a_secret_that_is_none(secret: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Verifier(issuer=ISSUER, secret=secret)
    assert not secret or str(secret)[:12] not in str(caught.value)
    with pytest.raises(ConfigurationError):
        Verifier.for_supabase("https://x.supabase.co", legacy_secret=secret)


def test_a_secret_of_32_bytes_does_not_show() -> None:
    verifier = Verifier(issuer=ISSUER, secret="é" * 16)
    assert "é" not in repr(verifier)
    assert Verifier(issuer=ISSUER, secret="eyJ" + "x" * 30)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"issuer": "", "secret": SECRET},
        {"issuer": None, "secret": SECRET},
        {"audience": "", "secret": SECRET},
        {"audience": ["authenticated"], "secret": SECRET},
        {"keys": document(EC), "jwks_url": "https://x/jwks.json"},
        {"keys": {}},
        {"keys": []},
        {"keys": {"keys": []}},
        {"keys": {"keys": "x"}},
        {"keys": {"keys": [7]}},
        {"keys": document(EC, ec_key())},
    ],
)
def test_arguments_that_make_no_verifier(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Verifier(**{"issuer": ISSUER, **arguments})


def unusable_keys() -> list[dict[str, object]]:
    algorithm = jwt.get_algorithm_by_name("ES256")
    private = algorithm.to_jwk(EC.private, as_dict=True)
    return [
        {},
        {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "s", "alg": "HS256"},
        EC.jwk(kid=""),
        EC.jwk(kid=7),
        {k: v for k, v in EC.jwk().items() if k != "kid"},
        EC.jwk(use="enc"),
        EC.jwk(key_ops=["sign"]),
        EC.jwk(key_ops=7),
        EC.jwk(alg="RS256"),
        EC.jwk(alg="HS256"),
        EC.jwk(alg=["ES256"]),
        EC.jwk(crv="P-384"),
        EC.jwk(crv=["P-256"]),
        EC.jwk(kty="RSA"),
        EC.jwk(kty=None),
        EC.jwk(kty={}),
        EC.jwk(x=EC.jwk()["y"]),
        EC.jwk(x=7),
        EC.jwk(x="!"),
        EC.jwk(**private),
        RSA.jwk(alg="RS512"),
        RSA.jwk(alg="PS256"),
        RSA.jwk(n="AQAB"),
        RSA.jwk(e="AA"),
        RSA.jwk(n=None),
        rsa_key(bits=1024).jwk(),
        ED.jwk(x="AAAA"),
        p384_key().jwk(),
        p384_key().jwk(alg="ES256"),
        ed448_key().jwk(),
    ]


@pytest.mark.parametrize("jwk", unusable_keys())
def test_a_key_that_is_not_usable(jwk: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Verifier(issuer=ISSUER, keys={"keys": [jwk]})
    assert list(usable_keys({"keys": [jwk, EC.jwk()]})) == [("ES256", "ec-1")]


def test_a_key_without_the_optional_members() -> None:
    jwk = {k: v for k, v in EC.jwk().items() if k not in ("alg", "use")}
    supabases = EC.jwk(key_ops=["verify"], ext=True)
    for each in (jwk, supabases):
        assert Verifier(issuer=ISSUER, keys={"keys": [each]}).verify(EC.sign(payload()))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x.supabase.co",
        "http://x.supabase.co",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "ftp://x.supabase.co",
        "file:///etc/passwd",
        "https://",
        "https://user:hunter2@x.supabase.co",
        "https://x.supabase.co?a=hunter2",
        "https://x.supabase.co#a",
        "https://x.supa base.co",
        "https://x.supabase.co\n",
        "https://x.supabase.co:port",
        "https://[::1",
        "https://é.example",
        None,
        7,
    ],
)
def test_an_address_that_is_not_safe(address: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Verifier.for_supabase(address)
    assert "hunter2" not in str(caught.value)
    if address is not None:
        with pytest.raises(ConfigurationError):
            Verifier(issuer=ISSUER, jwks_url=address)


@pytest.mark.parametrize(
    "address",
    ["https://x.supabase.co", "https://x.supabase.co/", "http://localhost:54321", "http://[::1]:1"],
)
def test_a_supabase_project(address: str) -> None:
    verifier = Verifier.for_supabase(address)
    assert verifier.issuer == address.rstrip("/") + "/auth/v1"
    assert verifier.jwks_url == verifier.issuer + "/.well-known/jwks.json"
    assert verifier.audience == "authenticated"


async def test_the_settings(settings: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="NEXT_PUBLIC_SUPABASE_URL"):
        auth.verify("token")
    with issuing(EC) as issuer:
        settings.setenv("NEXT_PUBLIC_SUPABASE_URL", issuer.url)
        settings.setenv("SUPABASE_JWT_SECRET", SECRET)
        assert SECRET not in repr(Settings())
        issued = payload(iss=f"{issuer.url}/auth/v1")
        for key in (EC, LEGACY):
            assert auth.verify(key.sign(issued)).subject == issued["sub"]
            assert (await auth.verify_async(key.sign(issued))).subject == issued["sub"]
        refusal(auth.configured_verifier(), EC.sign(payload()))
        assert len(issuer.paths) == 1
        assert SECRET not in repr(auth.configured_verifier())


def test_a_short_secret_in_the_settings(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("NEXT_PUBLIC_SUPABASE_URL", "https://x.supabase.co")
    settings.setenv("SUPABASE_JWT_SECRET", "short")
    with pytest.raises(ConfigurationError, match="less than 32 bytes"):
        auth.verify("token")
