"""The page in a real browser: Debian's chromium, driven by playwright.

Where one of them is missing the tests are skipped, with a warning; with AUTOTELIC_BROWSER=required they fail.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

CHROMIUM = shutil.which("chromium") or ""
REQUIRED = os.environ.get("AUTOTELIC_BROWSER") == "required"
if not CHROMIUM and not REQUIRED:
    warnings.warn("NO BROWSER TESTS: there is no chromium here; apt-get install chromium", stacklevel=1)
pytest.importorskip("starlette", reason="the page's extra is not installed: pip install -e '.[page]'")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'"
)
pytestmark = pytest.mark.skipif(
    not CHROMIUM and not REQUIRED, reason="no browser here: apt-get install chromium"
)

from autotelic.dashboard.page.runs import views_of  # noqa: E402
from autotelic.dashboard.page.serving import bind, serve  # noqa: E402
from autotelic.dashboard.page.shell import VIEWS  # noqa: E402
from autotelic.messages import GenerationBegan, RunStopped, StageBegan  # noqa: E402
from autotelic.record import Journal  # noqa: E402
from autotelic.record.folder import RunFolder  # noqa: E402

AXE = Path(__file__).parent.parent / "vendor" / "axe-core" / "axe-4.11.0.min.js"
"""axe-core 4.11.0, MPL-2.0; its licence lies beside it."""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<img src=x onerror=\"document.title='evil'\"><b id=evil>&amp;</b>"
SMALLEST = """() => Math.min(...[...document.querySelectorAll('main *, header *, nav *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize) *
    (e.ownerSVGElement
      ? e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1)))"""
"""The smallest text of a page, in pixels as shown."""


def copied(real_run: Path, place: Path) -> Path:
    return Path(
        shutil.copytree(real_run, place, ignore=shutil.ignore_patterns("weights", "checkpoints", "start"))
    )


@pytest.fixture(scope="module")
def folders(real_run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished run, one that goes on, a damaged one, and one whose texts are hostile."""
    place = tmp_path_factory.mktemp("page")
    found = {name: copied(real_run, place / name) for name in ("finished", "live", "damaged", "hostile")}
    with Journal.open(found["live"], "a") as journal:
        journal.append(GenerationBegan(generation=7))
    with sqlite3.connect(found["damaged"] / "journal.sqlite") as connection:
        connection.execute(
            "UPDATE messages SET data = '{' WHERE kind IN ('credited', 'critic.updated', 'evaluated')"
        )
        connection.execute("UPDATE episodes SET steps = 'x' WHERE row % 3 = 0")
        connection.execute("UPDATE tasks SET secret = '[' WHERE row % 5 = 0")
        connection.execute("DELETE FROM verdicts WHERE row % 7 = 0")
    with sqlite3.connect(found["hostile"] / "journal.sqlite") as connection:
        connection.execute("UPDATE episodes SET answer = ?", [HOSTILE])
        connection.execute("UPDATE verdicts SET feedback = ?, reason = ?", [HOSTILE, HOSTILE])
        connection.execute("UPDATE proposals SET text = ?", [HOSTILE])
        connection.execute("UPDATE tasks SET prompt = ?, cluster = ?", [HOSTILE, HOSTILE])
    return found


@pytest.fixture(scope="module")
def url(folders: dict[str, Path]) -> Iterator[str]:
    place = bind("127.0.0.1", 0)
    with RunFolder(folders["live"]).lock():
        threading.Thread(target=serve, args=(views_of(list(folders.values())), place), daemon=True).start()
        yield place.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.errors = []
    page.hosts = set()
    page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    yield page
    page.close()


def details(base: str) -> list[str]:
    """The ends of the URLs of one of each kind of thing that lists link to: a task, an attempt, an item, ..."""
    found: dict[str, str] = {}
    for view in ("", "tasks", "attempts", "proposals", "exam/sealed", "generations", "learning", "oversight"):
        with suppress(HTTPError), urlopen(f"{base}/{view}".rstrip("/"), timeout=120) as answer:
            content = answer.read().decode("utf-8").partition("<main")[2]
            for href in re.findall(r'<a href="(/r/[^"]*)"', content):
                end = unescape(href).split("/", 3)[-1]
                kind = end.split("?")[0].split("/")[0] + (
                    "/" + end.split("/")[2] if end.startswith("exam/") and end.count("/") > 1 else ""
                )
                if "." not in end.split("/")[-1]:
                    found.setdefault(kind, end)
    return list(found.values())


@pytest.mark.parametrize("name", ["finished", "live", "damaged"])
def test_each_view_says_something_without_an_error(page: Any, url: str, name: str) -> None:
    ends = [view for view, _ in VIEWS] + details(f"{url}r/{name}")
    assert len(ends) > len(VIEWS) + (3 if name == "damaged" else 5)
    page.errors.clear()
    silent = []
    for end in ends:
        answer = page.goto(f"{url}r/{name}/{end}".rstrip("/"))
        words = page.locator("main").inner_text().split()
        # A damaged thing may be gone, and its page then says so.
        if answer.status not in ((200, 404) if name == "damaged" else (200,)) or len(words) < 3:
            silent.append((end, answer.status, " ".join(words)[:80]))
    assert silent == []
    assert [error for error in page.errors if "404" not in error] == []
    assert page.hosts == {url.split("/")[2]}
    page.goto(f"{url}r/{name}")
    assert page.locator(".state.running" if name == "live" else ".state.finished").count() == 1
    if name == "damaged":
        assert "damaged" in page.locator("body").inner_text()


def test_hostile_text_stays_text(page: Any, url: str) -> None:
    for end in [
        "",
        "tasks",
        "attempts",
        "proposals",
        "then-and-now",
        "exam/sealed",
        *details(f"{url}r/hostile"),
    ]:
        page.goto(f"{url}r/hostile/{end}".rstrip("/"))
        assert page.locator("#evil").count() == 0, end
        assert page.locator("main img").count() == 0, end
        assert "evil" not in page.title(), end
    page.goto(f"{url}r/hostile/attempts")
    assert "<img" in page.locator("main").inner_text()
    assert page.hosts == {url.split("/")[2]}


def test_a_message_is_seen_without_a_reload_and_zoom_draws_a_canvas(
    page: Any, url: str, folders: dict[str, Path]
) -> None:
    page.goto(f"{url}r/live")
    page.get_by_role("button", name="Zoom").first.click()
    page.wait_for_selector("figure.zoomed canvas")
    with Journal.open(folders["live"], "a") as journal:
        journal.append(StageBegan(generation=7, stage="propose"))
        page.get_by_text("propose").first.wait_for()
    assert page.locator("figure.zoomed canvas").count() == 1
    assert page.errors == []


def test_links_stay_valid_when_a_resume_goes_back_on_them(
    page: Any, url: str, real_run: Path, tmp_path: Path
) -> None:
    folder = copied(real_run, tmp_path / "resumed")
    place = bind("127.0.0.1", 0)
    threading.Thread(target=serve, args=(views_of([folder]), place), daemon=True).start()
    base = f"{place.url}r/resumed"
    with Journal.open(folder) as journal:
        (last,) = journal.select("SELECT max(row), task FROM episodes WHERE purpose = 'attempt'")
    ends = [*details(base), f"attempt/{last[0]}", f"task/{last[1]}"]
    seen = {}
    for end in ends:
        page.goto(f"{base}/{end}")
        seen[end] = page.locator("h1").first.inner_text()
    with Journal.open(folder, "a") as journal:
        journal.rewind(2)
    for end in ends:
        assert page.goto(f"{base}/{end}").status == 200, end
        assert page.locator("h1").first.inner_text() == seen[end], end
    page.goto(f"{base}/attempt/{last[0]}")
    assert "A resume went back" in page.locator("main").inner_text()


def test_a_page_whose_server_was_away_misses_nothing(page: Any, real_run: Path, tmp_path: Path) -> None:
    folder = copied(real_run, tmp_path / "away")
    with Journal.open(folder, "a") as journal:
        journal.append(GenerationBegan(generation=7))
    place = bind("127.0.0.1", 0)
    number = place.listener.getsockname()[1]
    place.listener.close()

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "autotelic.cli", "dash", "--port", str(number), "--", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert "page:" in process.stdout.readline()
        return process

    process = start()
    try:
        page.goto(f"http://127.0.0.1:{number}/r/away")
        assert page.locator(".state.interrupted").count() == 0
        process.kill()
        process.wait()
        page.wait_for_function(
            "document.getElementById('connection').textContent.includes('does not answer')"
        )
        with Journal.open(folder, "a") as journal:
            journal.append(RunStopped(generation=7, reason="interrupted"))
        process = start()
        page.wait_for_selector(".state.interrupted")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation_of_accessibility(browser: Any, url: str, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 360, "height": 900})
    page.set_default_timeout(120_000)
    script = AXE.read_text(encoding="utf-8")
    found = []
    for view, _ in (*VIEWS, ("attempt/300", ""), ("", "")):
        page.goto(f"{url}r/finished/{view}".rstrip("/"))
        page.evaluate(script)  # by the debugger, which the page's policy does not bind
        # What is dark changes colours alone.
        rules = "{runOnly: ['color-contrast']}" if scheme == "dark" else "{}"
        said = page.evaluate(f"axe.run(document, {rules})")
        assert said["passes"], "axe-core looked at nothing"
        found += [
            (view, v["id"], v["nodes"][0]["target"])
            for v in said["violations"]
            if v["impact"] in ("serious", "critical")
        ]
        assert page.evaluate(SMALLEST) >= 11, view
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), view
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.evaluate(SMALLEST) >= 11, view
        page.set_viewport_size({"width": 360, "height": 900})
    page.close()
    assert found == []
