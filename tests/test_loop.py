"""The loop end to end, on a model small enough for seconds: what it leaves, and that a resume changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotelic.charter import Charter
from autotelic.errors import RunError
from autotelic.loop import resume, run
from autotelic.models.weights import digest_of
from autotelic.record import Record, checkpoint


def small(generations: int = 4) -> Charter:
    """A charter whose run takes seconds: a toy of a model, but every stage of the loop."""
    return Charter.of(
        {
            "domain": {"levels": [1, 2]},
            "model": {"width": 32, "depth": 2, "heads": 2},
            "roles": {"max_tokens": 24, "repair_turns": 2},
            "feedback": {"critic_width": 16},
            "curriculum": {
                "bootstrap_generations": 1,
                "tasks_per_generation": 48,
                "probe_tasks": 6,
                "group_size": 4,
            },
            "learn": {"batch_tokens": 1024, "anchor_every": 2},
            "exam": {"items_per_cell": 4, "levels": [1, 1], "every": 2, "own_items": 4, "free_answers": 16},
            "gate": {"items": 8},
            "limits": {"workers": 1},
            "budget": {"seconds": 0.0, "generations": generations, "threads": 1},
        },
        where="test",
    )


def weights(folder: Path) -> dict[str, str]:
    """The digest of every group of tensors in the newest checkpoint, and its state as text."""
    found = checkpoint.load_latest(folder / "checkpoints")
    assert found is not None
    state = dict(found.state)
    state["counters"] = {k: v for k, v in state["counters"].items() if k != "seconds"}
    return {name: digest_of(group) for name, group in found.tensors.items()} | {"state": json.dumps(state)}


def interrupt_at(generation: int, stage: str) -> Any:
    """A watcher that presses Ctrl-C when a stage of a generation begins."""

    def watch(event: Any) -> None:
        if event.kind == "stage" and event.generation == generation and event.data["name"] == stage:
            raise KeyboardInterrupt

    return watch


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four generations that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(small(), folder)
    return folder


def test_a_run_leaves_what_it_promises(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["charter"] == small().digest
    assert summary["generations"] == 4
    assert summary["tokens"] > 0
    assert summary["sealed"]["before"]["pass_at_1"] <= 0.1
    for name in ("report.html", "champion/model.safetensors", "champion/README.md", "plots/curves.png"):
        assert (whole / name).stat().st_size > 0, name


def test_the_champion_loads_as_any_hugging_face_model(whole: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(whole / "champion")
    tokenizer = AutoTokenizer.from_pretrained(whole / "champion")
    found = checkpoint.load_latest(whole / "checkpoints")
    assert found is not None
    assert digest_of(model) == found.state["champion"]["digest"]
    text = "def f(x):\n    x = [v + 13 for v in x]\n    return x"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_sealed_exam_is_committed_to_before_the_first_update(whole: Path) -> None:
    with Record.open(whole) as record:
        events = record.events()
        sealed = next(event for event in events if event.kind == "exam.sealed")
        first = next(event for event in events if event.kind == "generation")
        signatures = {row["signature"] for row in record.each("tasks")}
    assert sealed.id < first.id
    found = checkpoint.load_latest(whole / "checkpoints")
    assert found is not None
    assert found.state["sealed"]["digest"] == sealed.data["digest"]
    assert not signatures & {item["signature"] for item in found.state["sealed"]["items"]}


@pytest.mark.parametrize(("generation", "stage"), [(2, "propose"), (3, "learn"), (4, "record")])
def test_a_resumed_run_is_bit_equal_to_one_that_never_stopped(
    whole: Path, tmp_path: Path, generation: int, stage: str
) -> None:
    folder = tmp_path / "stopped"
    summary = run(small(), folder, watch=interrupt_at(generation, stage))
    assert summary["stopped"] == "interrupted"
    resume(folder)
    assert weights(folder) == weights(whole)


def test_a_finished_run_is_not_resumed(whole: Path) -> None:
    with pytest.raises(RunError, match="finished"):
        resume(whole)
