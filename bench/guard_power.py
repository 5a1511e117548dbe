"""How soon the guard's test of success finds a lasting fall: simulated audits, no model.

    python -m bench.guard_power --tasks 32 --siblings 8 --seeds 10

Tasks are passed with probabilities from 0.1 to 0.98, 0.6 on average, for ten audits, and with less by a fixed share
from then on. Printed are the audits it took, for each seed, and "never" for more than 40.
"""

from __future__ import annotations

import argparse

import numpy as np

from autotelic.judge.collapse import ALPHA, MARGIN, SHARES, WINDOW
from autotelic.statistics.sequential import FellFromBest

HEALTHY, MOST = 10, 40


def audits_until_found(fall: float, tasks: int, siblings: int, seed: int) -> int | None:
    """Audits after a fall of so much on average; None where more than `MOST` do not find it."""
    rng = np.random.default_rng(seed)
    mean_T = np.clip(0.6 + np.linspace(-0.5, 0.5, tasks), 0.02, 0.98)
    test = FellFromBest(alpha=ALPHA * SHARES["success"], margin=MARGIN, window=WINDOW)
    for _ in range(HEALTHY):
        test.look((rng.random((tasks, siblings)) < mean_T[:, None]).astype(float))
    fallen_T = mean_T * (1 - fall / mean_T.mean())
    for count in range(1, MOST + 1):
        test.look((rng.random((tasks, siblings)) < fallen_T[:, None]).astype(float))
        if test.evidence >= 2 / test.alpha:
            return count
    return None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=32)
    parser.add_argument("--siblings", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    for fall in (0.06, 0.08, 0.10, 0.15, 0.20):
        found = [audits_until_found(fall, asked.tasks, asked.siblings, seed) for seed in range(asked.seeds)]
        said = ", ".join("never" if n is None else str(n) for n in sorted(found, key=lambda n: n or MOST + 1))
        print(f"{100 * fall:.0f} points: {said}", flush=True)


if __name__ == "__main__":
    main()
