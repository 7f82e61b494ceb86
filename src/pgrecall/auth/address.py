"""Addresses that keys are fetched from."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from pgrecall.errors import ConfigurationError


def checked_address(name: str, address: object) -> str:
    """An address as it is; https, or http on this machine, which Supabase's local stack uses.

    Raises ConfigurationError, which does not repeat the address, since it may hold a password.
    """
    if not isinstance(address, str) or not address.isascii() or not address.isprintable():
        raise ConfigurationError(f"{name} is not an address")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError(f"{name} is not an address") from None
    if not host or " " in address or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(f"{name} must be an address without user, query and fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigurationError(f"{name} must begin with https://")
    return address


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
