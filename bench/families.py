"""Which families of models work: a run of two generations of each, whole and with an adapter.

    python -m bench.families --out runs/families
    python -m bench.families --only Gemma2 Mamba --out runs/families

Every model is small and random, made by transformers and saved as its authors' are, with a byte-level
tokenizer of its own. `autotelic run` gets it as `model.name`, and then `autotelic exam` its champion. A family
works where both end with 0 and the champion's own logits, loaded by transformers alone, are what the engine
computes; the table has the largest difference of a log-probability. Otherwise it is refused: one line on
standard error, exit code 2, and no run folder. Anything else is a failure, and named so.
`families.json` in the folder has every row; the table goes to standard output. Rows that are there already are
kept: give the folder again and the rest is tried. Give an empty one for a fresh matrix.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

VOCABULARY = 320
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
"""As most families name them; one that names them otherwise is given both."""
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 1024}
NARROW = {"sliding_window": 64}
"""Shorter than a prompt."""
SPARSE = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}

Row = dict[str, Any]

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("Llama", {}),
    "Llama, tied": ("Llama", {"tie_word_embeddings": True}),
    "Mistral": ("Mistral", {"sliding_window": 4096}),
    "Mistral, window 64": ("Mistral", NARROW),
    "Qwen2": ("Qwen2", {}),
    "Qwen2, window 64": ("Qwen2", {"use_sliding_window": True, "max_window_layers": 1, **NARROW}),
    "Qwen3": ("Qwen3", {"head_dim": 8}),
    "Gemma": ("Gemma", {"head_dim": 8}),
    "Gemma 2, window 64": ("Gemma2", {"head_dim": 8, "query_pre_attn_scalar": 8, **NARROW}),
    "Gemma 3 (text), window 64": ("Gemma3Text", {"head_dim": 8, **NARROW}),
    "Phi": ("Phi", {}),
    "Phi-3, window 64": ("Phi3", NARROW),
    "GPT-2": ("GPT2", GPT),
    "GPT-J": ("GPTJ", {"rotary_dim": 4, **GPT}),
    "GPT-Neo": ("GPTNeo", {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]}),
    "GPT-NeoX": ("GPTNeoX", {}),
    "GPT-BigCode": ("GPTBigCode", GPT),
    "CodeGen": ("CodeGen", {"rotary_dim": 4, **GPT}),
    "Falcon, rotary": ("Falcon", {"alibi": False}),
    "Falcon, alibi": ("Falcon", {"alibi": True}),
    "BLOOM": ("Bloom", {"n_layer": 2, "n_head": 4}),
    "MPT": ("Mpt", {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 1024}),
    "OPT": ("OPT", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "XGLM": ("XGLM", {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 48}),
    "Cohere": ("Cohere", {}),
    "Cohere 2, window 64": ("Cohere2", NARROW),
    "Granite": (
        "Granite",
        {"logits_scaling": 8.0, "embedding_multiplier": 12.0, "attention_multiplier": 0.1},
    ),
    "Granite MoE": ("GraniteMoe", {"logits_scaling": 8.0, "num_local_experts": 4}),
    "HyperCLOVA X": ("HyperCLOVAX", {"logits_scaling": 0.5}),
    "OLMo 2": ("Olmo2", {}),
    "OLMo 3, window 64": ("Olmo3", NARROW),
    "StableLM": ("StableLm", {}),
    "StarCoder2, window 64": ("Starcoder2", NARROW),
    "SmolLM3": ("SmolLM3", {}),
    "Ministral, window 64": ("Ministral", {"head_dim": 8, **NARROW}),
    "EXAONE 4, window 64": ("Exaone4", NARROW),
    "GLM-4": ("Glm4", {"head_dim": 8}),
    "Nemotron": ("Nemotron", {}),
    "Mixtral": ("Mixtral", {"num_local_experts": 4, "sliding_window": None}),
    "Qwen2-MoE": ("Qwen2Moe", {"shared_expert_intermediate_size": 16, **SPARSE}),
    "Qwen3-MoE": ("Qwen3Moe", {"head_dim": 8, **SPARSE}),
    "OLMoE": ("Olmoe", {"num_experts": 4, "num_experts_per_tok": 2}),
    "gpt-oss, window 64": (
        "GptOss",
        {"num_local_experts": 4, "num_experts_per_tok": 2, "head_dim": 8, **NARROW},
    ),
    "Mamba": ("Mamba", {"state_size": 4}),
    "Mamba 2": ("Mamba2", {"state_size": 4, "num_heads": 4, "head_dim": 16, "n_groups": 1}),
    "RWKV": ("Rwkv", {"attention_hidden_size": 32, "context_length": 1024}),
    "RecurrentGemma": ("RecurrentGemma", {"head_dim": 8, "attention_window_size": 64}),
    "Jamba": (
        "Jamba",
        {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2, "mamba_d_state": 4},
    ),
    "Llama 4 (text)": ("Llama4Text", {"head_dim": 8, "num_local_experts": 2, "intermediate_size_mlp": 48}),
    "BERT as a decoder": ("Bert", {"is_decoder": True}),
    "Llama, 128 positions": ("Llama", {"max_position_embeddings": 128}),
    "Llama, 50 rows too few": ("Llama", {"vocab_size": VOCABULARY - 70}),
}
"""By the name in the table: the class of its configuration, and what differs from `SIZES`."""
NOT_CAUSAL = {"T5": "T5", "ViT": "ViT"}
"""Models that do not write from left to right."""


def model_of(name: str, seed: int = 0, spread: float = 3.0) -> PreTrainedModel:
    """A random model of a family, with weights so large that what it reads changes what it says."""
    kind, changes = FAMILIES[name]
    config = getattr(transformers, f"{kind}Config")(**SIZES | changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 2:
                    parameter.mul_(spread)
    return model.eval()


def tokenizer_of_bytes() -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each byte and none for more, and turns of a conversation."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={}, merges=[]))
    backend.add_special_tokens(MARKS)
    vocabulary = {mark: at for at, mark in enumerate(MARKS)}
    vocabulary |= {letter: len(MARKS) + at for at, letter in enumerate(alphabet)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(MARKS)
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=MARKS[1],
        eos_token=MARKS[0],
        pad_token=MARKS[0],
        additional_special_tokens=MARKS[2:],
    )
    made.chat_template = CHATML
    return made


def write(name: str, folder: Path) -> Path:
    """The model of a family as a folder in Hugging Face format."""
    if name in NOT_CAUSAL:
        config = getattr(transformers, f"{NOT_CAUSAL[name]}Config")()
        config.architectures = [f"{NOT_CAUSAL[name]}ForConditionalGeneration"]
        config.save_pretrained(folder)
    else:
        model_of(name).save_pretrained(folder)
    tokenizer_of_bytes().save_pretrained(folder)
    return folder


def charter_text(folder: Path, rank: int) -> str:
    """Two generations of short mathematics in words."""
    sections: Mapping[str, Mapping[str, Any]] = {
        "domain": {"name": "math", "style": "natural", "modes": ["solve"], "levels": [1, 1]},
        "model": {"name": str(folder), "lora_rank": rank},
        "roles": {"max_tokens": 8, "references": 1},
        "curriculum": {
            "bootstrap_generations": 1,
            "tasks_per_generation": 4,
            "probe_tasks": 4,
            "group_size": 2,
            "actor_share": 0.25,
        },
        "learn": {"optimiser": "adamw", "lr_other": 0.001, "batch_tokens": 1024},
        "exam": {"items_per_cell": 2, "levels": [1, 1], "every": 2, "own_items": 2, "samples": 1},
        "gate": {"items": 8},
        "budget": {"seconds": 0.0, "generations": 2},
        "limits": {"require": "L0"},
    }
    lines = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def tried(name: str, rank: int, out: Path) -> Row:
    """One row of the table: what became of a run of a family, `rank` 0 for the whole model."""
    from autotelic.cli import main

    place = out / "one"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    began, said = time.perf_counter(), io.StringIO()
    row: Row = {"family": name, "lora_rank": rank}
    try:
        model = write(name, place / "model")
        (place / "charter.toml").write_text(charter_text(model, rank), encoding="utf-8")
        run = place / "run"
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = main(
                ["run", str(place / "charter.toml"), "--out", str(run), "--threads", "1", "--workers", "1"]
            )
            if code == 0:
                code = main(["exam", str(run), "--samples", "1"])
        row["code"] = code
        if code == 0:
            row |= {"outcome": "works", "gap": champion_gap(run / "champion")}
        else:
            lines = [line for line in said.getvalue().splitlines() if line.startswith("autotelic:")]
            clean = len(lines) == 1 and code == 2 and not run.exists() and "charter.toml" not in lines[0]
            row |= {
                "outcome": "refused" if clean else "FAILS",
                "why": " | ".join(lines).removeprefix("autotelic: "),
            }
    except Exception as error:
        row |= {
            "outcome": "FAILS",
            "why": f"{type(error).__name__}: {error}",
            "trace": traceback.format_exc(),
        }
    row["why"] = row.get("why", "").replace(str(place / "model"), "MODEL")
    row["seconds"] = round(time.perf_counter() - began, 1)
    shutil.rmtree(place, ignore_errors=True)
    return row


def champion_gap(folder: Path) -> float:
    """The largest difference between transformers' own log-probabilities of a champion and the engine's, for
    tokens that the decode loop drew after a prompt longer than the windows.
    """
    from autotelic.models.decode import Decoder
    from autotelic.types import Request
    from autotelic.weights.load import load

    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    prompt = tuple(3 + (7 * at + at * at) % 250 for at in range(90))
    request = Request(prompt_ids=prompt, n=2, max_tokens=12, temperature=1.0, seed=0)
    gap = 0.0
    for turn in Decoder(load(folder).model, end_id=2).sample([request])[0]:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*prompt, *turn.completion_ids]])).logits[0].float()
        own = logits.log_softmax(-1)[len(prompt) - 1 : -1]
        drawn = own.gather(1, torch.tensor(turn.completion_ids)[:, None])[:, 0]
        gap = max(gap, float((drawn - torch.tensor(turn.logprobs)).abs().max()))
    return gap


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown: a family a line, whole and with an adapter."""
    lines = ["| family | whole | adapter | |", "|---|---|---|---|"]
    for name in dict.fromkeys(row["family"] for row in rows):
        whole, adapter = (
            next((r for r in rows if r["family"] == name and bool(r["lora_rank"]) is learns), None)
            for learns in (False, True)
        )
        cells = [
            "" if r is None else f"works, {r['gap']:.0e}" if r["outcome"] == "works" else r["outcome"]
            for r in (whole, adapter)
        ]
        why = next((r["why"] for r in (whole, adapter) if r is not None and r["why"]), "")
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {why.partition(';')[0]} |")
    return "\n".join(lines)


def main() -> None:
    """Try the families that are asked for, all without."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=[], help="names of families, as in the table")
    parser.add_argument("--out", type=Path, default=Path("runs/families"))
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    order = [*FAMILIES, *NOT_CAUSAL]
    names = [name for name in order if not given.only or name in given.only]
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "families.json"
    rows: list[Row] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
    done = {(row["family"], row["lora_rank"]) for row in rows}
    for name in names:
        for rank in (0, 4):
            if (name, rank) in done:
                continue
            rows.append(tried(name, rank, given.out))
            print(json.dumps({k: v for k, v in rows[-1].items() if k != "trace"}), flush=True)
            rows.sort(key=lambda row: (order.index(row["family"]), row["lora_rank"]))
            kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
