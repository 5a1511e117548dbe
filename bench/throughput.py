"""Decode and training speed of the numerical core, against what one would use instead.

    python -m bench.throughput [--json] [--repeats 5] [--only decode train muon packing shared]

Everything runs in this process on one thread, the two sides taking turns so that a busy neighbour slows both;
a ratio is the ratio of medians. CPU seconds stand beside wall seconds: on a quiet machine they agree.

- decode: `Decoder` against `transformers` `generate`, same model, prompts, group size and sampling. Completions
  end by themselves after about 16 tokens, 40 at most. `generate` is given the prompts sorted by length, and
  its best batch size of three; it returns no log-probabilities, `Decoder` does.
- train: one `PolicyLearner.step` on packed sequences, and its share of the matrix product's measured peak.
- muon: our `Muon` against `torch.optim.Muon` on the same matrices and gradients.
- packing: the same sequences packed and padded to the longest.
- shared: sequences of which two thirds are the same beginning, as prompts in words are, against as long ones that
  have nothing in common.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from autotelic.learn.learner import PolicyLearner
from autotelic.learn.losses import Clip
from autotelic.learn.muon import Matrix, Muon
from autotelic.learn.pack import Trace, imitate, pack
from autotelic.models.decode import Decoder
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.types import Batch, Request
from bench.gemm import gemm_peak

GROUP = 8
MAX_TOKENS = 40
END_EVERY = 16
BATCH_TOKENS = 4096
Report = dict[str, Any]


def tiny_tokenizer(seed: int = 0) -> PreTrainedTokenizerFast:
    """About 512 tokens of made-up words."""
    rng = np.random.default_rng(seed)
    words = ["".join(chr(c) for c in rng.integers(97, 123, 4)) for _ in range(400)]
    return train_tokenizer([f"{word} {word}\n" for word in words * 4], [], 512)


def tiny_that_stops(seed: int = 0) -> tuple[LlamaForCausalLM, int]:
    """`tiny` with random weights that ends a completion with probability 1 / END_EVERY at each token.

    -> (model, id of its end token). The end token's embedding is pointed along what the model's last hidden states
    have in common, which raises that one logit; nothing else about the model changes.
    """
    rng = np.random.default_rng(seed)
    tokenizer = tiny_tokenizer(seed)
    model = build_tiny(tokenizer, width=192, depth=2, heads=6, context=512, seed=seed)
    end = tokenizer.convert_tokens_to_ids(tokenizer.eos_token)
    with torch.no_grad():
        ids = torch.from_numpy(rng.integers(3, len(tokenizer), (64, 32)))
        shared_D = model.model(ids)[0].mean(dim=(0, 1))
        raised = np.log((len(tokenizer) - 1) / (END_EVERY - 1))
        model.lm_head.weight[end] = shared_D * float(raised) / shared_D.square().sum()
    return model, end


def prompts(count: int, vocabulary: int, seed: int = 1) -> list[tuple[int, ...]]:
    """Prompts of 15 to 70 tokens, as the tasks of levels 1 to 3 have them."""
    rng = np.random.default_rng(seed)
    return [tuple(rng.integers(3, vocabulary, rng.integers(15, 71)).tolist()) for _ in range(count)]


def alternate(sides: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, Report]:
    """Run the sides in turn, `repeats` times after one warm-up; each returns how much it did.

    -> per side: medians of amount a wall second and a CPU second, and every repetition.
    """
    for run in sides.values():
        run()
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            wall, cpu = time.perf_counter(), time.process_time()
            amount = run()
            rates[name].append((amount / (time.perf_counter() - wall), amount / (time.process_time() - cpu)))
    return {
        name: {
            "per_second": round(statistics.median(w for w, _ in pairs), 1),
            "per_cpu_second": round(statistics.median(c for _, c in pairs), 1),
            "repetitions": [round(w, 1) for w, _ in pairs],
        }
        for name, pairs in rates.items()
    }


def ratio(ours: Report, theirs: Report) -> Report:
    """How many times faster, by wall and by CPU seconds."""
    return {key: round(ours[key] / theirs[key], 2) for key in ("per_second", "per_cpu_second")}


# ── decode ───────────────────────────────────────────────────────────────────────────────────────────────────


def generate_all(
    model: LlamaForCausalLM, end: int, asked: Sequence[tuple[int, ...]], rows: int, seed: int
) -> int:
    """Every prompt's group by `generate`, `rows` rows at a time, shortest prompts first. -> tokens sampled."""
    torch.manual_seed(seed)
    ordered = sorted(asked, key=len)
    tokens = 0
    for at in range(0, len(ordered), rows // GROUP):
        some = ordered[at : at + rows // GROUP]
        width = max(map(len, some))
        ids_PL = torch.tensor([[end] * (width - len(p)) + list(p) for p in some])
        seen_PL = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in some])
        with torch.inference_mode():
            out_RT = model.generate(
                ids_PL,
                attention_mask=seen_PL,
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                num_return_sequences=GROUP,
                max_new_tokens=MAX_TOKENS,
                eos_token_id=end,
                pad_token_id=0,
            )[:, width:]
        # Up to and with the first end token: what comes after is padding.
        before_RT = ((out_RT == end).cumsum(dim=1) - (out_RT == end).long()) == 0
        tokens += int((before_RT & (torch.arange(out_RT.shape[1]) < MAX_TOKENS)).sum())
    return tokens


def bench_decode(repeats: int, peak: float, groups: int = 64, slots: int = 256) -> Report:
    model, end = tiny_that_stops()
    asked = prompts(groups, model.config.vocab_size)
    decoder = Decoder(model, end_id=end, slots=slots)
    seeds = iter(range(10**9))

    def ours() -> float:
        first = next(seeds) * groups
        requests = [
            Request(prompt_ids=p, n=GROUP, max_tokens=MAX_TOKENS, temperature=1.0, seed=first + i)
            for i, p in enumerate(asked)
        ]
        return sum(len(turn.completion_ids) for turns in decoder.sample(requests) for turn in turns)

    sides: dict[str, Callable[[], float]] = {"autotelic": ours}
    for rows in (slots // 4, slots // 2, slots):
        sides[f"generate/{rows}"] = lambda rows=rows: generate_all(model, end, asked, rows, next(seeds))  # type: ignore[misc]
    rates = alternate(sides, repeats)
    best = max(
        (name for name in rates if name != "autotelic"), key=lambda name: rates[name]["per_cpu_second"]
    )
    decoder.tokens = decoder.prefilled = 0
    ours()
    flops = forward_flops(model) * (decoder.tokens + decoder.prefilled) / decoder.tokens
    return {
        "unit": "completion tokens/s",
        "rows": groups * GROUP,
        "slots": slots,
        "prompt_tokens": sum(map(len, asked)),
        **rates,
        "against": best,
        "ratio": ratio(rates["autotelic"], rates[best]),
        "share_of_peak": round(rates["autotelic"]["per_cpu_second"] * flops / 1e9 / peak, 3),
    }


def forward_flops(model: LlamaForCausalLM) -> float:
    """Multiply-adds counted as two, a token, of the matrices alone: attention over keys comes on top."""
    return 2.0 * sum(p.numel() for p in model.parameters())


# ── train ────────────────────────────────────────────────────────────────────────────────────────────────────


def sequences(tokens: int, vocabulary: int, seed: int = 2) -> list[Trace]:
    """Traces of about `tokens` tokens in all: lengths of mean 32 with a tail to 110, half of each predicted."""
    rng = np.random.default_rng(seed)
    traces: list[Trace] = []
    while sum(map(len, traces)) < tokens:
        length = int(np.clip(rng.gamma(2.5, 12.8), 8, 110))
        ids = tuple(rng.integers(3, vocabulary, length).tolist())
        cut = length // 2
        traces.append(imitate(ids[:cut], ids[cut:]))
    return traces


def pad(traces: Sequence[Trace]) -> Batch:
    """The same batch without packing: one sequence a row, every row as wide as the longest."""
    longest = max(map(len, traces))
    rows = [pack([trace]) for trace in traces]

    def whole(name: str) -> torch.Tensor:
        parts = [getattr(row, name) for row in rows]
        return torch.cat([torch.nn.functional.pad(part, (0, longest - part.shape[1])) for part in parts])

    return Batch(**{field.name: whole(field.name) for field in fields(Batch)})


def learner_of(model: LlamaForCausalLM) -> PolicyLearner:
    return PolicyLearner(model, lr_matrix=0.02, lr_other=0.003, clip=Clip(), policy=1.0, optimiser="muon")


def bench_train(repeats: int, peak: float) -> Report:
    model, _ = tiny_that_stops()
    learner = learner_of(model)
    batch = pack(sequences(BATCH_TOKENS, model.config.vocab_size))
    rates = alternate({"step": lambda: float(learner.step(batch).tokens)}, repeats)["step"]
    # Forward, and twice that for the gradients of inputs and weights (Kaplan et al. 2020, arXiv:2001.08361).
    achieved = rates["per_cpu_second"] / batch.tokens * 3 * step_flops(model, batch) / 1e9
    return {
        "unit": "tokens/s",
        "batch": [*batch.ids_BT.shape],
        "tokens": batch.tokens,
        **rates,
        "share_of_peak": round(achieved / peak, 3),
    }


def step_flops(model: LlamaForCausalLM, batch: Batch) -> float:
    """Of a forward pass in learning: of the last block all but keys and values is for predicted places alone."""
    last = f"layers.{model.config.num_hidden_layers - 1}."
    everywhere = predicted = 0
    for name, p in model.named_parameters():
        if "embed_tokens" in name or (last in name and "k_proj" not in name and "v_proj" not in name):
            predicted += p.numel()  # the embedding is the output layer too; to look a token up costs nothing
        else:
            everywhere += p.numel()
    return 2.0 * (everywhere * batch.tokens + predicted * int((batch.nll_BT > 0).sum()))


def bench_packing(repeats: int) -> Report:
    """Forward, backward and update of the same sequences, packed and one a row."""
    model, _ = tiny_that_stops()
    learner = learner_of(model)
    traces = sequences(BATCH_TOKENS, model.config.vocab_size)
    packed, padded = pack(traces), pad(traces)
    rates = alternate(
        {
            "packed": lambda: float(learner.step(packed).tokens),
            "padded": lambda: float(learner.step(padded).tokens),
        },
        repeats,
    )
    return {"unit": "tokens/s", **rates, "ratio": ratio(rates["packed"], rates["padded"])}


def bench_shared(repeats: int) -> Report:
    """Forward, backward and update of sequences that begin alike, and of as many as long that do not."""
    model, _ = tiny_that_stops()
    learner = learner_of(model)
    rng = np.random.default_rng(3)
    vocabulary = model.config.vocab_size

    def traces(beginnings: int) -> list[Trace]:
        begin = rng.integers(3, vocabulary, (beginnings, 80))
        own = rng.integers(3, vocabulary, (32, 40))
        return [
            imitate((*begin[i % beginnings].tolist(), *own[i, :25].tolist()), own[i, 25:].tolist())
            for i in range(len(own))
        ]

    alike, apart = pack(traces(1)), pack(traces(32))

    def sequences_of(batch: Batch) -> float:
        learner.step(batch)
        return 32.0

    rates = alternate({"alike": lambda: sequences_of(alike), "apart": lambda: sequences_of(apart)}, repeats)
    return {
        "unit": "sequences/s",
        "tokens": {"alike": alike.tokens, "apart": apart.tokens},
        **rates,
        "ratio": ratio(rates["alike"], rates["apart"]),
    }


def bench_muon(repeats: int) -> Report:
    """One optimiser step over the matrices of `tiny`, gradients given."""
    model, _ = tiny_that_stops()
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    for p in matrices:
        p.grad = torch.randn_like(p)
    mine = Muon([Matrix(weight=p, blocks=(p.shape[0],)) for p in matrices], lr=1e-6)
    theirs = torch.optim.Muon(matrices, lr=1e-6, weight_decay=0.0)

    def times(optimiser: torch.optim.Optimizer) -> float:
        for _ in range(5):
            optimiser.step()
        return 5.0

    rates = alternate({"autotelic": lambda: times(mine), "torch": lambda: times(theirs)}, repeats)
    return {"unit": "updates/s", **rates, "ratio": ratio(rates["autotelic"], rates["torch"])}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--only", nargs="+", choices=("decode", "train", "muon", "packing", "shared"), default=None
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    peak = gemm_peak()
    benches: dict[str, Callable[[], Report]] = {
        "decode": lambda: bench_decode(options.repeats, peak),
        "train": lambda: bench_train(options.repeats, peak),
        "packing": lambda: bench_packing(options.repeats),
        "shared": lambda: bench_shared(options.repeats),
        "muon": lambda: bench_muon(options.repeats),
    }
    report: Report = {"threads": 1, "torch": torch.__version__, "gemm_gflops": round(peak, 1)}
    for name, run in benches.items():
        if options.only is None or name in options.only:
            report[name] = run()
    print(json.dumps(report, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
