"""Nothing is left behind on the wrong device, and one that is not there is named in one line."""

from __future__ import annotations

import pytest
import torch
from second_device import LeftBehindError, second_device
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.errors import ModelError
from autotelic.learn.learner import PolicyLearner, logprob_gap
from autotelic.learn.losses import Clip
from autotelic.learn.pack import imitate, pack
from autotelic.models import placement
from autotelic.models.decode import Decoder
from autotelic.models.digest import copy_of, digest_of
from autotelic.types import Request
from autotelic.weights.tensors import put_into

REQUESTS = [
    Request(prompt_ids=(5, 6, 7 + i), n=2, max_tokens=5, temperature=float(i % 2), seed=i) for i in range(3)
]


def model_of(depth: int = 2) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=depth,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).train(False)


def learner_of(model: LlamaForCausalLM, optimiser: str) -> PolicyLearner:
    return PolicyLearner(
        model, lr_matrix=0.01, lr_other=0.01, clip=Clip(low=0.2, high=0.2, kl=0.0), optimiser=optimiser
    )


@pytest.mark.parametrize(("depth", "optimiser"), [(2, "muon"), (5, "adamw")])
def test_decoding_and_learning_leave_nothing_behind(depth: int, optimiser: str) -> None:
    here, model = model_of(depth), model_of(depth)
    turns = Decoder(here, end_id=1).sample(REQUESTS)
    batches = [pack([imitate([5, 6, i], [7, 8, 9 + i]), imitate([4, i], [3, 2])]) for i in range(2)]
    local = learner_of(here, optimiser)
    expected = [local.step(batch).loss for batch in batches]
    with second_device() as device:
        placement.placed(model, device)
        assert placement.where(model) == device
        assert {p.device.type for p in model.parameters()} == {device.type}
        there = Decoder(model, end_id=1).sample(REQUESTS)
        assert [[t.completion_ids for t in row] for row in there] == [
            [t.completion_ids for t in row] for row in turns
        ]
        assert logprob_gap(model, [t for row in there for t in row]) < 1e-4
        learner = learner_of(model, optimiser)
        assert [learner.step(batch).loss for batch in batches] == pytest.approx(expected, abs=1e-5)
        state = learner.state()
        learner.restore({name: placement.host(tensor) for name, tensor in state.items()})
        learner.step(batches[0])
        digest = digest_of(model)
        back = {name: placement.host(tensor) for name, tensor in copy_of(model).items()}
    plain = model_of(depth)
    put_into(plain, back)
    assert digest_of(plain) == digest


def test_the_second_device_notices_what_is_left_behind() -> None:
    with second_device() as device:
        a = torch.ones(3, device=device)
        with pytest.raises(LeftBehindError, match="is on cpu"):
            a + torch.ones(3)
        assert (a + 1).device == device
        assert placement.host(a * 2).tolist() == [2.0, 2.0, 2.0]
        with placement.scope(device):
            assert torch.zeros(2).device == device


def test_a_device_that_is_not_there_is_one_line() -> None:
    for name in ("cuda", "mps"):
        if not {"cuda": torch.cuda, "mps": torch.backends.mps}[name].is_available():
            with pytest.raises(
                ModelError, match=f"--device {name}: torch .* finds no such device here; install"
            ):
                placement.device_of(name)
    with pytest.raises(ModelError, match="device = 'tpu' is not known; give one of auto, cpu, cuda, mps"):
        placement.device_of("tpu")
    assert placement.device_of("auto").type in ("cpu", "cuda", "mps")


def test_a_crew_is_the_processors_way_only() -> None:
    assert placement.threads_of(torch.device("cpu"), 4) == 4
    assert placement.threads_of(torch.device("cuda"), 4) == 1


def test_what_to_do_where_memory_ran_out_is_said_in_the_devices_words() -> None:
    assert "nvidia-smi" in placement.advice(torch.device("cuda"))
    assert "Mac" in placement.advice(torch.device("mps"))
    assert placement.advice(torch.device("cpu")) == ""
    assert placement.most_memory(torch.device("cpu")) > 1 << 20


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_decodes_and_learns() -> None:
    model = placement.placed(model_of(), placement.device_of("cuda"))
    turns = [t for row in Decoder(model, end_id=1).sample(REQUESTS) for t in row]
    assert logprob_gap(model, turns) < 1e-4
    learner_of(model, "muon").step(pack([imitate([5, 6], [7, 8])]))
    assert placement.most_memory(placement.where(model)) > 0
