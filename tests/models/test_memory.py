"""Out of memory: what a torch allocator says is known for what it is, and the size to try is said."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pretrained import llama

from autotelic.errors import ModelError
from autotelic.learn.learner import PolicyLearner
from autotelic.learn.losses import Clip
from autotelic.learn.pack import imitate, pack
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.digest import digest_of
from autotelic.models.memory import ran_out
from autotelic.types import Cell, Request

CELL = Cell(mode="solve", level=1)
ROWS = [tuple(range(3 + at, 23 + at)) for at in range(20)]


def hungry(above: int) -> Any:
    """A model that asks the allocator for a petabyte when it is given more than so many tokens."""
    model = llama()

    def ask(module: Any, args: Any) -> None:
        if args[0].numel() > above:
            torch.empty(1 << 50)

    model.get_input_embeddings().register_forward_pre_hook(ask)
    return model


def test_what_the_allocator_says_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50)
    assert ran_out(caught.value)
    assert ran_out(MemoryError())
    assert ran_out(torch.OutOfMemoryError("CUDA out of memory"))
    assert not ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_update_that_does_not_fit_says_what_to_try_and_changes_nothing(threads: int) -> None:
    model = hungry(above=150)
    learner = PolicyLearner(
        model,
        lr_matrix=0.02,
        lr_other=0.02,
        clip=Clip(low=0.2, high=0.28, kl=0.0),
        policy=1.0,
        crew=Crew(threads),
    )
    traces = [imitate(r[:5], r[5:]) for r in ROWS]
    before = digest_of(model)
    batch = pack(traces)
    with pytest.raises(
        ModelError,
        match=rf"an update on {batch.tokens} tokens.*try learn\.batch_tokens = {batch.tokens // 2}",
    ):
        learner.step(batch)
    assert digest_of(model) == before
    assert not learner.step(pack(traces[:4])).skipped


def test_decoding_that_does_not_fit_says_what_to_try() -> None:
    requests = [Request(prompt_ids=row, n=4, max_tokens=10, temperature=1.0, seed=0) for row in ROWS[:8]]
    with pytest.raises(
        ModelError, match=r"decoding 32 rows of up to 30 tokens.*try slots = 16, or roles\.max_tokens = 5"
    ):
        Decoder(hungry(above=150), end_id=2).sample(requests)
    assert Decoder(hungry(above=150), end_id=2).sample(requests[:4])


def test_another_error_stays_what_it_is() -> None:
    model = llama()

    def fail(module: Any, args: Any, kwargs: Any) -> None:
        raise RuntimeError("something else")

    decoder = Decoder(model, end_id=2)
    model.base_model.register_forward_pre_hook(fail, with_kwargs=True)
    with pytest.raises(RuntimeError, match="something else"):
        decoder.sample([Request(prompt_ids=(3, 4), n=1, max_tokens=2, temperature=1.0, seed=0)])


def test_long_prompts_decode_fewer_rows_at_once_and_say_the_same() -> None:
    """The keys and values of all rows together are bounded, so memory does not grow with the number of requests."""
    model = llama()
    requests = [
        Request(prompt_ids=row, n=3, max_tokens=6, temperature=1.0, seed=at) for at, row in enumerate(ROWS)
    ]
    whole = Decoder(model, end_id=2).sample(requests)
    # A row of this model keeps 2 layers x 2 x 2 heads x 8 x 4 bytes a token, 26 tokens long: room for three.
    small = Decoder(model, end_id=2, keep=3 * 26 * 256)
    assert [[t.completion_ids for t in s] for s in small.sample(requests)] == [
        [t.completion_ids for t in s] for s in whole
    ]
