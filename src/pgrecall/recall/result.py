"""The result of a recall."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from pgrecall.domain.config import TOKEN_BUDGET
from pgrecall.domain.hit import Hit
from pgrecall.recall.explanation import Explanation
from pgrecall.recall.prompt import block
from pgrecall.recall.tokens import estimated_tokens


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

    def as_prompt(
        self,
        token_budget: int | None = None,
        *,
        count_tokens: Callable[[str], int] = estimated_tokens,
    ) -> str:
        """The best hits that fit into `token_budget` tokens, newest first, as a block.

        Without one, into that of the agent's `config`, 1200 unless something else is set. A
        message comes with the question that it answers, where there is room; of a text of more
        than 30,000 characters, the part that the query is about. Each line has the
        memory's id, as `get` and `history` take it, its day and where it is from; nothing but the
        messages of a conversation is said twice. The block is marked, so that `remember` leaves
        it out. '' if no hit fits.

        Tokens are estimated, rather too many than too few; `count_tokens` is the number of tokens
        of a text by the model's own tokenizer.
        """
        budget = self.token_budget if token_budget is None else token_budget
        return block(self.hits, budget, count_tokens, self.query)

    def explain(self) -> Explanation:
        """Which steps ran, what was compared, the times; after `recall(explain=True)` also what
        each hit's score is made of.
        """
        return self.explanation
