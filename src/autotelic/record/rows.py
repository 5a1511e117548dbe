"""Nouns to rows and back.

What a person may look for stands in its own column; the rest is JSON. Token ids and log-probabilities are one
blob an attempt, because as JSON they would be most of the record and most of the time it takes to write it.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal, cast

import numpy as np
import pydantic_core

from autotelic.types import Attempt, Group, Lineage, Source, Task, Turn, Verdict

Decode = Callable[[Sequence[int]], str]

TASK_COLUMNS = "id, generation, domain, mode, level, prompt, secret, signature, cluster, author, born, shown"
ATTEMPT_COLUMNS = "task, generation, role, answer, reward, passed, reason, source, feedback, turns, numbers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. `id` only ever grows, so that a reader can ask for what is new."""

    id: int
    time: float
    generation: int
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAttempt:
    """An attempt as the record has it, with the verdict it was given.

    `texts` holds the prompt and the completion of each turn, or is empty where no tokenizer was at hand.
    """

    id: int
    generation: int
    role: str
    attempt: Attempt
    verdict: Verdict
    texts: tuple[tuple[str, str], ...] = ()


def to_json(value: Any) -> str:
    """Compact JSON. Takes numpy's scalars, tuples and dataclasses; nan and infinity become their names.

    >>> to_json({"loss": float("nan"), "cell": (1, 2)})
    '{"loss":"NaN","cell":[1,2]}'
    """
    try:
        # Ten times as fast as the standard library on rows, which is most of what recording costs.
        return pydantic_core.to_json(value, inf_nan_mode="strings", fallback=_plain).decode()
    except pydantic_core.PydanticSerializationError:
        # Half a surrogate pair, which a program may well return: only the standard library escapes it.
        return json.dumps(value, default=_plain, separators=(",", ":"))


def task_row(task: Task, generation: int) -> tuple[Any, ...]:
    """The values of `TASK_COLUMNS`."""
    return (
        task.id,
        generation,
        task.domain,
        task.mode,
        task.level,
        task.prompt,
        to_json(dict(task.secret)),
        task.signature,
        task.cluster,
        task.lineage.author,
        task.lineage.generation,
        to_json(task.lineage.references),
    )


def task_of(row: Sequence[Any]) -> Task:
    """The task in a row of `TASK_COLUMNS`. Its secret is plain JSON: tuples have become lists."""
    id_, _, domain, mode, level, prompt, secret, signature, cluster, author, born, shown = row
    return Task(
        id=id_,
        domain=domain,
        mode=mode,
        level=level,
        prompt=prompt,
        secret=json.loads(secret),
        signature=signature,
        cluster=cluster,
        lineage=Lineage(author=author, generation=born, references=tuple(json.loads(shown))),
    )


def attempt_rows(group: Group, generation: int, decode: Decode | None) -> Iterator[tuple[Any, ...]]:
    """The values of `ATTEMPT_COLUMNS`, a row an attempt."""
    for attempt, verdict in zip(group.attempts, group.verdicts, strict=True):
        turns, numbers = _pack(attempt.turns, decode)
        yield (
            attempt.task_id,
            generation,
            group.role,
            attempt.answer,
            float(verdict.reward),
            bool(verdict.passed),
            verdict.reason,
            verdict.source,
            verdict.feedback,
            turns,
            numbers,
        )


def attempt_of(row: Sequence[Any]) -> StoredAttempt:
    """The attempt in a row of `id` and `ATTEMPT_COLUMNS`."""
    id_, task, generation, role, answer, reward, passed, reason, source, feedback, turns, numbers = row
    packed = json.loads(turns)
    verdict = Verdict(
        reward=reward, passed=bool(passed), reason=reason, source=cast(Source, source), feedback=feedback
    )
    return StoredAttempt(
        id=id_,
        generation=generation,
        role=role,
        attempt=Attempt(task_id=task, turns=_unpack(packed, numbers), answer=answer),
        verdict=verdict,
        texts=tuple((turn["texts"][0], turn["texts"][1]) for turn in packed if "texts" in turn),
    )


def _pack(turns: Sequence[Turn], decode: Decode | None) -> tuple[str, bytes]:
    """What is short as JSON, and all numbers in one blob: prompt, completion, log-probabilities."""
    heads: list[dict[str, Any]] = []
    numbers: list[bytes] = []
    for turn in turns:
        logprobs = array("f", turn.logprobs)
        if tuple(logprobs) != turn.logprobs:  # sampled in double precision, or nan: keep every bit
            logprobs = array("d", turn.logprobs)
        head: dict[str, Any] = {
            "prompt": len(turn.prompt_ids),
            "completion": len(turn.completion_ids),
            "logprobs": f"{logprobs.typecode}{len(logprobs)}",
            "weights": turn.weights,
            "stop": turn.stop,
        }
        if decode is not None:
            head["texts"] = (decode(turn.prompt_ids), decode(turn.completion_ids))
        heads.append(head)
        ids = array("I", turn.prompt_ids)
        ids.extend(turn.completion_ids)
        numbers += [_little(ids), _little(logprobs)]
    return to_json(heads), b"".join(numbers)


def _unpack(heads: Sequence[Mapping[str, Any]], numbers: bytes) -> tuple[Turn, ...]:
    place = 0

    def take(typecode: str, count: int) -> tuple[Any, ...]:
        nonlocal place
        values = array(typecode)
        end = place + count * values.itemsize
        values.frombytes(numbers[place:end])
        place = end
        if sys.byteorder == "big":
            values.byteswap()
        return tuple(values)

    return tuple(
        Turn(
            prompt_ids=take("I", head["prompt"]),
            completion_ids=take("I", head["completion"]),
            logprobs=take(head["logprobs"][0], int(head["logprobs"][1:])),
            weights=head["weights"],
            stop=cast(Literal["eos", "length"], head["stop"]),
        )
        for head in heads
    )


def _little(values: array[Any]) -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


def _plain(value: Any) -> Any:
    """What JSON has no word for, as what it has one for."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be recorded; make it a number, text, list or dictionary")
