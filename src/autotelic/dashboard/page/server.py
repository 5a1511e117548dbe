"""The web application: routes, and the rules that every answer keeps.

Starlette is imported here alone. Handlers that read a journal are plain functions, so that Starlette runs them in
threads: a long query of one reader keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autotelic.dashboard.page import exams, first, lists, measured, plots, seen, shell, tables, words, works
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.report import render
from autotelic.errors import AutotelicError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from any other host, and no script but ours: what a model wrote can run nothing here."""
FROZEN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of the report, which has its style inside, and no script at all."""
POLL = 0.5
"""Seconds between two looks at a journal for a reader that waits."""
_BEAT = 10.0
"""Seconds after which a silent stream says that it is there."""
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "txt": "text/plain"}
_COOKIE = "autotelic_token"
View = Callable[[RunView, Request], str]
Data = Callable[[RunView, Request], Response]


def application(runs: Mapping[str, RunView], *, hosts: Sequence[str] = (), token: str = "") -> ASGIApp:
    """The page of these runs. `hosts` are names in the Host header that are answered (none means any), `token`
    what a reader must know ("" means nothing).
    """

    def home(request: Request) -> Response:
        if len(runs) == 1:
            return RedirectResponse(next(iter(runs.values())).url)
        return Page(shell.document("Runs", first.overview(runs)))

    def compare(request: Request) -> Response:
        names = request.query_params.getlist("r") or list(runs)
        chosen = [runs[name] for name in dict.fromkeys(names) if name in runs]
        for run in chosen:
            run.refresh()
        return Page(shell.document("Compare", measured.compared(chosen)))

    async def events(request: Request) -> Response:
        run = runs.get(request.path_params["run"])
        if run is None:
            return _no_run(request.path_params["run"])
        said = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        after = int(said) if said.isdecimal() and len(said) < 19 else 0
        return StreamingResponse(
            _events(run, after, request),
            media_type="text/event-stream",
            headers={"cache-control": "no-store"},
        )

    routes = [
        Route("/", home),
        Route("/compare", compare),
        Route("/static/{name}", _static),
        Route("/r/{run}/events", events),
        *(Route(f"/r/{{run}}{path}", _shown(runs, title, mark, view)) for path, title, mark, view in _VIEWS),
        *(Route(f"/r/{{run}}{path}", _answered(runs, make)) for path, make in _DATA),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={404: _lost}), hosts, token)


def _shown(runs: Mapping[str, RunView], title: str, mark: str, view: View) -> Callable[[Request], Response]:
    """A handler that shows a view of the run in its address. `mark` is the entry of the menu."""

    def handler(request: Request) -> Response:
        run = runs.get(request.path_params["run"])
        if run is None:
            return _no_run(request.path_params["run"])
        run.refresh()
        status = 200
        with run.lock:
            try:
                body = view(run, request)
            except AutotelicError as error:
                body, status = f"<h1>{escape(title)}</h1>" + shell.alert(str(error)), 404
            return Page(shell.document(f"{title}, {run.name}", body, run, view=mark), status)

    return handler


def _answered(runs: Mapping[str, RunView], make: Data) -> Callable[[Request], Response]:
    """A handler that answers with data of the run in its address."""

    def handler(request: Request) -> Response:
        run = runs.get(request.path_params["run"])
        if run is None:
            return _no_run(request.path_params["run"])
        run.refresh()
        with run.lock:
            try:
                return make(run, request)
            except AutotelicError as error:
                return PlainTextResponse(f"{error}\n", 404)

    return handler


def _cell(run: RunView, request: Request) -> str:
    return measured.cell(run, _path(request, "mode"), _path(request, "level"))


def _path(request: Request, name: str) -> str:
    return str(request.path_params[name])


class Page(HTMLResponse):
    """A page in UTF-8. What UTF-8 cannot spell (half a surrogate pair, in a model's text) is escaped."""

    def render(self, content: Any) -> bytes:
        return str(content).encode("utf-8", "backslashreplace")


class Guard:
    """The rules of every answer: a Host that is ours, a token where one is asked for, a strict policy."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], token: str) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", POLICY)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers["cross-origin-resource-policy"] = "same-origin"
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refused = self._refused(scope)
        await (refused or self.app)(scope, receive, strict)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = _without_port(headers.get("host", ""))
        if self.hosts and host not in self.hosts:
            # A page of another site that has its name point here would otherwise read the run.
            return PlainTextResponse(
                f"The address {host[:80]!r} is not one of this page; open it as it was printed.\n", 421
            )
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("The page only shows: it takes GET and HEAD.\n", 405)
        if not self.token:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token", "")
        if given and _same(given, self.token):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            path = scope["path"] if not scope["path"].startswith("//") else "/"
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(_COOKIE, self.token, httponly=True, samesite="strict")
            return answer
        if _same(Request(scope).cookies.get(_COOKIE, ""), self.token):
            return None
        return PlainTextResponse("This page asks for its token: open the address that was printed.\n", 401)


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[").lower()
    return host.partition(":")[0].lower()


async def _events(run: RunView, after: int, request: Request) -> AsyncIterator[str]:
    """A line for each change: the id of the last message and whether the run goes on. Goes on from `after`."""
    said: tuple[int, str] | None = None
    quiet = 0.0
    yield "retry: 1000\n\n"
    while not await request.is_disconnected():
        now = await run_in_threadpool(lambda: (run.newest(), run.health().state))
        if now != said and (said is not None or now[0] != after):
            quiet = 0.0
            yield f"id: {now[0]}\ndata: {json.dumps({'id': now[0], 'state': now[1]})}\n\n"
        elif quiet >= _BEAT:
            quiet = 0.0
            yield ": here\n\n"
        said = now
        await asyncio.sleep(POLL)
        quiet += POLL


def _static(request: Request) -> Response:
    name = str(request.path_params["name"])
    place = files("autotelic.dashboard.page").joinpath("static")
    if name == "page.css":
        return Response(shell.stylesheet(), media_type="text/css", headers={"cache-control": "no-cache"})
    if name not in {entry.name for entry in place.iterdir()}:
        return PlainTextResponse("There is no such file.\n", 404)
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(place.joinpath(name).read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


def _picture(run: RunView, request: Request) -> Response:
    content, kind = seen.picture(run, str(request.path_params["name"]))
    # A digest names these bytes and no others, so they never change.
    return Response(content, media_type=kind, headers={"cache-control": "max-age=31536000, immutable"})


def _report(run: RunView, request: Request) -> Response:
    """What `report.html` would be if it were written now: the same function makes both."""
    return Page(render(run), headers={"content-security-policy": FROZEN})


def _plot(run: RunView, request: Request) -> Response:
    name, kind = str(request.path_params["name"]), str(request.path_params["kind"])
    known = plots.plots_of(run.story)
    if name not in known or kind not in ("json", "svg", "csv"):
        return PlainTextResponse(f"There is no such plot; there are {', '.join(known)}.\n", 404)
    made = known[name](run.story)
    if kind == "json":
        return Response(plots.as_json(made), media_type="application/json")
    if kind == "csv":
        return _rows(*plots.as_rows(made), name=f"{run.name}-{name}", kind="csv")
    return Response(
        plots.as_svg(made),
        media_type="image/svg+xml",
        headers={"content-disposition": f'attachment; filename="{run.name}-{name}.svg"'},
    )


def _table(run: RunView, request: Request) -> Response:
    table, query = str(request.path_params["table"]), request.query_params
    with run.journal() as journal:
        if table == "tasks":
            head, rows = lists.task_rows(journal, query)
        elif table == "proposals":
            head, rows = lists.proposal_rows(journal, query)
        elif table == "updates":
            head, rows = measured.update_rows(journal)
        elif table == "generations":
            head, rows = lists.GENERATION_HEAD, lists.generation_rows(run.story, words=False)
        else:
            return PlainTextResponse(
                "There is no such table; there are tasks, proposals, updates and generations.\n", 404
            )
    return _rows(head, rows, name=f"{run.name}-{table}", kind=str(request.path_params["kind"]))


def _exam_table(run: RunView, request: Request) -> Response:
    name = str(request.path_params["name"])
    kind = str(request.path_params["kind"])
    return _rows(*exams.exam_rows(run, name), name=f"{run.name}-exam", kind=kind)


def _rows(head: Sequence[str], rows: Sequence[Sequence[Any]], *, name: str, kind: str) -> Response:
    """A table as a file, CSV or Parquet."""
    if kind not in tables.KINDS:
        return PlainTextResponse(f"A table is {' or '.join(tables.KINDS)}.\n", 404)
    content, media = tables.KINDS[kind](head, rows)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    disposition = f'attachment; filename="{safe}.{kind}"'
    return Response(content, media_type=media, headers={"content-disposition": disposition})


def _json(value: Any) -> Response:
    return Response(json.dumps(value), media_type="application/json")


def _no_run(name: str) -> Response:
    body = shell.alert(f"This page shows no run {name[:80]!r}; go to the list of runs")
    return Page(shell.document("No run", f"<h1>No run</h1>{body}"), 404)


def _lost(request: Request, error: Exception) -> Response:
    body = shell.alert("There is no such view; go to the list of runs")
    return Page(shell.document("No view", f"<h1>No view</h1>{body}"), 404)


_VIEWS: tuple[tuple[str, str, str, View], ...] = (
    ("", "Now", "", lambda run, q: first.first_screen(run)),
    ("/tasks", "Tasks", "tasks", lambda run, q: lists.tasks(run, q.query_params)),
    ("/proposals", "Proposals", "proposals", lambda run, q: lists.proposals(run, q.query_params)),
    ("/attempts", "Attempts", "attempts", lambda run, q: lists.attempts(run, q.query_params)),
    ("/generations", "Generations", "generations", lambda run, q: lists.generations(run)),
    ("/task/{id}", "Task", "-", lambda run, q: works.task(run, _path(q, "id"))),
    ("/attempt/{id}", "Attempt", "-", lambda run, q: works.attempt(run, _path(q, "id"))),
    ("/proposal/{id}", "Proposal", "-", lambda run, q: works.proposal(run, _path(q, "id"))),
    ("/message/{id}", "Message", "-", lambda run, q: works.message(run, _path(q, "id"))),
    ("/generation/{id}", "Generation", "-", lambda run, q: works.generation(run, _path(q, "id"))),
    ("/cell/{mode}/{level}", "Kind of task", "-", _cell),
    ("/exam/{name}", "Exam", "exam/sealed", lambda run, q: exams.exam(run, _path(q, "name"), q.query_params)),
    ("/then-and-now", "Then and now", "then-and-now", lambda run, q: exams.then_and_now(run)),
    ("/critic", "Critic", "critic", lambda run, q: measured.critic(run)),
    ("/learning", "Learning", "learning", lambda run, q: measured.learning(run)),
    ("/oversight", "Oversight", "oversight", lambda run, q: measured.oversight(run)),
    ("/words", "Words", "words", lambda run, q: words.view(run)),
    ("/charter", "Charter", "charter", lambda run, q: measured.charter(run)),
)  # fmt: skip
"""Views of a run: path, title, entry of the menu (`-` is none), and what shows it."""
_DATA: tuple[tuple[str, Data], ...] = (
    ("/report", _report),
    ("/plot/{name}.{kind}", _plot),
    ("/{table}.{kind}", _table),
    ("/exam/{name}/items.{kind}", _exam_table),
    ("/picture/{name}", _picture),
    ("/json/{what}", lambda run, q: _json(works.plain(run, _path(q, "what")))),
)
"""What programs ask of a run: path, and what answers."""
