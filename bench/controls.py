"""What self-play is worth: the default charter against controls, at matched training tokens.

    python -m bench.controls --tokens 2000000 --seeds 0 1 --out runs/controls
    python -m bench.controls --only self-play random --tokens 500000

One run of the engine a control and seed, one after another, all with the same sealed exam, model and schedule:
the budget is tokens trained on, so the learning rate falls alike. A run that is in its folder already is taken
up where it stopped, or only read. `controls.json` in the folder has every exam of every run; the table says how
many tokens each took to reach what the random control had at its end.

- self-play: the default charter.
- self-play-60: the same with 60 % of the tokens, its learning rate falling at the end of those. Read off the curve of
  a longer run, the same tokens look worse than they are: its rate is still high there.
- critic: the critic's guess is part of the baseline of credit.
- no-proposer: the rules write every task, the curriculum says of which cell.
- random: as before, all cells alike, nothing replayed.
- fixed: one generation's tasks of the rules, again and again.
- shuffled: verdicts dealt out anew among siblings before credit and nowhere else; what is imitated is as ever.
- shuffled-early: dealt out as soon as they are given, so that own right answers and repairs are shuffled too.
- certainty: the verifier is not heard at all. Reward is certainty, and no demonstration is imitated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotelic import loop
from autotelic.charter import Charter
from autotelic.dashboard.publish import story_of
from autotelic.engine.services import Controls
from autotelic.record import RunFolder, is_run

Table = dict[str, dict[str, Any]]
SHARES = {"self-play-60": 0.6}
"""Of the tokens of the others, for those that get fewer."""
NEVER = 1_000_000
"""Generations: more than any run has."""

EVEN = {"bootstrap_generations": NEVER, "mastery": 0.0}

CONTROLS: dict[str, Table] = {
    "self-play": {},
    "self-play-60": {},
    "critic": {"learn": {"baseline": "critic"}},
    "no-proposer": {"curriculum": {"bootstrap_generations": NEVER}},
    "random": {"curriculum": EVEN | {"replay": 0.0, "spread": 1.0}},
    "fixed": {"curriculum": EVEN | {"replay": 1.0, "spread": 0.0}},
    "shuffled": {},
    "shuffled-early": {},
    "certainty": {
        "feedback": {"verifier": 0.0, "certainty": 1.0},
        "oversight": {"thresholds": ["drift = off"]},
    },
}
TURNED = {"shuffled": Controls(shuffle=1.0), "shuffled-early": Controls(shuffle=1.0, early=True)}
"""What no charter can say, by control."""


def charter_of(control: str, tokens: int, seed: int, base: Mapping[str, Any]) -> Charter:
    """The base charter with a control's changes, ended by tokens alone."""
    tokens = round(tokens * SHARES.get(control, 1.0))
    changes = {**CONTROLS[control], "budget": {"seconds": 0.0, "generations": 0, "tokens": tokens}}
    changed = {name: {**base[name], **section} for name, section in changes.items()}
    return Charter.of({**base, **changed, "seed": seed})


def measured(folder: Path, charter: Charter, controls: Controls) -> dict[str, Any]:
    """The run's summary and its exams as (tokens, mean pass@1), run first if it has not been."""
    if not (folder / "summary.json").is_file():
        if is_run(folder):
            loop.resume(folder)
        else:
            loop.run(charter, folder, controls=controls)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    found = story_of(RunFolder.open(folder)).evaluations("sealed")
    return {"summary": summary, "curve": [[e.tokens, e.pass_at_1.value] for e in found]}


def tokens_to(curve: Sequence[Sequence[float]], mark: float) -> float | None:
    """Tokens after which the curve first stands at `mark`, between two exams in proportion; None if never."""
    before = curve[0]
    for now in curve:
        if now[1] >= mark:
            rise = now[1] - before[1]
            share = (mark - before[1]) / rise if rise > 0 else 0.0
            return before[0] + share * (now[0] - before[0])
        before = now
    return None


def report(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> str:
    """One line a control: mean and range of the last exam, tokens to the random control's end."""
    lines = [f"{'control':<12} {'sealed pass@1, by seed':<28} {'tokens to reach random, by seed'}"]
    for control, by_seed in found.items():
        ends = [100 * by_seed[seed]["curve"][-1][1] for seed in by_seed]
        reached = []
        for seed in by_seed:
            random = found.get("random", {}).get(seed)
            if random is None:
                continue
            spent, last = random["curve"][-1]
            needed = tokens_to(by_seed[seed]["curve"], last)
            reached.append("never" if needed is None else f"{100 * needed / spent:.0f} %")
        lines.append(
            f"{control:<12} {', '.join(f'{end:.1f} %' for end in ends):<28} {', '.join(reached) or '–'}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=2_000_000, help="trained on, by each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=list(CONTROLS), default=list(CONTROLS))
    parser.add_argument("--out", type=Path, default=Path("runs/controls"))
    parser.add_argument("--charter", type=Path, help="instead of the default one")
    asked = parser.parse_args()
    base = Charter.load(asked.charter).canonical()
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for seed in asked.seeds:
        for control in asked.only:
            charter = charter_of(control, asked.tokens, seed, base)
            folder = asked.out / f"{control}-{seed}"
            found.setdefault(control, {})[seed] = measured(folder, charter, TURNED.get(control, Controls()))
            print(f"{control} seed {seed}: {100 * found[control][seed]['curve'][-1][1]:.1f} %", flush=True)
            path = asked.out / "controls.json"
            path.write_text(json.dumps({"tokens": asked.tokens, "runs": found}, indent=1), encoding="utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
