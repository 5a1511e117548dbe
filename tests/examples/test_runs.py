"""The examples' own charters, with a budget that no busy machine cuts short: reward alone, from random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autotelic.charter import Charter
from autotelic.loop import run
from autotelic.messages import Lesson
from autotelic.record import Journal

ROOT = Path(__file__).parent.parent.parent


GENERATIONS = {"thermostat": 10, "thermostat_goal": 20}
"""Less than what the charters' minute is on two idle cores, and enough for the intervals to part."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", GENERATIONS)
def test_reward_alone_rises(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # where `examples` can be imported from
    text = (ROOT / "examples" / f"{name}.toml").read_text()
    assert "seconds = 60.0" in text
    path = tmp_path / "charter.toml"
    path.write_text(text.replace("seconds = 60.0", f"seconds = 0.0\ngenerations = {GENERATIONS[name]}"))
    charter = Charter.load(path)
    assert charter.learn.imitation == 0
    run(charter, tmp_path / "run")
    sealed = json.loads((tmp_path / "run" / "summary.json").read_text())["sealed"]
    before, after = sealed["before"], sealed["after"]
    print(f"{name}: {before['pass_at_1']:.3f} before, {after['pass_at_1']:.3f} after")
    assert after["interval"][0] > before["interval"][1], "the intervals do not touch"
    with Journal.open(tmp_path / "run") as journal:
        kinds = {kind for m in journal.read() if isinstance(m, Lesson) for kind in m.sequences}
    assert kinds == {"attempt"}, "nothing was imitated"
