"""What every client of pgrecall must do, whatever it is written in.

A test class inherits `MemoryConformance` and has a fixture `open_memory`, which gives an async
function: it opens a client with the methods of AsyncMemory, closed after the test. Without
arguments the client is in an organization of the test's own and has the hashing embedder;
`organization`, `agent_id`, `embedder`, `claims` say otherwise. `AwaitedMemory` makes such a client
of a plain Memory.
"""

from pgrecall.testing.conformance.awaited import AwaitedMemory
from pgrecall.testing.conformance.changing import ChangingConformance
from pgrecall.testing.conformance.configuring import ConfiguringConformance
from pgrecall.testing.conformance.conversing import ConversingConformance
from pgrecall.testing.conformance.erasing import ErasingConformance
from pgrecall.testing.conformance.recalling import RecallingConformance
from pgrecall.testing.conformance.sharing import SharingConformance
from pgrecall.testing.conformance.writing import WritingConformance

__all__ = ["AwaitedMemory", "MemoryConformance"]


class MemoryConformance(
    WritingConformance,
    RecallingConformance,
    ChangingConformance,
    ErasingConformance,
    ConversingConformance,
    SharingConformance,
    ConfiguringConformance,
):
    """All of it."""
