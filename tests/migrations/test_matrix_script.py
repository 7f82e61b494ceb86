"""scripts/test_matrix.py, without a server."""

import importlib.util
import sys

import pytest

REPORT = """<?xml version="1.0"?>
<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>
"""


@pytest.fixture
def matrix(pytestconfig, monkeypatch):
    scripts = pytestconfig.rootpath / "scripts"
    monkeypatch.syspath_prepend(str(scripts))
    spec = importlib.util.spec_from_file_location("matrix_script", scripts / "test_matrix.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "matrix_script", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("report", "exit_code", "counts"),
    [
        ((10, 0, 0, 0), 0, (10, 0, 0)),
        ((10, 1, 2, 3), 1, (4, 3, 3)),
        ((0, 0, 0, 0), 5, (0, 1, 0)),
        ((4, 0, 0, 0), 2, (4, 1, 0)),
        (None, 3, (0, 1, 0)),
    ],
)
def test_a_report_is_counted(matrix, tmp_path, report, exit_code, counts):
    path = tmp_path / "report.xml"
    if report:
        path.write_text(REPORT.format(*report))
    row = matrix.counted("13", path, exit_code, 1.0)
    assert (row.passed, row.failed, row.skipped) == counts


def test_what_does_not_run_is_a_visible_row(matrix, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    row = matrix.try_server("13", tmp_path, ())
    assert row == matrix.Row("13", not_run="npm is missing")
    table = matrix.as_table([row, matrix.Row("18-vector", 812, 0, 3, 93.4)])
    assert table.splitlines() == [
        "server  vector   passed  failed  skipped  seconds",
        "13      without  not run: npm is missing",
        "18      with     812     0       3        93",
    ]


def test_the_last_line_is_what_a_runner_reads(matrix, tmp_path, monkeypatch, capsys):
    rows = [matrix.Row("13", 10, 1), matrix.Row("15", 20), matrix.Row("18", not_run="no")]
    monkeypatch.setattr(matrix, "run_matrix", lambda *_: rows)
    monkeypatch.setattr(sys, "argv", ["test_matrix.py", "--quick", "--cache", str(tmp_path)])
    assert matrix.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "30 passed, 1 failed"


def test_every_supported_version_is_in_it(matrix):
    assert matrix.LABELS == ("13", "14", "15", "16", "17", "18", "18-vector")
    assert matrix.chosen_labels("13,18-vector") == ("13", "18-vector")
