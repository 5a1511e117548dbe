"""Internal feedback alone: how it rises and falls, and where the guard stops it.

    python -m bench.collapse --from champions/tiny --tokens 2000000 --seeds 0 1 2 --out runs/collapse
    python -m bench.collapse --only consensus --arms both --tokens 500000

One run of the engine a source, arm and seed, one after another: the source alone rewards, no demonstration is
imitated, and the rules write every task, so that nothing else teaches. The sealed exam is taken every `--every`
generations. `collapse.json` has every exam, audit and cut of every run; the table says how far the exam fell from
its best, to the first exam after the cut where there was one. After a cut the verifier alone rewards: those
exams are kept in the file, and are no part of the fall.

- none: neither guard nor gate.
- guard: audits every generation, and the source is cut when they show its collapse.
- gate: every `--every` generations a candidate that the verifier finds worse is rejected, and the run goes back to
  the champion; the source is never cut.
- both: as a charter has it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from autotelic import loop
from autotelic.charter import Charter
from autotelic.machine import Machine
from autotelic.messages import Audited, Evaluated, SourceCut
from autotelic.record import Journal, is_run

Arm = Literal["none", "guard", "gate", "both"]
SOURCES = ("certainty", "consensus", "entropy")
NEVER = 1_000_000
"""Generations: more than any run has."""


def charter_of(source: str, arm: Arm, seed: int, asked: argparse.Namespace) -> Charter:
    """A run that nothing but this source teaches."""
    base = Charter.load(asked.charter)
    changes: dict[str, Any] = {
        "seed": seed,
        "feedback.verifier": 0.0,
        f"feedback.{source}": 1.0,
        "oversight.thresholds": ["drift = off"],  # the guard alone is measured: no alarm ends the run
        "feedback.guard": asked.audited if arm in ("guard", "both") else 0,
        "curriculum.bootstrap_generations": NEVER,
        "curriculum.mastery": 0.0,
        "curriculum.probe_tasks": asked.groups,
        "repair.share": 0.0,
        "learn.imitation": 0.0,
        "learn.policy": 1.0,
        "learn.practice": 0.0,
        "learn.cooldown": 0.0,
        "learn.algorithm": asked.algorithm,
        "learn.optimiser": "adamw",
        "learn.lr_other": asked.lr,
        "learn.kl": 0.0,
        "exam.every": asked.every,
        "exam.own_items": 0,
        "exam.items_per_cell": asked.items,
        "gate.alpha": base.gate.alpha if arm in ("gate", "both") else 1e-9,
        "gate.items": base.gate.items if arm in ("gate", "both") else 8,
        "budget.seconds": 0.0,
        "budget.generations": 0,
        "budget.tokens": asked.tokens,
    }
    return base.replace(changes)


def measured(folder: Path, charter: Charter, asked: argparse.Namespace) -> dict[str, Any]:
    """The run's exams, audits and cuts, run first if it has not been, or to its end."""
    machine = Machine(threads=asked.threads)
    if not (folder / "summary.json").is_file():
        if is_run(folder):
            loop.resume(folder)
        else:
            loop.run(charter, folder, machine=machine, start_from=asked.start)
    with Journal.open(folder) as journal:
        exams = [m for m in journal.read(kinds=(Evaluated.kind,)) if isinstance(m, Evaluated)]
        audits = [m for m in journal.read(kinds=(Audited.kind,)) if isinstance(m, Audited)]
        cuts = [m for m in journal.read(kinds=(SourceCut.kind,)) if isinstance(m, SourceCut)]
    return {
        "exams": [_exam(m) for m in exams if m.report.exam == "sealed"],
        "audits": [_audit(m) for m in audits],
        "cuts": [
            {"generation": m.generation, "step": m.step, "source": m.source, "test": m.test, "why": m.why}
            for m in cuts
        ],
    }


def _exam(message: Evaluated) -> dict[str, Any]:
    scores = message.report.overall
    found = {"generation": message.generation, "tokens": message.tokens}
    named = {"pass@1": scores.pass_at_1, "sampled": scores.sampled_at_1, "pass@8": scores.pass_at_8}
    return found | {name: None if score is None else score.value for name, score in named.items()}


def _audit(message: Audited) -> dict[str, Any]:
    return {
        "generation": message.generation,
        "step": message.step,
        "success": fmean(message.success),
        "entropy": fmean(message.entropy),
        "length": fmean(message.length),
        "distinct": fmean(message.distinct),
        "rewards": {source: fmean(said) for source, said in message.said.items()},
    }


def fall_of(found: Mapping[str, Any], name: str = "pass@1") -> tuple[float, float, float, float]:
    """(first, best, last, fall) of an exam, up to the first one after a cut; the fall is from the best to the
    lowest after it.
    """
    exams = [exam for exam in found["exams"] if exam[name] is not None]
    if found["cuts"]:
        cut = found["cuts"][0]["generation"]
        after = next((at for at, exam in enumerate(exams) if exam["generation"] >= cut), len(exams) - 1)
        exams = exams[: after + 1]
    values = [float(exam[name]) for exam in exams]
    best = max(range(len(values)), key=values.__getitem__)
    return values[0], values[best], values[-1], values[best] - min(values[best:])


def report(runs: Sequence[Mapping[str, Any]]) -> str:
    """A line a run."""
    lines = [f"{'source':<10} {'arm':<5} {'seed':>4}  {'first':>6} {'best':>6} {'last':>6} {'fall':>6}  cut"]
    for run in runs:
        first, best, last, fall = (100 * value for value in fall_of(run))
        cuts = "; ".join(
            f"{c['source']} in generation {c['generation']}, step {c['step']}, by {c['test']}"
            for c in run["cuts"]
        )
        lines.append(
            f"{run['source']:<10} {run['arm']:<5} {run['seed']:>4}  {first:>6.1f} {best:>6.1f} {last:>6.1f} "
            f"{fall:>6.1f}  {cuts or 'none'}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="start", type=Path, help="a run or a model folder to go on from")
    parser.add_argument("--only", nargs="+", choices=SOURCES, default=["certainty", "consensus"])
    parser.add_argument(
        "--arms", nargs="+", choices=["none", "guard", "gate", "both"], default=["none", "both"]
    )
    parser.add_argument("--audited", type=int, default=32, help="tasks audited in a generation by the guard")
    parser.add_argument("--tokens", type=int, default=2_000_000, help="trained on, by each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--groups", type=int, default=200, help="tasks attempted in a generation")
    parser.add_argument("--every", type=int, default=2, help="generations from exam to exam")
    parser.add_argument("--items", type=int, default=32, help="of a cell of the sealed exam")
    parser.add_argument("--algorithm", default="grpo-pooled")
    parser.add_argument(
        "--lr", type=float, default=3e-4, help="learning rate of AdamW, which is the optimiser"
    )
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/collapse"))
    parser.add_argument("--charter", type=Path, help="instead of the default one")
    asked = parser.parse_args()
    runs: list[dict[str, Any]] = []
    for seed in asked.seeds:
        for source in asked.only:
            for arm in asked.arms:
                charter = charter_of(source, arm, seed, asked)
                found = measured(asked.out / f"{source}-{arm}-{seed}", charter, asked)
                runs.append({"source": source, "arm": arm, "seed": seed, **found})
                print(report(runs[-1:]).splitlines()[1], flush=True)
                given = {k: str(v) if isinstance(v, Path) else v for k, v in vars(asked).items()}
                path = asked.out / "collapse.json"
                path.write_text(json.dumps({"asked": given, "runs": runs}, indent=1), encoding="utf-8")
    print(report(runs))


if __name__ == "__main__":
    main()
