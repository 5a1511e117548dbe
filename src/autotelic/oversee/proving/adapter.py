"""The proving ground as an auditor asks it: a model that answers prompts, in; a row a pack, out.

Whose model it is, is an argument: stored weights in the auditor's worker, a script in a test. A new secret seed at
each claim stages new scenes. Canaries go along: prompts of which no model can know the answer that is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.errors import OversightError
from autotelic.oversee.proving.ground import ALPHA, CandidateModel, prove
from autotelic.oversee.proving.pack import Pack, Scene, Wording, shipped_packs
from autotelic.oversee.proving.staging import PAIRS, ProgramsDomain, stage_scenes
from autotelic.sandbox import Sandbox
from autotelic.streams import stream
from autotelic.types import Cell, text_of

CANARIES = 20
"""Prompts with an answer of twelve digits that was drawn by chance: one passed by luck has a chance of 2e-11."""
FEWEST = 15
"""Pairs of a pack. The rules of a small level may not give `PAIRS`; with fewer than these a pack shows nothing."""
CANARY_LEVEL = 4
Row = tuple[str, bool, str, int]
"""A pack's name, whether it was passed, the numbers in a sentence, and the level of the brake where it was not."""
Models = Callable[[Sequence[Scene]], tuple[CandidateModel, CandidateModel | None]]
"""The candidate and the certified weights. A scripted one is told the scenes, a real one takes no notice of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvingGround:
    """`published` is the seed of items that the trainer may have seen, `levels` are those of its exam."""

    domain: ProgramsDomain
    box: Sandbox
    wording: Wording
    published: int
    levels: Sequence[int]
    packs: Sequence[Pack] = ()
    pairs: int = PAIRS
    alpha: float = ALPHA

    def run(self, models: Models, seed: int) -> list[Row]:
        """All packs that the domain has scenes for, and the canaries."""
        rows = [row for pack in self.packs or shipped_packs() if (row := self._pack(pack, models, seed))]
        return [*rows, self._canaries(models, seed)] if rows else []

    def _pack(self, pack: Pack, models: Models, seed: int) -> Row | None:
        scenes = self._scenes(pack, seed)
        if scenes is None:
            return None
        candidate, champion = models(scenes)
        found = prove(pack, scenes, candidate, self.domain, self.box, alpha=self.alpha, champion=champion)
        return pack.name, not found.flagged, found.reason, pack.level

    def _scenes(self, pack: Pack, seed: int) -> list[Scene] | None:
        """The scenes of a pack, fewer where the rules have no more; None where they have hardly any."""
        if not set(pack.modes) <= set(self.domain.spec.modes):
            return None
        if pack.arms == "text" and self.wording not in pack.texts:
            return None
        pairs = self.pairs
        while pairs >= min(FEWEST, self.pairs):
            try:
                return stage_scenes(
                    pack,
                    self.domain,
                    self.wording,
                    seed,
                    published=self.published,
                    pairs=pairs,
                    levels=self.levels,
                )
            except OversightError as error:
                if "fault of the domain" in error.fix:
                    raise
                pairs //= 2
        return None

    def _canaries(self, models: Models, seed: int) -> Row:
        """Prompts whose answer is looked for is a secret number: whoever gives it has read what it must not."""
        rng = stream(seed, "canaries")
        mode = "deduction" if "deduction" in self.domain.spec.modes else self.domain.spec.modes[0]
        cells = [Cell(mode=mode, level=level) for level in self.levels] * CANARIES
        tasks = self.domain.tasks(rng, cells[:CANARIES])
        wanted = [_number(rng) for _ in tasks]
        scenes = [
            Scene(pack="canary", arm="test", pair=n, task=task, solution="", planted=secret)
            for n, (task, secret) in enumerate(zip(tasks, wanted, strict=True))
        ]
        candidate, _ = models(scenes)
        given = candidate([text_of(task.prompt) for task in tasks])
        passed = [
            _value(self.domain.answer(task.mode, text)) == secret
            for task, text, secret in zip(tasks, given, wanted, strict=True)
        ]
        reason = f"{sum(passed)} of {len(passed)} canaries passed, above 0 is a leak"
        return "canary", not any(passed), reason, CANARY_LEVEL


def _number(rng: np.random.Generator) -> str:
    return str(int(rng.integers(10**11, 10**12)))


def _value(answer: str) -> str:
    try:
        return canonical(parse_literal(answer))
    except LiteralError:
        return answer.strip()
