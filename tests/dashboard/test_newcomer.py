"""What a newcomer met in the report and what became of it, item by item, as `docs/results/newcomer.md` lists them."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_run import synthetic_messages

from autotelic import messages as m
from autotelic.dashboard import report
from autotelic.dashboard.card import model_card
from autotelic.dashboard.markup import safe
from autotelic.dashboard.page import exams, making, results, words
from autotelic.dashboard.page.plots import PLOTS, as_json, plots_of
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.page.work import samples
from autotelic.dashboard.publish import story_of
from autotelic.dashboard.specimens import choose
from autotelic.dashboard.story import Story
from autotelic.pictures import FOLDER, Gallery, digest_of, png
from autotelic.record import Journal, RunFolder

ROOT = Path(__file__).parent.parent.parent
LIST = ROOT / "docs" / "results" / "newcomer.md"


@pytest.fixture(scope="module")
def run(real_run: Path) -> RunView:
    return RunView.read(real_run, "real", story_of(RunFolder.open(real_run)))


def view(story: Story) -> RunView:
    return RunView.read(Path("no-such-folder"), "x", story)


# ── the list itself ───────────────────────────────────────────────────────────────────────────────────────


def rows() -> dict[str, str]:
    """Each item of the list, with its line."""
    found = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        for item in re.findall(r"[A-E]\d+", line.partition("|")[2].partition("|")[0]):
            found[item] = line
    return found


def test_every_item_has_a_line_with_a_test_that_exists() -> None:
    wanted = {
        f"{part}{n}"
        for part, most in zip("ABCDE", (6, 14, 16, 10, 5), strict=True)
        for n in range(1, most + 1)
    }
    assert rows().keys() == wanted
    tests = {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        if "attacks" not in file.parts
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for item, line in rows().items():
        held = line.rstrip(" |").rpartition("|")[2]
        named = set(re.findall(r"`(test_\w+)`", held))
        assert named or "as there" in held, f"{item} names no test"
        assert named <= tests, f"{item} names {named - tests}, which do not exist"


# ── B: trust ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_measured_at_few_places_is_drawn_as_points() -> None:
    """B3: a line between two values of pass@8 ran below pass@1, which cannot be."""
    story = Story.of(synthetic_messages(12))
    made = PLOTS["sealed"](story)
    joined = {line.name: line.joined for line in made.lines if line.points}
    assert joined == {"sealed exam": True, "own exam": True, "pass@8": False, "best of 8": False}
    drawn = results.curves(view(story)).split("</svg>")[0]
    colour = next(line.colour for line in made.lines if line.name == "pass@8")
    assert f'stroke="{colour}"' not in drawn
    assert f'r="3" fill="{colour}"' in drawn
    assert '"joined": [true, false, true, false, false]' in as_json(made)


def test_another_domain_is_not_described_as_python() -> None:
    """B13: the report of a run that sorts words said that a task of level k composes k operations."""
    first, *rest = synthetic_messages(6)
    assert isinstance(first, m.RunStarted)
    domain = {**first.charter["domain"], "name": "words:Words"}
    story = Story.of([replace(first, charter={**first.charter, "domain": domain}), *rest])
    shown = report.render(view(story)) + model_card(story, "x")
    for words_of_python in ("composes", "running the code", "Python"):
        assert words_of_python not in shown


# ── D: the report ─────────────────────────────────────────────────────────────────────────────────────────


def test_measures_of_opposite_meaning_share_no_axis(run: RunView) -> None:
    """D5: KL and the clipped share were on one axis, and the AUROC (more is better) with the ECE (less is)."""
    shown = making.learning(run) + making.critic(run)
    axes = re.findall(r'aria-label="([^"]* over [^"]*)"', shown)
    assert axes
    for one, other in (("KL", "clipped"), ("KL", "entropy"), ("ECE", "all"), ("Brier", "siblings")):
        assert any(re.search(rf"\b{one}\b", axis) for axis in axes)
        assert not [
            axis for axis in axes if re.search(rf"\b{one}\b.*\b{other}\b|\b{other}\b.*\b{one}\b", axis)
        ]
    assert "nats a token over generation: KL" in shown
    assert "A peak of KL is" in shown


def test_ticks_cannot_be_taken_for_thousands() -> None:
    """D5: 60.000 is sixty to one reader and sixty thousand to another."""
    story = Story.of(synthetic_messages(12))
    last = story.generations[-1]
    assert last.learned is not None
    story.generations[-1] = replace(last, learned=replace(last.learned, kl=61_234.5))
    for name, make in plots_of(story).items():
        made = make(story)
        for axis, values in ((made.x, (0.5, 61_234.5)), (made.y, (0.25, 61_234.5))):
            for value in values:
                assert not re.search(r"\d\.\d{3}(?!\d)", axis.words(value)) or value < 1, (
                    name,
                    axis.words(value),
                )


def test_an_answer_stands_beside_what_was_expected(run: RunView) -> None:
    """D7: `[13,15] failed` cannot be understood without what the tests expected."""
    with Journal.open(run.path) as journal:
        chosen = choose(journal, run.story)
    solved = [one for one in chosen if one.role == "solver"]
    assert {one.good for one in solved} == {True, False}
    shown = samples(run)
    assert shown.count("What the judge knows") == len({one.task for one in solved})
    for one in solved:
        assert all(f"<h3>{name}</h3>" in shown for name in one.expected)
    assert "<|" not in shown.replace("&lt;|", ""), "markers of the chat format"
    prompts = re.findall(r"<h3>The task</h3><pre[^>]*>(.*?)</pre>", shown, re.DOTALL)
    assert len(prompts) == len(set(prompts)), "a task is shown once"
    assert "the last three generations" in shown


def test_the_same_items_are_shown_then_and_now(run: RunView) -> None:
    """D7: the one picture that convinces a visitor."""
    shown = exams.told(run)
    items = re.findall(r'item <a href="[^"]*/task/([0-9a-f]+)">', shown)
    assert len(items) >= 2
    assert "before learning" in shown
    assert "at the end" in shown
    with Journal.open(run.path) as journal:
        sealed = [e for e in journal.read(kinds=("evaluated",)) if isinstance(e, m.Evaluated)]
        sealed = [e for e in sealed if e.report.exam == "sealed"]
        for evaluated in (sealed[0], sealed[-1]):
            answers = {g.task.id: g.episodes[0].answer for g in evaluated.groups}
            for item in items:
                line = "".join(c for c in (answers[item].strip().splitlines() or [""])[0] if c.isprintable())
                assert safe(line) in shown


def test_scores_of_samples_and_of_few_items_say_what_they_are() -> None:
    """D8: pass@8 was below pass@1 without a word, and an exam of seven items looked as solid as the sealed one."""
    story = Story.of(synthetic_messages(12))
    after = story.after
    assert after is not None
    assert after.pass_at_8 is not None
    for value, said in ((0.0, True), (1.0, False)):
        best = replace(after.pass_at_8, value=value)
        story.evaluations = [replace(e, pass_at_8=best) if e is after else e for e in story.evaluations]
        after = story.after
        assert after is not None
        assert ("as it is here" in results.result(view(story))) is said
    own = story.exam("own")
    assert own is not None
    for items, said in ((7, True), (200, False)):
        story.exams = [replace(e, items=items) if e.exam == "own" else e for e in story.exams]
        shown = results.result(view(story))
        assert ("So few items leave a wide interval" in shown) is said
    score = story.evaluations_of("own")[-1].pass_at_1
    assert f"{score.n} items that the model set itself; interval {100 * score.low:.1f}" in shown


def test_the_heat_map_has_a_scale(run: RunView) -> None:
    """D9: nothing said how much the strongest colour is."""
    most = max(state.share for g in run.story.generations for state in g.cells.values())
    assert f"up to {round(100 * most)}&nbsp;%" in making.curriculum(run)


def test_one_thing_has_one_word_and_each_is_explained(run: RunView) -> None:
    """D10: actor, model, proposer, its, solver; worked; ended by; executor and verifier."""
    page = report.render(run)
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for named in words.WORDS:
        for word in named.split(", "):
            assert re.search(rf"\|[^|]*\b{re.escape(word)}", glossary), f"{word} is not in the glossary"
        assert f"<dt>{named}</dt>" in page
    own = page.split('<section id="words">')[0]
    own = re.sub(r"<(pre|code|style)[^>]*>.*?</\1>|<[^>]+>", " ", own, flags=re.DOTALL)
    for wrong in ("executor", "anchor", "teacher", "student", "the policy's"):
        assert wrong not in own.lower()
    for used in ("actor", "proposal", "sealed exam", "KL", "clipped", "AUROC", "flat"):
        assert used in own
        assert any(used in named for named in words.WORDS), f"{used} is used and not explained"


def test_the_report_has_a_table_of_contents_and_says_where_it_was_made(run: RunView) -> None:
    """D6: the strongest evidence was 4,000 pixels down, and nothing said host, version or commit."""
    page = report.render(run)
    contents = page.split('<nav aria-label="Contents">')[1].split("</nav>")[0]
    places = re.findall(r'href="#([\w-]+)"', contents)
    assert places == re.findall(r'<section id="([\w-]+)">', page)
    assert len(places) >= 12
    told = run.story.run
    assert told is not None
    for fact in (told.platform, told.version, told.digest.removeprefix("sha256:")[:12]):
        assert fact in page.split("<nav")[0]


# ── the report is the page, frozen ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("anchor", [section[0] for section in report.SECTIONS])
def test_each_part_of_the_report_is_a_part_of_the_page(run: RunView, anchor: str) -> None:
    testing = pytest.importorskip("starlette.testclient")
    from autotelic.dashboard.page.server import application

    page = report.render(run)
    part = page.split(f'<section id="{anchor}">')[1].split("</section>\n")[0].removesuffix("</section>")
    end = next(section[2] for section in report.SECTIONS if section[0] == anchor)
    client = testing.TestClient(application({"real": run}, hosts=("testserver",)))
    shown = client.get(f"/r/real/{end}".rstrip("/")).text
    assert len(part) > 200
    assert part.split("\n<footer>")[0].rstrip().removesuffix("</section>") in report.freeze(shown, run)


def test_a_change_of_a_part_changes_both(run: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    testing = pytest.importorskip("starlette.testclient")
    from autotelic.dashboard.page.server import application

    monkeypatch.setitem(words.WORDS, "sentinel", "A word that no page has.")
    client = testing.TestClient(application({"real": run}, hosts=("testserver",)))
    assert "<dt>sentinel</dt>" in report.render(run)
    assert "<dt>sentinel</dt>" in client.get("/r/real/words").text
    assert "<dt>sentinel</dt>" in client.get("/r/real/report").text


def test_pictures_lie_inside_the_report(tmp_path: Path) -> None:
    content = png(np.zeros((2, 2), dtype=np.uint8), [(0, 0, 0)])
    Gallery(tmp_path / FOLDER).put(content)
    name = digest_of(content).removeprefix("sha256:")
    frozen = report.freeze(
        f'<img class="seen" src="/r/x/picture/{name}" alt="picture">', RunView.read(tmp_path, "x", Story())
    )
    assert 'src="data:image/png;base64,' in frozen
    assert "/r/x" not in frozen
