"""A self-improvement engine for language models: it makes its own tasks, judges them, and changes its own weights.

Everything public is a name of this package; `docs/api.md` explains each, and `tests/api` holds them as they are. A
name is imported when it is first used, so that `import autotelic` imports nothing else.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

# Threads that wait for one another are to sleep, not to spin: on a machine with anything else to do, a spinning
# thread holds the core that the other thread needs, and a matrix product takes many times as long. Read by the
# OpenMP runtime when torch is first imported, so it is set before anything can import it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if TYPE_CHECKING:
    from autotelic.api.champions import Examined, LoadedChampion, Solved, exam, load_champion
    from autotelic.api.runs import RecordedRun, open_run, resume, run, stream
    from autotelic.charter import Charter
    from autotelic.domains import capabilities_of, load_domain
    from autotelic.errors import AutotelicError
    from autotelic.machine import Machine
    from autotelic.messages import Message
    from autotelic.oversee.auditor import Auditor, Opinion, SigningAuditor, approve, refuse
    from autotelic.oversee.bodies import Claim
    from autotelic.protocols import (
        Answering,
        Checkable,
        Comparable,
        Demonstrating,
        Domain,
        Formal,
        Interactive,
        Posable,
        Proposable,
        Repairable,
        Sessions,
        Shaped,
        Textual,
    )
    from autotelic.sandbox import Level, Limits, Sandbox
    from autotelic.types import (
        Binary,
        Cell,
        Demonstration,
        Episode,
        ExamReport,
        Ids,
        Image,
        Lineage,
        Proposal,
        Range,
        Rejection,
        Spec,
        Step,
        Task,
        Text,
        Turn,
        Verdict,
    )

    __version__: str

_PLACES = {
    "api.runs": ("RecordedRun", "open_run", "resume", "run", "stream"),
    "api.champions": ("Examined", "LoadedChampion", "Solved", "exam", "load_champion"),
    "charter": ("Charter",),
    "machine": ("Machine",),
    "messages": ("Message",),
    "errors": ("AutotelicError",),
    "sandbox": ("Level", "Limits", "Sandbox"),
    "domains": ("capabilities_of", "load_domain"),
    "protocols": (
        "Answering",
        "Checkable",
        "Comparable",
        "Demonstrating",
        "Domain",
        "Formal",
        "Interactive",
        "Posable",
        "Proposable",
        "Repairable",
        "Sessions",
        "Shaped",
        "Textual",
    ),
    "types": (
        "Binary",
        "Cell",
        "Demonstration",
        "Episode",
        "ExamReport",
        "Ids",
        "Image",
        "Lineage",
        "Proposal",
        "Range",
        "Rejection",
        "Spec",
        "Step",
        "Task",
        "Text",
        "Turn",
        "Verdict",
    ),
    "oversee.auditor": ("Auditor", "Opinion", "SigningAuditor", "approve", "refuse"),
    "oversee.bodies": ("Claim",),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}

__all__ = [
    "Answering",
    "Auditor",
    "AutotelicError",
    "Binary",
    "Cell",
    "Charter",
    "Checkable",
    "Claim",
    "Comparable",
    "Demonstrating",
    "Demonstration",
    "Domain",
    "Episode",
    "ExamReport",
    "Examined",
    "Formal",
    "Ids",
    "Image",
    "Interactive",
    "Level",
    "Limits",
    "Lineage",
    "LoadedChampion",
    "Machine",
    "Message",
    "Opinion",
    "Posable",
    "Proposable",
    "Proposal",
    "Range",
    "RecordedRun",
    "Rejection",
    "Repairable",
    "Sandbox",
    "Sessions",
    "Shaped",
    "SigningAuditor",
    "Solved",
    "Spec",
    "Step",
    "Task",
    "Text",
    "Textual",
    "Turn",
    "Verdict",
    "__version__",
    "approve",
    "capabilities_of",
    "exam",
    "load_champion",
    "load_domain",
    "open_run",
    "refuse",
    "resume",
    "run",
    "stream",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        found: Any = _version()
    elif name in _PLACE_OF:
        found = getattr(importlib.import_module(f"autotelic.{_PLACE_OF[name]}"), name)
    else:
        raise AttributeError(f"autotelic has no {name!r}; `dir(autotelic)` names all that is public")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return list(__all__)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("autotelic")
    except PackageNotFoundError:
        return "not installed"


class _Package(ModuleType):
    """`exam` is a public function and also the folder of a stage: importing the folder does not hide the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PLACE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
