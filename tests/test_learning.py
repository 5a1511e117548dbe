"""A small real run: about a minute in which a model from random weights must leave chance behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autotelic.charter import Charter
from autotelic.loop import run


@pytest.mark.timeout(1500)  # a busy machine is no reason to fail
def test_a_minute_of_self_play_leaves_chance(tmp_path: Path) -> None:
    charter = Charter.of(
        {
            "domain": {"levels": [1, 1], "modes": ["deduction"]},
            "roles": {"max_tokens": 24},
            "curriculum": {"bootstrap_generations": 4, "tasks_per_generation": 1536, "probe_tasks": 16},
            "exam": {"items_per_cell": 96, "levels": [1, 1], "every": 100, "own_items": 0},
            "budget": {"seconds": 0.0, "tokens": 150_000},
        },
        where="test",
    )
    folder = tmp_path / "run"
    run(charter, folder)
    sealed = json.loads((folder / "summary.json").read_text())["sealed"]
    assert sealed["before"]["pass_at_1"] <= 0.03
    # Answers of other items pass one of these in two hundred; the interval's lower end must be far above that.
    assert sealed["after"]["interval"][0] > 0.05
