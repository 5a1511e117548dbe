"""The charter: the human's rules, purpose and limits.

One TOML file is read into one frozen `Charter`; whatever it leaves out has the default given here, and what
it misspells is refused. Its digest names the run. To add a knob, add one line to its section: the reader, the
checks, `charter show` and the JSON schema all follow from that line. There are to be fewer than 80.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.config import JsonDict

from autotelic import charter_text
from autotelic.canonical import digest
from autotelic.errors import CharterError

PURPOSE = "Learn to read, invert and write small Python functions, from the rules of the game alone."

MODES = ("deduction", "abduction", "induction")
LARGEST = 2**53  # every reader of JSON has integers up to here exactly
SHARE = {"ge": 0, "le": 1}
RATE = {"gt": 0, "le": 1}
HEAT = {"gt": 0, "le": 4}
Level = Annotated[int, Field(ge=1, le=64)]


def knob(default: Any, unit: str, owner: str, why: str, **bounds: Any) -> Any:
    """A field of the charter: its unit, the part of the engine that reads it, and why one would turn it."""
    if isinstance(default, tuple):
        bounds["strict"] = False  # TOML has arrays, not tuples; what is in them is still checked strictly
    elif isinstance(default, int):
        bounds.setdefault("le", LARGEST)
    extra: JsonDict = {"unit": unit, "owner": owner}
    return Field(default, description=f"{why} ({unit}; read by {owner})", json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """A table of the charter. Frozen; an unknown key, text for a number or a nan is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        serialize_by_alias=True,
    )


def _ascending(key: str, levels: tuple[int, int]) -> None:
    if levels[0] > levels[1]:
        raise ValueError(f"{key} = {list(levels)} has its lowest level above its highest; swap them")


class Domain(Section):
    """What is to be learned."""

    name: str = knob("python", "name", "domains", "which folder of domains/ it is", min_length=1)
    levels: tuple[Level, Level] = knob((1, 3), "level", "propose", "the lowest and highest practised")
    style: Literal["compact", "natural"] = knob(
        "compact", "name", "domains", "natural puts tasks in words, for language models"
    )
    modes: tuple[str, ...] = knob(
        ("deduction", "abduction", "induction"),
        "modes",
        "propose",
        "the kinds of task practised",
        min_length=1,
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _ascending("domain.levels", self.levels)
        if len(set(self.modes)) < len(self.modes):
            raise ValueError(f"domain.modes names a mode twice: {', '.join(self.modes)}; name each once")
        return self


class Model(Section):
    """The actor. The sizes are of `tiny`, which starts from random weights; other models bring theirs."""

    name: str = knob("tiny", "name", "models", "`tiny`, a folder, or a Hugging Face id", min_length=1)
    width: int = knob(192, "channels", "models", "wider learns more, and slower", ge=8)
    depth: int = knob(2, "layers", "models", "composing operations takes depth", ge=1)
    heads: int = knob(6, "heads", "models", "must cut the width into even parts", ge=1)
    context: int = knob(512, "tokens", "models", "the longest prompt with its completion", ge=64)
    vocabulary: int = knob(512, "tokens", "models", "of the tokenizer, trained on the rules", ge=300)
    dtype: Literal["float32", "bfloat16"] = knob("float32", "type", "models", "16 bits halve frozen weights")
    checkpointing: bool = knob(False, "yes or no", "learn", "activations are computed twice, to save memory")
    lora_rank: int = knob(0, "rank", "models", "above 0 an adapter is learned, not the model", ge=0, le=1024)
    server: str = knob("", "address", "models", "of a server that samples; empty samples here")
    from_: str = knob("", "folder", "models", "weights to go on from; empty starts afresh", alias="from")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(
                f"model.heads = {self.heads} does not cut model.width = {self.width} into even parts; "
                f"make width a multiple of {2 * self.heads}"
            )
        return self

    @model_validator(mode="after")
    def _server_can_be_given_it(self) -> Self:
        if self.server and not self.server.startswith(("http://", "https://")):
            raise ValueError(f"model.server = {self.server!r} is no address; write http://127.0.0.1:8000/v1")
        if self.server and not self.lora_rank:
            raise ValueError(
                "model.server is given the adapter after every update, and there is none; set model.lora_rank = 16"
            )
        return self


class Roles(Section):
    """How the actor is asked, as proposer and as solver."""

    references: int = knob(2, "tasks", "propose", "known ones shown to the proposer, to vary", ge=0, le=16)
    repair_turns: int = knob(3, "turns", "attempt", "above 1, failures are read and repaired", ge=1, le=16)
    proposer_temperature: float = knob(1.0, "temperature", "propose", "hotter, stranger tasks", **HEAT)
    solver_temperature: float = knob(1.0, "temperature", "attempt", "hotter, siblings differ more", **HEAT)
    max_tokens: int = knob(72, "tokens", "attempt", "the longest completion of one turn", ge=8)


class Feedback(Section):
    """Who says how good an attempt was: the verifier first, the critic once it has earned its place."""

    verifier: float = knob(1.0, "weight", "judge", "reward from execution", **SHARE)
    critic: float = knob(0.0, "weight", "judge", "reward from the critic, while it is calibrated", **SHARE)
    consensus: float = knob(0.0, "weight", "judge", "reward from agreement; alone it collapses", **SHARE)
    certainty: float = knob(0.0, "weight", "judge", "reward from certainty; alone it collapses", **SHARE)
    withhold: float = knob(0.0, "share of groups", "judge", "that only a good critic judges", **SHARE)
    shuffle: float = knob(0.0, "share of groups", "judge", "verdicts dealt out anew: a control", **SHARE)
    baseline: Literal["critic", "siblings"] = knob("critic", "name", "credit", "what reward was expected")
    critic_width: int = knob(64, "channels", "judge", "width of the critic; small will do", ge=8)
    critic_lr: float = knob(0.001, "step size", "judge", "learning rate of the critic", **RATE)
    max_ece: float = knob(0.1, "expected error", "judge", "above it the critic is not calibrated", **SHARE)
    min_auroc: float = knob(0.7, "AUROC", "judge", "below it the critic is not calibrated", **SHARE)

    @model_validator(mode="after")
    def _someone_judges(self) -> Self:
        if not (self.verifier or self.critic or self.consensus or self.certainty):
            raise ValueError("every weight of [feedback] is 0, so nothing teaches; set feedback.verifier = 1")
        return self


class Curriculum(Section):
    """What is practised next: a bandit over mode and level."""

    bootstrap_generations: int = knob(4, "generations", "propose", "rules write all tasks until then", ge=0)
    tasks_per_generation: int = knob(6144, "tasks", "propose", "how many a generation learns from", ge=1)
    actor_share: float = knob(0.75, "share of tasks", "propose", "asked of the actor after that", **SHARE)
    retention: float = knob(0.2, "share of tasks", "propose", "kept for all cells, lest one fade", **SHARE)
    replay: float = knob(0.4, "share of tasks", "propose", "seen long ago, and tried again", **SHARE)
    cluster_quota: float = knob(0.25, "share of tasks", "propose", "most that may behave alike", **RATE)
    probe_tasks: int = knob(48, "groups", "attempt", "tasks of a generation attempted by a group", ge=1)
    group_size: int = knob(8, "attempts", "attempt", "siblings at a task, to be compared", ge=2, le=1024)
    drafted: float = knob(
        0.25, "share of tasks", "attempt", "tried once, to learn mending from failures", **SHARE
    )
    unlock: float = knob(0.0, "success", "propose", "where a mode's next level opens", **SHARE)
    lead: float = knob(0.2, "mean success", "propose", "of a mode, where the next one comes", **SHARE)
    explore: float = knob(0.2, "share of tasks", "propose", "in cells drawn uniformly", **SHARE)

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if (total := self.retention + self.replay + self.explore) > 1:
            raise ValueError(f"curriculum.retention + replay + explore = {total:g}; bring it to 1 or less")
        return self


class Learn(Section):
    """How verdicts become weights."""

    optimiser: Literal["muon", "adamw"] = knob("muon", "name", "learn", "for matrices; the rest has AdamW")
    lr_matrix: float = knob(0.015, "step size", "learn", "learning rate of matrices", **RATE)
    lr_other: float = knob(0.003, "step size", "learn", "learning rate of embeddings, head, norms", **RATE)
    momentum: float = knob(0.8, "share", "learn", "of the past, in a matrix's next step", ge=0, lt=1)
    batch_tokens: int = knob(2048, "tokens", "learn", "size of an update; smaller learns more a token", ge=64)
    warmup_steps: int = knob(20, "updates", "learn", "the learning rate rises over them", ge=0)
    cooldown: float = knob(0.4, "share of budget", "learn", "last part, in which the rate falls", **SHARE)
    clip_low: float = knob(0.2, "ratio", "learn", "the policy's ratio is clipped at 1 minus it", **RATE)
    clip_high: float = knob(0.28, "ratio", "learn", "and at 1 plus it; a larger one explores", ge=0, le=10)
    kl: float = knob(0.01, "weight", "learn", "holds the actor near the anchor", ge=0, le=10)
    normalise: Literal["token", "sequence"] = knob(
        "token", "name", "learn", "what counts alike in the policy gradient, however long"
    )
    anchor_every: int = knob(10, "generations", "learn", "the anchor is moved this often", ge=1)
    policy: float = knob(0.3, "weight", "learn", "policy gradient, beside self-supervision", ge=0, le=10)
    practice: float = knob(0.05, "share of tasks", "learn", "the rules' tasks learned as proposals", **SHARE)
    max_grad_norm: float = knob(1.0, "norm", "learn", "longer gradients are scaled down to it", gt=0)


class Exam(Section):
    """How it is known whether the model got better."""

    items_per_cell: int = knob(32, "items", "exam", "more narrows the intervals and takes longer", ge=1)
    samples: int = knob(8, "attempts", "exam", "at an item, for pass@k and best-of-k", ge=1, le=1024)
    levels: tuple[Level, Level] = knob((1, 3), "level", "exam", "the lowest and highest examined")
    temperature: float = knob(0.7, "temperature", "exam", "for samples; pass@1 is greedy", **HEAT)
    every: int = knob(5, "generations", "exam", "one sitting in so many", ge=1)
    own_items: int = knob(48, "items", "exam", "in the exam the model sets itself; 0 is none", ge=0)
    free_answers: int = knob(64, "answers", "exam", "from other items, tried to see how easy", ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _ascending("exam.levels", self.levels)
        return self


class Gate(Section):
    """Whether a candidate becomes champion."""

    items: int = knob(96, "items", "exam", "fresh ones, answered by candidate and champion", ge=8)
    level: float = knob(0.05, "p-value", "oversee", "below it a candidate is worse", gt=0, lt=0.5)


class Limits(Section):
    """What a program that the model wrote may use, and how it is confined."""

    wall_s: float = knob(1.0, "seconds", "sandbox", "a program that waits is stopped", gt=0, le=600)
    cpu_s: float = knob(1.0, "seconds", "sandbox", "a program that spins is stopped", gt=0, le=600)
    memory_mb: int = knob(256, "MiB", "sandbox", "a program that hoards is stopped", ge=16, le=65_536)
    output_kb: int = knob(64, "KiB", "sandbox", "the longest output that is read", ge=1, le=65_536)
    workers: int = knob(2, "processes", "sandbox", "programs run at once; one a core", ge=1, le=1024)
    require: Literal["L0", "L1", "L2", "L3"] = knob("L2", "level", "sandbox", "the weakest to start under")


class Budget(Section):
    """When the run ends: at the first limit that is reached."""

    seconds: float = knob(850.0, "seconds", "loop", "wall time, exams included; 0 is no limit", ge=0)
    tokens: int = knob(0, "tokens", "loop", "trained on; 0 is no limit", ge=0)
    generations: int = knob(0, "generations", "loop", "trips around the loop; 0 is no limit", ge=0)
    threads: int = knob(
        0, "threads", "models", "as many, and runs repeat; 0 tries how many pay", ge=0, le=1024
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not (self.seconds or self.tokens or self.generations):
            raise ValueError("[budget] has no limit; set budget.seconds, budget.tokens or budget.generations")
        return self


class Charter(Section):
    """All that a human decides about a run. See docs/charters.md."""

    purpose: str = knob(PURPOSE, "prose", "record", "what the run is for, in your words", min_length=1)
    seed: int = knob(0, "number", "streams", "from which all the run's randomness comes", ge=0)
    domain: Domain = Domain()
    model: Model = Model()
    roles: Roles = Roles()
    feedback: Feedback = Feedback()
    curriculum: Curriculum = Curriculum()
    learn: Learn = Learn()
    exam: Exam = Exam()
    gate: Gate = Gate()
    limits: Limits = Limits()
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _turn_fits(self) -> Self:
        if self.roles.max_tokens >= self.model.context:
            raise ValueError(
                f"roles.max_tokens = {self.roles.max_tokens} leaves no room for a prompt in "
                f"model.context = {self.model.context}; make max_tokens smaller"
            )
        return self

    @classmethod
    def load(cls, path: str | Path | None = None) -> Charter:
        """The charter in a TOML file, or the built-in default. Raises `CharterError` on the first problem."""
        if path is None:
            return cls()
        return cls.of(charter_text.read(Path(path)), where=str(path))

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = "charter") -> Charter:
        """The charter that these nested tables spell; `where` is what an error calls them."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _summary(charter_text.problems(error, schema(), where)) from None

    def replace(self, changes: Mapping[str, Any]) -> Charter:
        """This charter with some keys changed: `charter.replace({"model.from": "runs/a", "seed": 3})`."""
        values = self.canonical()
        for key, value in changes.items():
            *section, name = key.split(".", 1)
            table = values.setdefault(section[0], {}) if section else values
            if not isinstance(table, dict):
                raise CharterError(f"{key}: {section[0]} is no section", f"give it as {section[0]} = ...")
            table[name] = value
        return Charter.of(values)

    def canonical(self) -> dict[str, Any]:
        """Every key with its value, defaults included, as plain JSON."""
        return self.model_dump(mode="json")

    @property
    def digest(self) -> str:
        """`sha256:...` of the canonical JSON (RFC 8785). Equal for two files that mean the same."""
        return digest(self.canonical())

    def toml(self) -> str:
        """The charter as commented TOML; reading it back gives an equal charter."""
        return charter_text.render(self.canonical(), schema())


def check(path: str | Path) -> list[CharterError]:
    """Everything that is wrong with a charter file, one error a problem; empty when it is right."""
    try:
        Charter.model_validate(charter_text.read(Path(path)))
    except CharterError as error:
        return [error]
    except ValidationError as error:
        return charter_text.problems(error, schema(), str(path))
    return []


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a charter, for editors that complete and check TOML. Shared: not to be changed."""
    return Charter.model_json_schema()


def _summary(problems: list[CharterError]) -> CharterError:
    first, more = problems[0], len(problems) - 1
    if not more:
        return first
    return CharterError(first.cause, f"{first.fix} (and {more} more: `autotelic charter check` lists them)")
