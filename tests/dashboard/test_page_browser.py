"""The page in a real browser: Debian's chromium, driven by playwright. Skips where one of them is missing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or ""
pytest.importorskip("starlette", reason="the page's extra is not installed: pip install -e '.[page]'")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'"
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no browser here: apt install chromium")

from autotelic.dashboard.page.runs import views_of  # noqa: E402
from autotelic.dashboard.page.serving import bind, serve  # noqa: E402
from autotelic.messages import GenerationBegan, RunStopped  # noqa: E402
from autotelic.record import Journal  # noqa: E402


@pytest.fixture(scope="module")
def folder(real_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("page") / "run"
    shutil.copytree(real_run, copy, ignore=shutil.ignore_patterns("weights", "checkpoints"))
    return copy


@pytest.fixture(scope="module")
def url(folder: Path) -> str:
    place = bind("127.0.0.1", 0)
    threading.Thread(target=serve, args=(views_of([folder]), place), daemon=True).start()
    return place.url


@pytest.fixture
def page(url: str) -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        yield page
        browser.close()


def test_hostile_text_runs_nothing_and_no_other_host_is_asked(page: Any, url: str, folder: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(folder / "journal.sqlite")
    with connection:
        connection.execute(
            "UPDATE episodes SET answer = '<img src=x onerror=\"document.title=1\"><b id=evil>'"
        )
    connection.close()
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    for view in ("", "/attempt/300", "/attempts", "/then-and-now", "/learning"):
        page.goto(f"{url}r/run{view}")
        assert page.locator("#evil").count() == 0
        assert page.locator("main img").count() == 0
    assert hosts == {url.split("/")[2]}
    assert not errors


def test_a_message_is_seen_without_a_reload_and_zoom_draws_a_canvas(
    page: Any, url: str, folder: Path
) -> None:
    with Journal.open(folder, "a") as journal:
        journal.append(GenerationBegan(generation=99))
        page.goto(f"{url}r/run")
        page.get_by_role("button", name="Zoom").first.click()
        page.wait_for_selector("figure.zoomed canvas")
        assert page.locator(".state.interrupted").count() == 0
        journal.append(RunStopped(generation=99, reason="interrupted"))
    page.wait_for_selector(".state.interrupted")
    assert page.locator("figure.zoomed canvas").count() == 1
