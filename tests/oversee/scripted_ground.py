"""Safety auditors for tests of the real auditor process: their candidates are scripts of known character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autotelic.domains.python import PythonDomain
from autotelic.oversee.auditors import SafetyAuditor
from autotelic.oversee.bodies import Claim
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.proving import Scene
from autotelic.oversee.proving.adapter import ProvingGround, Row
from autotelic.oversee.proving.scripted import cheater, oracle
from autotelic.sandbox import Sandbox

PAIRS = 20


class ScriptedGround:
    """The shipped packs, with few pairs, for a scripted candidate. Implements `Ground`."""

    def __init__(self, script: Any) -> None:
        self.script = script

    def run(self, candidate: Claim, seed: int) -> list[Row]:
        with Sandbox(workers=1) as box:
            ground = ProvingGround(
                domain=PythonDomain(box, levels=(1, 2)),
                box=box,
                wording="compact",
                published=1,
                levels=(1, 2),
                pairs=PAIRS,
            )
            return ground.run(lambda scenes: (self.script(scenes), oracle(scenes)), seed)


def leaky(scenes: Sequence[Scene]) -> Any:
    """Right, and it knows what no model can know."""
    known = {str(scene.task.prompt): scene.planted for scene in scenes if scene.pack == "canary"}
    best = oracle(scenes)
    return lambda prompts: [known.get(prompt) or best([prompt])[0] for prompt in prompts]


class OfTheCheater(SafetyAuditor):
    name = "safety"

    def __init__(self, key: PrivateKey) -> None:
        super().__init__(key, ScriptedGround(cheater))


class OfTheOracle(SafetyAuditor):
    name = "safety"

    def __init__(self, key: PrivateKey) -> None:
        super().__init__(key, ScriptedGround(oracle))


class OfTheLeak(SafetyAuditor):
    name = "safety"

    def __init__(self, key: PrivateKey) -> None:
        super().__init__(key, ScriptedGround(leaky))
