"""What every client of pgrecall must do, whatever it is written in.

A test class inherits `MemoryConformance` and has a fixture `open_memory`, which gives an async
function: it opens a client with the methods of AsyncMemory, closed after the test. Without
arguments the client is in an organization of the test's own and has the hashing embedder;
`organization`, `agent_id`, `embedder`, `claims` say otherwise. `AwaitedMemory` makes such a client
of a plain Memory.
"""

from pgrecall.testing.conformance.awaited import AwaitedMemory
from pgrecall.testing.conformance.changes import ChangesConformance
from pgrecall.testing.conformance.configuration import ConfigurationConformance
from pgrecall.testing.conformance.conversation import ConversationConformance
from pgrecall.testing.conformance.erasure import ErasureConformance
from pgrecall.testing.conformance.recall import RecallConformance
from pgrecall.testing.conformance.sharing import SharingConformance
from pgrecall.testing.conformance.storage import StorageConformance

__all__ = ["AwaitedMemory", "MemoryConformance"]


class MemoryConformance(
    StorageConformance,
    RecallConformance,
    ChangesConformance,
    ErasureConformance,
    ConversationConformance,
    SharingConformance,
    ConfigurationConformance,
):
    """All of it."""
