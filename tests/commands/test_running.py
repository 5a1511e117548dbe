"""`autotelic run`, `resume` and `charter check`: what is known before anything is written, and going on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.errors import command

Capture = pytest.CaptureFixture[str]
TINY = """# mine, with a comment
seed = 3
[domain]
levels = [1, 1]
[model.tiny]
width = 32
heads = 2
[roles]
max_tokens = 24
[curriculum]
bootstrap_generations = 1
tasks_per_generation = 32
probe_tasks = 4
group_size = 4
[exam]
items_per_cell = 2
every = 1
own_items = 0
[gate]
items = 8
[budget]
seconds = 0
generations = 1
"""


@pytest.fixture
def charter(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def in_one_line(capsys: Capture) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    return err


WRONG = [
    ("[domain]\nname = 'pythn'", "did you mean 'python'"),
    ("[domain]\nmodes = ['dedction']", "give some of deduction"),
    ("[domain]\nlevels = [1, 40]", "levels"),
    ("[domain]\nname = 'nosuch.module:Class'", "does not import"),
    ("[model]\nname = 'smolm2-135m'", "did you mean smollm2-135m"),
    ("[model]\nname = '~nosuchuser/m'", "no home folder"),
    ("[model]\nname = '/nowhere/m'", "/nowhere/m does not exist"),
    ("[model]\nname = 'nobody/nothing-at-all'", "autotelic models pull nobody/nothing-at-all"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_charter_that_cannot_be_run_here_is_known_before_anything_is_written(
    tmp_path: Path, capsys: Capture, text: str, said: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text + "\n")
    assert main(["charter", "check", str(path)]) == 2
    assert said in in_one_line(capsys)
    assert main(["run", str(path), "--out", str(tmp_path / "r")]) == 2
    assert said in in_one_line(capsys)
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.toml"]


def test_charter_check_says_all_that_is_missing(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[domain]\nname = 'pythn'\n[model]\nname = '/nowhere/m'\nlora_rank = 4\n")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["charter", "check", str(path), "--json"]) == 2
    causes = [problem["cause"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert len(causes) == 3
    assert ["pythn" in causes[0], "/nowhere/m" in causes[1], "peft" in causes[2]] == [True] * 3


def test_charter_check_looks_into_a_model_that_is_here(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "t5"}')
    path = tmp_path / "c.toml"
    path.write_text(f"[model]\nname = '{tmp_path}/model'\n")
    assert main(["charter", "check", str(path)]) == 2
    assert "no causal language model" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["/dev/zero", "fifo"])
def test_a_charter_without_end_is_refused(tmp_path: Path, capsys: Capture, place: str) -> None:
    big = tmp_path / "fifo"
    big.write_bytes(b"#" * (2 << 20))
    assert main(["charter", "show", place if place[0] == "/" else str(big)]) == 2
    assert "larger than 1024 KiB" in in_one_line(capsys)


def test_a_taken_folder_is_known_before_torch_is_imported(tmp_path: Path, charter: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    code = (
        "import sys; from autotelic.cli import main; "
        f"assert main(['run', {str(charter)!r}, '--out', {str(tmp_path / 'full')!r}]) == 2; "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "given", [["--seconds", "-5"], ["--seconds=0"], ["--tokens=-1"], ["--generations=0"], ["--seconds=nan"]]
)
def test_a_resume_that_gives_nothing_is_refused(tmp_path: Path, capsys: Capture, given: list[str]) -> None:
    from autotelic.charter import Charter
    from autotelic.record import RunFolder

    run = RunFolder.create(tmp_path / "a", Charter())
    assert main(["resume", str(run.path), *given]) == 2
    assert "gives the run no more" in in_one_line(capsys)


def test_a_run_that_never_came_to_a_checkpoint_is_not_advised_to_resume(
    tmp_path: Path, capsys: Capture
) -> None:
    from autotelic.charter import Charter
    from autotelic.record import RunFolder

    run = RunFolder.create(tmp_path / "my runs", Charter())  # and then the power went
    assert main(["run", "--out", str(run.path)]) == 2
    said = in_one_line(capsys)
    assert "stopped as it began" in said
    assert f"autotelic run --again --out '{run.path}'" in said
    assert "resume" not in said
    assert main(["resume", str(run.path)]) == 2
    assert "nothing to go on from; start it again: autotelic run --again --out '" in in_one_line(capsys)


@pytest.mark.parametrize(
    ("words", "pasted"),
    [
        (("resume", Path("a b")), ["autotelic", "resume", "a b"]),
        (("resume", Path("it's; rm -rf ~")), ["autotelic", "resume", "it's; rm -rf ~"]),
        (("exam", Path("$(x)`y`\n")), ["autotelic", "exam", "$(x)`y`\n"]),
        (("exam", Path("ünï cödé/☃")), ["autotelic", "exam", "ünï cödé/☃"]),
        (("exam", Path("-rf")), ["autotelic", "exam", "./-rf"]),
    ],
)
def test_a_hint_can_be_pasted_into_a_shell(words: tuple[object, ...], pasted: list[str]) -> None:
    line = f'for word in {command(*words)}; do printf "%s\\0" "$word"; done'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.split("\0")[:-1] == pasted


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that any user may write; pytest's own are for one user alone."""
    folder = Path(tempfile.mkdtemp(prefix="autotelic ünï cödé "))
    folder.chmod(0o777)
    (folder / "tiny.toml").write_text(TINY)
    yield folder
    shutil.rmtree(folder)


def nobody() -> list[str]:
    """The beginning of a command that runs as a number which no passwd file knows, where that can be."""
    words = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    if os.geteuid() or not shutil.which(words[0]):
        return []
    # An interpreter in root's home, for one, is not for others.
    probe = [
        *words,
        sys.executable,
        "-c",
        "from autotelic.sandbox import Sandbox; Sandbox(workers=1).close()",
    ]
    return [] if subprocess.run(probe, capture_output=True, check=False).returncode else words


def test_a_run_goes_on_without_home_name_reader_or_utf8(public: Path) -> None:
    """All at once what containers and pipes do: no HOME, a uid that no passwd file knows, a C locale, a path with
    blanks and other scripts, and a reader that goes away at once.
    """
    gone = ("HOME", "XDG_CACHE_HOME", "AUTOTELIC_CACHE")
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    line = '"$@" -m autotelic.cli run tiny.toml --out "run a" --threads 1 | true; exit ${PIPESTATUS[0]}'
    done = subprocess.run(
        ["bash", "-c", line, "run", *nobody(), sys.executable],
        capture_output=True,
        check=False,
        cwd=public,
        env={**environment, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    err = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, err
    assert "Traceback" not in err
    assert err.count("nobody sees the progress any more (Broken pipe); the run goes on") == 1
    assert (public / "run a" / "report.html").is_file()
    assert (public / "run a" / "charter.toml").read_text() == TINY, "the charter as it was given"


def test_a_path_that_is_not_utf8_is_refused_where_a_model_would_be_written(
    tmp_path: Path, charter: Path
) -> None:
    """Libraries in other languages would write to another folder, or fail in the middle."""
    done = subprocess.run(
        [sys.executable, "-m", "autotelic.cli", "run", charter, "--out", os.fsencode(tmp_path) + b"/n\xff"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"n\xff is not a path in UTF-8; set PYTHONUTF8=1" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("-f 100", "(`ulimit -f unlimited`)"),
        ("-n 10", "(`ulimit -n 1024`)"),
        ("-v 600000", "(`ulimit -v unlimited`)"),
    ],
)
def test_a_limit_of_the_shell_is_one_line_with_its_fix(
    tmp_path: Path, charter: Path, limit: str, said: str
) -> None:
    line = f'ulimit {limit}; "$@" -m autotelic.cli run {charter} --out {tmp_path / "r"} --threads 1'
    done = subprocess.run(
        ["bash", "-c", line, "run", sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr
    assert "intact" not in done.stderr
    assert not (tmp_path / "r").exists()
