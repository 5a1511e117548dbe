"""A domain served as an environment of OpenEnv: `autotelic domain serve games --port 8000`.

The wire is that of openenv-core 0.3, as its `EnvClient` speaks it: a WebSocket at /ws with messages `reset`, `step`,
`state` and `close`, an episode each; /schema and /health beside it. An action is `{"message": TEXT}`; an
observation has `message`. Nothing of OpenEnv is needed here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autotelic.domains.adapters.export import Environment, Exported
from autotelic.errors import AutotelicError, DomainError

LONGEST = 1 << 20
"""Characters of a message that are read."""
TEXT = {"message": {"type": "string", "title": "Message"}}
STATE = {"episode_id": {"type": "string"}, "step_count": {"type": "integer"}}


class Conversation:
    """One client's episodes: an answer to each of its messages."""

    def __init__(self, exported: Exported) -> None:
        self._environment: Environment = exported.environment()
        self._episodes = 0
        self._steps = 0

    def answer(self, text: str) -> dict[str, Any] | None:
        """The answer to a message; None where the client closes. What is no message is answered with an error."""
        try:
            message: Any = json.loads(text) if len(text) <= LONGEST else None
            kind, data = message["type"], message.get("data", {})
            if kind == "close":
                return None
            return self._answered(kind, data)
        except AutotelicError as error:
            return _error(str(error), "EXECUTION_ERROR")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            said = 'send {"type": "reset"}, or {"type": "step", "data": {"message": "..."}}'
            return _error(f"this is no message of OpenEnv; {said}", "VALIDATION_ERROR")

    def _answered(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if kind == "reset":
            seed = data.get("seed")
            shown = self._environment.reset(None if seed is None else int(seed))
            self._episodes, self._steps = self._episodes + 1, 0
            return _observation(shown, 0.0, False)
        if kind == "step":
            reply = data["message"]
            if not isinstance(reply, str):
                raise TypeError("no text")
            seen = self._environment.step(reply)
            self._steps += 1
            return _observation(*seen)
        if kind == "state":
            return {"type": "state", "data": {"episode_id": str(self._episodes), "step_count": self._steps}}
        raise KeyError(kind)


def _observation(shown: str, reward: float, done: bool) -> dict[str, Any]:
    return {
        "type": "observation",
        "data": {"observation": {"message": shown}, "reward": reward, "done": done},
    }


def _error(said: str, code: str) -> dict[str, Any]:
    return {"type": "error", "data": {"message": said, "code": code}}


def application(exported: Exported) -> Any:
    """The ASGI application. Raises DomainError where Starlette is missing."""
    try:
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse
        from starlette.routing import Route, WebSocketRoute
        from starlette.websockets import WebSocket, WebSocketDisconnect
    except ImportError:
        raise DomainError("starlette is not installed", "pip install -e '.[openenv]'") from None
    schema = {
        "action": {"type": "object", "title": "Reply", "properties": TEXT, "required": ["message"]},
        "observation": {"type": "object", "title": "Shown", "properties": TEXT},
        "state": {"type": "object", "title": "State", "properties": STATE},
    }

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        conversation = Conversation(exported)
        try:
            while (answer := conversation.answer(await socket.receive_text())) is not None:
                await socket.send_text(json.dumps(answer))
            await socket.close()
        except WebSocketDisconnect:
            return

    async def described(_: Any) -> JSONResponse:
        return JSONResponse(schema)

    async def healthy(_: Any) -> JSONResponse:
        return JSONResponse({"status": "healthy"})

    return Starlette(
        routes=[Route("/schema", described), Route("/health", healthy), WebSocketRoute("/ws", talk)]
    )


def serve(exported: Exported, host: str, port: int) -> None:
    """Serve until interrupted. Raises DomainError where uvicorn is missing or the address is taken."""
    import socket

    try:
        import uvicorn
    except ImportError:
        raise DomainError("uvicorn is not installed", "pip install -e '.[openenv]'") from None
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        raise DomainError(f"{host}:{port} cannot be listened at: {error}", "give another --port") from None
    print(f"http://{host}:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(application(exported), log_level="warning")).run([listening])
