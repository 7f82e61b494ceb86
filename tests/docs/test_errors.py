"""The tree of errors is drawn as it is, and docs/errors.md has each class with its code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgrecall import errors
from pgrecall.errors import PgRecallError
from tests.docs.pages import ROOT

_BRANCH = re.compile(
    r"^    (?P<lead>[│├└─ ]*)(?P<name>\w+Error)\s+(?P<code>PM\d{3})(?:\s+also (?P<other>\w+))?$",
    re.MULTILINE,
)
_ROW = re.compile(r"^\| (PM\d{3}) \| `(\w+)` \|", re.MULTILINE)

Branch = tuple[str, str, str | None, str | None]


def subclasses(of: type[PgRecallError]) -> Iterator[type[PgRecallError]]:
    yield of
    for each in of.__subclasses__():
        yield from subclasses(each)


def drawn() -> set[Branch]:
    """Name, code, parent and the other base of each class, as the docstring draws them."""
    found: set[Branch] = set()
    parents: list[str] = []
    for branch in _BRANCH.finditer(errors.__doc__ or ""):
        depth = len(branch["lead"]) // 4
        parents[depth:] = [branch["name"]]
        parent = parents[depth - 1] if depth else None
        found.add((branch["name"], branch["code"], parent, branch["other"]))
    return found


def defined() -> set[Branch]:
    """The same, as the classes have it."""
    found: set[Branch] = set()
    for each in subclasses(PgRecallError):
        first, *others = [base.__name__ for base in each.__bases__]
        parent = None if each is PgRecallError else first
        found.add((each.__name__, each.code, parent, others[0] if others else None))
    return found


def test_the_drawing_is_the_tree() -> None:
    assert drawn() == defined()


def test_the_page_has_every_error_once() -> None:
    rows = _ROW.findall((ROOT / "docs/errors.md").read_text("utf-8"))
    assert sorted(rows) == sorted((each.code, each.__name__) for each in subclasses(PgRecallError))
    assert len({code for code, _ in rows}) == len(rows)
