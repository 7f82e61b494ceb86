"""Organizations full of memories, made quickly: one large among many small ones.

Words have frequencies like those of a language (Zipf), each conversation mostly has one topic, and
a topic shows in words and vectors alike. All is drawn from one seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.int64]
Vectors: TypeAlias = npt.NDArray[np.float32]

MODEL = "drawn"
AGENT = "bench"
CONVERSATION = 20
"""Memories in a row that belong together."""

_FREQUENT = """
the i to a and it you of that in is was for my we have on with so but me this be at are not what
they do from like about just had your there all can would when will
""".split()  # noqa: SIM905
_SYLLABLES = [first + second for first, second in product("bdfgklmnprtvz", ["a", "ei", "o", "u"])]
_WORDS = 20_000
_TOPICS = 400
_TOPIC_WORDS = 300
_FIRST_MILLISECOND = 1_750_000_000_000


@dataclass(frozen=True)
class Sizes:
    """How many memories the first organization has, and each of the others."""

    large: int = 100_000
    small: int = 100
    organizations: int = 200
    dimension: int = 256

    @property
    def memories(self) -> int:
        return self.large + self.small * (self.organizations - 1)


@dataclass(frozen=True)
class Question:
    """Words and a vector, shape (dimension,), near those of a memory of the first organization."""

    words: str
    vector: list[float]


@dataclass(frozen=True)
class Population:
    """Drawn, not yet written. Memory n is the row n of every array."""

    sizes: Sizes = field(default_factory=Sizes)
    seed: int = 7

    @cached_property
    def vocabulary(self) -> list[str]:
        """Words by falling frequency, first those that a text search drops."""
        drawn = self._random("vocabulary").permutation(len(_SYLLABLES) ** 3)[:_WORDS]
        parts = np.stack(np.unravel_index(drawn, (len(_SYLLABLES),) * 3), axis=1).tolist()
        return _FREQUENT + ["".join(_SYLLABLES[part] for part in word) for word in parts]

    @cached_property
    def topics(self) -> Numbers:
        """That of its conversation for most memories, any for the rest; shape (memories,)."""
        random = self._random("topics")
        count = self.sizes.memories
        shared = random.integers(_TOPICS, size=count // CONVERSATION + 1).repeat(CONVERSATION)
        return np.where(
            random.random(count) < 0.7, shared[:count], random.integers(_TOPICS, size=count)
        )

    @cached_property
    def vectors(self) -> Vectors:
        """Unit vectors; two of one topic have a cosine of about .5, others of about .1."""
        random = self._random("vectors")
        shape = self.sizes.dimension
        common = _unit(random.standard_normal(shape, dtype=np.float32))
        topics = _unit(random.standard_normal((_TOPICS, shape), dtype=np.float32))
        own = _unit(random.standard_normal((self.sizes.memories, shape), dtype=np.float32))
        return _unit(0.35 * common + 0.6 * topics[self.topics] + 0.7 * own)

    @cached_property
    def words(self) -> list[Numbers]:
        """The words of each memory as places in the vocabulary, from 4 to 28 of them."""
        random = self._random("words")
        lengths = random.integers(4, 29, size=self.sizes.memories)
        topics = self.topics.repeat(lengths)
        general = _zipf(random, len(self.vocabulary), len(topics))
        special = _zipf(random, _TOPIC_WORDS, len(topics)) + topics * 48 + len(_FREQUENT)
        is_special = random.random(len(topics)) < 0.3
        return np.split(np.where(is_special, special, general), lengths.cumsum()[:-1])

    def texts(self) -> Iterator[str]:
        for number, words in enumerate(self.words):
            yield self._sentence(words) + ("?" if number % 7 == 0 else ".")

    def organization_id(self, number: int) -> UUID:
        return UUID(int=(1 << 124) + (7 << 76) + (2 << 62) + number)

    def memory_id(self, number: int) -> UUID:
        return UUID(int=(_FIRST_MILLISECOND + number << 80) + (7 << 76) + (2 << 62) + number)

    def organization_of(self, number: int) -> int:
        return (
            0 if number < self.sizes.large else 1 + (number - self.sizes.large) // self.sizes.small
        )

    def questions(self, count: int) -> list[Question]:
        """Each about some memory: five of its words and two others, its vector with noise."""
        random = self._random("questions")
        return [
            self._question(random, number)
            for number in random.integers(self.sizes.large, size=count)
        ]

    def _question(self, random: np.random.Generator, number: int) -> Question:
        told = random.permutation(self.words[number])[:5]
        words = np.concatenate([told, _zipf(random, len(self.vocabulary), 2)])
        noise = _unit(random.standard_normal(self.sizes.dimension, dtype=np.float32))
        return Question(
            self._sentence(words) + "?", _unit(self.vectors[number] + 0.8 * noise).tolist()
        )

    def _sentence(self, words: Numbers) -> str:
        return " ".join(self.vocabulary[word] for word in words).capitalize()

    def _random(self, part: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *part.encode()])


def binary_rows(population: Population, exact_limit: int) -> bytes:
    """All vectors for COPY in binary format: organization, memory, model, vector, is_indexed.

    The format of halfvec is two numbers of 16 bits, of which the first is the dimension, and the
    components.
    """
    sizes = population.sizes
    rows = np.zeros(sizes.memories, _row_type(sizes.dimension))
    numbers = range(sizes.memories)
    rows["organization"] = _uuids(
        population.organization_id(population.organization_of(n)) for n in numbers
    )
    rows["memory"] = _uuids(population.memory_id(n) for n in numbers)
    rows["model"] = MODEL.encode()
    rows["dimension"] = sizes.dimension
    rows["vector"] = population.vectors
    rows["is_indexed"] = (np.arange(sizes.memories) >= exact_limit) & (
        np.arange(sizes.memories) < sizes.large
    )
    rows["fields"] = 5
    for name in rows.dtype.names or ():
        if name.endswith("_bytes"):
            rows[name] = rows[name.removesuffix("_bytes")].dtype.itemsize
    rows["vector_bytes"] = 4 + 2 * sizes.dimension
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"


def _row_type(dimension: int) -> np.dtype[Any]:
    length = ">i4"
    return np.dtype(
        [
            ("fields", ">i2"),
            ("organization_bytes", length),
            ("organization", "V16"),
            ("memory_bytes", length),
            ("memory", "V16"),
            ("model_bytes", length),
            ("model", f"S{len(MODEL)}"),
            ("vector_bytes", length),
            ("dimension", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f2", (dimension,)),
            ("is_indexed_bytes", length),
            ("is_indexed", "?"),
        ]
    )


def _uuids(ids: Iterator[UUID]) -> npt.NDArray[np.void]:
    return np.frombuffer(b"".join(id_.bytes for id_ in ids), "V16")


def _zipf(random: np.random.Generator, count: int, size: int) -> Numbers:
    """Places from 0 to `count` - 1, each as often as one over its place from 1."""
    places: Numbers = (np.exp(random.random(size) * np.log(count + 1)) - 1).astype(np.int64)
    return places


def _unit(vectors: Vectors) -> Vectors:
    units: Vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return units
