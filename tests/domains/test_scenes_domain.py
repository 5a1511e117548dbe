"""Scenes: what is drawn, what is right, what is none of a level, and what a renderer of another version says."""

from __future__ import annotations

import re

import numpy as np
import pytest

from autotelic.charter import Charter
from autotelic.domains import capabilities_of, load_domain
from autotelic.domains.check import check_domain
from autotelic.domains.scenes import ScenesDomain, changes, render
from autotelic.domains.scenes.questions import LEVELS as QUESTIONS
from autotelic.domains.scenes.questions import answer_of, draw_question
from autotelic.domains.scenes.render import SIDE, draw, picture, visible
from autotelic.domains.scenes.rules import LEVELS, draw_scene, misfit
from autotelic.domains.scenes.scene import ProgramError, graph_of, in_order, parse, program
from autotelic.errors import DomainError
from autotelic.pictures import Gallery, digest_of, pixels_of
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Image, Lineage, Proposal, Rejection, Task, Verdict, text_of

DOMAIN = ScenesDomain()
SCENE = parse("13 red circle\n35 small blue square\n57 pink cross")


def task_of(mode: str, text: str, level: int = 1) -> Task:
    (found,) = DOMAIN.admit([Proposal(text=text, cell=Cell(mode=mode, level=level), lineage=Lineage())])
    assert isinstance(found, Task), found
    return found


def judged(task: Task, completion: str) -> Verdict:
    answer = DOMAIN.answer(task.mode, completion)
    (verdict,) = DOMAIN.judge([(task, Episode(task_id=task.id, steps=(), answer=answer))])
    return verdict


def test_the_domain_keeps_what_every_domain_promises() -> None:
    findings = check_domain(ScenesDomain(), tasks=12)
    assert [f.name for f in findings if f.ok is False] == []
    assert {"proposable", "demonstrating", "shaped", "formal", "comparable", "textual"} <= {
        *capabilities_of(DOMAIN)
    }


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_picture_is_the_same_bytes_every_time() -> None:
    assert (
        digest_of(picture(SCENE)) == "sha256:ba7b97ad638a0b57fea965b6878a618a9ec5c41917e5aa8676ebc1d5ccd275db"
    )
    pixels = pixels_of(picture(SCENE), "x")
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels[8, 24].tolist() == [230, 40, 40]  # the middle of row 1, column 3
    assert pixels[24, 40].tolist() == [60, 90, 255]
    assert pixels[0, 0].tolist() == [0, 0, 0]


def test_a_renderer_of_another_version_says_so_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert render.check_renderer() == f"{render.VERSION} {render.TEST_SET[:12]}"
    render.check_renderer.cache_clear()
    monkeypatch.setattr(render, "STEP", 7)
    with pytest.raises(
        DomainError, match="draws otherwise than its version 1: the hash of its test set"
    ) as caught:
        load_domain(Charter.of({"domain": {"name": "scenes", "levels": [1, 1]}}, where="t").domain)
    assert "\n" not in str(caught.value)
    render.check_renderer.cache_clear()


def test_what_is_painted_later_lies_over_what_was_painted_before() -> None:
    one = parse("33 red square\n44 blue square")
    other = parse("44 blue square\n33 red square")
    assert draw(one)[28, 28] != draw(other)[28, 28]
    assert visible(one)[1] == 1.0 > visible(one)[0]
    assert graph_of(one) != graph_of(other)


def test_things_apart_are_one_scene_in_whatever_order() -> None:
    turned = SCENE[::-1]
    assert in_order(turned) == SCENE
    assert graph_of(turned) == graph_of(SCENE)
    assert parse(program(SCENE)) == SCENE


NO_PROGRAMS = (
    "",
    "red circle",
    "83 red circle",
    "13 red",
    "13 red circle;",
    "1 3 red circle",
    "13 red circle\n\n15 red circle",
    "١3 red circle",
    "13 big red circle",
)


@pytest.mark.parametrize("text", NO_PROGRAMS)
def test_what_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(ProgramError):
        parse(text)


@pytest.mark.parametrize("level", LEVELS)
def test_scenes_of_a_level_fit_it_and_no_other(level: int) -> None:
    drawn = [draw_scene(level, stream(at, "t")) for at in range(20)]
    assert None not in drawn
    assert all(scene is not None and misfit(level, scene) == ("", "") for scene in drawn)
    others = [other for other in LEVELS if other != level]
    assert all(
        scene is not None and misfit(other, scene)[0] for scene in drawn for other in others if other < 3
    )


# ── describing and drawing ───────────────────────────────────────────────────────────────────────────────────


def test_a_description_is_right_when_it_draws_the_picture() -> None:
    task = task_of("describe", "13 red circle\n35 blue square")
    shown = digest_of(picture(parse("13 red circle\n35 blue square")))
    assert [part for part in task.prompt if isinstance(part, Image)] == [Image(digest=shown)]
    assert judged(task, "35 blue square\n13 red circle\n").passed
    assert judged(task, "```\n13 red circle\n35 blue square\n```").passed
    partly = judged(task, "13 red circle\n35 blue circle")
    assert not partly.passed
    assert 0.3 < partly.reward < 0.9
    assert judged(task, "13 red circle").reward < partly.reward
    assert judged(task, "77 pink cross").reward == 0.0


def test_things_that_nothing_shows_are_no_description() -> None:
    """Otherwise a program could list things under others until one fits."""
    task = task_of("describe", "13 red square")
    assert judged(task, "13 small blue square\n13 red square").reason == "hidden"


def test_a_drawing_follows_a_description_without_a_picture() -> None:
    task = task_of("draw", "35 blue square\n13 red circle")
    assert (
        text_of(task.prompt)
        == "<|draw|>row 3 column 5: blue square\nup 2 left 2 of blue square: red circle\n"
    )
    assert not any(isinstance(part, Image) for part in task.prompt)
    assert judged(task, "13 red circle\n35 blue square").passed


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("colour circle", "red"),
        ("shape blue", "square"),
        ("place small blue square", "35"),
        ("at 57", "pink cross"),
        ("at 11", None),
        ("count red", "1"),
        ("count triangle", "0"),
        ("count purple", None),
        ("right red circle", "small blue square"),
        ("below small blue square", "pink cross"),
        ("below pink cross", None),
        ("over red circle", None),
        ("weight circle", None),
    ],
)
def test_a_question_has_one_answer_or_none(question: str, answer: str | None) -> None:
    assert answer_of(SCENE, question) == answer


def test_what_lies_over_and_under() -> None:
    heap = parse("33 red square\n44 blue square\n77 pink cross")
    assert answer_of(heap, "over red square") == "blue square"
    assert answer_of(heap, "under blue square") == "red square"
    assert answer_of(heap, "over pink cross") is None


@pytest.mark.parametrize("level", QUESTIONS)
@pytest.mark.parametrize("kind", ["place", "count", "over"])
def test_questions_of_a_kind_are_found_where_a_level_has_it(level: int, kind: str) -> None:
    if kind not in QUESTIONS[level]:
        pytest.skip("not of this level")
    found = [draw_question(level, stream(at, "q"), kind) for at in range(8)]
    assert all(one is not None and answer_of(*one) is not None for one in found)


def test_counts_are_as_often_each_number() -> None:
    found = [draw_question(2, stream(at, "n"), "count") for at in range(200)]
    numbers = [answer_of(*one) for one in found if one is not None]
    assert max(numbers.count(number) for number in set(numbers)) < 0.36 * len(numbers)


def test_the_working_comes_before_the_answer_and_two_answers_are_none() -> None:
    task = task_of("answer", "13 red circle\n35 blue square\n? colour circle")
    assert text_of(task.prompt) == "<|answer|>colour circle?\n"
    assert judged(task, "13 red circle\n= red\n").passed
    assert judged(task, "= red").passed
    assert judged(task, "red").passed
    assert not judged(task, "= red\n= blue\n").passed
    assert not judged(task, "= blue\n= red\n").passed
    assert not judged(task, "= red green").passed


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line", ["13 red circle > 15 red circle", "13 red circle > gone", "new > 77 pink cross"]
)
def test_a_change_is_what_makes_the_second_picture(line: str) -> None:
    task = task_of("spot", f"13 red circle\n35 blue square\n{line}")
    assert sum(isinstance(part, Image) for part in task.prompt) == 2
    assert judged(task, line).passed
    assert not judged(task, "13 red circle > 13 blue circle").passed
    assert judged(task, "55 red circle > gone").reason == "absent"


@pytest.mark.parametrize("line", ["gone > 13 red circle", "new > gone", "13 red circle > 13 red circle",
                                  "13 red circle > 35 red circle", "13 red circle > 12 red circle",
                                  "13 red circle > 13 small red circle", ""])  # fmt: skip
def test_what_is_no_change_of_a_level_is_refused(line: str) -> None:
    assert changes.misfit(1, parse("13 red circle\n35 blue square"), line)[0]


# ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("mode", "text", "reason"),
    [
        ("describe", "", "empty"),
        ("describe", "a red circle", "syntax"),
        ("describe", "13 red circle\n" * 9, "long"),
        ("describe", "13 red circle\n15 red circle", "twins"),
        ("describe", "13 red circle\n13 blue circle", "place"),
        ("describe", "12 red circle", "place"),
        ("describe", "13 small red circle", "size"),
        ("describe", "11 red circle\n13 red square\n15 blue square", "number"),
        ("answer", "13 red circle", "question"),
        ("answer", "13 red circle\n? colour square", "question"),
        ("answer", "13 red circle\n? count red", "question"),
        ("spot", "13 red circle\n15 red circle > gone", "absent"),
        ("draw", "13 red circle\nand so on", "syntax"),
    ],
)
def test_a_proposal_that_is_no_task_says_why(mode: str, text: str, reason: str) -> None:
    (found,) = DOMAIN.admit([Proposal(text=text, cell=Cell(mode=mode, level=1), lineage=Lineage())])
    assert isinstance(found, Rejection)
    assert found.reason == reason


def test_novelty_goes_by_the_scene_and_not_by_its_spelling() -> None:
    one = task_of("describe", "13 red circle\n35 blue square")
    assert task_of("describe", "35 blue square\n13 red circle\n").signature == one.signature
    assert task_of("describe", "13 red circle\n35 blue circle").signature != one.signature


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_right_completions_have_the_form_of_their_mode() -> None:
    for cell in DOMAIN.spec.cells:
        tasks = DOMAIN.tasks(stream(1, str(cell)), [cell] * 6)
        for shown in DOMAIN.demonstrate(tasks):
            assert shown is not None
            assert re.fullmatch(DOMAIN.form(cell.mode), shown.completion), (cell, shown.completion)


def test_one_spelling_for_answers_that_are_the_same() -> None:
    assert DOMAIN.same("draw", "35 blue square\n13 red circle") == DOMAIN.same(
        "draw", "13 red circle\n35 blue square"
    )
    assert DOMAIN.same("describe", "nothing") == ""
    assert DOMAIN.same("answer", " red ") == "red"


def test_in_words_the_form_is_said_and_the_answer_is_not() -> None:
    domain = ScenesDomain(style="natural")
    for cell in domain.spec.cells:
        (task,) = domain.tasks(np.random.default_rng(3), [cell])
        (shown,) = domain.demonstrate([task])
        assert shown is not None
        assert "such as `13" in text_of(task.prompt)
        assert shown.completion.strip() not in text_of(task.prompt)


def test_pictures_are_put_where_the_run_keeps_them() -> None:
    gallery = Gallery()
    settings = Charter.of({"domain": {"name": "scenes", "levels": [1, 1]}}, where="t").domain
    domain = load_domain(settings, pictures=gallery)
    (task,) = domain.tasks(stream(0, "t"), [Cell(mode="describe", level=1)])
    assert [gallery.pixels(part.digest).shape for part in task.prompt if isinstance(part, Image)] == [
        (64, 64, 3)
    ]


def test_modes_and_levels_that_it_does_not_have_are_refused() -> None:
    with pytest.raises(DomainError, match="scenes"):
        ScenesDomain(levels=(1, 4))
    with pytest.raises(DomainError, match="scenes"):
        ScenesDomain(modes=("paint",))
