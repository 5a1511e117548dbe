"""Sitting an exam: what is asked, what is scored, and what the scores claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from schoolroom import Letters, Schoolroom, Scripted, right, task

from autotelic.attempt.tokens import Tokens
from autotelic.charter import Charter
from autotelic.errors import ModelError, RecordError, RunError
from autotelic.exam.sealed import Exam, draw_sealed
from autotelic.exam.sitting import Examinee, mean_of_cells, paired, sit, sit_exam
from autotelic.types import Cell

EASY, HARD = Cell(mode="double", level=1), Cell(mode="double", level=2)
EXAM = Exam(
    name="sealed",
    items=(*(task("double", 1, n) for n in range(12)), *(task("double", 2, 100 + n) for n in range(4))),
)


def level(prompt: str) -> int:
    return int(prompt.split()[1])


def able(prompt, request):
    """Level 1 always; level 2 in every fourth sample."""
    return [f"think\n{right(prompt)}" if level(prompt) == 1 or g % 4 == 3 else "7" for g in range(request.n)]


def someone(script=able, critic=None, weights="w1") -> Examinee:
    return Examinee(sampler=Scripted(script, weights), tokens=Letters(), domain=Schoolroom(), critic=critic)


def taken(examinee=None, exam=EXAM, **settings):
    settings = {"max_tokens": 20, "seed": 5, **settings}
    return sit_exam(exam, examinee or someone(), **settings)


class Knows:
    """A critic that believes in attempts whose answer is not 7, and remembers what it was shown."""

    def __init__(self):
        self.shown = []

    def predict(self, groups):
        self.shown += groups
        return [tuple(0.1 if a.answer == "7" else 0.9 for a in g.attempts) for g in groups]


def test_cells_are_scored_apart_and_count_the_same():
    report = taken()
    easy, hard = report.cells["double/1"], report.cells["double/2"]
    assert (easy["pass_at_1"].value, easy["pass_at_1"].n) == (1.0, 12)
    assert (hard["pass_at_1"].value, hard["pass_at_1"].n) == (0.0, 4)
    assert (report.pass_at_1.value, report.pass_at_1.n) == (0.5, 16)
    assert hard["sampled_at_1"].value == 0.25
    assert report.sampled_at_1.value == pytest.approx(0.625)
    assert (hard["pass_at_8"].value, report.pass_at_8.value) == (1.0, 1.0)
    assert report.best_of_8 is None
    assert list(report.passed.items()) == [(item.id, item.level == 1) for item in EXAM.items]
    assert (report.exam, report.digest, report.weights) == ("sealed", EXAM.digest, "w1")
    for score in (report.pass_at_1, report.sampled_at_1, report.pass_at_8, *easy.values(), *hard.values()):
        assert 0 <= score.low <= score.value <= score.high <= 1
        assert score.low < score.high


def test_what_is_asked_of_the_sampler():
    examinee = someone()
    taken(examinee, samples=8, temperature=0.7)
    asked = Counter((r.n, r.temperature, r.max_tokens) for r in examinee.sampler.requests)
    assert asked == {(1, 0.0, 20): 16, (8, 0.7, 20): 16}
    assert len({r.seed for r in examinee.sampler.requests}) == 32


def test_greedy_only_asks_for_nothing_else():
    examinee = someone(critic=Knows())
    report = taken(examinee, greedy_only=True)
    assert {r.temperature for r in examinee.sampler.requests} == {0.0}
    assert report.sampled_at_1 is report.pass_at_8 is report.best_of_8 is None
    assert set(report.cells["double/1"]) == {"pass_at_1"}


def test_answers_that_are_the_same_are_judged_once():
    examinee = someone()
    taken(examinee)
    for batch in examinee.domain.batches:
        assert len({(asked.id, answer) for asked, answer in batch}) == len(batch)
    assert [len(batch) for batch in examinee.domain.batches] == [16, 12 + 2 * 4]


def test_the_critic_chooses_without_seeing_verdicts():
    critic = Knows()
    report = taken(someone(critic=critic))
    assert report.best_of_8.value == 1.0
    assert all(group.verdicts == () and len(group.attempts) == 8 for group in critic.shown)

    class Blind(Knows):
        def predict(self, groups):
            return [(0.5,) * len(g.attempts) for g in groups]

    assert taken(someone(critic=Blind())).cells["double/2"]["best_of_8"].value == 0.0


def test_a_critic_that_says_nan_is_an_error():
    class Broken(Knows):
        def predict(self, groups):
            return [(float("nan"),) * 8 for _ in groups]

    with pytest.raises(ValueError, match="expected a probability each"):
        taken(someone(critic=Broken()))


def test_pass_at_8_of_more_samples_is_unbiased_and_of_fewer_not_claimed():
    def once_in_16(prompt, request):
        return [right(prompt) if g == 12 else "7" for g in range(request.n)]

    more = taken(someone(once_in_16, Knows()), samples=16)
    assert more.pass_at_8.value == pytest.approx(0.5)
    assert more.best_of_8.value == 0.0
    fewer = taken(someone(once_in_16, Knows()), samples=4)
    assert fewer.pass_at_8 is fewer.best_of_8 is None
    assert fewer.sampled_at_1.value == 0.0


def test_a_sitting_is_a_function_of_its_seed():
    def moody(prompt, request):
        return [right(prompt) if (request.seed >> g) % 2 else "7" for g in range(request.n)]

    assert taken(someone(moody)) == taken(someone(moody))
    assert taken(someone(moody)).passed != taken(someone(moody), seed=6).passed
    assert taken(someone(moody)).sampled_at_1 != taken(someone(moody), seed=6).sampled_at_1


def test_an_empty_exam_claims_nothing():
    report = taken(exam=Exam(name="own", items=()))
    assert (report.pass_at_1.low, report.pass_at_1.high, report.pass_at_1.n) == (0.0, 1.0, 0)


def test_two_sittings_are_paired_by_item():
    champion = taken()
    candidate = taken(someone(lambda prompt, request: [right(prompt)] * request.n, weights="w2"))
    found = paired(champion, candidate, level=0.1)
    assert (found.wins, found.losses, found.verdict) == (4, 0, "better")
    assert paired(candidate, champion, level=0.1).verdict == "worse"
    assert paired(champion, champion, level=0.1).verdict == "alike"
    with pytest.raises(ValueError, match="the same one sat twice"):
        paired(champion, replace(candidate, digest="sha256:other"), level=0.1)


outcomes = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=20)


@given(rows=st.lists(outcomes, min_size=1, max_size=6), seed=st.integers(0, 9))
def test_the_mean_of_cells_lies_within_its_interval(rows, seed):
    cells = {Cell(mode="m", level=i): row for i, row in enumerate(rows)}
    score = mean_of_cells(cells, np.random.default_rng(seed))
    assert score.value == pytest.approx(np.mean([np.mean(row) for row in rows]))
    assert 0 <= score.low <= score.value + 1e-9
    assert score.value - 1e-9 <= score.high <= 1
    assert score.low < score.high
    assert score.n == sum(map(len, rows))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth = (0.9, 0.5, 0.2)
    hits = 0
    for _ in range(200):
        cells = {Cell(mode="m", level=i): (rng.random(32) < p).astype(float) for i, p in enumerate(truth)}
        score = mean_of_cells(cells, rng)
        hits += score.low <= np.mean(truth) <= score.high
    assert 178 <= hits <= 199


# What `autotelic exam` calls ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder as a short run leaves it: record, sealed exam, a champion of random weights."""
    from autotelic.domains.python import SPECIAL, PythonDomain
    from autotelic.models.load import save_model
    from autotelic.models.tiny import build_tiny
    from autotelic.models.tokenizer import train_tokenizer
    from autotelic.record import Record, RunFolder
    from autotelic.sandbox import Limits, Sandbox

    charter = Charter.of(
        {
            "seed": 4,
            "domain": {"modes": ["deduction", "induction"], "levels": [1, 1]},
            "roles": {"max_tokens": 12},
            "exam": {"levels": [1, 1], "items_per_cell": 3, "free_answers": 8},
            "limits": {"workers": 1, "wall_s": 5.0, "cpu_s": 5.0},
            "budget": {"threads": 1},
        }
    )
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "a", charter)
    with Sandbox(Limits(wall_s=5.0, cpu_s=5.0), workers=1, require="L0") as box:
        domain = PythonDomain(box)
        cells = [Cell(mode=mode, level=1) for mode in charter.domain.modes]
        exam = draw_sealed(domain, 4, cells, items_per_cell=3, free_answers=8)
        tokenizer = train_tokenizer(domain.corpus(np.random.default_rng(0), 60), SPECIAL, 320)
    model = build_tiny(tokenizer, width=16, depth=1, heads=2, context=512, seed=0)
    save_model(model, tokenizer, run.champion)
    with Record.open(run.path, "a") as record:
        record.emit("exam.sealed", digest=exam.digest, items=[], dropped_free=exam.dropped_free)
        record.commit()
    return run, exam, Tokens(tokenizer)


def test_a_run_folder_sits_the_exam_that_was_sealed(finished):
    run, exam, _ = finished
    report = sit(run.path, samples=2)
    assert report.digest == exam.digest
    assert [*report.passed] == [item.id for item in exam.items]
    assert report.sampled_at_1.n == len(exam.items)
    assert report.pass_at_8 is None


def test_an_exam_other_than_the_recorded_one_is_refused(finished):
    from autotelic.record import Record

    run, exam, _ = finished
    with Record.open(run.path, "a") as record:
        record.emit("exam.sealed", digest="sha256:another", items=[], dropped_free=0)
        record.commit()
        with pytest.raises(RecordError, match="committed to the sealed exam sha256:another"):
            sit(run.path)
        record.emit("exam.sealed", digest=exam.digest, items=[], dropped_free=0)
        record.commit()


def test_there_is_no_exam_of_its_own_to_sit(finished):
    run, _, _ = finished
    with pytest.raises(RunError, match="set no exam of its own"):
        sit(run.path, exam="own")
    with pytest.raises(ModelError, match="no run folder"):
        sit(run.champion, exam="own")


def test_a_run_without_a_champion_says_how_to_get_one(tmp_path):
    from autotelic.record import RunFolder

    run = RunFolder.create(tmp_path / "a", Charter())
    with pytest.raises(RunError, match="autotelic resume"):
        sit(run.path)
