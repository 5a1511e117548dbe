"""Several servers as one: nothing is lost with a server, nothing counted twice, and another model is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from completions_server import BASE, Peer, serving
from test_server import END, ask, flat, llama

from autotelic.errors import ModelError
from autotelic.learn.learner import logprob_gap
from autotelic.models.adapter import add_adapter, save_adapter
from autotelic.models.digest import digest_of
from autotelic.models.server import ServerSampler
from autotelic.models.servers import Servers
from autotelic.types import Turn

REQUESTS = [ask(n=1 + i % 2, seed=i, max_tokens=6) for i in range(12)]


def probe(turns: Sequence[Turn]) -> None:
    if not logprob_gap(llama(), turns) < 1e-3:
        raise ModelError("came back with other weights")


def servers_of(peers: Sequence[Peer], patience: float = 10.0, **changes: Any) -> Servers:
    found = Servers(
        [
            ServerSampler(
                peer.url,
                model=BASE,
                end_id=END,
                digest=digest_of(peer.model),
                timeout=20.0,
                patience=0.0,
                concurrency=4,
            )
            for peer in peers
        ],
        **({"patience": patience, "probe": probe} | changes),
    )
    found.find_model(BASE)
    return found


def expected() -> list[list[Turn]]:
    with serving(Peer(model=llama(), end_id=END)) as alone:
        return servers_of([alone]).sample(REQUESTS)


@pytest.fixture
def two() -> Any:
    with ExitStack() as stack:
        yield [stack.enter_context(serving(Peer(model=llama(), end_id=END))) for _ in range(2)]


def completions(peer: Peer) -> int:
    return sum(path == "/v1/completions" for path, _ in peer.asked)


def test_two_servers_share_the_work_and_give_what_one_gives(two: list[Peer]) -> None:
    for peer in two:
        peer.delay = 0.02
    servers = servers_of(two)
    assert servers.sample(REQUESTS) == expected()
    assert all(completions(peer) for peer in two)
    assert sum(map(completions, two)) == len(REQUESTS)
    assert all(peer.peak <= 4 for peer in two), "at most `concurrency` at once"
    assert servers.tokens == sum(len(turn.completion_ids) for turn in flat(expected()))
    assert servers.lost == {}


def test_what_a_server_loses_is_asked_again_with_its_seed_and_counts_once(two: list[Peer]) -> None:
    """The first server forgets its models for a few answers, as one that begins anew does."""
    servers = servers_of(two)
    two[0].first = [(404, {"error": {"message": "no such model"}}), (502, {})]
    assert servers.sample(REQUESTS) == expected()
    assert servers.lost[two[0].url] >= 1
    assert servers.tokens == sum(len(turn.completion_ids) for turn in flat(expected()))


def test_a_server_that_comes_back_is_given_the_adapter_again(two: list[Peer], tmp_path: Path) -> None:
    model = llama()
    add_adapter(model, 4, seed=1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.add_(0.05)
    save_adapter(model, tmp_path / "adapter", base=BASE)
    seen: list[Turn] = []

    def of_adapter(turns: Sequence[Turn]) -> None:
        seen.extend(turns)
        assert logprob_gap(model, turns) < 1e-3

    servers = servers_of(two, probe=of_adapter)
    servers.load_adapter(tmp_path / "adapter")
    servers.digest = digest_of(model)
    before = servers.sample(REQUESTS)
    assert logprob_gap(model, flat(before)) < 1e-3
    two[0].models = {BASE: two[0].model}  # it began anew
    assert servers.sample(REQUESTS) == before
    assert servers.lost == {two[0].url: 1}
    assert len(two[0].models) == 2, "the adapter is there again"
    assert seen, "and was looked at before work was given"
    assert {turn.weights for turn in flat(before)} == {digest_of(model)}


def test_a_server_that_comes_back_with_another_model_ends_the_call(two: list[Peer]) -> None:
    servers = servers_of(two)
    other = llama()
    with torch.no_grad():
        next(other.parameters()).mul_(1.5)
    two[0].first = [(404, {})]
    two[0].models = {BASE: other}
    with pytest.raises(ModelError, match="came back with other weights"):
        servers.sample(REQUESTS)


def test_servers_that_are_all_gone_are_one_line_after_a_while() -> None:
    with serving(Peer(model=llama(), end_id=END)) as peer:
        servers = servers_of([peer], patience=0.2)
    with pytest.raises(ModelError, match=r"refuses connections|cannot be asked") as caught:
        servers.sample(REQUESTS)
    assert "\n" not in str(caught.value)


def test_what_is_wrong_with_an_answer_is_not_asked_again(two: list[Peer]) -> None:
    two[0].alter = two[1].alter = lambda answer: answer | {"model": "another"}
    with pytest.raises(ModelError, match="'another' that answered"):
        servers_of(two).sample(REQUESTS)
