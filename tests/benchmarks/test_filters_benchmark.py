from __future__ import annotations

import json
from pathlib import Path

from benchmarks.filters import main


def test_filters_are_measured(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    asked = ["--sizes", "300", "--questions", "2", "--exact", "2", "--json", str(report)]
    assert main(asked) == 0
    measured = {each["name"]: each for each in json.loads(report.read_text())["filters"]}
    assert measured["none"]["passing"] == 300
    assert measured["kinds: fact"]["passing"] == 60
    assert measured["a kind that none has"]["passing"] == 0
    assert {each["shared"] for each in measured.values()} == {1.0}
    assert {each["compared"] for each in measured.values()} == {2}
