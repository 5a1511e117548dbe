"""One exam under several prompts: examples that are no items of it, answers held to a form, a run's own beginning."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
import regex
from fakes import FakeDomain, Throws, task
from folders import CHARTER

from autotelic.attempt.rollout import Rollout
from autotelic.cli import main
from autotelic.commands.opening import Opened, opened
from autotelic.errors import DomainError
from autotelic.exam.prompting import Primed, Prompted, Prompting, best, draw_shots, evaluate_prompted
from autotelic.exam.sealed import Exam, answered
from autotelic.machine import Machine
from autotelic.messages import Evaluated
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.types import Cell, ExamReport, Score, Scores

WAYS = [Prompting(shots=n, constrained=held) for n in (0, 3) for held in (False, True)]


@pytest.fixture(scope="module")
def place(made) -> Iterator[Opened]:
    with opened(made[0].path, base=True, machine=Machine(threads=1, workers=1)) as place:
        yield place


def asked(place: Opened, ways: list[Prompting]) -> list[Prompted]:
    return list(
        evaluate_prompted(
            place.exam,
            place.domain,
            place.decoder,
            place.tokens,
            policy_of(place),
            ways,
            max_tokens=24,
            context=512,
            seed=0,
        )
    )


def policy_of(place: Opened):
    return lambda sampler, tokens: Rollout(sampler, tokens, place.domain, max_tokens=24, context=512)


@pytest.fixture(scope="module")
def found(place) -> list[Prompted]:
    return asked(place, WAYS)


def test_every_way_of_asking_is_of_the_same_exam(place, found):
    assert [one.prompting for one in found] == WAYS
    for one in found:
        assert one.report.digest == place.exam.digest
        assert [*one.report.outcomes] == [item.id for item in place.exam.items]
        assert one.report.overall.sampled_at_1 is None
        assert one.seconds > 0
        assert one.sampled > 0
    free, held, shown, shown_held = (one.prompt_tokens for one in found)
    assert free == held < shown == shown_held


def test_the_examples_of_a_mode_are_read_once(place, found):
    free, shown = found[0], found[2]
    examples = sum(len(ids) for ids in prompts_of(place, 3)) - sum(len(ids) for ids in prompts_of(place, 0))
    items = len(place.exam.items)
    assert shown.prompt_tokens * items == pytest.approx(free.prompt_tokens * items + examples)
    # Once a mode and not once an item; the beginning that items share anyway is a few tokens.
    assert shown.prefilled <= free.prefilled + examples / (items / 2) + 2


def prompts_of(place: Opened, count: int) -> list[tuple[int, ...]]:
    prompts = []
    for mode in CHARTER.domain.modes:
        shots = draw_shots(place.domain, place.exam, mode, count, stream(CHARTER.seed, "shots", mode))
        texts = [item.prompt for item in place.exam.items if item.mode == mode]
        prompts += place.tokens.primed(shots).prompts(texts)
    return prompts


def test_examples_are_right_easy_first_and_none_is_an_item(place):
    domain = place.domain
    sealed = {item.prompt for item in place.exam.items}
    for mode in CHARTER.domain.modes:
        shots = draw_shots(domain, place.exam, mode, 8, stream(1, mode))
        tasks = {
            task.prompt: task for task in domain.tasks(stream(1, mode), [Cell(mode=mode, level=1)] * 200)
        }
        known = [(tasks[prompt], said) for prompt, said in shots if prompt in tasks]
        assert known
        judged = domain.judge([(task, answered(task, domain.answer(mode, said))) for task, said in known])
        assert all(verdict.passed for verdict in judged)
        assert len({prompt for prompt, _ in shots}) == 8
        assert not sealed & {prompt for prompt, _ in shots}


def test_what_behaves_like_an_item_is_no_example():
    """Of twenty behaviours fifteen are sealed: the five others are all there is to show."""
    domain = FakeDomain(20)
    exam = Exam.of("sealed", [task("double", 1, 100_000 + at) for at in range(15)])
    shots = draw_shots(domain, exam, "double", 5, stream(0, "shots"))
    assert {prompt for prompt, _ in shots} == {f"double 1 {100_000 + at}\n" for at in range(15, 20)}
    with pytest.raises(DomainError, match="gave 5 examples of double that are not in the exam, of 6"):
        draw_shots(domain, exam, "double", 6, stream(0, "shots"))


def test_a_domain_without_solutions_has_no_examples():
    domain = Throws()
    exam = Exam(name="sealed", items=(domain.target(1),))
    assert draw_shots(domain, exam, "throw", 0, stream(0, "shots")) == []
    with pytest.raises(DomainError, match="gave 0 examples of throw"):
        draw_shots(domain, exam, "throw", 1, stream(0, "shots"))


def test_held_answers_have_the_form_of_their_mode_and_free_ones_need_not(place):
    shots = {mode: [] for mode in CHARTER.domain.modes}
    texts = {}
    for held in (False, True):
        primed = Primed(place.domain, place.decoder, place.tokens, policy_of(place), shots, held)
        groups = primed.attempt(place.exam.items, siblings=1, temperature=0.0, seed=0)
        assert [group.task.id for group in groups] == [item.id for item in place.exam.items]
        turns = [(group.task.mode, group.episodes[0].turns[0]) for group in groups]
        texts[held] = [(mode, place.tokens.decode(turn.completion_ids)) for mode, turn in turns]
    form = place.domain.form
    begins = {held: [regex.fullmatch(form(m), t, partial=True) for m, t in texts[held]] for held in texts}
    assert all(begins[True])
    assert not all(begins[False])


def test_prompts_that_do_not_fit_are_said_not_to(place):
    (one,) = asked(place, [Prompting(shots=60, constrained=False)])
    assert one.report is None
    assert one.absent.endswith("and 24 of answer; the model reads 512")
    assert best([one]) is None


def test_the_best_is_the_highest_and_the_plainest_of_equals(found):
    assert best(found).prompting == WAYS[0]  # of random weights, which pass nothing
    assert str(best(found).prompting) == "zero-shot"
    assert [str(way) for way in WAYS[1:]] == ["zero-shot, constrained", "3 shots", "3 shots, constrained"]


def test_a_domain_without_forms_is_refused(place):
    with pytest.raises(
        DomainError, match=r"fake domain says of no answer what form it has; .*--no-constrained"
    ):
        Primed(FakeDomain(), place.decoder, place.tokens, policy_of(place), {"double": []}, True)


# ── autotelic exam RUN --base ────────────────────────────────────────────────────────────────────────────────


def test_the_command_prints_every_way_and_marks_the_best(made, capsys):
    arguments = ["exam", str(made[0].path), "--base", "--shots", "0", "--shots", "2"]
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    names = ["zero-shot", "zero-shot, constrained", "2 shots", "2 shots, constrained"]
    assert [one["name"] for one in said["prompts"]] == names
    assert said["best"] in names
    assert said["about"] == "sealed before the run's first update"
    assert said["champion"] is said["gain_points"] is None
    assert {"solve/1", "solve/2", "model/1", "model/2"} == set(said["prompts"][0]["report"]["cells"])
    assert main([*arguments, "--no-constrained"]) == 0
    printed = capsys.readouterr().out
    assert "2 shots" in printed
    assert "constrained" not in printed


def test_the_champion_stands_beside_what_the_run_began_from(made, capsys, tmp_path):
    copy = RunFolder(shutil.copytree(made[0].path, tmp_path / "b"))
    with Journal.open(copy.path, "a") as journal:
        for when, value in (("before", 0.25), ("after", 0.75)):
            journal.append(Evaluated(when=when, tokens=0, seconds=1.0, took=1.0, report=report(value)))
    arguments = ["exam", str(copy.path), "--base", "--shots", "0", "--no-constrained"]
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["champion"]["overall"]["pass_at_1"]["value"] == 0.75
    base = said["prompts"][0]["report"]["overall"]["pass_at_1"]["value"]
    assert said["gain_points"] == pytest.approx(75 - 100 * base)
    assert main(arguments) == 0
    assert "the champion against the best prompt: +" in capsys.readouterr().out


def report(value: float) -> ExamReport:
    scores = Scores(pass_at_1=Score(value=value, low=0.1, high=0.9, n=12))
    cells = dict.fromkeys(("solve/1", "solve/2", "model/1", "model/2"), scores)
    return ExamReport(exam="sealed", digest="", weights="", overall=scores, cells=cells)


def test_what_cannot_be_asked(made, capsys):
    assert main(["exam", str(made[0].path), "--base", "--shots", "65"]) == 2
    assert "--shots 65" in capsys.readouterr().err
    assert main(["exam", str(made[0].start), "--base"]) == 2
    assert "is no run folder, so it has no base" in capsys.readouterr().err
