"""The one request that verification makes."""

from __future__ import annotations

import time
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from pgrecall.auth.address import is_loopback

TIMEOUT = 5.0
MAX_BYTES = 256 * 1024


def fetch(address: str, timeout: float = TIMEOUT) -> bytes:
    """What an address that `checked_address` let pass answers.

    `timeout` seconds are for each wait, and after as many no more of a body is read. Raises OSError
    or http.client.HTTPException; a redirect and an answer above MAX_BYTES are errors too.
    """
    # Cloudflare, in front of Supabase, may refuse the name that urllib gives itself.
    headers = {"Accept": "application/json", "User-Agent": "pgrecall"}
    request = Request(address, headers=headers)  # noqa: S310 - the scheme is checked
    deadline = time.monotonic() + timeout
    try:
        with _opener(address).open(request, timeout=timeout) as response:
            if response.status != 200:
                raise OSError(f"status {response.status}")
            body = bytearray()
            while chunk := response.read1(MAX_BYTES):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise OSError("the answer is too long")
                if time.monotonic() > deadline:
                    raise TimeoutError("the answer takes too long")
            return bytes(body)
    except HTTPError as error:
        error.close()
        raise OSError(f"status {error.code}") from None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _opener(address: str) -> OpenerDirector:
    if is_loopback(urlsplit(address).hostname or ""):
        return build_opener(_NoRedirects, ProxyHandler({}))
    return build_opener(_NoRedirects)
