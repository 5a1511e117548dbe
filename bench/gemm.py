"""How many floating-point operations a second this machine's matrix product does, measured.

    python -m bench.gemm [--threads 1] [--json]

The denominator of every "share of peak" in this folder is this number from the same run: a vendor's figure
says nothing of a virtual machine with neighbours.
"""

from __future__ import annotations

import argparse
import json
import time

import torch

SHAPES = ((1024, 1024, 1024), (512, 512, 512), (4096, 512, 512))
"""Rows, inner, columns: all large enough that nothing but the multiply-adds counts."""


def gemm_peak(seconds: float = 1.0) -> float:
    """The best rate over `SHAPES` in fp32 with the current thread count, in GFLOP/s.

    The best of many short products and not their mean: a peak is what is left when nobody disturbs. One thread
    is timed in CPU seconds, which a neighbour's turn does not lengthen.
    """
    best = 0.0
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    for rows, inner, columns in SHAPES:
        a, b = torch.randn(rows, inner), torch.randn(inner, columns)
        a @ b
        until = time.perf_counter() + seconds / len(SHAPES)
        while time.perf_counter() < until:
            began = clock()
            a @ b
            best = max(best, 2e-9 * rows * inner * columns / (clock() - began))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peak = gemm_peak()
    result = {"threads": options.threads, "gemm_gflops": round(peak, 1)}
    print(json.dumps(result) if options.json else f"{peak:.1f} GFLOP/s on {options.threads} thread(s), fp32")


if __name__ == "__main__":
    main()
