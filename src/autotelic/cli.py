"""The command line: `autotelic run`, and all that is done with what a run leaves.

What a user can put right is one line on standard error with its cause and its fix, and exit code 2. A
traceback is a bug. 130 is Ctrl-C, SIGTERM or SIGHUP, 141 a reader that went away.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from cyclopts import App, CycloptsError

from autotelic.commands import output
from autotelic.errors import AutotelicError, cause_of, fix_of

_NO_PROCESSES = fix_of(OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
_NO_MEMORY = fix_of(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))
_EPILOGUE = "Start with `autotelic run`; it writes runs/default/report.html."
_COMMANDS = {
    "run": (
        "running:run",
        "Start a run: the model makes tasks, learns from them, sits an exam.",
        "autotelic run recipes/smollm2-math.toml --out runs/math --seed 1",
    ),
    "resume": (
        "running:resume",
        "Go on with a run that was stopped.",
        "autotelic resume runs/default --seconds 600",
    ),
    "exam": (
        "examining:exam",
        "Sit an exam with a run's champion, or with a model.",
        "autotelic exam runs/default",
    ),
    "solve": (
        "solving:solve",
        "Let a champion search for an answer, and check it itself.",
        "autotelic solve runs/default --items 20 --budget 64",
    ),
    "ask": (
        "asking:ask",
        "Give a champion a text, and show what it writes.",
        "autotelic ask runs/default 'f([1,2])==[2,3]'",
    ),
    "inspect": (
        "looking:inspect",
        "Show one task, attempt, update or generation of a run in full.",
        "autotelic inspect runs/default attempt:1",
    ),
    "dash": (
        "dashing:dash",
        "Show runs on a page in the browser, while they go and after.",
        "autotelic dash runs/default",
    ),
    "check": (
        "looking:check",
        "Say what in a run folder is not what was written.",
        "autotelic check runs/default",
    ),
    "replay": (
        "replaying:replay",
        "Compute an update again from the journal.",
        "autotelic replay runs/default 12",
    ),
    "why": (
        "tracing:why",
        "Say what an answer rests on: weights, updates, experiences, verdicts.",
        "autotelic why runs/default --attempt 1",
    ),
    "changed": (
        "tracing:changed",
        "Say what changed between two sets of weights: in words, layers, heads and answers.",
        "autotelic changed runs/default start champion",
    ),
    "bundle": (
        "bundling:app",
        "Pack a run for somebody outside, or verify such a bundle.",
        "",
    ),
    "audit": (
        "auditing:audit",
        "Compute every decision of a run again from its ledger and journal.",
        "autotelic audit runs/default",
    ),
    "report": (
        "looking:report",
        "Write a run's report, pictures and summary again.",
        "autotelic report runs/default",
    ),
    "compare": (
        "looking:compare",
        "Compare runs: one table, their curves in one picture.",
        "autotelic compare runs/a runs/b --out compare.png",
    ),
    "export": (
        "exporting:export",
        "Copy a champion to a Hugging Face folder, or a record to Parquet.",
        "autotelic export runs/default my-model",
    ),
    "ledger": (
        "ledger:app",
        "Verify, prove, export or witness the record of what was decided.",
        "",
    ),
    "charter": (
        "charters:app",
        "Show, check or describe charters: what a human decides.",
        "",
    ),
    "domain": ("domains:app", "Begin a domain of your own, or check one.", ""),
    "auditor": (
        "overseeing:auditor",
        "Run a brake with its ledger, witness and auditors.",
        "",
    ),
    "brake": ("oversight:app", "Set, release or show a run's brake.", ""),
    "review": (
        "oversight:review",
        "Show the claims that wait for auditors, and sign a review.",
        "",
    ),
    "schema": ("looking:schema", "Print the JSON schema of the messages.", "autotelic schema messages"),
    "doctor": ("checkup:doctor", "Say what this machine can do.", "autotelic doctor"),
}
"""Where each command is, imported when it is used, so that the help is quick; what it does; an example."""
_PARTS = {
    "models": "Models to start from.",
    "sandbox": "The sandbox that runs what a model wrote.",
}
"""Parts of the engine that bring commands of their own, as `app` in their `commands.py`."""


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes a fifth of the time of `--help`

    try:
        return version("autotelic")
    except PackageNotFoundError:
        return "not installed"


app = App(
    name="autotelic",
    help="A model that makes its own tasks, judges them by execution, and changes its own weights.",
    help_format="plaintext",
    help_epilogue=_EPILOGUE,
    version=_version,
    suppress_keyboard_interrupt=False,  # it is said in our words
)
for _name, (_place, _help, _example) in _COMMANDS.items():
    # Commands that have commands bring their own example.
    _epilogue = {} if _place.endswith(":app") else {"help_epilogue": f"Example: {_example}"}
    app.command(
        f"autotelic.commands.{_place}",
        name=_name,
        help=_help,
        sort_key=list(_COMMANDS).index(_name),
        **_epilogue,
    )
for _name, _help in _PARTS.items():
    if (Path(__file__).parent / _name / "commands.py").is_file():
        app.command(f"autotelic.{_name}.commands:app", name=_name, help=_help, sort_key=len(_COMMANDS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say (those of the process by default); the exit code."""
    output.prepare()
    try:
        with _stoppable():
            code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
            sys.stdout.flush()
    except CycloptsError as error:
        return _complain(" ".join(str(error).split()), 2)
    except AutotelicError as error:
        return _complain(_with_limit(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except BrokenPipeError:
        # The reader went away (`autotelic inspect ... | head`). What is left to write has nowhere to go.
        output.silence(sys.stdout)
        return 141
    except OSError as error:
        output.silence(sys.stdout)  # where it is what cannot be written, the end would fail to flush it again
        return _complain(f"{cause_of(error)}; {fix_of(error)}", 2)
    except (MemoryError, RuntimeError, ImportError) as error:
        if (line := _exhausted(error)) is None:
            raise
        return _complain(line, 2)
    return code if isinstance(code, int) else 0


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does, so that it tidies up behind itself.

    Under `nohup` SIGHUP stays ignored, and other threads than the main one cannot have signals.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _with_limit(error: AutotelicError) -> str:
    """The line of an error. Whoever met the limit on the size of files took it for a full disk."""
    too_large = os.strerror(errno.EFBIG)
    if too_large in error.cause:
        return f"{error.cause}; {fix_of(OSError(errno.EFBIG, too_large))}"
    return str(error)


def _exhausted(error: BaseException) -> str | None:
    """A line for what Python and its libraries raise where the machine gives no more; None for what is a bug."""
    said = str(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in said:
        return f"no more threads can be started here; {_NO_PROCESSES}"
    memory = ("can't allocate memory", "not enough memory", "failed to map segment", "cannot allocate memory")
    if isinstance(error, MemoryError) or any(part in said.lower() for part in memory):
        return f"there is not enough memory; {_NO_MEMORY}"
    return None


def _complain(line: str, code: int) -> int:
    # A standard error that is gone takes no complaint, and the exit code still says it.
    with suppress(OSError):
        print(f"autotelic: {line}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
