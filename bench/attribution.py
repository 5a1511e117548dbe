"""Attribution against training again: what `why --attribute` says, and what its sequences did.

    python -m bench.attribution make FOLDER [--generations 5]     a small run to measure on, in about a minute
    python -m bench.attribution lds RUN [--subsets 50]            linear datamodelling score (arXiv:2303.14186)
    python -m bench.attribution removal RUN [--k 20]              the first k taken out, beside k of the same kinds
    python -m bench.attribution planted RUN [--share 0.01]        wrong solutions put in: are they found?

All answers are attempts of one generation, so that one set of weights made them; the updates between the nearest kept
checkpoint and these weights are what is attributed and trained again. Every subcommand takes --answers, --generation,
--seed and --json FILE. Methods, from the plainest on:

    random        scores from a random stream
    tf-idf        cosine of TF-IDF vectors over token ids, of the answer with its prompt and of the sequence
    last          the dot product of both gradients at the weights that answered
    tracin        the same at every update, times its rate: what `why` does by default
    metagradient  the derivative through all updates: `why --method metagradient`
    halves        its mean over trainings with random halves of the sequences: four of them, so that each is in two
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.learn.pack import Trace
from autotelic.streams import stream
from bench.segment import Segment, opened

METHODS = ("random", "tf-idf", "last", "tracin", "metagradient", "halves")
CHARTER: dict[str, Any] = {
    "seed": 3,
    "domain": {"levels": [1, 2]},
    "model": {"tiny": {"width": 64, "depth": 2, "heads": 2}},
    "curriculum": {
        "bootstrap_generations": 3,
        "tasks_per_generation": 256,
        "probe_tasks": 8,
        "group_size": 4,
    },
    "learn": {"batch_tokens": 1024},
    "exam": {"items_per_cell": 2, "every": 20, "own_items": 0, "samples": 1},
    "gate": {"items": 8, "answers": 2, "planned": 1},
}


def about(segment: Segment) -> dict[str, Any]:
    """The size of what is trained again."""
    services = segment.given.services
    return {
        "parameters": services.learned,
        "checkpoint": segment.given.found.generation,
        "updates": len(segment.updates),
        "sequences": sum(segment.sizes),
        "tokens": sum(len(trace) for _, traces in segment.updates for trace in traces),
        "optimiser": services.charter.learn.optimiser,
        "answers": len(segment.answers),
    }


def spearman(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Rank correlation; 0 where one of both is constant."""
    ranks = [np.argsort(np.argsort(x)).astype(float) for x in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1]) if min(np.std(a), np.std(b)) > 0 else 0.0


def interval(values: Sequence[float], seed: int = 0) -> list[float]:
    """The mean's 95 % interval by bootstrap over answers."""
    rng = stream(seed, "attribution", "bootstrap")
    array = np.array(values)
    means = [float(array[rng.integers(len(array), size=len(array))].mean()) for _ in range(2000)]
    return [round(float(x), 3) for x in np.quantile(means, [0.025, 0.975])]


def lds(segment: Segment, subsets: int, seed: int, methods: Sequence[str]) -> dict[str, Any]:
    """Rank correlation over half-size subsets between what scores add up to and what the answer came to."""
    n = sum(segment.sizes)
    rng = stream(seed, "attribution", "subsets")
    masks = np.zeros((subsets, n), bool)
    for row in masks:
        row[rng.choice(n, size=n // 2, replace=False)] = True
    began = time.perf_counter()
    outcomes = np.stack([_trained(segment, mask) for mask in masks])
    trained = time.perf_counter() - began
    table: dict[str, Any] = {}
    for method in methods:
        began = time.perf_counter()
        scores = segment.scores(method, seed)
        seconds = time.perf_counter() - began
        each = [
            spearman(masks @ scores[answer], outcomes[:, answer]) for answer in range(len(segment.answers))
        ]
        table[method] = {
            "lds": round(float(np.mean(each)), 3),
            "interval": interval(each),
            "lowest": round(min(each), 3),
            "seconds": round(seconds, 1),
        }
        print(method, table[method], flush=True)
    return {
        "subsets": subsets,
        "seconds_to_train": round(trained, 1),
        "spread_of_outcomes_nats": round(float(outcomes.std(0).mean()), 4),
        "methods": table,
    }


def _trained(segment: Segment, keep: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    segment.train(keep)
    return segment.logprobs()


def removal(segment: Segment, k: int, seed: int, methods: Sequence[str]) -> dict[str, Any]:
    """How far the first k of each method move an answer when they are taken out, beside k drawn blindly."""
    segment.train()
    whole = segment.logprobs()
    kinds = np.array(segment.kinds())
    found: dict[str, Any] = {}
    rng = stream(seed, "attribution", "blind")
    for method in methods:
        scores = segment.scores(method, seed)
        top, blind = [], []
        for answer, row in enumerate(scores):
            first = np.argsort(-row)[:k]
            other: list[int] = []
            for kind, count in Counter(kinds[first].tolist()).items():
                other += rng.choice(np.flatnonzero(kinds == kind), size=count, replace=False).tolist()
            for gone, moved in ((first, top), (np.array(other), blind)):
                keep = np.ones(len(kinds), bool)
                keep[gone] = False
                moved.append(float(whole[answer] - _trained(segment, keep)[answer]))
        ratio = float(np.mean(np.abs(top)) / np.mean(np.abs(blind)))
        pairs = np.abs(np.array([top, blind]))
        draw = stream(seed, "attribution", "bootstrap")
        ratios = []
        for _ in range(2000):
            at = draw.integers(len(top), size=len(top))
            ratios.append(pairs[0, at].mean() / pairs[1, at].mean())
        found[method] = {
            "moved_by_first_k_nats": round(float(np.mean(top)), 4),
            "moved_by_k_at_random_nats": round(float(np.mean(np.abs(blind))), 4),
            "ratio": round(ratio, 2),
            "interval": [round(float(x), 2) for x in np.quantile(ratios, [0.025, 0.975])],
            "answers": [[round(a, 5), round(b, 5)] for a, b in zip(top, blind, strict=True)],
        }
        print(method, {key: value for key, value in found[method].items() if key != "answers"}, flush=True)
    return {"k": k, "methods": found}


def planted(segment: Segment, share: float, seed: int) -> dict[str, Any]:
    """Demonstrations with another one's completion: are they those that lower right answers most?

    The right answers are demonstrations of the same updates that are left out of training.
    """
    rng = stream(seed, "attribution", "planted")
    places = [
        (u, at)
        for u, (message, _) in enumerate(segment.updates)
        for at, entry in enumerate(message.batch)
        if entry.kind == "demonstration"
    ]
    order = [places[int(i)] for i in rng.permutation(len(places))]
    n = max(1, round(share * sum(segment.sizes)))
    bad, held = order[:n], order[n : n + len(segment.answers)]
    wrong: set[tuple[int, int]] = set()
    for (u, at), (v, other) in zip(bad, order[-n:], strict=True):
        right, source = segment.updates[u][1][at], segment.updates[v][1][other]
        segment.updates[u][1][at] = _with_completion(right, source)
        wrong.add((u, at))
    segment.answers = [segment.updates[u][1][at] for u, at in held]
    table: dict[str, Any] = {}
    flags = np.array([(u, at) in wrong for u, some in enumerate(segment.sizes) for at in range(some)])
    out = np.array([(u, at) in set(held) for u, some in enumerate(segment.sizes) for at in range(some)])
    for method in METHODS:
        total = segment.scores(method, seed).sum(0)
        total[out] = np.inf  # these are the answers themselves
        first = np.argsort(total)[:n]
        table[method] = {"precision_at_k": round(float(flags[first].mean()), 3)}
        print(method, table[method], flush=True)
    return {"planted": n, "of": sum(segment.sizes), "right_answers": len(held), "methods": table}


def _with_completion(trace: Trace, source: Trace) -> Trace:
    """The prompt of one sequence with the completion of another."""
    cut, begin = (int(np.flatnonzero(t.nll >= t.nll.max())[0]) for t in (trace, source))
    return replace(
        source,
        ids=np.concatenate([trace.ids[:cut], source.ids[begin:]]),
        **{
            name: np.concatenate([getattr(trace, name)[:cut], getattr(source, name)[begin:]])
            for name in ("nll", "policy", "advantage", "logprob", "reference")
        },
    )


def make(folder: Path, generations: int) -> None:
    """A small run to measure on; the first checkpoint is kept, and the last ones."""
    from autotelic.charter import Charter
    from autotelic.loop import run
    from autotelic.machine import Machine

    charter = Charter.of({**CHARTER, "budget": {"seconds": 0.0, "generations": generations}})
    run(charter, folder, machine=Machine(threads=1, workers=1))


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("make", "lds", "removal", "planted"))
    parser.add_argument("run", type=Path)
    parser.add_argument("--generations", type=int, default=5)
    parser.add_argument("--generation", type=int, default=5)
    parser.add_argument("--skip", type=int, default=0, help="updates after the checkpoint to leave alone")
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--subsets", type=int, default=50)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.what == "make":
        make(given.run, given.generations)
        return
    began = time.perf_counter()
    resources, segment = opened(given.run, given.generation, given.answers, given.seed, given.skip)
    with resources:
        report: dict[str, Any] = {
            "what": given.what,
            "seed": given.seed,
            "skipped_updates": given.skip,
            **about(segment),
        }
        print(report, flush=True)
        if given.what == "lds":
            report |= lds(segment, given.subsets, given.seed, given.methods or METHODS)
        elif given.what == "removal":
            report |= removal(segment, given.k, given.seed, given.methods or ("tracin", "metagradient"))
        else:
            report |= planted(segment, given.share, given.seed)
    report |= {"seconds": round(time.perf_counter() - began, 1), "load": os.getloadavg()}
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps({k: v for k, v in report.items() if k != "methods"}))


if __name__ == "__main__":
    main()
