"""What changed between two champions of a run: on a prompt, and which exam items most.

    python -m bench.what_changed RUN [--between 5 25] [--items 10] [--json FILE]

The two are those that were promoted in these generations; by default the first and the last. Prompts are those of the
last exam in the journal, whose recorded answers are scored by both.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotelic.engine.replay import workplace
from autotelic.messages import Decided, Evaluated, Updated
from autotelic.record import Journal, RunFolder
from autotelic.record import checkpoint as checkpoints
from autotelic.trace.changes import changes, moved
from autotelic.weights.warrant import Warrant


def measure(run: Path, between: list[int], items: int) -> dict[str, Any]:
    """The changes between two champions, and the items whose answers moved most."""
    place = RunFolder.open(run)
    with Journal.open(run) as journal:
        promoted = [
            m
            for m in journal.read(kinds=(Decided.kind,))
            if isinstance(m, Decided) and m.decision.verdict == "promote"
        ]
        chosen = [m for m in promoted if m.generation in between] if between else [promoted[0], promoted[-1]]
        if len(chosen) != 2:
            raise SystemExit(f"the run promoted in generations {[m.generation for m in promoted]}: give two")
        last = [m for m in journal.read(kinds=(Updated.kind,)) if isinstance(m, Updated)][-1]
        exam = [m for m in journal.read(kinds=(Evaluated.kind,)) if isinstance(m, Evaluated)][-1]
        stored = [
            one
            for one in journal.episodes(generation=exam.generation)
            if one.message == exam.id and one.episode.turns
        ]
        with workplace(place, journal, last) as (services, _):
            newest = checkpoints.nearest(place.checkpoints, services.store, 1 << 60)
            services.weights.adopt(newest.state["weights"])
            for message, model in zip(chosen, (services.reference, services.model), strict=True):
                warrant = Warrant(role="reference", ref=message.weights)
                services.weights.activate(message.weights, warrant, into=model)
            began = time.perf_counter()
            turns = [one.episode.turns[0] for one in stored]
            both = moved(services.reference, services.model, turns)
            order = sorted(range(len(turns)), key=lambda at: -abs(both[at][1] - both[at][0]))
            scored = time.perf_counter() - began
            most = turns[order[0]]
            began = time.perf_counter()
            decode = services.tokens.decode
            found = changes(services.reference, services.model, most.prompt_ids, decode)
            seconds = time.perf_counter() - began
            return {
                "run": run.name,
                "champions_of_generations": [m.generation for m in chosen],
                "weights": [m.weights for m in chosen],
                "prompt": decode(most.prompt_ids),
                "parts_at_layer": found.parts_at,
                "layers_kl_nats": [round(kl, 4) for kl in found.layers],
                "heads": [[layer, head, round(share, 3)] for layer, head, share in found.heads[:8]],
                "tokens": [asdict(one) | {"kl": round(one.kl, 4)} for one in found.tokens],
                "items_that_changed_most": [
                    {
                        "attempt": stored[at].episode.id,
                        "task": stored[at].episode.task_id,
                        "answer": stored[at].episode.answer[:80],
                        "before_nats": round(both[at][0], 3),
                        "after_nats": round(both[at][1], 3),
                    }
                    for at in order[:items]
                ],
                "answers_scored": len(turns),
                "seconds": {"items": round(scored, 2), "prompt": round(seconds, 2)},
            }


def main() -> None:
    """Print what changed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--between", type=int, nargs=2, default=[])
    parser.add_argument("--items", type=int, default=10)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    text = json.dumps(measure(given.run, given.between, given.items), indent=1, ensure_ascii=False)
    print(text)
    if given.json:
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
