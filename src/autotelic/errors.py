"""What can go wrong for a user: the cause in one line, and the fix.

Anything that a person can put right is an `AutotelicError`; the command line prints it as one line and exits
with `exit_code`. A broken invariant inside is an ordinary exception with a traceback, because it is a bug.
"""

from __future__ import annotations


class AutotelicError(Exception):
    """`cause` says what was got and what was expected, `fix` what to do about it.

    >>> str(RunError("runs/a is not a run folder", "give the folder that `autotelic run --out` wrote"))
    'runs/a is not a run folder; give the folder that `autotelic run --out` wrote'
    """

    exit_code = 2

    def __init__(self, cause: str, fix: str = "") -> None:
        # Both go to `Exception`, so that an error survives the trip between processes intact.
        super().__init__(cause, fix)
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.cause}; {self.fix}" if self.fix else self.cause


class CharterError(AutotelicError):
    """The charter cannot be read, names a key that does not exist, or gives a value that is out of range."""


class RunError(AutotelicError):
    """The run folder: it is not one, is in use by another process, is finished, cannot be written."""


class RecordError(AutotelicError):
    """The record or a checkpoint is missing, damaged, of another version, or has no space left."""


class DomainError(AutotelicError):
    """A domain that does not exist, or that was asked for a mode or level it does not have."""


class ModelError(AutotelicError):
    """A model that cannot be found, loaded, or trained as asked."""


class DivergedError(ModelError, FloatingPointError):
    """A model whose logits are NaN or infinite: its weights are of no use any more."""


class SandboxError(AutotelicError):
    """The sandbox cannot give what the charter requires of it on this machine."""


class LedgerError(AutotelicError):
    """A ledger, checkpoint, proof or cosignature that is malformed, is not what was signed, or cannot be kept."""
