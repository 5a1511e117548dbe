"""Screenshots of the page in a real browser, and what axe-core finds on it.

    python bench/page_shots.py RUN OUT [--axe axe.min.js]

Takes Debian's chromium (`apt install chromium`) through playwright, at 360, 1280 and 2560 pixels, in light and in
dark, and writes a PNG a view. With axe-core (npm pack axe-core, MPL-2.0, not part of this repository) it prints
every violation that is serious or critical. Also measures how long a new message takes to be seen, in a copy.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from autotelic.dashboard.page.runs import views_of
from autotelic.dashboard.page.serving import bind, serve
from autotelic.messages import GenerationBegan, RunStopped
from autotelic.record import Journal

WIDTHS = (360, 1280, 2560)
VIEWS = {
    "now": "",
    "exam": "/exam/sealed",
    "then-and-now": "/then-and-now",
    "tasks": "/tasks",
    "proposals": "/proposals?reason=refused",
    "attempt": "/attempt/300",
    "attempts": "/attempts",
    "generations": "/generations",
    "learning": "/learning",
    "critic": "/critic",
    "oversight": "/oversight",
    "charter": "/charter",
    "words": "/words",
    "report": "/report",
}
SMALLEST = """() => Math.min(...[...document.querySelectorAll('main *, header *, nav *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize) *
    (e.ownerSVGElement
      ? e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1)))"""
"""The smallest text of a page, in pixels as shown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--views", nargs="*", default=list(VIEWS))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "run"
        shutil.copytree(given.run, copy, ignore=shutil.ignore_patterns("weights", "checkpoints"))
        address = bind("127.0.0.1", 0)
        threading.Thread(target=serve, args=(views_of([copy]), address), daemon=True).start()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                page = browser.new_page(color_scheme=scheme)
                errors: list[str] = []
                requests: set[str] = set()
                listen(page, errors, requests)
                for name in given.views:
                    page.goto(f"{address.url}r/run{VIEWS[name]}", wait_until="load")
                    # Until the server has read all of the journal; the page says how far it is.
                    page.wait_for_selector("header .notice", state="detached", timeout=120_000)
                    page.wait_for_timeout(300)
                    look(page, name, scheme, given)
                print(json.dumps({"scheme": scheme, "hosts": sorted(requests), "console": errors}))
                page.close()
            print(json.dumps({"seen_after_s": delay(browser.new_page(), address.url, copy)}))
            browser.close()


def listen(page: Page, errors: list[str], requests: set[str]) -> None:
    """Note what the console complains of, and which hosts are asked."""
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: requests.add(request.url.split("/")[2]))


def look(page: Page, name: str, scheme: str, given: argparse.Namespace) -> None:
    """Screenshots of a view, the violations of accessibility in it, and its smallest text."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=given.out / f"{name}-{scheme}-{width}.png", full_page=width == 360)
        found: dict[str, Any] = {
            "view": name,
            "scheme": scheme,
            "width": width,
            "smallest_px": round(page.evaluate(SMALLEST), 1),
            "wider_than_screen": page.evaluate("document.documentElement.scrollWidth > innerWidth"),
        }
        if given.axe and width != 2560:
            # By the debugger, which the page's policy does not bind.
            page.evaluate(given.axe.read_text(encoding="utf-8"))
            said = page.evaluate("axe.run()")
            found["serious"] = [
                {
                    "id": v["id"],
                    "nodes": [n["target"] for n in v["nodes"]][:4],
                    "why": v["nodes"][0]["any"][:1],
                }
                for v in said["violations"]
                if v["impact"] in ("serious", "critical")
            ]
        print(json.dumps(found), flush=True)


def delay(page: Page, url: str, folder: Path) -> float:
    """Seconds from the commit of a message to its being on an open page."""
    with Journal.open(folder, "a") as journal:
        journal.append(GenerationBegan(generation=99))
        page.goto(f"{url}r/run")
        page.wait_for_timeout(1500)
        began = time.monotonic()
        journal.append(RunStopped(generation=99, reason="interrupted"))
    page.wait_for_selector(".state.interrupted", timeout=20_000)
    return round(time.monotonic() - began, 2)


if __name__ == "__main__":
    main()
