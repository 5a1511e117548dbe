"""The command line in processes of their own: streams that are closed, full, unread, or of another encoding."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autotelic.commands.output import PLAIN, Lasting

CLI = [sys.executable, "-m", "autotelic.cli"]


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of bash, in which `autotelic` is the command."""
    function = f'autotelic() {{ {sys.executable} -m autotelic.cli "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", function + line],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("autotelic charter show >&-", 0),
        ("autotelic charter show 2>&- >/dev/null", 0),
        ("autotelic charter show <&- >&- 2>&-", 0),
        ("autotelic no-such-command 2>&-", 2),
        ("autotelic inspect /nowhere >&- 2>&-", 2),
        ("autotelic charter show >/dev/full", 2),
        ("autotelic charter show 2>/dev/full >/dev/null", 0),
        ("autotelic no-such-command 2>/dev/full", 2),
        ("autotelic charter schema | true; exit ${PIPESTATUS[0]}", 141),
    ],
)
def test_whatever_the_streams_are_the_exit_code_is_that_of_the_work(line: str, code: int) -> None:
    done = shell(line)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.stderr.count(b"\n") <= 1


def test_what_is_printed_never_lands_in_a_file_that_took_the_number_of_a_closed_stream(
    tmp_path: Path,
) -> None:
    """Without stdout the next file that is opened is number 1: the journal."""
    code = (
        "import sys; from autotelic.commands.output import prepare; prepare(); "
        f"file = open({str(tmp_path / 'journal')!r}, 'w'); assert file.fileno() > 2, file.fileno(); "
        "print('printed'); sys.stdout.flush(); file.close()"
    )
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{code}" >&-'], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "journal").read_text() == ""


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "cp437"},
        {"PYTHONIOENCODING": "utf-8"},
    ],
)
def test_any_encoding_of_a_terminal_will_do(environment: dict[str, str], tmp_path: Path) -> None:
    code = "from autotelic.commands.output import prepare; prepare(); print('\\u2013 \\u2501\\u2588 \\u6570 \\xfc')"
    plain = {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, env={**os.environ, **plain}
    )
    assert done.returncode == 0, done.stderr
    encoding = environment.get("PYTHONIOENCODING", "ascii")
    said = done.stdout.decode(encoding)
    assert said[0] in "–-"
    assert "?" not in said[:4]
    said = shell("autotelic inspect 'nö–such'", **plain)
    assert said.returncode == 2
    assert b"Traceback" not in said.stderr


def test_our_own_characters_have_a_likeness_of_one_column() -> None:
    assert all(len(chr(one).translate(PLAIN)) == 1 for one in PLAIN)
    assert "▁▂▃▄▅▆▇█━─–".translate(PLAIN).isascii()


def test_the_name_of_a_file_is_printed_as_its_bytes() -> None:
    done = subprocess.run([*CLI, "inspect", b"n\xff\xfe"], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"n\xff\xfe does not exist" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_any_command_with_a_line(number: int) -> None:
    def defaults() -> None:
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)

    # A command that has begun its work: it waits for what a FIFO has to say.
    code = (
        "import sys, threading, os, signal, time; from autotelic.cli import main; "
        f"threading.Timer(1.0, lambda: os.kill(os.getpid(), {int(number)})).start(); "
        "sys.exit(main(['sandbox', 'run', '-']))"
    )
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdin=reader,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=defaults,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert done.returncode == 130
    assert (done.stdout, done.stderr) == ("", "autotelic: interrupted\n")


class Broken:
    """A stream that takes so many writes."""

    encoding = "utf-8"

    def __init__(self, writes: int, error: OSError) -> None:
        self.left, self.error, self.got = writes, error, ""

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise self.error
        self.got += text
        return len(text)

    def flush(self) -> None:
        self.write("")

    def fileno(self) -> int:
        raise OSError("no number")

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")]
)
def test_a_view_whose_reader_goes_away_falls_silent_and_says_so_once(error: OSError) -> None:
    said: list[str] = []
    under = Broken(1, error)
    stream = Lasting(under, said.append)  # type: ignore[arg-type]
    assert stream.isatty()
    for text in ("one", "two", "three"):
        assert stream.write(text) == len(text)
        stream.flush()
    assert under.got == "one"
    assert said == [error.strerror]
    assert not stream.isatty()
