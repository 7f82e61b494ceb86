"""How `as_prompt`'s estimate of tokens compares with what tokenizers count.

    python -m benchmarks.tokens --data DIR

DIR holds XQuAD's files, `xquad.LANGUAGE.json`; its paragraphs are counted, language by language.
The tokenizer at hand is that of the local embedder (BERT's, with an English vocabulary); others
join by `--tokenizer FILE`, a `tokenizer.json` as Hugging Face has them, and by `--encoding NAME`
where tiktoken is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module, resources
from pathlib import Path

from tokenizers import Tokenizer

from benchmarks import xquad_data
from pgrecall.embedding.minilm import wordpiece_tokenizer
from pgrecall.recall.tokens import estimated_tokens

Count = Callable[[str], int]


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    counts = {"BERT": counted_by(_bert())}
    counts |= {path.stem: counted_by(Tokenizer.from_file(str(path))) for path in options.tokenizer}
    counts |= {name: _counted_by_tiktoken(name) for name in options.encoding}
    print("estimate / count", *counts, "least of any paragraph", sep="  ")
    for language in xquad_data.load(options.data):
        texts = language.contents
        shares = [share(texts, count) for count in counts.values()]
        least = min(share([text], count) for text in texts for count in counts.values())
        print(language.name, *(f"{each:.2f}" for each in [*shares, least]), sep="  ")
    return 0


def share(texts: Sequence[str], count: Count) -> float:
    """The estimate for some texts as a share of what a tokenizer counts."""
    return sum(map(estimated_tokens, texts)) / sum(map(count, texts))


def counted_by(tokenizer: Tokenizer) -> Count:
    """The tokens of a text itself, without those that frame it."""
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _bert() -> Tokenizer:
    vocabulary = resources.files("pgrecall.embedding") / "bert_uncased_vocabulary.txt"
    tokenizer = wordpiece_tokenizer(vocabulary.read_bytes())
    tokenizer.no_truncation()
    return tokenizer


def _counted_by_tiktoken(name: str) -> Count:
    encoding = import_module("tiktoken").get_encoding(name)
    return lambda text: len(encoding.encode_ordinary(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/tokens.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="XQuAD's files")
    parser.add_argument("--tokenizer", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--encoding", nargs="*", default=[], metavar="NAME")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
