"""The result of a recall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from pgrecall.domain.config import TOKEN_BUDGET
from pgrecall.domain.hit import Hit
from pgrecall.recall.explanation import Explanation
from pgrecall.recall.prompt import block


@dataclass(frozen=True, slots=True)
class Recall(Sequence[Hit]):
    """The hits for a query, best first. `token_budget` is that of a prompt, as configured."""

    query: str
    hits: tuple[Hit, ...]
    explanation: Explanation
    token_budget: int = TOKEN_BUDGET

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Hit]: ...
    def __getitem__(self, place: int | slice) -> Hit | Sequence[Hit]:
        return self.hits[place]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def as_prompt(self, token_budget: int | None = None) -> str:
        """The best hits that fit into about `token_budget` tokens, newest first, as a block.

        Without one, into that of the agent's `config`, 1200 unless something else is set. A token
        is taken as four characters. Each line has its date and a short id; the block is marked,
        so that `remember` leaves it out. '' if there is no hit that fits.
        """
        return block(self.hits, self.token_budget if token_budget is None else token_budget)

    def explain(self) -> Explanation:
        """Which signals ran, what was compared, and the times."""
        return self.explanation
