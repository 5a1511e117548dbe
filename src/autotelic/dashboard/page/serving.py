"""Where the page listens: on this machine alone unless a person asks for more, and then behind a token."""

from __future__ import annotations

import errno
import ipaddress
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autotelic.dashboard.page.runs import RunView
from autotelic.errors import PageError

PORT = 8642
"""Where the page is unless another port is asked for. No well-known service has it."""
IDLE = 3_600.0
"""Seconds after the last request at which a page that a run started ends itself, once the run is over."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOKEN = "AUTOTELIC_TOKEN"
"""The environment variable with the token of a page that others can reach; one is made where it is not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An address that is bound already. `url` is what a person opens."""

    listener: socket.socket
    url: str
    hosts: tuple[str, ...]
    token: str


def bind(host: str, port: int | None) -> Place:
    """Listen at an address. Without a port the usual one is taken, or any where that is in use.

    Raises PageError where the address cannot be had.
    """
    local = is_loopback(host)
    listener = _listening(host, PORT if port is None else port, any_instead=port is None)
    chosen = listener.getsockname()[1]
    token = "" if local else os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    if token and len(token) < 16:
        listener.close()
        raise PageError(f"the token in {TOKEN} has {len(token)} characters", "give one of 16 or more")
    wild = host in ("0.0.0.0", "::")
    shown = socket.gethostname() if wild else host
    name = f"[{shown}]" if ":" in shown else shown
    url = f"http://{name}:{chosen}/" + (f"?token={token}" if token else "")
    hosts = () if wild else tuple({host.lower(), *(_LOOPBACK if local else ())})
    return Place(listener=listener, url=url, hosts=hosts, token=token)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve(runs: Mapping[str, RunView], place: Place, *, idle: float | None = None) -> None:
    """Serve until Ctrl-C; with `idle` until so many seconds without a request after the last run ended.

    Raises PageError where Starlette or uvicorn is not installed.
    """
    try:
        import uvicorn

        from autotelic.dashboard.page.server import application
    except ImportError as error:
        raise PageError(f"the page needs {error.name}", "install it: pip install -e '.[page]'") from error

    app = application(runs, hosts=place.hosts, token=place.token)
    asked = [time.monotonic()]

    async def counted(scope: object, receive: object, send: object) -> None:
        asked[0] = time.monotonic()
        await app(scope, receive, send)  # type: ignore[arg-type]
        asked[0] = time.monotonic()

    config = uvicorn.Config(
        counted, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    if idle is not None:
        watcher = threading.Thread(target=_until_idle, args=(server, runs, asked, idle), daemon=True)
        watcher.start()
    server.run(sockets=[place.listener])


def _until_idle(server: object, runs: Mapping[str, RunView], asked: list[float], idle: float) -> None:
    over: Callable[[], bool] = lambda: all(not run.health().process for run in runs.values())  # noqa: E731
    while True:
        time.sleep(min(5.0, idle))
        if time.monotonic() - asked[0] > idle and over():
            server.should_exit = True  # type: ignore[attr-defined]
            return


def _listening(host: str, port: int, *, any_instead: bool) -> socket.socket:
    if not 0 <= port < 65_536:
        raise PageError(f"port {port} is none", "give a port from 1 to 65535, or 0 for any that is free")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE and any_instead:
                return _listening(host, 0, any_instead=False)
            raise
        listener.listen(128)
        return listener
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise PageError(
                f"port {port} is in use, maybe by another page",
                "give another --port, or 0 for any that is free",
            ) from error
        why = getattr(error, "strerror", "") or str(error)
        raise PageError(
            f"the page cannot listen at {host} port {port}: {why}", "give an address of this machine"
        ) from error
