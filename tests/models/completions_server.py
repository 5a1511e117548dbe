"""A real HTTP server, over a model in this process, with the part of vLLM's protocol that `ServerSampler` needs.

What it does with requests follows vLLM 0.32's entrypoints: it refuses greedy siblings, an unknown model, an adapter
that is loaded already; it names the model that answered; ids come in the form asked for, or as an older or lesser
server gives them (`form`).
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel

from autotelic.models.decode import Decoder
from autotelic.types import Request, Turn

Answer = tuple[int, Any]
BASE = "base"


def merged(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """A copy of the model with a LoRA adapter added to its weights: W + alpha / r * B A (arXiv:2106.09685)."""
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    whole = copy.deepcopy(model)
    with torch.no_grad():
        for name, a in tensors.items():
            if name.endswith(".lora_A.weight"):
                module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
                b = tensors[name.replace("lora_A", "lora_B")]
                whole.get_parameter(f"{module}.weight").add_(config["lora_alpha"] / config["r"] * b @ a)
    return whole


@dataclass
class Peer:
    """The server's state, and what a test makes it do wrong."""

    model: PreTrainedModel
    end_id: int
    form: str = "ids"
    takes_adapters: bool = True
    first: list[Answer] = field(default_factory=list)
    """Answered to the first requests, whatever they ask."""
    alter: Callable[[dict[str, Any]], Any] = lambda answer: answer
    """What becomes of every completion before it is sent."""
    delay: float = 0.0
    """Seconds before each completion."""
    drip: float = 0.0
    """Seconds between the bytes of each answer."""
    url: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peak: int = 0
    """The most completions under way at once."""

    def __post_init__(self) -> None:
        self.models = {BASE: self.model}
        self.under_way = 0
        self.counting, self.decoding = threading.Lock(), threading.Lock()

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        with self.counting:
            self.asked.append((path, body))
            if self.first:
                return self.first.pop(0)
        match path:
            case "/v1/models":
                return 200, {"data": [{"id": name} for name in self.models]}
            case "/v1/completions":
                return self.complete(body)
            case "/v1/load_lora_adapter" if self.takes_adapters:
                return self.take(body)
            case "/v1/unload_lora_adapter" if self.takes_adapters:
                return (
                    (200, "") if self.models.pop(body["lora_name"], None) else error(404, "no such adapter")
                )
        return 404, {"detail": "Not Found"}

    def take(self, body: dict[str, Any]) -> Answer:
        if body["lora_name"] in self.models:
            return error(400, f"The lora adapter '{body['lora_name']}' has already been loaded.")
        self.models[body["lora_name"]] = merged(self.model, Path(body["lora_path"]))
        return 200, "Success"

    def complete(self, body: dict[str, Any]) -> Answer:
        with self.counting:
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
        try:
            time.sleep(self.delay)
            if body["model"] not in self.models:
                return error(404, f"The model `{body['model']}` does not exist.")
            if body["temperature"] == 0 and body["n"] > 1:
                return error(400, f"n must be 1 when using greedy sampling, got {body['n']}.")
            if not 0 <= body["seed"] < 2**63 - body["n"]:
                return error(400, "seed out of range")
            asked = Request(
                prompt_ids=tuple(body["prompt"]),
                n=body["n"],
                max_tokens=body["max_tokens"],
                temperature=body["temperature"],
                seed=body["seed"],
            )
            with self.decoding:  # a `Decoder` is not for several threads
                (turns,) = Decoder(self.models[body["model"]], end_id=self.end_id).sample([asked])
            choices = [self.choice(at, turn) for at, turn in enumerate(turns)]
            # In no order: the index is what counts.
            return 200, self.alter({"model": body["model"], "choices": choices[::-1]})
        finally:
            with self.counting:
                self.under_way -= 1

    def choice(self, at: int, turn: Turn) -> dict[str, Any]:
        mark = "token_id:" if self.form == "marked" else ""  # a text of nothing but digits is a text
        choice: dict[str, Any] = {
            "index": at,
            "text": "words",
            "finish_reason": "stop" if turn.stop == "eos" else "length",
            "logprobs": {
                "token_logprobs": list(turn.logprobs),
                "tokens": [f"{mark}{i}" for i in turn.completion_ids],
            },
        }
        if self.form == "ids":
            choice |= {"token_ids": list(turn.completion_ids), "prompt_token_ids": list(turn.prompt_ids)}
        return choice


def error(status: int, message: str) -> Answer:
    return status, {"error": {"message": message, "type": "BadRequestError", "code": status}}


class _Handler(BaseHTTPRequestHandler):
    peer: Peer

    def do_GET(self) -> None:
        self.reply({})

    def do_POST(self) -> None:
        self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def reply(self, body: dict[str, Any]) -> None:
        self.peer.headers.append(dict(self.headers))
        status, answer = self.peer.answer(self.path, body)
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not self.peer.drip:
            with suppress(OSError):  # nobody listens any more
                self.wfile.write(data)
            return
        for byte in data:
            time.sleep(self.peer.drip)
            try:
                self.wfile.write(bytes([byte]))
            except OSError:  # nobody listens any more
                return

    def log_message(self, format: str, *args: Any) -> None: ...


class _Server(ThreadingHTTPServer):
    """Answers in threads that have ended when it is closed: one that still runs the model when the process
    ends would abort it.
    """

    request_queue_size = 128
    """Connections that wait to be taken up: the samplers' own limit is 32 at once, and past the 5 that are
    usual a busy machine resets them."""
    daemon_threads = False


@contextmanager
def serving(peer: Peer) -> Iterator[Peer]:
    """Serve on a free port of this machine while entered; `peer.url` says where."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"peer": peer}))
    peer.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def serve_folder(folder: str, port: int) -> None:
    """Serve the model of a folder on a port until the process ends: a server that a test can kill."""
    from autotelic.models.tokens import Tokens
    from autotelic.weights.load import load

    found = load(Path(folder))
    peer = Peer(model=found.model, end_id=Tokens(found.tokenizer, chat=True).end_id)
    _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"peer": peer})).serve_forever()
