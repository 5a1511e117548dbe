"""What can go wrong for a user: the cause in one line, and the fix.

Anything that a person can put right is an `AutotelicError`; the command line prints it as one line and exits
with `exit_code`. A broken invariant inside is an ordinary exception with a traceback, because it is a bug.
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Mapping
from pathlib import PurePath

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where nothing more can be written: the disk, the quota or `ulimit -f` is reached."""
_FIXES: Mapping[int, str] = {
    errno.ENOSPC: "free some space and try again; what was written before is whole",
    errno.EDQUOT: "free some space within your quota and try again; what was written before is whole",
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f unlimited`) and try again",
    errno.EMFILE: "raise the limit on open files (`ulimit -n 1024`) and try again",
    errno.ENFILE: "end other programs: the machine has no more files to open",
    errno.EAGAIN: "raise the limit on processes (`ulimit -u`) or end other programs, and try again",
    errno.ENOMEM: "end other programs, or raise the limit on memory (`ulimit -v`), and try again",
    errno.EACCES: "check its permissions, or give another folder",
    errno.EPERM: "check its permissions, or give another folder",
    errno.EROFS: "its disk is read-only: give a folder on another",
    errno.EBUSY: "it is a mount point or in use: give another folder",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ELOOP: "its links lead in a circle: give another path",
    errno.ENOTDIR: "a part of the path is no folder: give another path",
    errno.EISDIR: "it is a folder: give a file",
    errno.EIO: "check its disk",
    errno.ESTALE: "check its disk: a network folder has changed",
}


def fix_of(error: OSError) -> str:
    """What a person can do about an error of the system."""
    return _FIXES.get(error.errno or 0, "check that it is there and can be used")


def cause_of(error: OSError) -> str:
    """The path that an error of the system is about, where it has one, and what the system says."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def command(*words: object) -> str:
    """A command of ours as it can be pasted into a shell, whatever is in its paths.

    >>> command("resume", PurePath("my runs/a"))
    "autotelic resume 'my runs/a'"
    """
    plain = [
        f"./{word}" if isinstance(word, PurePath) and str(word)[0] == "-" else str(word) for word in words
    ]
    return shlex.join(["autotelic", *plain])


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


class PictureError(AutotelicError):
    """A picture that is missing, damaged, too large, or of pixels that stand for more than a colour."""


class ModelError(AutotelicError):
    """A model that cannot be found, loaded, or trained as asked."""


class DivergedError(ModelError, FloatingPointError):
    """A model whose logits are NaN or infinite: its weights are of no use any more."""


class SandboxError(AutotelicError):
    """The sandbox cannot give what the charter requires of it on this machine."""


class OversightError(AutotelicError):
    """What oversight cannot rely on: evidence, a setting, a key, a signature, a permit, an answer."""


class BrakedError(OversightError):
    """The brake does not allow it, or cannot be asked. The trainer ends."""


class PageError(AutotelicError):
    """The page cannot be served: its address, its port, its token, a library that is not installed."""


class LedgerError(AutotelicError):
    """A ledger, checkpoint, proof or cosignature that is malformed, is not what was signed, or cannot be kept."""
