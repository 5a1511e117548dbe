"""A run that samples from a real HTTP server, which is given the learner's adapter after every update."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from completions_server import BASE, Peer, merged, serving
from pretrained import llama, write
from test_pretrained_run import TEXTS, charter, interrupt_at, tensors

from autotelic.charter import Charter
from autotelic.errors import CharterError, ModelError, RunError
from autotelic.learn.learner import logprob_gap
from autotelic.learn.probe import OURS, probe
from autotelic.loop import resume, run
from autotelic.machine import Machine, fits
from autotelic.messages import Probed
from autotelic.models.adapter import add_adapter, save_adapter
from autotelic.models.decode import Decoder
from autotelic.models.digest import digest_of
from autotelic.models.remote import KEPT, RemoteSampler
from autotelic.models.tokens import Tokens
from autotelic.record import Journal, RunFolder
from autotelic.types import Request
from autotelic.weights.load import load

pytestmark = pytest.mark.skipif(find_spec("peft") is None, reason="pip install -e '.[lora]'")
END = 2
ASKED = [Request(prompt_ids=(5, 9, 4 + at), n=2, max_tokens=10, temperature=1.0, seed=at) for at in range(4)]


def learner(seed: int = 0) -> Any:
    """A model whose adapter adds something."""
    model = llama()
    add_adapter(model, rank=4, seed=seed)
    stir(model, seed)
    return model


def stir(model: Any, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if ".lora_B" in name:
            p.data.copy_(torch.randn(p.shape, generator=generator) * 0.2)


@pytest.fixture
def peer() -> Iterator[Peer]:
    with serving(Peer(model=llama(), end_id=END)) as peer:
        yield peer


def remote(peer: Peer, model: Any, folder: Path, **changes: Any) -> RemoteSampler:
    return RemoteSampler(model, peer.url, **({"name": BASE, "end_id": END, "folder": folder} | changes))


# ── an adapter as a folder ───────────────────────────────────────────────────────────────────────────────────


def test_a_saved_adapter_is_one_that_peft_loads(tmp_path: Path) -> None:
    from peft import PeftModel

    model, ids = learner(), torch.tensor([[5, 9, 4, 7, 30, 2]])
    digest = save_adapter(model, tmp_path / "a", base="some/model")
    with torch.no_grad():
        again = PeftModel.from_pretrained(llama(), tmp_path / "a")(input_ids=ids).logits
        assert torch.allclose(again, model(input_ids=ids).logits, atol=1e-5)
        assert torch.allclose(merged(llama(), tmp_path / "a")(input_ids=ids).logits, again, atol=1e-4)
        assert not torch.allclose(again, llama()(input_ids=ids).logits, atol=1e-2)
    assert save_adapter(model, tmp_path / "a", base="some/model") == digest
    assert save_adapter(learner(1), tmp_path / "b", base="some/model") != digest
    assert {place.name for place in tmp_path.iterdir()} == {"a", "b"}


def test_a_model_without_an_adapter_has_none_to_save(tmp_path: Path) -> None:
    with pytest.raises((ModelError, ValueError), match="no adapter to save"):
        save_adapter(llama(), tmp_path / "a", base="some/model")
    assert not list(tmp_path.iterdir())


# ── the sampler ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_loaded_is_what_answers(peer: Peer, tmp_path: Path) -> None:
    model = learner()
    sampler = remote(peer, model, tmp_path)
    for seed in (1, 2, 3):
        stir(model, seed)
        assert sampler.sync() == digest_of(model) == sampler.digest
        turns = [turn for siblings in sampler.sample(ASKED) for turn in siblings]
        assert {turn.weights for turn in turns} == {digest_of(model)}
        assert logprob_gap(model, turns) < 1e-4
        assert len(list(tmp_path.iterdir())) <= KEPT
    assert sampler.tokens > 0
    assert sampler.prefilled == 3 * sum(len(r.prompt_ids) for r in ASKED)
    assert sampler.seconds > 0


def test_the_server_says_what_it_calls_the_model(peer: Peer, tmp_path: Path) -> None:
    sampler = remote(peer, learner(), tmp_path, name="smollm2-135m")
    assert sampler.server.model == BASE
    sampler.sync()
    assert remote(peer, learner(), tmp_path, name="smollm2-135m").server.model == BASE  # beside its adapter
    peer.models["another"] = peer.model
    assert remote(peer, learner(), tmp_path, name="another").server.model == "another"
    with pytest.raises(ModelError, match="serves another, base, and not smollm2-135m"):
        remote(peer, learner(), tmp_path, name="smollm2-135m")


def test_a_key_goes_to_the_server(peer: Peer, tmp_path: Path) -> None:
    remote(peer, learner(), tmp_path, key="secret")
    assert peer.headers[-1]["Authorization"] == "Bearer secret"


def test_a_temperature_of_which_servers_say_nothing_is_refused(peer: Peer, tmp_path: Path) -> None:
    sampler = remote(peer, learner(), tmp_path)
    with pytest.raises(ModelError, match=r"0\.7.*roles\.temperature"):
        sampler.sample([Request(prompt_ids=(5,), n=1, max_tokens=2, temperature=0.7, seed=0)])


# ── a run ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", TEXTS)


@pytest.fixture
def serve(folder: Path) -> Iterator[Peer]:
    found = load(folder)
    end_id = Tokens(found.tokenizer, chat=True).end_id
    with serving(Peer(model=found.model, end_id=end_id)) as peer:
        yield peer


def rules(folder: Path) -> Charter:
    return charter(folder, domain={"name": "math", "modes": ["solve"]}, model={"lora_rank": 4})


def at(peer: Peer) -> Machine:
    return Machine(threads=1, workers=1, server=peer.url)


def probes(place: Path) -> list[tuple[float, str, int]]:
    with Journal.open(place) as journal:
        found = [m for m in journal.read() if isinstance(m, Probed)]
    return [(m.gap, m.weights, m.tokens) for m in found]


def test_a_run_samples_from_a_server_and_hands_it_every_update(
    folder: Path, serve: Peer, tmp_path: Path
) -> None:
    run(rules(folder), tmp_path / "run", machine=at(serve))
    found = probes(tmp_path / "run")
    assert len(found) == 3  # at the start, and after each of two generations
    assert len({weights for _, weights, _ in found}) >= 2  # the last update of a budget has a rate of 0
    assert all(gap < 1e-4 and tokens > 0 for gap, _, tokens in found)
    loaded = [body["lora_name"] for path, body in serve.asked if path.endswith("/load_lora_adapter")]
    assert len(set(loaded)) >= 2
    asked = [body["model"] for path, body in serve.asked if path.endswith("/completions")]
    assert set(asked) == {BASE, *loaded}
    assert len(list(RunFolder.open(tmp_path / "run").adapters.iterdir())) <= KEPT


def test_a_run_that_was_cut_goes_on_with_the_server(folder: Path, serve: Peer, tmp_path: Path) -> None:
    run(rules(folder), tmp_path / "whole", machine=at(serve))
    run(rules(folder), tmp_path / "cut", machine=at(serve), watch=interrupt_at(2))
    serve.models = {BASE: serve.model}  # the server has begun anew
    resume(tmp_path / "cut")
    whole, cut = tensors(tmp_path / "whole"), tensors(tmp_path / "cut")
    assert {name: digest_of(whole[name]) for name in whole} == {name: digest_of(cut[name]) for name in cut}
    assert probes(tmp_path / "cut") == probes(tmp_path / "whole")


def test_a_server_with_another_model_is_found_out_before_anything_is_learned(
    folder: Path, serve: Peer, tmp_path: Path
) -> None:
    with torch.no_grad():
        serve.model.model.norm.weight.mul_(1.5)
    with pytest.raises(
        RunError,
        match=r"from the learner's, and 0\.001 is allowed in float32; serve the model that the run began from",
    ):
        run(rules(folder), tmp_path / "run", machine=at(serve))


def test_an_adapter_that_never_arrives_is_found_out(folder: Path, serve: Peer, tmp_path: Path) -> None:
    """The server says that it loaded the adapter, serves it by its name, and computes without it."""
    take = serve.take

    def lose(body: dict[str, Any]) -> Any:
        answer = take(body)
        serve.models[body["lora_name"]] = serve.model
        return answer

    serve.take = lose  # type: ignore[method-assign]
    with pytest.raises(RunError, match="adapters that may be loaded"):
        run(rules(folder), tmp_path / "run", machine=at(serve))


def test_a_run_without_its_server_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="start the server"):
        RemoteSampler(
            learner(), "http://127.0.0.1:9/v1", name=BASE, end_id=END, folder=tmp_path, patience=0.0
        )


def test_a_server_needs_an_adapter_to_be_given(folder: Path) -> None:
    with pytest.raises(CharterError, match=r"model\.lora_rank"):
        fits(Machine(server="http://127.0.0.1:8000/v1"), charter(folder))


# ── our own decode loop ──────────────────────────────────────────────────────────────────────────────────────


def test_a_decode_loop_with_other_weights_than_the_learners_is_found_out(folder: Path) -> None:
    found = load(folder)
    tokens = Tokens(found.tokenizer, chat=True)
    other = copy.deepcopy(found.model)
    with torch.no_grad():
        other.model.norm.weight.mul_(1.01)

    def probed(sampled: Any) -> Any:
        return probe(
            Decoder(sampled, end_id=tokens.end_id),
            found.model,
            tokens.prompts(["What is 1 + 1?"]),
            allowed=OURS["float32"],
            temperature=1.0,
            max_tokens=8,
            seed=0,
        )

    good = probed(found.model)
    assert good.passed
    assert good.weights == digest_of(found.model)
    assert not probed(other).passed
