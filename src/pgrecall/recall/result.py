"""The result of a recall."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from pgrecall.domain.hit import Hit
from pgrecall.recall.explanation import Explanation
from pgrecall.recall.prompt import block
from pgrecall.recall.tokens import estimated_tokens


@dataclass(frozen=True, slots=True)
class Recall(Sequence[Hit]):
    """The hits for a query, best first."""

    query: str
    hits: tuple[Hit, ...]
    explanation: Explanation

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

    def as_prompt(
        self, token_budget: int = 1200, *, count_tokens: Callable[[str], int] = estimated_tokens
    ) -> str:
        """The best hits that fit into `token_budget` tokens, newest first, as a block.

        A message comes with the question that it answers, where there is room. Each line has the
        memory's id, as `get` and `history` take it, its day and where it is from; nothing is said
        twice. The block is marked, so that `remember` leaves it out. '' if no hit fits.

        Tokens are estimated, rather too many than too few; `count_tokens` is the number of tokens
        of a text by the model's own tokenizer.
        """
        return block(self.hits, token_budget, count_tokens)

    def explain(self) -> Explanation:
        """Which steps ran, what was compared, the times; after `recall(explain=True)` also what
        each hit's score is made of.
        """
        return self.explanation
