"""A run whose tasks show pictures: what lies beside its record, what its readers show, and what a resume refuses."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from autotelic.charter import Charter
from autotelic.commands.opening import opened
from autotelic.dashboard import inspect
from autotelic.dashboard.describe import describe
from autotelic.dashboard.page.runs import views_of
from autotelic.dashboard.page.server import application
from autotelic.dashboard.story import Story
from autotelic.domains.scenes import domain as scenes
from autotelic.domains.scenes.render import picture
from autotelic.domains.scenes.scene import parse
from autotelic.engine.replay import replay
from autotelic.errors import PictureError, RunError
from autotelic.loop import resume, run
from autotelic.machine import Machine
from autotelic.messages import BudgetExtended, RunStarted
from autotelic.models.eyes import picture_ids
from autotelic.pictures import Gallery, digest_of, key_of
from autotelic.record import Journal, RunFolder
from autotelic.trace.bundle.formats import signing_key
from autotelic.trace.bundle.verify import PICTURES, read, verify
from autotelic.trace.bundle.write import write
from autotelic.types import Image, Task


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One generation of a toy of a model, with every kind of message."""
    charter = Charter.of(
        {
            "domain": {"name": "scenes", "levels": [1, 1], "modes": ["describe", "spot"]},
            "model": {
                "name": "tiny-vision",
                "tiny": {"width": 32, "depth": 2, "heads": 2, "context": 128, "vocabulary": 300},
            },
            "roles": {"max_tokens": 12},
            "curriculum": {
                "bootstrap_generations": 0,
                "tasks_per_generation": 24,
                "probe_tasks": 4,
                "group_size": 2,
                "mastery": 0.0,
            },
            "exam": {"items_per_cell": 2, "samples": 1, "levels": [1, 1], "every": 10, "own_items": 0},
            "gate": {"items": 8, "answers": 2, "planned": 2},
            "budget": {"seconds": 0.0, "generations": 1},
        },
        where="test",
    )
    place = tmp_path_factory.mktemp("scenes") / "run"
    run(charter, place, machine=Machine(threads=1, workers=1))
    return place


def recorded(folder: Path) -> list[Task]:
    with Journal.open(folder) as journal:
        return list(journal.tasks([str(row["id"]) for row in journal.each("tasks")]))


def pictures_of(task: Task) -> list[str]:
    return [part.digest for part in task.prompt if isinstance(part, Image)]


def test_the_pictures_of_all_recorded_tasks_lie_beside_the_record(folder: Path) -> None:
    tasks = recorded(folder)
    gallery = Gallery.beside(folder)
    shown = {digest for task in tasks for digest in pictures_of(task)}
    assert len(shown) > 10
    assert all(digest_of(gallery.bytes_of(digest)) == digest for digest in shown)
    for task in tasks:
        if task.mode == "describe":
            assert pictures_of(task) == [digest_of(picture(parse(task.secret["program"])))]


def test_few_others_lie_there(folder: Path) -> None:
    """Those that only the tokenizer's texts were made with do not: of them there were a thousand."""
    assert len(list((folder / "pictures").glob("*/*.png"))) < 200


def test_a_recorded_turn_names_its_picture(folder: Path) -> None:
    by_id = {task.id: task for task in recorded(folder)}
    with Journal.open(folder) as journal:
        episodes = [stored.episode for id_ in by_id for stored in journal.episodes(task_id=id_)]
    assert episodes
    for episode in episodes:
        named = pictures_of(by_id[episode.task_id])
        below = [each for each in episode.turns[0].prompt_ids if each < 0]
        assert below == [each for digest in named for each in picture_ids(digest, 16)]
        assert {(-1 - each) >> 12 for each in below} == {key_of(digest) for digest in named}


def test_an_update_is_computed_again_to_the_bit(folder: Path) -> None:
    assert replay(folder, 0).same


def test_the_exam_is_asked_again_with_its_pictures(folder: Path) -> None:
    with opened(folder, machine=Machine(threads=1, workers=1)) as found:
        items = [item for item in found.exam.items if pictures_of(item)]
        (group,) = found.policy.attempt(items[:1], siblings=1, temperature=0.0, seed=0)
        with Journal.open(folder) as journal:
            before = journal.episodes(task_id=items[0].id)[0].episode
    assert group.episodes[0].turns[0].prompt_ids == before.turns[0].prompt_ids


def test_the_page_shows_the_pictures_of_a_task(folder: Path) -> None:
    task = next(task for task in recorded(folder) if task.mode == "spot")
    client = TestClient(application(views_of([folder]), hosts=("testserver",)))
    page = client.get(f"/r/run/task/{task.id}").text
    links = re.findall(r'<img class="seen" src="([^"]+)"', page)
    assert [link.rpartition("/")[2] for link in links] == [
        d.removeprefix("sha256:") for d in pictures_of(task)
    ]
    answer = client.get(links[0])
    assert answer.headers["content-type"] == "image/png"
    assert digest_of(answer.content) == pictures_of(task)[0]


@pytest.mark.parametrize("name", ["0" * 64, "..%2Fcharter.json", "charter.json"])
def test_the_page_gives_pictures_and_nothing_else(folder: Path, name: str) -> None:
    client = TestClient(application(views_of([folder]), hosts=("testserver",)))
    assert client.get(f"/r/run/picture/{name}").status_code == 404


def test_inspect_names_the_pictures_of_a_task(folder: Path) -> None:
    task = next(task for task in recorded(folder) if task.mode == "describe")
    with Journal.open(folder) as journal:
        story = Story.of(journal.each_message())
        said = describe(journal, story, inspect.find(journal, story, f"task:{task.id}"))
    assert f"[picture {pictures_of(task)[0][:19]}]" in said


def test_a_bundle_has_the_pictures_that_its_samples_show(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.zip"
    write(RunFolder.open(folder), out, key=signing_key(), samples=6)
    files = read(out)
    tasks = [json.loads(line) for line in files["samples/tasks.jsonl"].splitlines()]
    attempts = [json.loads(line) for line in files["samples/attempts.jsonl"].splitlines()]
    shown = {part["digest"] for one in [*tasks, *attempts] for part in one["prompt"] if "digest" in part}
    assert len(shown) > 6
    there = {name: content for name, content in files.items() if name.startswith(PICTURES)}
    assert {digest_of(content) for content in there.values()} == shown
    assert any(f"the {len(shown)} pictures that they show" in line for line in verify(out).checked)


def test_a_bundle_is_not_made_without_its_pictures(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    for path in (copy / "pictures").glob("*/*.png"):
        path.write_bytes(b"x")
    with pytest.raises(PictureError, match="is damaged") as caught:
        write(RunFolder.open(copy), tmp_path / "run.zip", key=signing_key(), samples=6)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run.zip").exists()


def test_the_record_says_what_drew_its_pictures_and_a_resume_asks_for_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.open(folder) as journal:
        started = journal.latest(RunStarted)
    assert started is not None
    assert started.versions["scenes renderer"] == scenes.check_renderer()
    copy = shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.setattr(scenes, "check_renderer", lambda: "2 abcdef")
    with pytest.raises(RunError, match=r"were drawn by scenes renderer 1 .*, and this is 2 abcdef") as caught:
        resume(copy, extend=BudgetExtended(generations=1))
    assert "\n" not in str(caught.value)
