import json
import subprocess
import sys
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.messages import BY_KIND

Capture = pytest.CaptureFixture[str]


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autotelic.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["charter", "--help"], ["--version"]])
def test_help_is_printed(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out


def test_help_names_every_command(capsys: Capture) -> None:
    main(["--help"])
    out = capsys.readouterr().out
    for command in (
        "run", "resume", "exam", "inspect", "check", "replay", "report", "compare", "export", "charter",
        "auditor", "brake", "review", "schema", "doctor", "ledger", "models", "sandbox", "solve",
    ):  # fmt: skip
        assert f" {command} " in out


def test_help_imports_nothing_slow() -> None:
    code = (
        "import sys; from autotelic.cli import main; main(['--help']); "
        "slow = {'torch', 'transformers', 'matplotlib', 'numpy', 'pydantic'} & set(sys.modules); "
        "sys.exit(bool(slow))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], 'Did you mean "run"?'),
        (["run", "--sed", "3"], "Did you mean --seed?"),
        (["run", "--seed", "three"], "three"),
        (["charter", "chek"], 'Did you mean "check"?'),
        (["run", "/nowhere/charter.toml"], "/nowhere/charter.toml does not exist"),
        (["run", "--from", "/nowhere"], "the model folder /nowhere does not exist"),
        (["run", "--seconds", "-5"], "budget.seconds"),
        (["resume", "/nowhere"], "/nowhere does not exist"),
        (["inspect", "/nowhere", "3"], "/nowhere does not exist"),
        (["report", "/nowhere"], "/nowhere does not exist"),
        (["export", "/nowhere", "/elsewhere"], "/nowhere does not exist"),
        (["compare", "/nowhere", "/elsewhere"], "/nowhere does not exist"),
        (["charter", "show", "/nowhere"], "/nowhere does not exist"),
        (["check", "/nowhere"], "/nowhere does not exist"),
        (["replay", "/nowhere", "3"], "/nowhere does not exist"),
        (["replay", "/nowhere", "--decisions"], "/nowhere does not exist"),
        (["replay", "/nowhere"], "give a STEP, or --decisions"),
        (["replay", "/nowhere", "3", "--decisions"], "give a STEP, or --decisions"),
        (["ledger", "verify", "/nowhere"], "/nowhere does not exist"),
        (["ledger", "prove", "/nowhere", "0"], "/nowhere does not exist"),
        (["ledger", "export", "/nowhere", "/elsewhere"], "/nowhere does not exist"),
        (
            ["ledger", "witness", "/nowhere/s", "--key", "/nowhere/k"],
            "/nowhere/s and /nowhere/k do not exist",
        ),
        (["schema", "charters"], "charters"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(arguments: list[str], said: str, capsys: Capture) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("autotelic: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path: Path, capsys: Capture) -> None:
    assert main(["inspect", str(tmp_path)]) == 2
    assert "is not a run folder" in capsys.readouterr().err


def test_the_charter_that_is_shown_is_one_that_is_right(tmp_path: Path, capsys: Capture) -> None:
    assert main(["charter", "show"]) == 0
    path = tmp_path / "charter.toml"
    path.write_text(capsys.readouterr().out)
    assert main(["charter", "check", str(path)]) == 0
    digest = capsys.readouterr().out.split()[-1]
    assert main(["charter", "show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == digest


def test_a_wrong_charter_is_told_all_its_mistakes(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "charter.toml"
    path.write_text("sede = 3\n[budget]\nsecnds = 4\n")
    assert main(["charter", "check", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 2
    assert "the nearest is seed" in err
    assert main(["charter", "check", str(path), "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 2
    assert main(["run", str(path)]) == 2


def test_the_schema_is_json(capsys: Capture) -> None:
    assert main(["charter", "schema"]) == 0
    assert "budget" in json.loads(capsys.readouterr().out)["properties"]


def test_the_schema_of_messages_is_json_schema_of_every_kind(capsys: Capture) -> None:
    assert main(["schema", "messages"]) == 0
    schema = json.loads(capsys.readouterr().out)
    kinds = {
        schema["$defs"][one["$ref"].rpartition("/")[2]]["properties"]["kind"]["const"]
        for one in schema["oneOf"]
    }
    assert kinds == set(BY_KIND)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "autotelic.cli", "charter", "schema"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141
    process.stderr.close()


def test_a_module_run_exits_with_the_code() -> None:
    done = cli("rnu")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
