"""Completions from a server: the `Sampler` seam over HTTP, for vLLM and whatever speaks as it does.

    requests ──► POST completions, one a request, so many at a time ──► checked ──► turns
    adapter ───► POST load_lora_adapter, named by its digest ──► the model that is asked from then on

The server is a process of its own, in an environment of its own. What is required of it:

- It takes prompts as token ids, and returns the ids it sampled: as `token_ids` (`return_token_ids`, vLLM
  0.10.2 and later) or as `token_id:123` (`return_tokens_as_token_ids`, before). A server that returns only
  text is refused, because text re-tokenized need not give the ids that were sampled.
- It returns each id's log-probability at temperature 1, before any sampling rule: `--logprobs-mode
  raw_logprobs`, vLLM's default. Others look no different here, and `logprob_gap` is what finds them. So a
  request's temperature is 1, or 0: at any other the log-probabilities would be of another distribution than
  the one that was sampled from.
- It ends a completion at `end_id` and nowhere else but the limit, and keeps the end token's id. A model whose
  generation config names more end tokens needs `--generation-config vllm`.
- For `load_adapter`: LoRA adapters that can be loaded while it runs, and a file system on which the
  adapter's folder has the same path.

        VLLM_ALLOW_RUNTIME_LORA_UPDATING=True vllm serve MODEL --dtype float32 --enable-lora \
            --max-lora-rank 16 --generation-config vllm

`top_p`, `top_k` and the penalties are sent as what changes nothing: a server takes its own from the model's
generation config otherwise, and then samples from another distribution than the one it reports.

Run against vLLM 0.32 on a CPU in fp32: log-probabilities, an adapter's too, are within 2e-6 of the learner's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors

from autotelic.errors import ModelError
from autotelic.models.digest import digest_of
from autotelic.models.wire import SPEAK, Wire, said
from autotelic.types import Request, Turn

_PLAIN = {
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
}
_NAME = "lora-"
"""What the names of our adapters begin with."""
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
_LORA = "start vLLM with --enable-lora, in an environment where VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"


class ServerSampler:
    """Samples from an OpenAI-compatible server. Implements the `Sampler` seam.

    `url` ends where paths such as `/completions` begin: `http://127.0.0.1:8000/v1`. `model` is the name the
    server knows the base model by, `digest` that of its weights, which no server tells: whoever started it
    says. At most `concurrency` requests are under way at once, each with `timeout` seconds to be answered in.
    A server that refuses connections or answers 503 (it is starting, or full) is tried again for `patience`
    seconds in all; nothing else is, because nothing else says that no work was done. A seed gives the same
    answer only where the server's own arithmetic does not depend on what else it runs.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        end_id: int,
        digest: str,
        key: str = "",
        concurrency: int = 32,
        timeout: float = 600.0,
        patience: float = 30.0,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency = {concurrency} asks for nothing at all; make it 1 or more")
        self._wire = Wire(url, key=key, timeout=timeout, patience=patience)
        self.model = model
        self.end_id = end_id
        self.digest = digest
        self.concurrency = concurrency
        self.tokens = 0
        """Completion tokens sampled so far."""
        self.prefilled = 0
        """Prompt tokens sent so far, once a request."""
        self.seconds = 0.0
        self._adapter = ""

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._wire.url

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order.

        Raises ValueError for a request that nobody could meet; ModelError for a temperature other than 0 and
        1, and where the server cannot be reached, refuses, or answers anything but what was asked. One
        failure ends all.
        """
        began = time.perf_counter()
        check(requests)
        if not requests:
            return []
        threads = ThreadPoolExecutor(min(self.concurrency, len(requests)), thread_name_prefix="sample")
        try:
            turns = list(threads.map(self.complete, requests))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        self.tokens += sum(len(turn.completion_ids) for siblings in turns for turn in siblings)
        self.prefilled += sum(len(request.prompt_ids) for request in requests)
        self.seconds += time.perf_counter() - began
        return turns

    def sync(self) -> str:
        """The digest of what the server samples with: the model it was started with, or the last adapter."""
        return self.digest

    def load_adapter(self, folder: Path) -> str:
        """Have the server sample with a LoRA adapter, a folder in PEFT's format; the digest of its tensors.

        Turns are the adapter's from then on, and the adapter before it is unloaded. Raises ModelError where
        the folder holds no adapter or the server does not take one.
        """
        folder = folder.resolve()
        digest = _digest_of_adapter(folder)
        # Named by what is in it: under one name for all, vLLM would go on using keys and values that it has
        # kept of prompts run with the adapter before.
        name = f"{_NAME}{digest.removeprefix('sha256:')[:16]}"
        if name not in self._served():
            status, answer = self._wire.ask(
                "/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)}
            )
            if status != 200:
                raise ModelError(f"{self._wire.url} did not load {folder}: {status} {said(answer)}", _LORA)
            if name not in self._served():
                raise ModelError(
                    f"{self._wire.url} says that it loaded {folder}, and does not serve it", _LORA
                )
        before, self._adapter, self.digest = self._adapter, name, digest
        if before not in ("", name):
            status, answer = self._wire.ask("/unload_lora_adapter", {"lora_name": before})
            if status not in (200, 404):  # 404: the server began anew and never knew it
                raise ModelError(f"{self._wire.url} did not unload {before}: {status} {said(answer)}", _LORA)
        return digest

    def base_model(self, wanted: str) -> str:
        """The name of the model without an adapter: `wanted` if it is served, else the only one that is.

        Raises ModelError where there are several, or none.
        """
        names = sorted(
            name for name, parent in self._cards().items() if not parent and not name.startswith(_NAME)
        )
        if wanted in names:
            return wanted
        if len(names) == 1:
            return names[0]
        raise ModelError(
            f"{self._wire.url} serves {', '.join(names) or 'no model'}, and not {wanted}",
            "start it with the model that the charter names",
        )

    def _served(self) -> set[str]:
        """Names of the models that the server can be asked for."""
        return set(self._cards())

    def _cards(self) -> dict[str, str]:
        """The models that the server can be asked for, each with the one it is an adapter of, if it is
        one.
        """
        answer = self._wire.get("/models")
        try:
            return {str(card["id"]): str(card.get("parent") or "") for card in answer["data"]}
        except (AttributeError, KeyError, TypeError) as error:
            raise ModelError(f"{self._wire.url}/models lists no models: {answer!r:.200}", SPEAK) from error

    def complete(self, request: Request) -> list[Turn]:
        """One request's turns."""
        # Greedy siblings are one and the same, and vLLM takes no n above 1 for them.
        n = 1 if request.temperature == 0 else request.n
        name = self._adapter or self.model
        answer = self._wire.post(
            "/completions",
            _PLAIN
            | {
                "model": name,
                "prompt": list(request.prompt_ids),
                "n": n,
                "max_tokens": request.max_tokens,
                "temperature": request.temperature,
                "seed": _seed_of(request),
                "stop_token_ids": [self.end_id],
                "logprobs": 1,
                "return_token_ids": True,
                "return_tokens_as_token_ids": True,
            },
        )
        try:
            if answer["model"] != name:
                raise _AnswerError(f"it is {answer['model']!r} that answered, and {name!r} was asked")
            choices = sorted(answer["choices"], key=lambda choice: int(choice["index"]))
            if len(choices) != n:
                raise _AnswerError(f"{len(choices)} completions came, and {n} were asked for")
            turns = [self._turn(request, choice) for choice in choices]
        except _AnswerError as wrong:
            raise ModelError(
                f"{self._wire.url} answered what cannot be learned from: {wrong}", SPEAK
            ) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"{self._wire.url} answered in no form known here ({type(error).__name__}: {error})", SPEAK
            ) from error
        return turns if n == request.n else turns * request.n

    def _turn(self, request: Request, choice: Mapping[str, Any]) -> Turn:
        prompt = choice.get("prompt_token_ids")
        if prompt is not None and tuple(prompt) != request.prompt_ids:
            raise _AnswerError("its prompt is not the prompt that was sent")
        ids, logprobs = _sampled(choice)
        if not 0 < len(ids) <= request.max_tokens:
            raise _AnswerError(
                f"a completion of {len(ids)} tokens, and 1 to {request.max_tokens} were asked for"
            )
        if len(logprobs) != len(ids):
            raise _AnswerError(f"{len(logprobs)} log-probabilities for {len(ids)} tokens")
        if not all(math.isfinite(p) and p <= 1e-4 for p in logprobs):
            raise _AnswerError(f"log-probabilities that are none, {min(logprobs)} to {max(logprobs)}")
        if self.end_id in ids[:-1]:
            raise _AnswerError(
                f"a completion ran on past the end token {self.end_id}; it ignores `stop_token_ids`"
            )
        ended = ids[-1] == self.end_id
        if not ended and len(ids) < request.max_tokens:
            raise _AnswerError(
                f"a completion ended ({choice.get('finish_reason')}) after {len(ids)} of {request.max_tokens} tokens "
                f"at token {ids[-1]}, which is not the end token {self.end_id}; if the model has several, start "
                "vLLM with --generation-config vllm"
            )
        return Turn(
            prompt_ids=request.prompt_ids,
            completion_ids=ids,
            logprobs=logprobs,
            weights=self.digest,
            stop="eos" if ended else "length",
        )


class _AnswerError(Exception):
    """What is wrong with an answer that came."""


def check(requests: Sequence[Request]) -> None:
    """Raises ValueError for a request that nobody could meet; ModelError for a temperature other than 0 and 1."""
    for i, request in enumerate(requests):
        if not request.prompt_ids or request.max_tokens < 1 or request.n < 1 or request.temperature < 0:
            raise ValueError(
                f"request {i} needs a prompt, max_tokens >= 1, n >= 1 and temperature >= 0; got {request!r:.200}"
            )
        if request.temperature not in (0.0, 1.0):
            raise ModelError(
                f"a server gives log-probabilities at temperature 1; {request.temperature:g} was asked for",
                "set roles.temperature = 1.0, or sample in this process",
            )


def _sampled(choice: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Ids and log-probabilities of a choice, ids in either form a server may give them."""
    logprobs = choice.get("logprobs")
    if not isinstance(logprobs, Mapping) or logprobs.get("token_logprobs") is None:
        raise _AnswerError("it returns no log-probabilities")
    if (given := choice.get("token_ids")) is not None:
        ids = tuple(int(i) for i in given)
    else:
        marked = [str(token).partition("token_id:") for token in logprobs.get("tokens") or [""]]
        if not all(not before and number.isascii() and number.isdigit() for before, _, number in marked):
            raise _AnswerError("it returns text and no token ids, though `return_token_ids` was sent")
        ids = tuple(int(number) for _, _, number in marked)
    return ids, tuple(float(p) for p in logprobs["token_logprobs"])


def _seed_of(request: Request) -> int:
    """A seed in a server's range. Spread, because vLLM gives sibling i the seed plus i: those of neighbours
    would coincide."""
    state = np.random.SeedSequence(request.seed % 2**64).generate_state(1, np.uint64)
    return int(state[0]) >> 2


def _digest_of_adapter(folder: Path) -> str:
    missing = [name for name in _ADAPTER if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder} is no LoRA adapter: it has no {' and no '.join(missing)}",
            "give the folder that PEFT's `save_pretrained` wrote",
        )
    try:
        return digest_of(parse_safetensors((folder / _ADAPTER[1]).read_bytes()))
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{folder / _ADAPTER[1]} cannot be read: {error}", "save the adapter again"
        ) from error
