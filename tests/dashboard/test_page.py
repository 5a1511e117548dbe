"""The page on the journal of a real run, on a damaged copy of it, on a growing one, and under bad requests."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest

pytest.importorskip("starlette")
from starlette.testclient import TestClient
from synthetic_run import synthetic_messages

from autotelic.cli import main
from autotelic.dashboard.page.making import curriculum
from autotelic.dashboard.page.plots import PLOTS
from autotelic.dashboard.page.runs import RunView, views_of
from autotelic.dashboard.page.server import POLICY, application
from autotelic.dashboard.page.serving import bind, serve
from autotelic.dashboard.story import Story, named
from autotelic.decisions import Leased
from autotelic.errors import PageError
from autotelic.messages import Judged, RunStopped, StageBegan
from autotelic.record import Journal
from autotelic.record.paging import TaskFilter, ids_spread, list_proposals, list_tasks, updates_after

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
VIEWS = (
    "",
    "/exam/sealed",
    "/then-and-now",
    "/tasks",
    "/proposals",
    "/attempts",
    "/generations",
    "/learning",
)
MORE = ("/critic", "/oversight", "/charter", "/generation/2", "/attempt/300", "/proposal/5", "/message/9")


def client(*folders: Path, **more: str) -> TestClient:
    return TestClient(application(views_of(folders), hosts=("testserver",), **more))


@pytest.fixture
def copy(real_run: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(real_run, folder, ignore=shutil.ignore_patterns("weights", "checkpoints"))
    return folder


def changed(folder: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount
    connection.close()


# ── views ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("view", VIEWS + MORE)
def test_every_view_of_a_finished_run_is_there_under_a_strict_policy(real_run: Path, view: str) -> None:
    answer = client(real_run).get(f"/r/{real_run.name}{view}")
    assert answer.status_code == 200
    assert 'class="alert"' not in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", answer.text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)


def test_every_link_of_the_first_screens_leads_somewhere(real_run: Path) -> None:
    page = client(real_run)
    seen: set[str] = set()
    for view in VIEWS:
        seen |= set(re.findall(r'href="(/[^"]*)"', page.get(f"/r/{real_run.name}{view}").text))
    kinds = {re.sub(r"[0-9a-f]{16}|\d+", "N", url.partition("?")[0]): url for url in sorted(seen)}
    assert len(kinds) > 20
    assert {url: page.get(url.replace("&amp;", "&")).status_code for url in kinds.values()} == dict.fromkeys(
        kinds.values(), 200
    )


def test_the_first_screen_has_the_sealed_exam_of_the_journal(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        rows = journal.select("SELECT data FROM messages WHERE kind = 'evaluated'")
    reports = [json.loads(row[0])["report"] for row in rows]
    last = [r for r in reports if r["exam"] == "sealed"][-1]
    text = client(real_run).get(f"/r/{real_run.name}").text
    assert f"{100 * last['overall']['pass_at_1']['value']:.1f} %" in text
    assert "finished" in text
    assert re.search(r"just invent and solve.*?/task/[0-9a-f]{16}.*?passed", text, re.DOTALL)


def test_an_attempt_shows_what_was_expected_and_its_tokens(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        id_ = journal.select("SELECT row FROM episodes WHERE purpose = 'attempt' LIMIT 1")[0][0]
        stored = journal.episode(id_)
        assert stored is not None
        task = journal.task(stored.episode.task_id)
        assert task is not None
    text = client(real_run).get(f"/r/{real_run.name}/attempt/{id_}").text
    assert all(f"<h3>{name}</h3>" in text for name in task.secret)
    assert text.count('class="token') == len(stored.episode.turns[0].completion_ids)


def test_a_task_shows_the_updates_that_used_it(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        update = journal.select("SELECT max(message) FROM entries")[0][0]
        message = journal.message(update)
        entry = next(e for e in message.batch if e.kind == "demonstration")  # type: ignore[union-attr]
    text = client(real_run).get(f"/r/{real_run.name}/task/{entry.ref}").text
    assert f'href="/r/{real_run.name}/message/{update}"' in text


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_of_tasks_are_all_tasks_once(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        found: list[int] = []
        before = 0
        while True:
            some, before = list_tasks(journal, TaskFilter(), before, 50)
            found += [each.row for each in some]
            if not before:
                break
        assert found == [row[0] for row in journal.select("SELECT row FROM tasks ORDER BY row DESC")]


@pytest.mark.parametrize(
    ("wanted", "condition"),
    [
        (TaskFilter(author="rules"), "author = 'rules'"),
        (TaskFilter(author="actor"), "author <> 'rules'"),
        (TaskFilter(level=2), "level = 2"),
        (TaskFilter(text="def F"), "instr(lower(prompt), 'def f') > 0"),
        (TaskFilter(result="untried"), "id NOT IN (SELECT task FROM episodes)"),
        (
            TaskFilter(result="passed"),
            "id IN (SELECT e.task FROM episodes e JOIN verdicts v ON v.episode = e.row WHERE v.passed = 1)",
        ),
    ],
)
def test_filters_of_tasks_are_what_they_say(real_run: Path, wanted: TaskFilter, condition: str) -> None:
    with Journal.open(real_run) as journal:
        some, _ = list_tasks(journal, wanted, most=5_000)
        meant = journal.select(f"SELECT row FROM tasks WHERE {condition} ORDER BY row DESC")
        assert [each.row for each in some] == [row[0] for row in meant]
        assert meant


def test_refused_proposals_are_listed_with_their_reason(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        refused, _ = list_proposals(journal, "refused", most=10_000)
        admitted, _ = list_proposals(journal, "admitted", most=10_000)
        total = journal.select("SELECT count(*) FROM proposals")[0][0]
    assert refused
    assert all(each.outcome is not None and each.outcome.reason for each in refused)
    assert len(refused) + len(admitted) == total
    text = client(real_run).get(f"/r/{real_run.name}/proposals?reason=refused").text
    assert f"/proposal/{refused[0].proposal.id}" in text


def test_csv_has_a_row_a_task_and_no_formula(copy: Path) -> None:
    changed(copy, "UPDATE proposals SET text = '=1+1' WHERE row = 3")
    page = client(copy)
    with Journal.open(copy) as journal:
        total = journal.counts()["tasks"]
        assert len({row[0] for row in journal.select("SELECT row FROM tasks")}) == total
    rows = list(csv.reader(io.StringIO(page.get("/r/copy/tasks.csv").text)))
    assert len(rows) == total + 1
    assert "'=1+1" in page.get("/r/copy/proposals.csv").text


@pytest.mark.parametrize("table", ["tasks", "proposals", "updates", "generations", "exam/sealed/items"])
def test_parquet_has_the_rows_of_the_csv(real_run: Path, table: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install -e '.[dev]'")
    page, base = client(real_run), f"/r/{real_run.name}/{table}"
    rows = list(csv.reader(io.StringIO(page.get(f"{base}.csv").text)))
    found = parquet.read_table(io.BytesIO(page.get(f"{base}.parquet").content)).to_pydict()
    assert list(found) == rows[0]
    assert len(rows) > 5
    for name, *texts in zip(*rows, strict=True):
        for text, value in zip(texts, found[name], strict=True):
            same = (
                float(text) == value if isinstance(value, int | float) else text.lstrip("'") == (value or "")
            )
            assert same or text == f"'{value}", (name, text, value)


def test_without_pyarrow_a_table_is_csv_alone(real_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    page, base = client(real_run), f"/r/{real_run.name}"
    assert "pip install pyarrow" in page.get(f"{base}/tasks.parquet").text
    assert ".parquet" not in page.get(f"{base}/tasks").text


# ── what a model wrote is text ────────────────────────────────────────────────────────────────────────────


def test_hostile_text_stays_text(copy: Path) -> None:
    changed(copy, "UPDATE episodes SET answer = ?", HOSTILE)
    changed(copy, "UPDATE verdicts SET feedback = ?, reason = ?", HOSTILE, HOSTILE)
    changed(copy, "UPDATE proposals SET text = ?", HOSTILE + "\x1b[2J")
    page = client(copy)
    shown = 0
    for view in (
        *VIEWS,
        "/attempt/300",
        "/proposal/5",
        "/tasks?q=" + HOSTILE,
        "/attempts?purpose=" + HOSTILE,
    ):
        text = page.get(f"/r/copy{view}").text
        assert "<script>" not in text
        assert "<img" not in text
        assert "\x1b" not in text
        shown += "&lt;script&gt;alert(1)" in text
    assert shown >= 5


def test_half_a_surrogate_pair_is_shown_escaped(copy: Path) -> None:
    changed(copy, "UPDATE episodes SET answer = ?", "\0" + json.dumps("a\ud800b"))
    answer = client(copy).get("/r/copy/attempt/300")
    assert answer.status_code == 200
    assert "a\\ud800b" in answer.text


# ── damaged, growing, several ─────────────────────────────────────────────────────────────────────────────


def test_a_damaged_message_is_said_and_the_rest_is_shown(copy: Path) -> None:
    changed(copy, "UPDATE messages SET data = '{' WHERE kind = 'generation.ended' AND generation = 3")
    text = client(copy).get("/r/copy").text
    assert "is damaged" in text
    assert "generation 4" in text
    assert "generation/3" not in text


def test_a_journal_that_is_no_database_is_one_line(copy: Path) -> None:
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (copy / name).unlink(missing_ok=True)
    (copy / "journal.sqlite").write_bytes(b"nothing of a database " * 400)
    page = client(copy)
    for view in VIEWS:
        answer = page.get(f"/r/copy{view}")
        assert answer.status_code in (200, 404)
        assert "is no journal" in answer.text


def test_a_growing_run_goes_on_from_the_last_message(copy: Path) -> None:
    run = RunView(copy, "copy")
    run.refresh(patience=60)
    seen = run.newest()
    with Journal.open(copy, "a") as journal:
        journal.append(StageBegan(generation=7, stage="propose"))
        journal.append(RunStopped(generation=7, reason="interrupted"))
    before = len(run.story.generations)
    run.refresh()
    assert run.newest() == seen + 2
    assert run.story.stopped == "interrupted"
    assert len(run.story.generations) == before


def test_links_stay_valid_across_a_resume(copy: Path) -> None:
    page = client(copy)
    views = ("/attempt/300", "/message/60", "/generation/5")
    before = [page.get(f"/r/copy{view}").status_code for view in views]
    with Journal.open(copy, "a") as journal:
        journal.rewind(min(journal.marks()))
    assert [page.get(f"/r/copy{view}").status_code for view in views] == before == [200, 200, 200]
    assert "A resume went back" in page.get("/r/copy/attempt/300").text


def test_a_large_journal_shows_the_first_screen_before_all_is_read(real_run: Path) -> None:
    run = RunView(real_run, "real")
    run.refresh(patience=0.0)
    assert run.story.after is not None
    deadline = time.monotonic() + 60
    while not run.complete and time.monotonic() < deadline:
        time.sleep(0.05)
    assert run.complete
    assert run.story.stage_seconds  # which only the whole journal tells


def test_of_many_messages_the_first_the_newest_and_some_between_are_read(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        ids = [row[0] for row in journal.select("SELECT id FROM messages WHERE kind = 'updated' ORDER BY id")]
        found = ids_spread(journal, "updated", 10)
        assert len(ids) > 15
        assert 7 <= len(found) <= 10
        assert (found[0], found[-5:]) == (ids[0], ids[-5:])
        assert found == sorted(set(found) & set(ids))
        assert ids_spread(journal, "updated", len(ids)) == ids
        assert [row[0] for row in updates_after(journal, len(ids))] == ids
        assert 5 <= len(updates_after(journal, 10)) <= 10


def test_a_part_that_reads_many_rows_is_made_once(copy: Path) -> None:
    run = RunView(copy, "copy")
    run.refresh(patience=60)
    made: list[str] = []
    for until in (1, 1, 2):
        run.once("part", lambda: made.append("x") or "part", until=until)  # type: ignore[func-returns-value]
    assert len(made) == 2
    page = client(copy)
    before = page.get("/r/copy").text
    with Journal.open(copy, "a") as journal:
        last = journal.message(journal.select("SELECT max(id) FROM messages WHERE kind = 'judged'")[0][0])
        assert isinstance(last, Judged)
        journal.append(replace(last, groups=tuple(last.groups)[:1], generation=7))
    assert page.get("/r/copy").text != before


def test_the_bar_has_the_grade_and_the_brake(real_run: Path) -> None:
    bar = client(real_run).get(f"/r/{real_run.name}/tasks").text.split("</header>")[0]
    with Journal.open(real_run) as journal:
        leased = journal.latest(Leased)
    assert leased is not None
    assert f"grade {leased.grade} of oversight" in bar
    assert f">{named(leased.level)}</a>" in bar


def test_weights_that_were_not_certified_are_a_point_beside_the_curve() -> None:
    story = Story.of(synthetic_messages(12))
    after = story.after
    assert after is not None
    story.evaluations.append(replace(after, when="working", tokens=after.tokens + 5))
    made = PLOTS["sealed"](story)
    curves = {line.name: line for line in made.lines}
    assert after.tokens + 5 not in [x for x, _ in curves["sealed exam"].points]
    assert [x for x, _ in curves["not certified"].points] == [after.tokens + 5]
    assert not curves["not certified"].joined


def test_a_long_run_has_a_heat_map_of_means() -> None:
    story = Story.of(synthetic_messages(12))
    story.generations = [replace(story.generations[n % 12], number=n + 1) for n in range(500)]
    shown = curriculum(RunView.read(Path("no-such-folder"), "x", story))
    assert "A column is the mean of 5 generations." in shown
    rows = len({cell for g in story.generations for cell in g.cells})
    assert shown.count("<rect") == 100 * rows


def test_runs_side_by_side_are_compared_only_on_one_exam(real_run: Path, copy: Path) -> None:
    page = client(real_run, copy)
    assert "Compare these runs" in page.get("/").text
    same = page.get("/compare").text
    assert "not compared" not in same
    assert "<polyline" in same
    changed(copy, "UPDATE messages SET data = replace(data, 'sha256:', 'sha256:0') WHERE kind = 'exam.set'")
    other = client(real_run, copy).get("/compare").text
    assert "different sealed exams" in other
    assert "<polyline" not in other


def test_folders_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    names = list(views_of([tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "a" / "run"]))
    assert names == ["run", "b~run"]


# ── who may ask ───────────────────────────────────────────────────────────────────────────────────────────


def test_another_host_name_is_refused(real_run: Path) -> None:
    page = client(real_run)
    assert page.get("/", headers={"host": "evil.example"}).status_code == 421
    assert page.get(f"/r/{real_run.name}/tasks.csv", headers={"host": "evil.example"}).status_code == 421
    assert page.post("/").status_code == 405


def test_a_token_is_asked_for_and_kept_in_a_cookie(real_run: Path) -> None:
    page = client(real_run, token="a-long-enough-token")
    assert page.get(f"/r/{real_run.name}").status_code == 401
    assert page.get(f"/r/{real_run.name}?token=wrong").status_code == 401
    first = page.get(f"/r/{real_run.name}?token=a-long-enough-token", follow_redirects=False)
    assert first.headers["location"] == f"/r/{real_run.name}"
    assert "HttpOnly" in first.headers["set-cookie"]
    assert page.get(f"/r/{real_run.name}").status_code == 200


def test_another_address_than_loopback_has_a_token() -> None:
    place = bind("0.0.0.0", 0)
    place.listener.close()
    assert len(place.token) >= 16
    assert place.token in place.url
    local = bind("127.0.0.1", 0)
    local.listener.close()
    assert not local.token
    assert "127.0.0.1" in local.hosts


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("/attempt/999999999", "no attempt"),
        ("/attempt/x", "no attempt"),
        ("/task/0000", "no task"),
        ("/generation/99999999999999999999", "no generation"),
        ("/tasks?level=x", "no whole number"),
        ("/exam/none", "no exam"),
        ("/cell/none/1", "no tasks of"),
        ("/nothing", "no such view"),
        ("/../../etc/passwd", "no such view"),
    ],
)
def test_a_bad_address_gets_one_line(real_run: Path, view: str, said: str) -> None:
    answer = client(real_run).get(f"/r/{real_run.name}{view}")
    assert said in answer.text
    assert "Traceback" not in answer.text


def test_a_port_in_use_and_a_folder_that_is_no_run_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PageError, match="is in use"):
        bind("127.0.0.1", taken.getsockname()[1])
    assert main(["dash", str(tmp_path)]) == 2
    assert "is not a run folder" in capsys.readouterr().err


# ── a real server ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_stream_tells_a_new_message_and_goes_on_from_the_last_id(copy: Path) -> None:
    place = bind("127.0.0.1", 0)
    port = place.listener.getsockname()[1]
    threading.Thread(target=serve, args=(views_of([copy]), place), daemon=True).start()
    with Journal.open(copy) as journal:
        newest = journal.newest
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/r/copy/events", headers={"Last-Event-ID": str(newest)})
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    with Journal.open(copy, "a") as journal:
        journal.append(StageBegan(generation=7, stage="propose"))
    lines: list[bytes] = []
    while not any(line.startswith(b"data:") for line in lines):
        lines.append(answer.readline())
    assert f"id: {newest + 1}\n".encode() in lines
    connection.close()


def test_health_says_whether_a_process_holds_the_run(copy: Path) -> None:
    run = RunView(copy, "copy")
    run.refresh()
    assert run.health().state == "finished"
    hold = "import sys, time; from autotelic.record import Lock; from pathlib import Path; "
    hold += "lock = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", hold, str(copy / "lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert run.health().state == "running"
    finally:
        process.kill()
        process.wait()
    changed(copy, "DELETE FROM messages WHERE kind = 'run.stopped'")
    assert run.health().state == "died"
    assert "autotelic resume" in client(copy).get("/r/copy").text
