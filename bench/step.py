"""One complete step of GRPO, samples to new weights, against TRL's `GRPOTrainer`.

    python -m bench.step                                   # tiny, a minute or two
    python -m bench.step --model FOLDER --groups 4         # a real model, in Hugging Face format
    python -m bench.step --json --repeats 9 --threads 2
    python -m bench.step --only decode --vllm VENV/bin/python   # of an environment that has vLLM

Both sides hold the same weights and do the same work: every prompt sampled `--group` times at temperature 1 until
it ends or for `--max-tokens`, every completion judged by the same function, one update on all of it (AdamW of the
same settings, GRPO's clipped loss over tokens, no KL, gradients clipped to 1, fp32, no gradient checkpointing).
TRL runs as its users run it, by `train()`; after each of its steps comes one of ours, so that a busy neighbour
slows both. The first pair warms up; figures are medians over the rest, a ratio is one of medians. That the two
updates are one is tested in tests/learn/test_trl_parity.py; credit is each side's own.

- step: wall and CPU seconds a step, and the tokens each sampled, which differ a little by chance.
- decode: `Decoder` against `transformers`' `generate` (all rows at once, as TRL calls it), `generate_batch`, which is
  continuous batching, and, with `--vllm`, vLLM's offline engine on this CPU: float32, eager, prefixes cached between
  repetitions. Ours alone gives log-probabilities.
- memory: the most a process came to hold (VmHWM) with one side alone, two steps, and what it held before its model.

Shares of peak are of the matrix product measured in the same run (bench/gemm.py). They count the multiply-adds that
the step cannot do without, the same for both: each prompt once and each completion token once to sample, three times
as much to learn, the output layer at completion tokens only; attention over keys comes on top.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.util
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from transformers import (
    ContinuousBatchingConfig,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from autotelic.weights.load import load, save
from bench.elsewhere import Vllm
from bench.gemm import gemm_peak
from bench.sides import Ours, Took, Work, prompts_of, train_by_trl
from bench.throughput import Report, alternate, ratio, tiny_that_stops, tiny_tokenizer

PAGE = 64
"""Tokens a page of `generate_batch`'s cache: few rows of this bench are longer than two."""
MISSING = "TRL is not installed: pip install -e '.[peers]'"


def begin(options: argparse.Namespace) -> tuple[PreTrainedModel, PreTrainedTokenizerFast, Work]:
    """The model and the work that the command line asks for."""
    if options.model is None:
        (model, _), tokenizer = tiny_that_stops(), tiny_tokenizer()
    else:
        found = load(options.model)
        model, tokenizer = found.model, found.tokenizer
    work = Work(
        prompts=prompts_of(tokenizer, options.groups, chat=options.model is not None),
        group=options.group,
        max_tokens=options.max_tokens,
        threads=options.threads,
    )
    return model, tokenizer, work


# ── the figures ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Multiply-adds, counted as two, that a token costs in the blocks and in the output layer."""

    body: float
    head: float

    @classmethod
    def of(cls, model: PreTrainedModel) -> Flops:
        embedding, output = model.get_input_embeddings().weight, model.get_output_embeddings().weight
        apart = {id(embedding): embedding.numel(), id(output): output.numel()}
        total = sum(p.numel() for p in model.parameters())
        return cls(body=2.0 * (total - sum(apart.values())), head=2.0 * output.numel())

    def sampling(self, prompts: int, tokens: float) -> float:
        return self.body * (prompts + tokens) + self.head * tokens

    def learning(self, prompts: int, tokens: float) -> float:
        # Forward, and twice that for the gradients of inputs and weights (Kaplan et al. 2020, arXiv:2001.08361).
        return 3 * (self.body * (prompts + tokens) + self.head * tokens)


def median(took: Sequence[Took], figure: Callable[[Took], float]) -> float:
    return statistics.median(map(figure, took))


def summary(took: Sequence[Took], flops: Flops, prompts: int, work: Work, peak: float) -> Report:
    """Medians of a side's steps, and its shares of `peak` GFLOP/s in all and, where known, by stage."""
    tokens = median(took, lambda t: t.tokens)
    sampling = flops.sampling(prompts, tokens)
    learning = flops.learning(prompts, tokens)
    # One thread's peak is in CPU seconds; that of several is in seconds.
    seconds = median(took, lambda t: t.cpu if work.threads == 1 else t.wall)
    report: Report = {
        "seconds": round(median(took, lambda t: t.wall), 3),
        "cpu_seconds": round(median(took, lambda t: t.cpu), 3),
        "completion_tokens": tokens,
        "share_of_peak": round((sampling + learning) / seconds / peak / 1e9, 3),
        "repetitions": [round(t.wall, 3) for t in took],
    }
    if all(t.stages for t in took):
        stages = {name: median(took, lambda t, name=name: t.stages[name]) for name in took[0].stages}  # type: ignore[misc]
        report["stages_cpu_seconds"] = {name: round(value, 4) for name, value in stages.items()}
        if work.threads == 1:
            report["decode_share_of_peak"] = round(sampling / stages["sample"] / peak / 1e9, 3)
            report["training_share_of_peak"] = round(learning / stages["update"] / peak / 1e9, 3)
    return report


def bench_step(options: argparse.Namespace, peak: float) -> Report:
    model, tokenizer, work = begin(options)
    twin = copy.deepcopy(model)
    ours, took = Ours(model, tokenizer, work), []
    steps = options.repeats + 1
    report: Report = {"rows": len(work.prompts) * work.group, "prompt_tokens": sum(map(len, ours.ids))}
    if importlib.util.find_spec("trl") is None:
        took = [ours.step() for _ in range(steps)]
        theirs: list[Took] = []
    else:
        theirs = train_by_trl(
            twin, tokenizer, work, steps, options.accumulate, lambda: took.append(ours.step())
        )
    flops = Flops.of(model)
    mine = summary(took[1:], flops, report["prompt_tokens"], work, peak)
    report["autotelic"] = mine
    if not theirs:
        return report | {"trl": MISSING}
    other = summary(theirs[1:], flops, report["prompt_tokens"], work, peak)
    report["trl"] = other
    report["ratio"] = {key: round(other[key] / mine[key], 2) for key in ("seconds", "cpu_seconds")}
    return report


def bench_decode(options: argparse.Namespace, peak: float) -> Report:
    """Completion tokens a second. `generate` and `generate_batch` return no log-probabilities, `Decoder` does."""
    model, tokenizer, work = begin(options)
    ours = Ours(model, tokenizer, work)
    # `generate_batch` changes how its model attends.
    plain, paged = copy.deepcopy(model), copy.deepcopy(model)
    how = GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        max_new_tokens=work.max_tokens,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id or 0,
    )
    every = [list(ids) for ids in ours.ids for _ in range(work.group)]
    longest = max(map(len, every))
    # Room for every row at once, and no more: left to itself it takes nine tenths of the machine's free memory.
    room = ContinuousBatchingConfig(
        page_size=PAGE,
        num_blocks=len(every) * -(-(longest + work.max_tokens) // PAGE) + 1,
        max_batch_tokens=2048,
    )

    def by_decoder() -> float:
        torch.set_num_threads(1)
        return sum(len(t.completion_ids) for turns in ours.sampler.sample(ours.requests()) for t in turns)

    def by_generate() -> float:
        torch.set_num_threads(work.threads)
        ids_BT = torch.tensor([[how.pad_token_id] * (longest - len(ids)) + ids for ids in every])
        seen_BT = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in every])
        with torch.inference_mode():
            out_BT = plain.generate(ids_BT, attention_mask=seen_BT, generation_config=how)[:, longest:]
        ended_BT = out_BT == how.eos_token_id
        return float((ended_BT.cumsum(dim=1) - ended_BT.long() == 0).sum())

    def by_generate_batch() -> float:
        torch.set_num_threads(work.threads)
        found = paged.generate_batch(
            every, generation_config=how, continuous_batching_config=room, progress_bar=False
        )
        if len(found) != len(every):
            raise RuntimeError(f"{len(found)} of {len(every)} completions came back")
        return float(sum(len(one.generated_tokens) for one in found.values()))

    sides: dict[str, Callable[[], float]] = {"autotelic": by_decoder, "generate": by_generate}
    absent = ""
    try:
        by_generate_batch()
        sides["generate_batch"] = by_generate_batch
    except Exception as error:  # whatever it is that keeps it from running here is the finding
        absent = f"does not run here: {type(error).__name__}: {error}".splitlines()[0][:200]
    with contextlib.ExitStack() as stack:
        missing = {"generate_batch": absent} if absent else {}
        vllm: Vllm | None = None
        try:
            vllm = (
                stack.enter_context(vllm_side(options, model, tokenizer, ours, work))
                if options.vllm
                else None
            )
            if vllm is not None:
                sides["vllm"] = vllm.sample
        except (OSError, RuntimeError) as error:
            missing["vllm"] = f"does not run here: {error}"
        rates = alternate(sides, options.repeats)
        if vllm is not None:  # its CPU seconds are another process's
            rates["vllm"]["per_cpu_second"] = vllm.per_cpu_second(options.repeats)
    report: Report = {"unit": "completion tokens/s", **rates, **missing}
    report["ratio"] = {name: ratio(rates["autotelic"], rates[name]) for name in rates if name != "autotelic"}
    return report


@contextlib.contextmanager
def vllm_side(
    options: argparse.Namespace,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    ours: Ours,
    work: Work,
) -> Iterator[Vllm]:
    """vLLM with the same weights, prompts and limits. Raises RuntimeError where it does not run."""
    with tempfile.TemporaryDirectory() as folder:
        save(model, tokenizer, Path(folder) / "model")
        asked = {
            "model": str(Path(folder) / "model"),
            "prompts": [list(ids) for ids in ours.ids],
            "group": work.group,
            "rows": len(ours.ids) * work.group,
            "max_tokens": work.max_tokens,
            "longest": max(map(len, ours.ids)) + work.max_tokens,
            "end": int(tokenizer.eos_token_id),
        }
        with Vllm(options.vllm, asked, work.threads) as vllm:
            yield vllm


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────


def held(kind: str) -> float:
    """Megabytes this process holds (`VmRSS`), or held at most (`VmHWM`). Linux only.

    Not `getrusage`: there a process begins with what its parent held.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {kind}")


def alone(options: argparse.Namespace) -> Report:
    """Two steps of one side in this process, and what they took."""
    if options.alone == "trl":
        import trl  # noqa: F401  so that it counts as there before
    before = held("VmRSS")
    model, tokenizer, work = begin(options)
    if options.alone == "trl":
        train_by_trl(model, tokenizer, work, 2, options.accumulate, lambda: None)
    else:
        ours = Ours(model, tokenizer, work)
        ours.step()
        ours.step()
    return {"before_mb": round(before), "peak_mb": round(held("VmHWM"))}


def bench_memory(given: Sequence[str]) -> Report:
    if not Path("/proc/self/status").exists():
        return {"absent": "peak memory is read from /proc, which this system does not have"}
    report: Report = {}
    for side in ("autotelic", "trl"):
        if side == "trl" and importlib.util.find_spec("trl") is None:
            report[side] = MISSING
            continue
        command = [sys.executable, "-m", "bench.step", *given, "--alone", side]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            report[side] = f"failed: {(ran.stderr.strip().splitlines() or ['without a word'])[-1][:200]}"
        else:
            report[side] = json.loads(ran.stdout.splitlines()[-1])
    return report


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, help="a folder in Hugging Face format; `tiny` without")
    parser.add_argument("--groups", type=int, default=32, help="prompts a step")
    parser.add_argument("--group", type=int, default=8, help="completions of each")
    parser.add_argument("--max-tokens", type=int, default=40, help="of a completion")
    parser.add_argument("--repeats", type=int, default=5, help="pairs that count")
    parser.add_argument("--accumulate", type=int, default=1, help="batches into which TRL cuts its update")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--vllm", type=Path, help="python of an environment with vLLM, to decode against it")
    parser.add_argument("--only", nargs="+", choices=("step", "decode", "memory"), default=None)
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    parser.add_argument("--alone", choices=("autotelic", "trl"), help=argparse.SUPPRESS)
    given = sys.argv[1:] if given is None else given
    options = parser.parse_args(given)
    if options.groups * options.group % options.accumulate:
        parser.error(
            f"--accumulate {options.accumulate} does not divide {options.groups * options.group} rows"
        )
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore", FutureWarning)  # what others will rename
    torch.set_num_threads(options.threads)
    if options.alone:
        with contextlib.redirect_stdout(sys.stderr):
            report = alone(options)
        print(json.dumps(report))
        return
    peak = gemm_peak()
    report = {
        "model": str(options.model or "tiny"),
        "threads": options.threads,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "gemm_gflops": round(peak, 1),
    }
    benches: dict[str, Callable[[], Report]] = {
        "step": lambda: bench_step(options, peak),
        "decode": lambda: bench_decode(options, peak),
        "memory": lambda: bench_memory(given),
    }
    for name, run in benches.items():
        if options.only is None or name in options.only:
            with contextlib.redirect_stdout(sys.stderr):
                report[name] = run()
    print(json.dumps(report, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
