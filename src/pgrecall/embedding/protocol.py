"""What every embedding model looks like to the rest of pgrecall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float32]
    Vectors: TypeAlias = NDArray[np.float32]
else:
    Vector = Vectors = "numpy.typing.NDArray[numpy.float32]"


@runtime_checkable
class Embedder(Protocol):
    """A model that turns texts into unit vectors whose dot product says how near they are.

    Calls are synchronous and take CPU time or wait for a server, so async callers run them
    with `asyncio.to_thread`. Several threads may call one embedder at the same time: an
    implementation must be thread-safe. Call it through `embed_texts` and `embed_query` of
    `pgrecall.embedding`, which check both what goes in and what comes out.
    """

    @property
    def model(self) -> str:
        """A stable name, stored beside each vector; vectors of different names never meet.

        It changes whenever the vectors do: another model, dimension or quantisation.
        """

    @property
    def dimension(self) -> int:
        """Length of every vector, 1 to 16000 (the limit of pgvector's `halfvec`)."""

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Vectors of texts that are stored: shape (len(texts), dimension), in order.

        Rows are float32, finite and of length 1 (L2). No texts give shape (0, dimension).
        Raises InvalidInputError for a text that it can't take, EmbedderError when the model
        fails.
        """

    def embed_query(self, text: str, /) -> Vector:
        """The vector of a text that is searched for: shape (dimension,), otherwise like `embed`.

        It differs from `embed` for models that want queries marked by a prefix.
        """
