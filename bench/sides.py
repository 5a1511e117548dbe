"""The two sides of bench/step.py: one GRPO step as a run of autotelic does it, and as TRL's trainer does.

Both take the same model, prompts, settings and judge. TRL is imported where its side runs, and nowhere else.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainerCallback

from autotelic.credit.advantage import GroupAdvantage
from autotelic.learn.learner import PolicyLearner
from autotelic.learn.losses import Clip
from autotelic.learn.pack import pack, reinforce
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.digest import digest_of
from autotelic.types import Episode, Group, Request, Step, Task, Turn, Verdict

LR = 1e-6
"""So small that both sides sample from all but the same weights throughout."""
ADAMW: dict[str, Any] = {"lr": LR, "betas": (0.9, 0.95), "weight_decay": 0.0, "fused": True}
CLIP = Clip(low=0.2, high=0.28, kl=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one step is: `prompts` are texts, each sampled `group` times for `max_tokens` at most."""

    prompts: tuple[str, ...]
    group: int
    max_tokens: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """One step: seconds of wall and CPU, completion tokens sampled, CPU seconds of its stages where known."""

    wall: float
    cpu: float
    tokens: int
    stages: Mapping[str, float]


def judged(ids: Sequence[int]) -> float:
    """A reward that costs next to nothing, and hardly ever is the same for all siblings."""
    return sum(ids) % 101 / 100


def prompts_of(tokenizer: PreTrainedTokenizerFast, count: int, chat: bool, seed: int = 1) -> tuple[str, ...]:
    """Questions in the model's chat template; for `tiny`, words it was made for, about 15 to 70 tokens."""
    rng = np.random.default_rng(seed)
    if not chat:
        ids = [rng.integers(3, len(tokenizer), rng.integers(15, 71)).tolist() for _ in range(count)]
        return tuple(tokenizer.batch_decode(ids))
    asked = [f"What is {a} + {b} * {c}? Think step by step." for a, b, c in rng.integers(2, 100, (count, 3))]
    if tokenizer.chat_template is None:
        return tuple(asked)
    return tuple(
        str(
            tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
        )
        for text in asked
    )


# ── a step of ours ───────────────────────────────────────────────────────────────────────────────────────────


class Ours:
    """Sampler, credit and learner put together as a run does."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, work: Work) -> None:
        self.crew = Crew(work.threads)
        self.model = model
        self.work = work
        self.ids = [tuple(tokenizer(text)["input_ids"]) for text in work.prompts]
        self.sampler = Decoder(model, end_id=int(tokenizer.eos_token_id), crew=self.crew)
        self.credit = GroupAdvantage()
        self.learner = PolicyLearner(
            model,
            lr_matrix=LR,
            lr_other=LR,
            clip=CLIP,
            policy=1.0,
            optimiser="adamw",
            crew=self.crew,
        )
        self.steps = 0

    def requests(self) -> list[Request]:
        self.steps += 1
        return [
            Request(
                prompt_ids=ids,
                n=self.work.group,
                max_tokens=self.work.max_tokens,
                temperature=1.0,
                seed=self.steps * len(self.ids) + i,
            )
            for i, ids in enumerate(self.ids)
        ]

    def step(self) -> Took:
        """Sample, judge, update, and hand the weights back to the sampler."""
        torch.set_num_threads(1)  # what is heavy is shared out among the crew
        wall, marks = time.perf_counter(), [time.process_time()]
        groups = [judged_group(turns) for turns in self.sampler.sample(self.requests())]
        marks.append(time.process_time())
        advantages = self.credit.assign(groups)
        marks.append(time.process_time())
        traces = [
            reinforce(episode, advantage)
            for group, some in zip(groups, advantages, strict=True)
            if some is not None
            for episode, advantage in zip(group.episodes, some, strict=True)
        ]
        report = self.learner.step(pack(traces))
        if report.skipped:
            raise RuntimeError(f"the update was skipped: {report.skipped}")
        if self.sampler.sync() != digest_of(self.model):
            raise RuntimeError("the sampler has other weights than the learner")
        marks.append(time.process_time())
        return Took(
            wall=time.perf_counter() - wall,
            cpu=marks[-1] - marks[0],
            tokens=sum(len(a.turns[0].completion_ids) for g in groups for a in g.episodes),
            stages={
                "sample": marks[1] - marks[0],
                "credit": marks[2] - marks[1],
                "update": marks[3] - marks[2],
            },
        )


def judged_group(turns: Sequence[Turn]) -> Group:
    task = Task(domain="bench", mode="", level=1, prompt="", secret={})
    verdicts = [Verdict(reward=judged(turn.completion_ids), passed=False, reason="") for turn in turns]
    episodes = [Episode(task_id=task.id, steps=(Step(turn=turn),), answer="") for turn in turns]
    return Group(task=task, episodes=tuple(episodes), verdicts=tuple(verdicts))


# ── a step of TRL's ──────────────────────────────────────────────────────────────────────────────────────────


class Pairing(TrainerCallback):
    """Times each step of a trainer, from the end of what came before it, and runs `between` after it."""

    def __init__(self, threads: int, between: Callable[[], None]) -> None:
        self.threads = threads
        self.between = between
        self.tokens = 0
        self.took: list[Took] = []
        self.start = (0.0, 0.0)

    def judge(self, completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
        self.tokens += sum(map(len, completion_ids))
        return [judged(ids) for ids in completion_ids]

    def begin(self) -> None:
        torch.set_num_threads(self.threads)
        self.tokens, self.start = 0, (time.perf_counter(), time.process_time())

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.begin()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        wall, cpu = time.perf_counter() - self.start[0], time.process_time() - self.start[1]
        self.took.append(Took(wall=wall, cpu=cpu, tokens=self.tokens, stages={}))
        self.between()
        self.begin()


def train_by_trl(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    work: Work,
    steps: int,
    accumulate: int,
    between: Callable[[], None],
) -> list[Took]:
    """`steps` steps of `GRPOTrainer`, `between` called after each."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    pairing = Pairing(work.threads, between)
    rows = len(work.prompts) * work.group
    with tempfile.TemporaryDirectory() as folder:
        settings = GRPOConfig(
            output_dir=folder,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            max_steps=steps,
            per_device_train_batch_size=rows // accumulate,
            gradient_accumulation_steps=accumulate,
            num_generations=work.group,
            max_completion_length=work.max_tokens,
            loss_type="dapo",
            epsilon=CLIP.low,
            epsilon_high=CLIP.high,
            beta=CLIP.kl,
            max_grad_norm=1.0,
            lr_scheduler_type="constant",
            shuffle_dataset=False,
            logging_strategy="no",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = GRPOTrainer(
            model=model,
            reward_funcs=pairing.judge,
            args=settings,
            train_dataset=Dataset.from_list([{"prompt": text} for text in work.prompts]),
            processing_class=tokenizer,
            callbacks=[pairing],
            optimizers=(torch.optim.AdamW(model.parameters(), **ADAMW), None),
        )
        trainer.train()
    return pairing.took
