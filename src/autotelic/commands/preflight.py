"""What can be known of a run before torch is imported, and before anything is written."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

from autotelic.errors import AutotelicError, DomainError, ModelError, RunError

if TYPE_CHECKING:
    from autotelic.charter import Charter

LEAST_MEMORY = 1 << 30
"""Bytes of address space without which torch cannot be imported: 0.6 GB are too few, 1.5 enough for `tiny`."""


def problems_of(charter: Charter) -> list[AutotelicError]:
    """What a charter asks for that this machine does not have, each as an error. Nothing is run.

    Its domain with modes and levels, its model with tokenizer, and peft where it learns an adapter. The weights
    are not loaded.
    """
    found: list[AutotelicError] = []
    for look in (refuse_domain, refuse_model, refuse_adapter):
        try:
            look(charter)
        except (DomainError, ModelError) as error:
            found.append(error)
    return found + (_unfit(charter) if not any(isinstance(error, ModelError) for error in found) else [])


def refuse_limits() -> None:
    """Raise RunError where less memory may be had than importing torch takes: it would end the process without
    a word.
    """
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if allowed not in (resource.RLIM_INFINITY, -1) and allowed < LEAST_MEMORY:
        raise RunError(
            f"this process may have {allowed >> 20} MiB of memory, and needs {LEAST_MEMORY >> 20}",
            "raise the limit (`ulimit -v unlimited`)",
        )


def refuse_domain(charter: Charter) -> None:
    """Raise DomainError where the domain, a mode or a level of a charter does not exist."""
    from autotelic.domains.registry import load_domain

    load_domain(charter.domain, exam_levels=charter.exam.levels)


def refuse_model(charter: Charter) -> None:
    """Raise ModelError where the model of a charter is not on this machine."""
    from autotelic.charter import BUILT_IN
    from autotelic.models.registry import resolve

    name = charter.model.name
    if name not in BUILT_IN and not Path(place := resolve(name)).is_dir():
        raise ModelError(f"the model {place} is not on this machine", f"run `autotelic models pull {place}`")


def refuse_adapter(charter: Charter) -> None:
    """Raise ModelError where a charter learns an adapter and peft is not installed."""
    from importlib.util import find_spec

    if charter.model.lora_rank and find_spec("peft") is None:
        raise ModelError(
            f"model.lora_rank = {charter.model.lora_rank} needs peft, which is not installed",
            "`pip install peft`, or set model.lora_rank = 0 to learn the whole model",
        )


def _unfit(charter: Charter) -> list[AutotelicError]:
    """Why the engine cannot train a model that is here. transformers is imported for it."""
    from autotelic.charter import BUILT_IN
    from autotelic.models.registry import resolve

    if charter.model.name in BUILT_IN:
        return []
    from autotelic.models.check import check_model
    from autotelic.weights.load import tokenizer_of

    problems = check_model(resolve(charter.model.name), tokenizer_of)
    return [ModelError(problem.cause, problem.fix) for problem in problems if problem.fatal]
