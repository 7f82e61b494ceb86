"""What a row of the matrix is made of, and short ways to say what is expected of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.isolation.principals import FOREIGN, INSIDE, NAMES, UNKNOWN

LETTERS = "PAOVB"
Cells = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One operation on one target, and what is expected of it for each principal.

    `call` is run for each memory if `each`, else once. `measure` says what counts: `answers` (a
    row came back), `changes` (the organization's data differ), `ids` (the memories of the rows),
    `rows` (their labels beside those that `whole` says the organization has) or `reach` (anything
    but a lack of rights).
    """

    target: str
    operation: str
    expected: Cells = field(repr=False)
    call: str = ""
    measure: str = "answers"
    each: bool = False
    whole: str = ""
    prepare: str = ""
    needs_vector: bool = False

    @property
    def name(self) -> str:
        return f"{self.target} {self.operation}"


def by(
    inside: Cells | str,
    foreign: Cells | str,
    unknown: str,
    *,
    service_role: str,
    not_json: str = "22P02",
    anon: str = "42501",
) -> dict[str, str]:
    """Expectations for everyone."""
    cells = spread(INSIDE, inside) | spread(FOREIGN, foreign) | spread(UNKNOWN, unknown)
    cells |= {"not_json": not_json, "anon": anon, "service_role": service_role}
    assert set(cells) == set(NAMES)
    return cells


def spread(names: tuple[str, ...], cells: Cells | str) -> dict[str, str]:
    return dict.fromkeys(names, cells) if isinstance(cells, str) else dict(cells)


def of(most: str, **others: str) -> dict[str, str]:
    """Expectations inside: one for most, and those of the named ones."""
    assert set(others) <= set(INSIDE)
    return dict.fromkeys(INSIDE, most) | others


def everyone(outcome: str, **others: str) -> dict[str, str]:
    """One expectation for all, and those of the named ones."""
    assert set(others) <= set(NAMES)
    return dict.fromkeys(NAMES, outcome) | others


def or_refused(seen: Cells, sqlstate: str) -> dict[str, str]:
    """The same where what is left alone is refused instead."""
    return {who: combined(letters, sqlstate) for who, letters in seen.items()}


def combined(letters: str, sqlstate: str) -> str:
    rest = "".join(letter for letter in LETTERS if letter not in letters)
    if letters == "nothing":
        return sqlstate
    return f"{letters} {rest}:{sqlstate}" if rest else letters
