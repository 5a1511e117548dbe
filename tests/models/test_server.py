"""Sampling from a real HTTP server: ids and log-probabilities are the learner's own, and nothing broken passes."""

from __future__ import annotations

import copy
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from completions_server import BASE, Peer, merged, serving
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.errors import ModelError
from autotelic.learn.learner import logprob_gap
from autotelic.models.digest import digest_of
from autotelic.models.server import ServerSampler
from autotelic.types import Request, Turn

END, VOCABULARY = 1, 32


def llama() -> LlamaForCausalLM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        config = LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=128,
            initializer_range=0.3,
        )
        return LlamaForCausalLM(config).eval()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with serving(Peer(model=llama(), end_id=END)) as peer:
        yield peer


def sampler_of(peer: Peer, **changes: Any) -> ServerSampler:
    settings = {
        "model": BASE,
        "end_id": END,
        "digest": digest_of(peer.model),
        "timeout": 20.0,
        "patience": 0.0,
    }
    return ServerSampler(peer.url, **(settings | changes))


def ask(*, n: int = 1, seed: int = 0, temperature: float = 1.0, max_tokens: int = 12) -> Request:
    prompt = tuple(2 + (7 * seed + 3 * i) % (VOCABULARY - 2) for i in range(4 + seed % 5))
    return Request(prompt_ids=prompt, n=n, max_tokens=max_tokens, temperature=temperature, seed=seed)


MIXED = [ask(n=1 + i % 3, seed=i, temperature=(1.0, 0.0, 1.0)[i % 3], max_tokens=5 + i) for i in range(9)]


def name_of(digest: str) -> str:
    """What the server calls an adapter."""
    return f"lora-{digest.removeprefix('sha256:')[:16]}"


def flat(turns: list[list[Turn]]) -> list[Turn]:
    return [turn for siblings in turns for turn in siblings]


def adapter(folder: Path, model: LlamaForCausalLM, seed: int) -> Path:
    """A LoRA adapter in PEFT's format, with random weights."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, module in model.named_modules():
        if name.endswith("q_proj"):
            outputs, inputs = module.weight.shape
            for part, shape in (("A", (2, inputs)), ("B", (outputs, 2))):
                tensors[f"base_model.model.{name}.lora_{part}.weight"] = torch.randn(
                    *shape, generator=generator
                )
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 1, "peft_type": "LORA"}))
    return folder


# ── what is right ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["ids", "marked"])
def test_ids_and_logprobs_are_the_learners(peer: Peer, form: str) -> None:
    peer.form = form
    turns = sampler_of(peer).sample(MIXED)
    assert [len(siblings) for siblings in turns] == [r.n for r in MIXED]
    for request, siblings in zip(MIXED, turns, strict=True):
        for turn in siblings:
            assert turn.prompt_ids == request.prompt_ids
            assert turn.weights == digest_of(peer.model)
            assert turn.stop == ("eos" if turn.completion_ids[-1] == END else "length")
    assert {turn.stop for turn in flat(turns)} == {"eos", "length"}
    assert logprob_gap(peer.model, flat(turns)) < 1e-4


def test_other_weights_than_the_learners_are_seen(peer: Peer) -> None:
    turns = sampler_of(peer).sample(MIXED)
    learner = copy.deepcopy(peer.model)
    with torch.no_grad():
        learner.model.norm.weight.mul_(1.1)
    assert logprob_gap(learner, flat(turns)) > 1e-3


def test_a_seed_is_the_whole_of_the_randomness(peer: Peer) -> None:
    sampler = sampler_of(peer)
    first = sampler.sample([ask(n=3, seed=2**64 - 1)])
    assert sampler.sample([ask(n=3, seed=2**64 - 1)]) == first
    assert sampler.sample([replace(ask(n=3, seed=2**64 - 1), seed=5)]) != first


def test_neighbouring_seeds_stay_apart(peer: Peer) -> None:
    sampler_of(peer).sample([replace(ask(), seed=seed) for seed in range(20)])
    seeds = sorted(body["seed"] for _, body in peer.asked)
    assert min(b - a for a, b in pairwise(seeds)) > 2**16


def test_greedy_siblings_are_one_request_for_one(peer: Peer) -> None:
    (siblings,) = sampler_of(peer).sample([ask(n=4, temperature=0.0)])
    assert [body["n"] for _, body in peer.asked] == [1]
    assert len(siblings) == 4
    assert len(set(siblings)) == 1


def test_nothing_that_would_bend_the_distribution_is_left_to_the_server(peer: Peer) -> None:
    sampler_of(peer).sample([ask()])
    ((_, body),) = peer.asked
    assert (body["top_p"], body["top_k"], body["min_p"], body["repetition_penalty"]) == (1.0, 0, 0.0, 1.0)
    assert body["stop_token_ids"] == [END]


def test_no_more_are_under_way_than_allowed(peer: Peer) -> None:
    peer.delay = 0.02
    turns = sampler_of(peer, concurrency=3).sample([ask(seed=i) for i in range(12)])
    assert len(turns) == 12
    assert 1 <= peer.peak <= 3


def test_it_counts_as_the_decode_loop_does(peer: Peer) -> None:
    sampler = sampler_of(peer)
    turns = sampler.sample([ask(n=3, seed=1), ask(seed=2)])
    assert sampler.tokens == sum(len(turn.completion_ids) for turn in flat(turns))
    assert sampler.prefilled == len(ask(seed=1).prompt_ids) + len(ask(seed=2).prompt_ids)
    assert sampler.seconds > 0
    assert sampler.sample([]) == []


def test_a_key_is_sent_and_never_told(peer: Peer) -> None:
    peer.first = [(401, {"error": "Unauthorized"})]
    with pytest.raises(ModelError, match="401: Unauthorized") as caught:
        sampler_of(peer, key="secret-key").sample([ask()])
    assert peer.headers[0]["Authorization"] == "Bearer secret-key"
    assert "secret-key" not in str(caught.value)


# ── adapters ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_adapter_answers_once_it_is_loaded(peer: Peer, tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", peer.model, seed=1)
    sampler = sampler_of(peer)
    base = flat(sampler.sample(MIXED))
    digest = sampler.load_adapter(folder)
    turns = flat(sampler.sample(MIXED))
    assert digest == sampler.digest != digest_of(peer.model)
    assert {turn.weights for turn in turns} == {digest}
    assert logprob_gap(merged(peer.model, folder), turns) < 1e-4
    assert logprob_gap(peer.model, turns) > 1e-2
    assert logprob_gap(peer.model, base) < 1e-4


def test_the_adapter_before_it_is_unloaded(peer: Peer, tmp_path: Path) -> None:
    sampler = sampler_of(peer)
    first = sampler.load_adapter(adapter(tmp_path / "a", peer.model, seed=1))
    second = sampler.load_adapter(adapter(tmp_path / "b", peer.model, seed=2))
    assert first != second
    assert set(peer.models) == {BASE, name_of(second)}


def test_an_adapter_that_is_there_is_not_loaded_again(peer: Peer, tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", peer.model, seed=1)
    digest = sampler_of(peer).load_adapter(folder)
    again = sampler_of(peer)  # as after a restart of the run, not of the server
    assert again.load_adapter(folder) == again.load_adapter(folder) == digest
    assert [path for path, _ in peer.asked].count("/v1/load_lora_adapter") == 1
    assert flat(again.sample([ask()]))[0].weights == digest


def test_a_server_that_lost_the_adapter_says_so(peer: Peer, tmp_path: Path) -> None:
    sampler = sampler_of(peer)
    sampler.load_adapter(adapter(tmp_path / "a", peer.model, seed=1))
    del peer.models[name_of(sampler.digest)]
    with pytest.raises(ModelError, match=r"404: The model `lora-.* does not exist"):
        sampler.sample([ask()])


def test_a_server_without_adapters(peer: Peer, tmp_path: Path) -> None:
    peer.takes_adapters = False
    sampler = sampler_of(peer)
    with pytest.raises(
        ModelError, match=r"404 Not Found; start vLLM with --enable-lora.*RUNTIME_LORA_UPDATING"
    ):
        sampler.load_adapter(adapter(tmp_path / "a", peer.model, seed=1))
    assert sampler.digest == digest_of(peer.model)


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_folder_that_is_no_adapter(peer: Peer, tmp_path: Path, missing: str) -> None:
    folder = adapter(tmp_path / "a", peer.model, seed=1)
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=f"is no LoRA adapter: it has no {missing}"):
        sampler_of(peer).load_adapter(folder)


def test_a_damaged_adapter(peer: Peer, tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", peer.model, seed=1)
    (folder / "adapter_model.safetensors").write_bytes(b"torn")
    with pytest.raises(ModelError, match="cannot be read"):
        sampler_of(peer).load_adapter(folder)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([{"data": []}, "Success", {"data": []}], "says that it loaded .*, and does not serve it"),
        ([{"models": []}], "lists no models"),
        (["<html>"], "answered no JSON"),
    ],
)
def test_a_server_that_does_not_do_as_it_says(
    peer: Peer, tmp_path: Path, answers: list[Any], says: str
) -> None:
    peer.first = [(200, answer) for answer in answers]
    sampler = sampler_of(peer)
    with pytest.raises(ModelError, match=says):
        sampler.load_adapter(adapter(tmp_path / "a", peer.model, seed=1))
    assert sampler.digest == digest_of(peer.model)


def test_it_samples_with_what_it_was_given(peer: Peer, tmp_path: Path) -> None:
    sampler = sampler_of(peer)
    assert sampler.sync() == digest_of(peer.model)
    digest = sampler.load_adapter(adapter(tmp_path / "a", peer.model, seed=1))
    assert sampler.sync() == digest


def test_a_temperature_of_which_no_server_gives_the_log_probabilities(peer: Peer) -> None:
    with pytest.raises(ModelError, match=r"at temperature 1; 0\.7 was asked for; set roles\.temperature = 1"):
        sampler_of(peer).sample([ask(), ask(temperature=0.7)])
    assert not peer.asked


# ── what is wrong with a server ──────────────────────────────────────────────────────────────────────────────


def test_a_server_that_returns_no_ids(peer: Peer) -> None:
    peer.form = "text"
    with pytest.raises(ModelError, match="returns text and no token ids"):
        sampler_of(peer).sample([ask()])


def changed(**values: Any) -> Any:
    """An alteration of every choice; None takes a field away."""

    def alter(answer: dict[str, Any]) -> dict[str, Any]:
        for choice in answer["choices"]:
            choice.update(values)
        return answer

    return alter


def logprobs(*values: Any) -> dict[str, Any]:
    return {"token_logprobs": list(values), "tokens": []}


@pytest.mark.parametrize(
    ("alter", "says"),
    [
        (changed(logprobs=None), "returns no log-probabilities"),
        (changed(token_ids=[]), "0 tokens, and 1 to 12"),
        (changed(token_ids=[2] * 13), "13 tokens, and 1 to 12"),
        (changed(token_ids=[2, 3]), "log-probabilities for 2 tokens"),
        (changed(token_ids=[2, END, 3], logprobs=logprobs(-1, -1, -1)), "ran on past the end token 1"),
        (changed(token_ids=[2, 3], logprobs=logprobs(-1, -1), finish_reason="stop"), "token 3, which is not"),
        (changed(token_ids=[END], logprobs=logprobs(float("nan"))), "log-probabilities that are none"),
        (changed(token_ids=[END], logprobs=logprobs(0.5)), "log-probabilities that are none"),
        (changed(token_ids=[END], logprobs=logprobs(None)), "in no form known"),
        (changed(prompt_token_ids=[0, 2, 5]), "not the prompt that was sent"),
        (changed(index="x"), "in no form known"),
        (lambda answer: answer | {"choices": answer["choices"][:1]}, "1 completions came, and 2"),
        (lambda answer: answer | {"model": "another"}, "'another' that answered, and 'base' was asked"),
        (lambda answer: answer | {"choices": [3, 4]}, "in no form known"),
        (lambda answer: [], "in no form known"),
        (lambda answer: {}, "in no form known"),
        (lambda answer: "{torn", "answered no JSON"),
    ],
)
def test_a_malformed_answer(peer: Peer, alter: Any, says: str) -> None:
    peer.alter = alter
    with pytest.raises(ModelError, match=says):
        sampler_of(peer).sample([ask(n=2)])


def test_an_unknown_model(peer: Peer) -> None:
    with pytest.raises(ModelError, match="404: The model `other` does not exist"):
        sampler_of(peer, model="other").sample([ask()])


def test_a_server_that_is_busy_is_asked_again(peer: Peer) -> None:
    peer.first = [(503, "starting")] * 2
    turns = sampler_of(peer, patience=10.0).sample([ask()])
    assert logprob_gap(peer.model, flat(turns)) < 1e-4
    assert len(peer.asked) == 3


def test_patience_ends(peer: Peer) -> None:
    peer.first = [(503, "starting")] * 100
    with pytest.raises(ModelError, match=r"answers 503: starting, for 0\.3 s"):
        sampler_of(peer, patience=0.3).sample([ask()])
    assert 2 <= len(peer.asked) < 10


@pytest.mark.parametrize("status", [400, 429, 500])
def test_any_other_refusal_is_final(peer: Peer, status: int) -> None:
    peer.first = [(status, {"error": {"message": "out of\nmemory"}})]
    with pytest.raises(ModelError, match=f"{status}: out of memory"):
        sampler_of(peer, patience=10.0).sample([ask()])
    assert len(peer.asked) == 1


def test_nobody_there() -> None:
    with socket.socket() as held:  # a port that is taken, and not listened on
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        sampler = ServerSampler(url, model=BASE, end_id=END, digest="", patience=0.0)
        with pytest.raises(ModelError, match="refuses connections, for 0 s; start the server"):
            sampler.sample([ask()])


def test_a_slow_server(peer: Peer) -> None:
    peer.delay = 2.0
    with pytest.raises(ModelError, match=r"did not answer within 0\.2 s; raise timeout"):
        sampler_of(peer, timeout=0.2, patience=10.0).sample([ask()])
    assert len(peer.asked) == 1  # work may have been done: not asked again


def test_a_server_that_drips(peer: Peer) -> None:
    peer.drip = 0.05
    with pytest.raises(ModelError, match=r"did not answer within 0\.3 s"):
        sampler_of(peer, timeout=0.3).sample([ask()])


def test_one_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.recv(1 << 16)
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        sampler = ServerSampler(url, model=BASE, end_id=END, digest="", timeout=10.0)
        with pytest.raises(ModelError, match="cannot be asked"):
            sampler.sample([ask()])
        thread.join()


def test_one_failure_ends_all(peer: Peer) -> None:
    peer.first = [(500, "broken")]
    with pytest.raises(ModelError, match="500: broken"):
        sampler_of(peer, concurrency=1).sample([ask(seed=i) for i in range(50)])
    assert len(peer.asked) < 50


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://x/v1", "http://", "http://x:port/v1"])
def test_no_address(url: str) -> None:
    with pytest.raises(ModelError, match="is no address of a server"):
        ServerSampler(url, model=BASE, end_id=END, digest="")


def test_requests_nobody_could_meet(peer: Peer) -> None:
    with pytest.raises(ValueError, match="request 1 needs a prompt"):
        sampler_of(peer).sample([ask(), replace(ask(), prompt_ids=())])
    assert peer.asked == []
    with pytest.raises(ValueError, match="make it 1 or more"):
        sampler_of(peer, concurrency=0)
