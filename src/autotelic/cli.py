"""The command line: `autotelic run`, and all that is done with what a run leaves.

What a user can put right is one line on standard error with its cause and its fix, and exit code 2. A
traceback is a bug. 130 is Ctrl-C, 141 a reader that went away.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError

from autotelic.errors import AutotelicError

_EPILOGUE = "Start with `autotelic run`; it writes runs/default/report.html."
_COMMANDS = {
    "run": ("running:run", "Start a run: the model makes tasks, learns from them, sits an exam."),
    "resume": ("running:resume", "Go on with a run that was stopped."),
    "exam": ("examining:exam", "Sit an exam with a run's champion, or with a model."),
    "solve": ("solving:solve", "Let a champion search for an answer, and check it itself."),
    "inspect": ("looking:inspect", "Show one task, attempt, update or generation of a run in full."),
    "check": ("looking:check", "Say what in a run folder is not what was written."),
    "replay": ("replaying:replay", "Compute an update, or all decisions, again from the journal."),
    "report": ("looking:report", "Write a run's report, pictures and summary again."),
    "compare": ("looking:compare", "Compare runs: one table, their curves in one picture."),
    "export": ("examining:export", "Copy a champion to a Hugging Face folder, with its model card."),
    "ledger": ("ledger:app", "Verify, prove, export or witness the record of what was decided."),
    "charter": ("charters:app", "Show, check or describe charters: what a human decides."),
    "auditor": ("oversight:auditor", "Run a brake with its ledger, witness and auditors."),
    "brake": ("oversight:app", "Set, release or show a run's brake."),
    "review": ("oversight:review", "Show the claims that wait for auditors, and sign a review."),
    "schema": ("looking:schema", "Print the JSON schema of the messages."),
    "doctor": ("checkup:doctor", "Say what this machine can do."),
}
"""Where each command is, imported when it is used, so that the help is quick."""
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
)
for _name, (_place, _help) in _COMMANDS.items():
    app.command(f"autotelic.commands.{_place}", name=_name, help=_help, sort_key=list(_COMMANDS).index(_name))
for _name, _help in _PARTS.items():
    if (Path(__file__).parent / _name / "commands.py").is_file():
        app.command(f"autotelic.{_name}.commands:app", name=_name, help=_help, sort_key=len(_COMMANDS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say (those of the process by default); the exit code."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        return _complain(" ".join(str(error).split()), 2)
    except AutotelicError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except BrokenPipeError:
        # The reader went away (`autotelic inspect ... | head`). What is left to write has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _complain(f"{_cause(error)}; {_fix(error)}", 2)
    return code if isinstance(code, int) else 0


def _complain(line: str, code: int) -> int:
    print(f"autotelic: {line}", file=sys.stderr)
    return code


def _cause(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _fix(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space and try again; what was written before is whole"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "check its permissions, or give another folder"
    return "check that it is there and can be used"


if __name__ == "__main__":
    sys.exit(main())
