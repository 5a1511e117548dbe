"""The charter: the human's rules, purpose and limits.

One TOML file is read into one frozen `Charter`. What it leaves out has the default given here; what it
misspells is refused. Its digest names the run. To add a setting, add one line to its section: all else follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from autotelic import charter_text
from autotelic.canonical import digest
from autotelic.charter_learning import SHARES as SHARES
from autotelic.charter_learning import Feedback as Feedback
from autotelic.charter_learning import Learn as Learn
from autotelic.charter_oversight import Gate as Gate
from autotelic.charter_oversight import Oversight as Oversight
from autotelic.errors import CharterError
from autotelic.settings import SHARE, Section, knob

PURPOSE = "Learn to read, invert and write small Python functions, from the rules of the game alone."
Name = Annotated[str, Field(min_length=1)]
Level = Annotated[int, Field(ge=1, le=64)]


def _ascending(key: str, levels: tuple[int, int]) -> None:
    if levels[0] > levels[1]:
        raise ValueError(f"{key} = {list(levels)} has its lowest level above its highest; swap them")


class Domain(Section):
    """What is to be learned."""

    name: Name = knob("python", "name", "domains", "The game. Your own is `module:Class` or registered.")
    levels: tuple[Level, Level] = knob(
        (1, 3), "level", "propose", "Lowest and highest practised. Higher ones are harder and longer."
    )
    style: Literal["compact", "natural"] = knob(
        "compact", "name", "domains", "`natural` puts tasks in words, for models that know language."
    )
    modes: tuple[Name, ...] = knob(
        (), "modes", "propose", "Name some to practise only these, in this order. Empty is all but repair."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _ascending("domain.levels", self.levels)
        if len(set(self.modes)) < len(self.modes):
            raise ValueError(f"domain.modes names a mode twice: {', '.join(self.modes)}; name each once")
        return self


BUILT_IN = ("tiny", "tiny-vision")
"""The models that start from random weights and are nowhere to be fetched from. The second one sees pictures."""


class Tiny(Section):
    """The sizes of `tiny`, and of the text part of `tiny-vision`, which start from random weights."""

    width: int = knob(192, "channels", "models", "A wider model learns more from a token, slower.", ge=8)
    depth: int = knob(2, "layers", "models", "Tasks that compose operations need more layers.", ge=1)
    heads: int = knob(6, "heads", "models", "More look at more places. They divide the width evenly.", ge=1)
    context: int = knob(512, "tokens", "models", "A prompt with its completion; long tasks need more.", ge=64)
    vocabulary: int = knob(512, "tokens", "models", "Larger makes texts shorter and the head bigger.", ge=300)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(
                f"model.tiny.heads = {self.heads} does not cut model.tiny.width = {self.width} "
                f"into even parts; make width a multiple of {2 * self.heads}"
            )
        return self


class Model(Section):
    """The actor."""

    name: Name = knob(
        "tiny", "name", "models", "What to start from: `tiny`, `tiny-vision`, a folder, or a Hugging Face id."
    )
    dtype: Literal["float32", "bfloat16"] = knob(
        "float32", "type", "models", "`bfloat16` halves the memory that weights take.", rare=True
    )
    lora_rank: int = knob(
        0, "rank", "models", "Above 0 an adapter is learned, to save memory; 0 learns all.", ge=0, le=1024
    )
    tiny: Tiny = Tiny()

    @model_validator(mode="after")
    def _sizes_are_of_tiny(self) -> Self:
        if self.name not in BUILT_IN and self.tiny != Tiny():
            raise ValueError(
                f"[model.tiny] has sizes, and model.name = {self.name!r} has its own; leave [model.tiny] out"
            )
        return self


class Roles(Section):
    """How the actor is asked, as proposer and as solver."""

    references: int = knob(
        2, "tasks", "propose", "Shown to the proposer; more add variety and time.", rare=True, ge=0, le=16
    )
    max_tokens: int = knob(
        72, "tokens", "attempt", "The longest completion. Raise it if answers are cut off.", ge=8
    )
    temperature: float = knob(
        1.0,
        "temperature",
        "attempt",
        "Samples are drawn at it. Lower it for less error and variety.",
        gt=0,
        le=4,
    )


class Curriculum(Section):
    """What is practised next: a bandit over mode and level."""

    bootstrap_generations: int = knob(
        4, "generations", "propose", "The rules write until then. Raise it if proposals are refused.", ge=0
    )
    tasks_per_generation: int = knob(
        6144, "tasks", "propose", "Lower it to let the curriculum react sooner.", ge=1
    )
    actor_share: float = knob(
        0.75, "share of tasks", "propose", "The actor writes them. Set 0 to learn from the rules.", **SHARE
    )
    spread: float = knob(
        0.4, "share of tasks", "propose", "It is drawn evenly. Raise it if cells fade.", rare=True, **SHARE
    )
    replay: float = knob(
        0.4, "share of tasks", "propose", "Old tasks again. Raise it against forgetting.", rare=True, **SHARE
    )
    probe_tasks: int = knob(
        48, "groups", "attempt", "Tasks tried by a group. Raise it for more policy gradient.", ge=1
    )
    group_size: int = knob(
        8, "attempts", "attempt", "Siblings at a task. Raise it for less noisy credit.", ge=2, le=1024
    )
    mastery: float = knob(
        0.2, "mean success", "propose", "It brings the next mode. Set 0 to have all at once.", **SHARE
    )

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if (total := self.spread + self.replay) > 1:
            raise ValueError(f"curriculum.spread + replay = {total:g}; bring it to 1 or less")
        return self


class Repair(Section):
    """Whether failures become tasks: to write a failed answer better, shown what its tests printed."""

    share: float = knob(
        0.25, "share of tasks", "attempt", "Tried once; failures are repaired. Set 0 to repair none.", **SHARE
    )


class Search(Section):
    """Whether what all siblings missed is searched for, and what search finds is learned."""

    samples: int = knob(
        0,
        "samples",
        "attempt",
        "At a task that all missed. Raise it where few tasks are solved.",
        ge=0,
        le=4096,
    )


class Exam(Section):
    """How it is known whether the model got better."""

    items_per_cell: int = knob(32, "items", "exam", "Raise it for narrower intervals and longer exams.", ge=1)
    samples: int = knob(
        8, "attempts", "exam", "At an item, for pass@k. Lower it for shorter exams.", ge=1, le=1024
    )
    levels: tuple[Level, Level] = knob(
        (1, 3), "level", "exam", "They are examined. Go beyond to see transfer.", follows="domain.levels"
    )
    every: int = knob(
        5, "generations", "exam", "One gate and exam in so many. Raise it to spend more on learning.", ge=1
    )
    own_items: int = knob(
        48, "items", "exam", "The exam that the model sets itself. Set 0 to save its time.", ge=0
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _ascending("exam.levels", self.levels)
        return self


class Limits(Section):
    """What a program that the model wrote may use, and how it is confined."""

    seconds: float = knob(
        1.0,
        "seconds",
        "sandbox",
        "A program may run so long. Raise it for slow ones.",
        rare=True,
        gt=0,
        le=600,
    )
    memory_mb: int = knob(
        256, "MiB", "sandbox", "A program may hold it. Raise it for large data.", rare=True, ge=16, le=65_536
    )
    require: Literal["L0", "L1", "L2", "L3"] = knob(
        "L2", "level", "sandbox", "Weakest isolation to start under. Lower it where there is no other way."
    )


class Budget(Section):
    """When the run ends: at the first limit that is reached."""

    seconds: float = knob(
        850.0, "seconds", "loop", "Wall time, exams included. Raise it to learn more; 0 is no limit.", ge=0
    )
    tokens: int = knob(0, "tokens", "loop", "Trained on. Set it to compare runs fairly; 0 is no limit.", ge=0)
    generations: int = knob(
        0, "generations", "loop", "Set it for a short trial; 0 is no limit.", rare=True, ge=0
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not (self.seconds or self.tokens or self.generations):
            raise ValueError("[budget] has no limit; set budget.seconds, budget.tokens or budget.generations")
        return self


class Charter(Section):
    """All that a human decides about a run. See docs/charters.md."""

    purpose: str = knob(PURPOSE, "prose", "record", "What the run is for, in your words.", min_length=1)
    seed: int = knob(
        0, "number", "streams", "All randomness comes from it. Change it to see what is chance.", ge=0
    )
    domain: Domain = Domain()
    model: Model = Model()
    roles: Roles = Roles()
    feedback: Feedback = Feedback()
    curriculum: Curriculum = Curriculum()
    repair: Repair = Repair()
    search: Search = Search()
    learn: Learn = Learn()
    exam: Exam = Exam()
    gate: Gate = Gate()
    oversight: Oversight = Oversight()
    limits: Limits = Limits()
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _exam_follows_the_domain(self) -> Self:
        if "levels" not in self.exam.model_fields_set:
            exam = self.exam.model_copy(update={"levels": self.domain.levels})
            object.__setattr__(self, "exam", exam)  # nobody has seen this frozen object yet
        return self

    @model_validator(mode="after")
    def _critic_is_taught(self) -> Self:
        if self.learn.parts.values and not self.feedback.verifier:
            raise ValueError(
                f"learn.algorithm = {self.learn.algorithm!r} needs a critic, and feedback.verifier = 0 leaves it "
                "nothing to learn from; set learn.algorithm = 'grpo' or feedback.verifier = 1"
            )
        return self

    @model_validator(mode="after")
    def _turn_fits(self) -> Self:
        if self.model.name in BUILT_IN and self.roles.max_tokens >= self.model.tiny.context:
            raise ValueError(
                f"roles.max_tokens = {self.roles.max_tokens} leaves no room for a prompt in "
                f"model.tiny.context = {self.model.tiny.context}; make max_tokens smaller"
            )
        return self

    @classmethod
    def load(cls, path: str | Path | None = None) -> Charter:
        """The charter in a TOML file, or the built-in default. Raises `CharterError` on the first problem."""
        if path is None:
            return cls()
        return cls.of(_tables(Path(path)), where=str(path))

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = "charter") -> Charter:
        """The charter that these nested tables spell; `where` is what an error calls them."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise charter_text.summary(charter_text.problems(error, schema(), where)) from None

    def replace(self, changes: Mapping[str, Any]) -> Charter:
        """This charter with some keys changed: `charter.replace({"model.tiny.width": 64, "seed": 3})`.

        `exam.levels` keeps its value when only `domain.levels` is changed.
        """
        values = self.canonical()
        for name in set(SHARES) - self.learn.model_fields_set:
            del values["learn"][name]  # what was derived from the named shares is derived anew
        for key, value in changes.items():
            *path, name = key.split(".")
            table = values
            for part in path:
                table = table.setdefault(part, {})
                if not isinstance(table, dict):
                    raise CharterError(f"{key}: {part} is no section", f"give it as {part} = ...")
            table[name] = value
        return Charter.of(values)

    @property
    def digest(self) -> str:
        """`sha256:...` of the canonical JSON (RFC 8785). Equal for two files that mean the same."""
        return digest(self.canonical())

    def toml(self, *, whole: bool = True) -> str:
        """The charter as commented TOML; reading it back gives an equal charter.

        Without `whole` it leaves out what a first user need not see: rare settings that have their default,
        and the sizes of `tiny` where the model is another.
        """
        return charter_text.render(self.canonical(), schema(), frozenset() if whole else self.hidden())

    def hidden(self) -> frozenset[str]:
        """The keys that a short `toml` leaves out."""
        values = charter_text.flat(self.canonical())
        places = {key: charter_text.resolve(schema(), key) for key in values}
        rare = {key for key, place in places.items() if place["rare"] and values[key] == place["default"]}
        sizes = {key for key in values if key.startswith("model.tiny.") and self.model.name not in BUILT_IN}
        return frozenset(rare | sizes)


def check(path: str | Path) -> list[CharterError]:
    """Everything that is wrong with a charter file, one error a problem; empty when it is right."""
    try:
        Charter.model_validate(_tables(Path(path)))
    except CharterError as error:
        return [error]
    except ValidationError as error:
        return charter_text.problems(error, schema(), str(path))
    return []


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a charter, for editors that complete and check TOML. Shared: not to be changed."""
    return Charter.model_json_schema()


def _tables(path: Path) -> dict[str, Any]:
    if values := charter_text.read(path, "charter"):
        return values
    raise CharterError(
        f"{path} is empty", f"write at least a purpose, or give no charter; {charter_text.SHOWN}"
    )
