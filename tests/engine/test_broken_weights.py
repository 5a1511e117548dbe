"""An update that is not finite ends the run at that step, names the batch, and leaves the best weights before it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from autotelic.charter import Charter
from autotelic.engine.starting import begin
from autotelic.errors import AutotelicError, DivergedError, RunError
from autotelic.loop import generation
from autotelic.models.load import load_model
from autotelic.models.weights import digest_of
from autotelic.record import Record
from autotelic.record.rows import Event

CHARTER = Charter.of(
    {
        "domain": {"name": "math", "modes": ["solve"], "levels": [1, 1]},
        "model": {"width": 16, "depth": 1, "heads": 2, "vocabulary": 320},
        "roles": {"max_tokens": 16},
        "curriculum": {"tasks_per_generation": 12, "probe_tasks": 2, "group_size": 2},
        "gate": {"items": 8},
        "exam": {"every": 9, "levels": [1, 1], "items_per_cell": 2, "free_answers": 8, "own_items": 0},
        "limits": {"workers": 1, "require": "L0"},
        "budget": {"seconds": 0.0, "generations": 2, "threads": 1},
    }
)


def test_the_run_stops_at_that_step_and_keeps_the_best_weights(tmp_path: Path) -> None:
    spoil = False

    def watch(event: Event) -> None:
        if spoil and event.kind == "stage" and event.data["name"] == "learn":
            with torch.no_grad():
                run.model.model.norm.weight[3] = float("nan")

    with begin(CHARTER, tmp_path / "run", watch, None, None) as run, run.folder.lock():
        good = run.champion.digest
        run.counters.generation = 1
        generation(run)
        step, spoil = run.counters.step, True
        assert step > 0
        run.counters.generation = 2
        with pytest.raises(RunError) as caught:
            generation(run)
        assert run.counters.step == step
    said = str(caught.value)
    assert f"update {step} of generation 2, " in said
    assert "not finite" in said
    assert f"--from {tmp_path / 'run'}`" in said
    model, _ = load_model(tmp_path / "run")
    assert digest_of(model) == good
    with Record.open(tmp_path / "run") as record:
        dropped = record.latest("dropped")
        rows = list(record.each("updates"))
    assert dropped is not None
    assert f"update {step} of generation 2" in dropped.data["why"]
    assert "not finite" in str(dict(rows[-1]))


def test_broken_logits_are_an_error_of_one_line(tmp_path: Path) -> None:
    with begin(CHARTER, tmp_path / "run", None, None, None) as run, run.folder.lock():
        with torch.no_grad():
            run.model.model.norm.weight.fill_(float("inf"))
        with pytest.raises(
            DivergedError, match=r"hold NaN or infinity .*; the weights have diverged"
        ) as caught:
            run.probe()
    assert isinstance(caught.value, AutotelicError)
