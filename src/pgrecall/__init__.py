"""pgrecall: the agent memory system that lives in your own PostgreSQL.

with Memory() as memory:
    memory.remember("I'm vegetarian.", user_id="maria")
    memory.recall("what can I cook for her?", user_id="maria")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgrecall._async.context import AsyncContext
    from pgrecall._async.embeddings import AsyncEmbeddings
    from pgrecall._async.memory import AsyncMemory
    from pgrecall._async.transfer import AsyncTransfer
    from pgrecall._sync.context import Context
    from pgrecall._sync.embeddings import Embeddings
    from pgrecall._sync.memory import Memory
    from pgrecall._sync.transfer import Transfer
    from pgrecall.domain.config import AgentConfig, AgentSetting, ConfigChange, Retention
    from pgrecall.domain.embeddings import Backfill, EmbeddingModel, ModelDrop, ModelSwitch
    from pgrecall.domain.erasure import Receipt
    from pgrecall.domain.hit import Hit, Signals
    from pgrecall.domain.memory import Change, MemoryRecord, Message, Page
    from pgrecall.domain.remembered import Remembered, RememberedItem
    from pgrecall.domain.scope import Forgotten
    from pgrecall.errors import PgRecallError
    from pgrecall.recall.explanation import Explanation
    from pgrecall.recall.result import Recall
    from pgrecall.settings import Settings

_HOMES = {
    "AgentConfig": "pgrecall.domain.config",
    "AgentSetting": "pgrecall.domain.config",
    "AsyncContext": "pgrecall._async.context",
    "AsyncEmbeddings": "pgrecall._async.embeddings",
    "AsyncMemory": "pgrecall._async.memory",
    "AsyncTransfer": "pgrecall._async.transfer",
    "Backfill": "pgrecall.domain.embeddings",
    "Change": "pgrecall.domain.memory",
    "ConfigChange": "pgrecall.domain.config",
    "Context": "pgrecall._sync.context",
    "EmbeddingModel": "pgrecall.domain.embeddings",
    "Embeddings": "pgrecall._sync.embeddings",
    "Explanation": "pgrecall.recall.explanation",
    "Forgotten": "pgrecall.domain.scope",
    "Hit": "pgrecall.domain.hit",
    "Memory": "pgrecall._sync.memory",
    "MemoryRecord": "pgrecall.domain.memory",
    "Message": "pgrecall.domain.memory",
    "ModelDrop": "pgrecall.domain.embeddings",
    "ModelSwitch": "pgrecall.domain.embeddings",
    "Page": "pgrecall.domain.memory",
    "PgRecallError": "pgrecall.errors",
    "Recall": "pgrecall.recall.result",
    "Receipt": "pgrecall.domain.erasure",
    "Remembered": "pgrecall.domain.remembered",
    "RememberedItem": "pgrecall.domain.remembered",
    "Retention": "pgrecall.domain.config",
    "Settings": "pgrecall.settings",
    "Signals": "pgrecall.domain.hit",
    "Transfer": "pgrecall._sync.transfer",
}

__all__ = [
    "AgentConfig",
    "AgentSetting",
    "AsyncContext",
    "AsyncEmbeddings",
    "AsyncMemory",
    "AsyncTransfer",
    "Backfill",
    "Change",
    "ConfigChange",
    "Context",
    "EmbeddingModel",
    "Embeddings",
    "Explanation",
    "Forgotten",
    "Hit",
    "Memory",
    "MemoryRecord",
    "Message",
    "ModelDrop",
    "ModelSwitch",
    "Page",
    "PgRecallError",
    "Recall",
    "Receipt",
    "Remembered",
    "RememberedItem",
    "Retention",
    "Settings",
    "Signals",
    "Transfer",
]


def __getattr__(name: str) -> object:
    # Loaded when first used: the database driver and the settings take longer than all the rest.
    if name not in _HOMES:
        raise AttributeError(f"module 'pgrecall' has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
