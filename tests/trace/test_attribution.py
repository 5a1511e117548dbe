"""Attribution against training again without what it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.errors import RecordError, RunError
from autotelic.record import Journal, RunFolder, StoredEpisode
from autotelic.trace import attribution

K = 20


def _unsure(journal: Journal) -> list[StoredEpisode]:
    """Attempts of the last generation that learned, the least likely first: a sure answer can hardly move."""
    found = [one for one in journal.episodes(generation=6) if one.purpose == "attempt" and not one.superseded]
    return sorted(found, key=lambda one: sum(one.episode.turns[0].logprobs))


def test_the_first_k_move_an_answer_more_than_k_at_random(real_run: Path) -> None:
    run = RunFolder.open(real_run)
    first, blind = 0.0, 0.0
    with Journal.open(real_run) as journal:
        for stored in _unsure(journal)[:1]:
            attempt = stored.episode.id
            with attribution.tracing(run, journal, attempt) as given:
                ranked = attribution.attribute(given, attribution.cost_of(given, most=10**9))
            done = attribution.counterfactual(run, journal, attempt, [one.place for one in ranked[:K]])
            with attribution.tracing(run, journal, attempt) as given:
                other, _ = attribution.outcome_of(given, attribution.random_places(ranked, K, seed=0))
            first += done.moved
            blind += abs(done.logprob - other)
    assert first > blind


def test_candidates_are_bounded_and_that_is_said(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(real_run) as journal:
        attempt = _unsure(journal)[0].episode.id
    assert main(["why", str(real_run), "--attempt", str(attempt), "--attribute", "--candidates", "5"]) == 0
    said = capsys.readouterr()
    assert "gradients of 5 of the" in said.err
    assert "were not looked at" in said.out


def test_a_metagradient_by_the_command(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(real_run) as journal:
        attempt = str(_unsure(journal)[0].episode.id)
    words = ["why", str(real_run), "--attempt", attempt, "--attribute", "--method", "metagradient"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "derivatives of" in said.err
    assert "0 were not looked at" in said.out
    assert "made it likelier (nats, first order)" in said.out
    assert main([*words, "--candidates", "5"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_cannot_be_attributed(real_run: Path, tmp_path: Path) -> None:
    run = RunFolder.open(real_run)
    with Journal.open(real_run) as journal:
        with pytest.raises(RunError, match="began from"), attribution.tracing(run, journal, 1):
            pass
        attempt = _unsure(journal)[0].episode.id
    copy = Path(shutil.copytree(real_run, tmp_path / "copy"))
    shutil.rmtree(copy / "checkpoints")
    with (
        Journal.open(copy) as journal,
        pytest.raises(RecordError, match="keeps no checkpoint"),
        attribution.tracing(RunFolder.open(copy), journal, attempt),
    ):
        pass
