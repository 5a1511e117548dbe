"""The loop on a model that was there before: prompts in words, turns of a chat, adapters, 16 bits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pretrained import llama, write
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotelic.charter import Charter
from autotelic.cli import main
from autotelic.commands.opening import opened
from autotelic.engine.replay import replay
from autotelic.loop import resume, run
from autotelic.machine import Machine
from autotelic.messages import GenerationEnded, Message, RunStarted, StageBegan, Updated
from autotelic.models.digest import digest_of
from autotelic.record import Journal, checkpoint
from autotelic.weights.store import Store

TEXTS = [
    "What does this Python function return for f([3,1,4])?\n\ndef f(x):\n    x = [v + 3 for v in x]\n    return x\n",
    "Write what x is after each line that changes it, as JSON, each on a line of its own and nothing else. The last",
    "You work out mathematics exactly. Do one operation a line, writing the whole expression or equation again each",
] * 4


def charter(folder: Path, **sections: dict[str, Any]) -> Charter:
    """Few and short tasks for a model of a few thousand parameters."""
    values: dict[str, dict[str, Any]] = {
        "domain": {"style": "natural", "levels": [1, 1]},
        "model": {"name": str(folder)},
        "roles": {"max_tokens": 16},
        "repair": {"share": 0.0},
        "curriculum": {
            "bootstrap_generations": 1,
            "tasks_per_generation": 12,
            "probe_tasks": 8,
            "group_size": 2,
        },
        "learn": {"optimiser": "adamw", "lr_other": 0.01, "batch_tokens": 1024},
        "exam": {"items_per_cell": 2, "levels": [1, 1], "every": 2, "own_items": 2},
        "gate": {"items": 8},
        "budget": {"seconds": 0.0, "generations": 2},
    }
    return Charter.of({name: values[name] | sections.get(name, {}) for name in values})


MACHINE = Machine(threads=1, workers=1)


def interrupt_at(generation: int) -> Any:
    def watch(message: Message) -> None:
        if isinstance(message, StageBegan) and (message.generation, message.stage) == (generation, "learn"):
            raise KeyboardInterrupt

    return watch


def tensors(folder: Path) -> dict[str, Any]:
    """Every group of tensors that the newest checkpoint holds or speaks of."""
    store = Store(folder / "weights")
    found = checkpoint.load_latest(folder / "checkpoints", store)
    assert found is not None
    blobs, champion = found.state["weights"], found.state["state"]["champion"]
    groups = {name: group for name, group in found.tensors.items() if name != "state"}
    groups |= {
        "actor": store.get(blobs[found.state["actor"]]),
        "champion": store.get(blobs[champion["weights"]]),
    }
    return groups


def adapter_on_python(folder: Path) -> Charter:
    return charter(folder, model={"lora_rank": 4})


def sixteen_bits_on_math(folder: Path) -> Charter:
    domain = {"name": "math", "modes": ["solve", "invert"]}
    return charter(folder, domain=domain, model={"dtype": "bfloat16"})


NEEDS_PEFT = pytest.mark.skipif(find_spec("peft") is None, reason="pip install -e '.[lora]'")


@NEEDS_PEFT
def test_an_adapter_learns_python_in_turns_of_a_chat(tmp_path: Path) -> None:
    run(adapter_on_python(write(tmp_path / "model", TEXTS)), tmp_path / "run", machine=MACHINE)
    kept = tensors(tmp_path / "run")
    for name in ("actor", "champion"):
        assert all(".lora_" in key for key in kept[name]), name
    with Journal.open(tmp_path / "run") as journal:
        prompts = [row["prompt"] for row in journal.each("tasks")]
        turns = [turn for stored in journal.episodes() for turn in stored.episode.turns]
        assert len(journal.read(kinds=(Updated.kind,))) >= 2
        start = journal.latest(RunStarted)
    assert start is not None
    assert start.chat is True
    assert start.learned == sum(t.numel() for t in kept["actor"].values())
    assert prompts
    assert turns
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    for turn in turns:
        prompt = tokenizer.decode(turn.prompt_ids)
        assert prompt.startswith("<|im_start|>user\n")
        assert prompt.endswith("<|im_end|>\n<|im_start|>assistant\n")
    left = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "champion")
    assert {n for n, _ in left.named_parameters()} == {n for n, _ in llama().named_parameters()}
    assert AutoTokenizer.from_pretrained(tmp_path / "run" / "champion").chat_template


@NEEDS_PEFT
def test_updates_of_an_adapter_come_out_the_same_again(tmp_path: Path) -> None:
    run(adapter_on_python(write(tmp_path / "model", TEXTS)), tmp_path / "run", machine=MACHINE)
    with Journal.open(tmp_path / "run") as journal:
        steps = [m.step for m in journal.read() if isinstance(m, Updated)]
    assert all(replay(tmp_path / "run", step).same for step in steps[:5])
    assert main(["audit", str(tmp_path / "run")]) == 0


def test_a_whole_model_of_sixteen_bits_learns_math_in_words(tmp_path: Path) -> None:
    run(sixteen_bits_on_math(write(tmp_path / "model", TEXTS)), tmp_path / "run", machine=MACHINE)
    left = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "champion")
    assert str(left.dtype) == "torch.bfloat16"


def test_functions_with_tests_of_their_own_are_one_more_domain(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", TEXTS)
    given = charter(folder, domain={"name": "functions"}, repair={"share": 0.25})
    run(given, tmp_path / "run", machine=MACHINE)
    with Journal.open(tmp_path / "run") as journal:
        tasks = list(journal.each("tasks"))
        last = journal.latest(GenerationEnded)
    assert last is not None
    assert {row["domain"] for row in tasks} == {"functions"}
    assert {row["mode"] for row in tasks} >= {"deduction", "abduction", "induction"}
    assert last.trained > 0


@pytest.mark.slow
@pytest.mark.parametrize("rules", [pytest.param(adapter_on_python, marks=NEEDS_PEFT), sixteen_bits_on_math])
def test_a_resume_changes_nothing(tmp_path: Path, rules: Any) -> None:
    folder = write(tmp_path / "model", TEXTS)
    run(rules(folder), tmp_path / "whole", machine=MACHINE)
    run(rules(folder), tmp_path / "cut", machine=MACHINE, watch=interrupt_at(2))
    resume(tmp_path / "cut")
    whole, cut = tensors(tmp_path / "whole"), tensors(tmp_path / "cut")
    assert {name: digest_of(whole[name]) for name in whole} == {name: digest_of(cut[name]) for name in cut}


@pytest.mark.slow
def test_a_model_with_a_chat_template_sits_the_exam_in_words(tmp_path: Path) -> None:
    with opened(write(tmp_path / "model", TEXTS)) as found:
        assert found.charter.domain.style == "natural"
        assert found.tokens.chat
        assert not any(str(item.prompt).startswith("<|") for item in found.exam.items)
