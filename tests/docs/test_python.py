"""docs/python.md has each public name, each method of Memory and each key of a message once."""

from __future__ import annotations

import re

import pgrecall
from pgrecall.domain.draft import MESSAGE_KEYS, TRUST_OF_ROLE
from tests.docs.pages import ROOT

_ROW = re.compile(r"^\| (`[^|]+) \|", re.MULTILINE)
_PAGE = (ROOT / "docs/python.md").read_text("utf-8")


def names(section: str) -> list[str]:
    return sorted(name for row in _ROW.findall(section) for name in re.findall(r"`(\w+)`", row))


def test_the_page_has_what_there_is() -> None:
    exported, methods, keys = _PAGE.split("\n## ")
    assert names(exported) == sorted(pgrecall.__all__)
    assert names(methods) == sorted(name for name in vars(pgrecall.Memory) if name[0] != "_")
    assert names(keys) == sorted(MESSAGE_KEYS)
    assert all(f"`{role}`" in keys for role in TRUST_OF_ROLE)
