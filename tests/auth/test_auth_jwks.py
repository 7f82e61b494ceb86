"""Published keys: rotation, outages and issuers that misbehave."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pgrecall.auth import Verifier
from pgrecall.auth.fetch import MAX_BYTES, fetch
from pgrecall.auth.freshness import FRESH_FOR, PAUSE, PAUSE_WITHOUT_KEYS, SERVES_FOR
from pgrecall.auth.keys import KeyName
from pgrecall.auth.remote_keys import RemoteKeys
from pgrecall.errors import AuthenticationError
from tests.auth.issuer import PATH, Issuer, issuing
from tests.auth.signing import EC, ISSUER, LEGACY, RSA, ec_key, payload, refusal

FIRST, SECOND = KeyName("RS256", "rsa-1"), KeyName("ES256", "ec-1")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing(RSA) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> RemoteKeys:
    return RemoteKeys(issuer.jwks_url, clock)


def reason(keys: RemoteKeys, name: KeyName) -> str:
    with pytest.raises(AuthenticationError) as caught:
        keys.get(name)
    return caught.value.reason


def test_keys_are_fetched_once(issuer: Issuer) -> None:
    issuer.publish(RSA, EC)
    verifier = Verifier.for_supabase(issuer.url)
    for key in (RSA, EC, RSA):
        assert verifier.verify(key.sign(payload(iss=verifier.issuer)))
    refusal(verifier, EC.sign(payload()))
    assert issuer.paths == [PATH]
    assert issuer.agents == ["pgrecall"]


def test_nothing_is_fetched_for_what_can_not_be_a_token(issuer: Issuer) -> None:
    verifier = Verifier.for_supabase(issuer.url, legacy_secret=LEGACY.private.decode())
    for token in ("", "a.b.c", EC.sign(payload(), alg="none"), EC.sign(payload(), kid=None)):
        refusal(verifier, token)
    assert verifier.verify(LEGACY.sign(payload(iss=verifier.issuer)))
    assert issuer.paths == []


def test_rotation(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    keys.get(FIRST)
    issuer.publish(RSA, EC)
    assert "no key with the token's kid" in reason(keys, SECOND)
    clock.now += PAUSE
    keys.get(SECOND)
    issuer.publish(EC)
    keys.get(FIRST)
    clock.now += FRESH_FOR
    keys.get(SECOND)
    assert "no key with the token's kid" in reason(keys, FIRST)
    assert len(issuer.paths) == 3


def test_unknown_names_do_not_set_the_pace(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    keys.get(FIRST)
    for attempt in range(60):
        reason(keys, KeyName("RS256", f"guess-{attempt}"))
        reason(keys, KeyName("ES256", "rsa-1"))
        clock.now += 1
    assert len(issuer.paths) == 2


def test_an_outage(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    keys.get(FIRST)
    began, issuer.status = clock.now, 503
    clock.now += FRESH_FOR
    for _ in range(5):
        keys.get(FIRST)
    assert len(issuer.paths) == 2
    clock.now += PAUSE
    keys.get(FIRST)
    assert len(issuer.paths) == 3
    clock.now = began + SERVES_FOR
    assert reason(keys, FIRST) == "the issuer's keys could not be fetched"
    issuer.status = 200
    assert reason(keys, FIRST) == "the issuer's keys could not be fetched"
    clock.now += PAUSE_WITHOUT_KEYS
    keys.get(FIRST)


def test_an_outage_at_the_start(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    issuer.status = 500
    for _ in range(5):
        assert reason(keys, FIRST) == "the issuer's keys could not be fetched"
    assert len(issuer.paths) == 1
    issuer.status = 200
    clock.now += PAUSE_WITHOUT_KEYS
    keys.get(FIRST)


def test_nobody_listens(clock: Clock) -> None:
    with issuing(RSA) as gone:
        address = gone.jwks_url
    assert reason(RemoteKeys(address, clock), FIRST) == "the issuer's keys could not be fetched"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"keys": null}',
        b'{"keys": {}}',
        b'{"keys": [], "keys": []}',
        b"[" * 100_000,
        b"\xff" * 100,
        b'{"keys": [' + b"9" * 5000 + b"]}",
    ],
)
def test_garbage_changes_nothing(
    body: bytes, issuer: Issuer, clock: Clock, keys: RemoteKeys
) -> None:
    honest = issuer.body
    issuer.body = body
    assert reason(keys, FIRST) == "the issuer's keys could not be fetched"
    clock.now += PAUSE_WITHOUT_KEYS
    issuer.body = honest
    keys.get(FIRST)
    issuer.body = body
    clock.now += FRESH_FOR
    keys.get(FIRST)


@pytest.mark.parametrize("status", [203, 204, 206, 301, 302, 303, 307, 308, 401, 404, 500])
def test_another_status_is_an_outage(status: int, issuer: Issuer, keys: RemoteKeys) -> None:
    with issuing(RSA) as elsewhere:
        issuer.status, issuer.headers = status, {"Location": elsewhere.jwks_url}
        assert reason(keys, FIRST) == "the issuer's keys could not be fetched"
        assert elsewhere.paths == []


def test_a_redirect_to_a_file(issuer: Issuer, keys: RemoteKeys) -> None:
    issuer.status, issuer.headers = 302, {"Location": "file:///etc/passwd"}
    assert reason(keys, FIRST) == "the issuer's keys could not be fetched"


def test_a_huge_answer(issuer: Issuer, keys: RemoteKeys) -> None:
    issuer.body += b" " * (MAX_BYTES - len(issuer.body))
    assert len(fetch(issuer.jwks_url)) == MAX_BYTES
    issuer.body += b" "
    assert reason(keys, FIRST) == "the issuer's keys could not be fetched"


def test_a_slow_answer(issuer: Issuer) -> None:
    issuer.delay = 1.0
    with pytest.raises(OSError, match="timed out"):
        fetch(issuer.jwks_url, timeout=0.2)
    issuer.delay, issuer.pause_between_bytes = 0.0, 0.05
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="too long"):
        fetch(issuer.jwks_url, timeout=0.2)
    assert time.monotonic() - began < 1


def test_an_empty_set_says_so_in_the_log(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    issuer.publish()
    verifier = Verifier.for_supabase(issuer.url)
    with caplog.at_level(logging.INFO):
        assert "legacy secret" in refusal(verifier, EC.sign(payload(iss=verifier.issuer)))
        assert "a secret" in refusal(verifier, LEGACY.sign(payload(iss=verifier.issuer)))
    assert "legacy secret" in caplog.text
    assert len(issuer.paths) == 1


def test_a_set_with_keys_of_other_kinds(issuer: Issuer, clock: Clock) -> None:
    issuer.body = issuer.body.replace(b'{"keys": [', b'{"keys": [7, {"kty": "oct", "k": "eA"}, ')
    assert RemoteKeys(issuer.jwks_url, clock).get(FIRST)


def test_threads_share_one_request(issuer: Issuer) -> None:
    issuer.delay = 0.3
    verifier = Verifier(issuer=ISSUER, jwks_url=issuer.jwks_url)
    with ThreadPoolExecutor(12) as pool:
        tokens = [RSA.sign(payload(sub=f"user-{each}")) for each in range(12)]
        found = [claims.subject for claims in pool.map(verifier.verify, tokens)]
    assert found == [f"user-{each}" for each in range(12)]
    assert len(issuer.paths) == 1


def test_threads_share_one_failure(issuer: Issuer) -> None:
    issuer.delay, issuer.status = 0.3, 503
    verifier = Verifier(issuer=ISSUER, jwks_url=issuer.jwks_url)
    with ThreadPoolExecutor(12) as pool:
        token = RSA.sign(payload())
        list(pool.map(lambda _: refusal(verifier, token), range(12)))
    assert len(issuer.paths) == 1


def test_whoever_has_a_key_does_not_wait(issuer: Issuer, clock: Clock, keys: RemoteKeys) -> None:
    keys.get(FIRST)
    clock.now += FRESH_FOR
    issuer.delay = 0.5
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(keys.get, FIRST)
        while len(issuer.paths) == 1:
            time.sleep(0.01)
        began = time.monotonic()
        keys.get(FIRST)
        assert time.monotonic() - began < 0.3
        fetching.result()
    assert len(issuer.paths) == 2


def test_a_key_that_is_replaced_under_its_name(
    issuer: Issuer, clock: Clock, keys: RemoteKeys
) -> None:
    issuer.publish(EC)
    old = keys.get(SECOND)
    issuer.publish(ec_key("ec-1"))
    clock.now += FRESH_FOR
    assert keys.get(SECOND) is not old
