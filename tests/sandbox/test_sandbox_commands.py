"""`autotelic sandbox ...` as plain functions."""

import io
import json
import sys
from pathlib import Path

import pytest

from autotelic.errors import SandboxError
from autotelic.sandbox.commands import app, attack, bench, doctor, examine, run
from autotelic.sandbox.soak import soak

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks import harness


def test_the_doctor_says_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    found = examine()
    assert found["level"] in ("L3", "L2", "L1", "L0", "none")
    assert found["core"] in ("C", "Python", "")
    doctor()
    assert found["level"] in capsys.readouterr().out


def test_a_program_is_run_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program.py"
    program.write_text("def f(x, y=0): return x + y\n")
    assert run(program, "[1]", "[1, 2]", require="L0", wall_s=5.0, cpu_s=5.0) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["1", "3"]
    assert run(program, '["a", 1]', require="L0", wall_s=5.0, cpu_s=5.0) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfdef f(x): return x + 1\n",
        b"\xef\xbb\xbfdef f(x):\r\n\treturn x + 1\r\n",
        b"def f(x):\r    return x + 1\r",
        b"# -*- coding: latin-1 -*-\n# \xe9\ndef f(x): return x + 1\n",
    ],
    ids=["a mark", "a mark, carriage returns and a tab", "carriage returns alone", "a declared encoding"],
)
def test_a_file_is_read_as_python_reads_it(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "program.py"
    program.write_bytes(data)
    assert run(program, "[1]", require="L0", wall_s=20.0, cpu_s=5.0) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["2"]


def test_a_program_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = io.BytesIO(b"\xef\xbb\xbfdef f(): return 7\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    with pytest.raises(SystemExit) as ended:
        app(["run", "-", "--require", "L0", "--wall-s", "20"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["7"]


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot be read"):
        run(tmp_path / "absent.py")
    (tmp_path / "program.py").write_text("def f(): return 1\n")
    for case in ("[1", "[" * 100_000, "[" * 5_000 + "]" * 5_000):
        with pytest.raises(SandboxError, match="no JSON"):
            run(tmp_path / "program.py", case)
    with pytest.raises(SandboxError, match="measures nothing"):
        bench(rounds=0)


def test_a_short_soak_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    soak(60.0, workers=1, level="L0", programs=200)
    said = capsys.readouterr().out
    assert said.startswith("200 programs")
    assert "held once closed" in said
    assert "LEFT BEHIND" not in said


def test_a_soak_ends_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    soak(0.5, workers=1, level="L0", programs=10**9)
    assert "held once closed" in capsys.readouterr().out


def test_programs_before_tests_are_part_of_the_corpus(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    level = examine()["level"]
    if level in ("L0", "none"):
        pytest.skip(f"this machine gives {level}, which stops no forbidden call")
    attacks = harness.load_tested()[:3]
    right = harness.ProgramWithTests(
        name="right", tries="be right", source="def f(n): return abs(n)", tests="assert f(-1) == 1"
    )
    monkeypatch.setattr(harness, "load_tested", lambda: attacks)
    assert attack("tested", level=level) == 0
    assert f"tested         3/3 blocked at {level}" in capsys.readouterr().out
    monkeypatch.setattr(harness, "load_tested", lambda: [*attacks, right])
    assert attack("tested", level=level) == 1
    said = capsys.readouterr().out
    assert "NOT BLOCKED tested/right: it passed" in said
    assert f"tested         3/4 blocked at {level}" in said
