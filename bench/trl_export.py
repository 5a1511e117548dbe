"""A domain of ours trained by TRL, through the exporter: ten steps on a tiny model.

    python -m bench.trl_export --out trl.json
    python -m bench.trl_export --domain reasoning-gym:chain_sum --steps 10

Needs `pip install -e '.[peers]'`. The model has random weights, and first reads some hundred texts of the rules,
so that a few of its answers have a form and rewards differ. What is shown is that TRL runs and sees our rewards.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from autotelic.domains import load_domain
from autotelic.domains.adapters.export import Exported
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.streams import stream


@dataclass
class Choice:
    """The `[domain]` of a charter."""

    name: str
    levels: tuple[int, int] = (1, 1)
    style: str = "compact"
    modes: tuple[str, ...] = ()


def train(name: str, steps: int, folder: Path) -> dict[str, Any]:
    """So many steps of TRL's GRPO on the domain's rows; what it logged, and whether the weights moved."""
    torch.set_num_threads(1)
    exported = Exported(load_domain(Choice(name)))
    rows = exported.rows(64)
    tokenizer = train_tokenizer(exported.domain.corpus(stream(0, "tokens"), 400), (), 300)
    tokenizer.padding_side = "left"
    model = build_tiny(tokenizer, width=32, depth=1, heads=2, context=512, seed=0)
    _read(model, tokenizer, exported.domain.corpus(stream(0, "texts"), 600))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    settings = GRPOConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=8,
        num_generations=4,
        max_completion_length=16,
        learning_rate=1e-3,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        seed=0,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=exported.reward,
        args=settings,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    trainer.train()
    logged = [row for row in trainer.state.log_history if "reward" in row]
    moved = sum(not torch.equal(before[key], value) for key, value in model.state_dict().items())
    return {
        "domain": name,
        "steps": trainer.state.global_step,
        "reward": [row["reward"] for row in logged],
        "loss": [row["loss"] for row in logged if "loss" in row],
        "tensors moved": f"{moved} of {len(before)}",
    }


def _read(model: Any, tokenizer: Any, texts: list[str]) -> None:
    """A pass of likelihood over texts, 16 at a time."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for at in range(0, len(texts), 16):
        some = [text + tokenizer.eos_token for text in texts[at : at + 16]]
        batch = tokenizer(some, return_tensors="pt", padding=True, add_special_tokens=False)
        labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
        loss = model(batch.input_ids, attention_mask=batch.attention_mask, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def main() -> None:
    """Train, print and write what was logged."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domain", default="packing")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = train(asked.domain, asked.steps, Path(folder))
    print(json.dumps(found, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
