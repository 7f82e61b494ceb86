# Generated from ../_async/context.py by scripts/generate_sync.py: edit that file instead.

"""One conversation."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from pgrecall._sync.store import Store
from pgrecall.domain.draft import Content, DraftDefaults, drafts, is_single
from pgrecall.domain.memory import Message
from pgrecall.domain.numbers import count
from pgrecall.domain.remembered import Remembered
from pgrecall.domain.scope import Forgotten
from pgrecall.domain.text import MAX_KEY_CHARACTERS, identifier
from pgrecall.errors import InvalidInputError

MAX_MESSAGES = 10_000


class Context:
    """The conversation of a key: its messages in order, and its summary.

    Made by `Memory.context`. A conversation belongs to an agent and, with `user_id`, to a
    user; it comes into being with its first message.
    """

    def __init__(self, store: Store, key: str, user_id: str | None) -> None:
        self._store = store
        given = identifier("key", key, MAX_KEY_CHARACTERS)
        if given is None:
            raise InvalidInputError("key must be given")
        self.key = given
        self.user_id = identifier("user_id", user_id) or store.identity.person
        self._defaults = DraftDefaults(
            agent_id=store.identity.agent_id, user_id=self.user_id, context=self.key
        )

    def append(self, content: Content, *, idempotency_key: str | None = None) -> Remembered:
        """Add a message, a text (as the user's) or a list of either, as said now.

        The same words said again are another message; `created_at` of a message says when it was
        said otherwise. Of a list, that part is a duplicate with which the conversation ends
        already, so a history may be sent again, whole or as a window. A single message that is
        rejected raises.
        """
        defaults = replace(self._defaults, kind="message", idempotency_key=idempotency_key)
        answers = self._store.remember(drafts(content, defaults), None, "append_messages")
        if is_single(content) and answers.rejected:
            raise answers[0].error()
        return answers

    def messages(self, limit: int = 50) -> list[Message]:
        """The last `limit` (1 to 10,000) messages, oldest first."""
        return self._store.messages(self._named(), count("limit", limit, MAX_MESSAGES))

    def pop(self) -> Message | None:
        """Take back the last message and return it, or None; it is forgotten, so restorable."""
        last = self._store.messages(self._named(), 1)
        if not last:
            return None
        self._store.set_forgotten("forget_memories", {"ids": [str(last[0].id)]}, False)
        return last[0]

    def clear(self) -> Forgotten:
        """Forget all that was remembered under this key for this agent and user, or for nobody."""
        return self._store.clear(self._named())

    def summary(self) -> str | None:
        """The newest memory of kind `summary` of this conversation, or None."""
        return self._store.find_summary(self._named())

    def set_summary(self, text: str) -> Remembered:
        """Remember a summary; it supersedes the earlier one, which stays as history."""
        slot = _summary_slot(self.key)
        defaults = replace(self._defaults, kind="summary", slot=slot, trust="inference")
        answers = self._store.remember(drafts(text, defaults), None)
        if answers.rejected:
            raise answers[0].error()
        return answers

    def _named(self) -> dict[str, str | None]:
        return {
            "context_key": self.key,
            "user_id": self.user_id,
            "agent_id": self._store.identity.agent_id,
        }


def _summary_slot(key: str) -> str:
    """The slot of a conversation's summary; of a key that is too long for it, by its SHA-256."""
    slot = f"context:{key}/summary"
    if len(slot) > MAX_KEY_CHARACTERS:
        slot = f"context:{sha256(key.encode()).hexdigest()}/summary"
    return slot
