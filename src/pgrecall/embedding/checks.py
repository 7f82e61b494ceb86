"""What goes into an embedder and what comes out of it, checked in one place.

numpy is imported inside the functions, since whoever has vectors to check has it loaded, and
whoever only imports pgrecall should not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgrecall.embedding.protocol import Embedder, Vector, Vectors
from pgrecall.errors import EmbedderError, InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def embed_texts(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Checked vectors of texts to store: shape (len(texts), dimension), in order.

    The model is not called when there are no texts. Raises InvalidInputError for a text that is
    no valid Unicode, EmbedderError when the model fails or answers otherwise than it promised.
    """
    checked = checked_texts(texts)
    answer: object = embedder.embed(checked) if checked else []
    return checked_vectors(answer, embedder=embedder, count=len(checked))


def embed_query(embedder: Embedder, text: str) -> Vector:
    """The checked vector of a text to search for: shape (dimension,); errors as `embed_texts`."""
    checked = checked_texts([text])
    answer = [embedder.embed_query(checked[0])]
    query: Vector = checked_vectors(answer, embedder=embedder, count=1)[0]
    return query


def checked_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list, every one a string that UTF-8 can hold.

    Raises InvalidInputError with the index of the first that is not, and for a bare string,
    which would otherwise be embedded letter by letter.
    """
    if isinstance(texts, str):
        raise InvalidInputError(
            "embed takes a list of texts, not one text", hint="Write embed([text])."
        )
    for index, text in enumerate(texts):
        _check_text(index, text)
    return list(texts)


def _check_text(index: int, text: object) -> None:
    if not isinstance(text, str):
        raise InvalidInputError(f"texts[{index}] is {type(text).__name__}, not a string")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as broken:
        raise InvalidInputError(
            f"texts[{index}] is not valid Unicode: a lone surrogate at character {broken.start}",
            hint="Clean it first: text.encode('utf-16', 'surrogatepass').decode('utf-16', "
            "'replace').",
        ) from None


def checked_vectors(vectors: object, *, embedder: Embedder, count: int) -> Vectors:
    """An embedder's answer as float32 of shape (count, dimension), every row of length 1 (L2).

    `vectors` is an array or a list of lists; rows are scaled to length 1, whatever length they
    came with. Raises EmbedderError, with the index of the text where one is at fault, for
    another count or dimension, values that are no numbers, not finite, or a zero vector.
    """
    import numpy as np

    rows = _rows_of(vectors, embedder=embedder, count=count)
    infinite = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if infinite.size:
        raise _bad_vector(embedder, int(infinite[0]), "has values that are not finite")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    zero = np.flatnonzero(lengths == 0)
    if zero.size:
        raise _bad_vector(embedder, int(zero[0]), "is zero, so it has no direction")
    unit: Vectors = (rows / lengths).astype(np.float32)
    return unit


def _rows_of(vectors: object, *, embedder: Embedder, count: int) -> NDArray[np.float64]:
    """`vectors` as an array of shape (count, dimension), of values that float32 can hold."""
    import numpy as np

    answered = _items_of(vectors, embedder)
    if len(answered) != count:
        raise EmbedderError(
            f"Embedder {embedder.model} gave {len(answered)} vectors for {count} texts",
            hint="It must give one vector per text, in order.",
        )
    rows = np.empty((count, embedder.dimension), dtype=np.float64)
    for index, vector in enumerate(answered):
        rows[index] = _row_of(vector, embedder=embedder, index=index)
    with np.errstate(over="ignore", under="ignore"):
        return rows.astype(np.float32).astype(np.float64)


def _items_of(vectors: object, embedder: Embedder) -> Sequence[object]:
    import numpy as np

    if isinstance(vectors, (list, tuple)):
        return vectors
    if isinstance(vectors, np.ndarray) and vectors.ndim >= 1:
        return list(vectors)
    raise EmbedderError(
        f"Embedder {embedder.model} gave {type(vectors).__name__}, not an array or a list",
        hint="It must give one vector per text, in order.",
    )


def _row_of(vector: object, *, embedder: Embedder, index: int) -> NDArray[np.float64]:
    import numpy as np

    try:
        row = np.asarray(vector, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise _bad_vector(embedder, index, "is not a list of numbers") from None
    if row.shape != (embedder.dimension,):
        shape = row.shape[0] if row.ndim == 1 else row.shape
        raise EmbedderError(
            f"Embedder {embedder.model} gave a vector of dimension {shape} for texts[{index}], "
            f"but says it has dimension {embedder.dimension}",
            hint="Configure the dimension that the model really has.",
        )
    return row


def _bad_vector(embedder: Embedder, index: int, fault: str) -> EmbedderError:
    return EmbedderError(
        f"The vector that embedder {embedder.model} gave for texts[{index}] {fault}",
        hint="Try that text alone; if it fails again, it or the model is at fault.",
    )
