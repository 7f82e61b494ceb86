"""The estimate of tokens beside tokenizers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import tokens


def test_a_line_for_each_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for code, text in (("de", "Alle Menschen sind frei."), ("en", "All are born free.")):
        paragraphs = [{"context": text, "qas": []}]
        document = {"data": [{"paragraphs": paragraphs}]}
        (tmp_path / f"xquad.{code}.json").write_text(json.dumps(document), encoding="utf-8")
    assert tokens.main(["--data", str(tmp_path)]) == 0
    head, german, english = capsys.readouterr().out.splitlines()
    assert head.startswith("estimate / count  BERT")
    assert [line.split()[0] for line in (german, english)] == ["de", "en"]
    assert all(float(each) >= 1 for each in german.split()[1:])
