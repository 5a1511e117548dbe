"""`autotelic dash`, and the page beside a run (`autotelic run --dash`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

_PATIENCE = 20.0
"""Seconds that a run waits for its page to say where it is: importing takes a second or two."""


def dash(
    *runs: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    wait: Annotated[bool, Parameter(negative="", show=False)] = False,
) -> None:
    """Show runs on a page in the browser: live, finished or damaged ones, several side by side.

    The page reads journals and writes nothing. Ctrl-C ends it; runs go on.

    Parameters
    ----------
    runs
        Run folders.
    host
        The address to listen at. Any but this machine's own asks its readers for a token, which is made and
        printed, or taken from the environment variable AUTOTELIC_TOKEN.
    port
        The port to listen at; 0 for any that is free. Without, 8642, or a free one where that is in use.
    """
    from autotelic.commands.running import DEFAULT
    from autotelic.dashboard.page.runs import views_of
    from autotelic.dashboard.page.serving import IDLE, bind, is_loopback, serve
    from autotelic.record import RunFolder, is_run

    folders = list(runs) or [DEFAULT]
    for folder in folders:
        if not wait and not is_run(folder):
            RunFolder.open(folder)  # it says what is wrong
    place = bind(host, port)
    if not is_loopback(host):
        print(
            "autotelic: whoever has this address with its token can read these runs; it is not encrypted",
            file=sys.stderr,
        )
    print(f"page: {place.url}", flush=True)
    serve(views_of(folders), place, idle=IDLE if wait else None)


def beside(folder: Path) -> None:
    """Start the page of a run that is about to begin, as a process of its own: the run waits for nothing that the
    page does, and the page outlives the run. Says where it is; a page that fails says why, and the run goes on.
    """
    import select
    import subprocess

    # A session of its own: Ctrl-C stops the run, and the page then shows that it stopped.
    process = subprocess.Popen(
        [sys.executable, "-m", "autotelic.cli", "dash", "--wait", "--", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    if process.stdout is None:
        raise AssertionError("stdout was asked for")
    ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
    line = process.stdout.readline().strip() if ready else ""
    said = f"{line} (process {process.pid})" if line else "autotelic: there is no page; the run goes on"
    print(said, file=sys.stderr, flush=True)
