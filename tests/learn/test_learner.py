"""The update: packed equals unpacked, a restored learner goes on bit for bit, a broken batch changes nothing."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTBigCodeConfig,
    GPTBigCodeForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from autotelic.errors import ModelError
from autotelic.learn.learner import (
    CHUNK,
    PolicyLearner,
    _Weights,
    predicted_logprobs,
    predicted_places,
    warmup_then_cooldown,
)
from autotelic.learn.losses import Clip
from autotelic.learn.pack import Trace, imitate, pack, reinforce
from autotelic.learn.recompute import Recompute
from autotelic.models.crew import Crew
from autotelic.models.digest import digest_of
from autotelic.types import Batch, Episode, Step, Turn

VOCABULARY = 40


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY,
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=256,
            embd_pdrop=0,
            resid_pdrop=0,
        )
    )


def bigcode() -> PreTrainedModel:
    return GPTBigCodeForCausalLM(
        GPTBigCodeConfig(
            vocab_size=VOCABULARY,
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=256,
            embd_pdrop=0,
            resid_pdrop=0,
        )
    )


def llama() -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    )


BUILD = {"bigcode": bigcode, "gpt2": gpt2, "llama": llama}


def built(name: str = "bigcode") -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return BUILD[name]().eval()


def learner_of(
    model: PreTrainedModel, *, policy: float = 1.0, kl: float = 0.1, how: str = "muon"
) -> PolicyLearner:
    return PolicyLearner(
        model,
        lr_matrix=0.02,
        lr_other=0.003,
        clip=Clip(kl=kl),
        policy=policy,
        optimiser=how,
    )


def traces(count: int = 12, seed: int = 0) -> list[Trace]:
    """Imitation and reinforcement by turns, lengths 6 to 45."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(count):
        ids = tuple(rng.integers(2, VOCABULARY, rng.integers(6, 46)).tolist())
        cut = len(ids) // 2
        if k % 2:
            found.append(imitate(ids[:cut], ids[cut:]))
        else:
            logprobs = tuple(rng.normal(-3.7, 0.1, len(ids) - cut).tolist())
            turn = Turn(
                prompt_ids=ids[:cut], completion_ids=ids[cut:], logprobs=logprobs, weights="", stop="eos"
            )
            found.append(
                reinforce(
                    Episode(task_id="", steps=(Step(turn=turn),), answer=""), float(rng.choice([-1.0, 1.0]))
                )
            )
    return found


@pytest.mark.parametrize("name", sorted(BUILD))
def test_packed_equals_one_at_a_time(name: str) -> None:
    """Nothing leaks from one segment of a row into another."""
    model, some = built(name), traces()
    batch = pack(some)
    assert batch.ids_BT.shape[0] < len(some)
    with torch.no_grad():
        together_S, _ = predicted_logprobs(model, batch, predicted_places(batch))
        flat = torch.zeros(batch.ids_BT.numel())
        flat[predicted_places(batch)] = together_S
        for one in some:
            logprob_TV = model(torch.from_numpy(one.ids)[None]).logits[0].log_softmax(-1)
            expected = logprob_TV[:-1].gather(1, torch.from_numpy(one.ids[1:, None]))[:, 0]
            first = int((torch.from_numpy(one.nll + one.policy) > 0).nonzero()[0, 0])
            row, start = _where(batch, one)
            at = row * batch.ids_BT.shape[1] + start
            torch.testing.assert_close(
                flat[at + first : at + len(one)], expected[first - 1 :], atol=1e-5, rtol=1e-5
            )


def _where(batch: Batch, one: Trace) -> tuple[int, int]:
    ids = torch.from_numpy(one.ids)
    for row, line in enumerate(batch.ids_BT):
        for start in (batch.position_BT[row] == 0).nonzero()[:, 0].tolist():
            if torch.equal(line[start : start + len(ids)], ids):
                return row, start
    raise AssertionError("the trace is not in the batch")


def test_changing_a_neighbour_changes_nothing() -> None:
    model, some = built(), traces(6)
    other = replace(some[3], ids=some[3].ids[::-1].copy())
    first, second = pack(some), pack([*some[:3], other, *some[4:]])
    same = first.ids_BT.flatten() == second.ids_BT.flatten()
    at_S = predicted_places(first)
    with torch.no_grad():
        a_S, _ = predicted_logprobs(model, first, at_S)
        b_S, _ = predicted_logprobs(model, second, at_S)
    row, start = _where(first, some[3])
    touched = torch.zeros_like(first.ids_BT, dtype=torch.bool)
    touched[row, start : start + len(some[3])] = True
    kept_S = ~touched.flatten()[at_S]
    assert not bool(same.all())
    assert torch.equal(a_S[kept_S], b_S[kept_S])


def test_chunks_change_neither_value_nor_gradient() -> None:
    model = built()
    batch = pack(traces(2 * CHUNK // 10))
    at_S = predicted_places(batch)
    assert len(at_S) > CHUNK
    whole_S, entropy_S = predicted_logprobs(model, batch, at_S)
    whole_S.sum().backward()
    in_chunks = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()
    halves = [predicted_logprobs(model, batch, part) for part in at_S.split(CHUNK)]
    torch.testing.assert_close(whole_S, torch.cat([h[0] for h in halves]))
    torch.testing.assert_close(entropy_S, torch.cat([h[1] for h in halves]))
    sum(h[0].sum() for h in halves).backward()
    for n, p in model.named_parameters():
        torch.testing.assert_close(p.grad, in_chunks[n], atol=1e-3, rtol=1e-4)


def test_entropy_is_that_of_the_whole_distribution() -> None:
    model, batch = built(), pack(traces(2))
    at_S = predicted_places(batch)
    with torch.no_grad():
        _, entropy_S = predicted_logprobs(model, batch, at_S)
    assert bool((entropy_S <= np.log(VOCABULARY) + 1e-5).all())
    assert bool((entropy_S > 3.0).all())  # random weights: nearly uniform


def test_one_grpo_step_has_the_loss_and_gradient_of_the_padded_reference() -> None:
    """Issue of every re-implementation: packed, chunked and masked must be GRPO still (TRL's `bnpo`, beta 0.1)."""
    model, some = built(), traces(12)[::2]
    learner = learner_of(model, kl=0.1)
    batch = pack(some)
    at_S = predicted_places(batch)
    logprob_S, _ = predicted_logprobs(model, batch, at_S)
    loss, _ = learner._loss(batch, logprob_S, at_S, _Weights.of(batch))
    loss.backward()
    ours = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()

    longest = max(map(len, some))
    ids_BT = torch.tensor(
        [[0] * (longest - len(t)) + t.ids.tolist() for t in some]
    )  # padded left, as TRL does
    seen_BT = torch.tensor([[0] * (longest - len(t)) + [1] * len(t) for t in some])
    position_BT = (seen_BT.cumsum(-1) - 1).clamp(min=0)

    def padded(name: str) -> torch.Tensor:
        return torch.stack([torch.from_numpy(np.pad(getattr(t, name), (longest - len(t), 0))) for t in some])[
            :, 1:
        ]

    logits_BTV = model(ids_BT, attention_mask=seen_BT, position_ids=position_BT).logits[:, :-1]
    logprob_BT = logits_BTV.log_softmax(-1).gather(2, ids_BT[:, 1:, None])[:, :, 0]
    mask_BT, old_BT, advantage_BT = padded("policy"), padded("logprob"), padded("advantage")
    ratio_BT = torch.exp(logprob_BT - old_BT)
    kl_BT = torch.exp(old_BT - logprob_BT) - (old_BT - logprob_BT) - 1
    loss_BT = -torch.min(ratio_BT * advantage_BT, ratio_BT.clamp(0.8, 1.28) * advantage_BT) + 0.1 * kl_BT
    expected = (loss_BT * mask_BT).sum() / mask_BT.sum()
    expected.backward()
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)
    for n, p in model.named_parameters():
        torch.testing.assert_close(p.grad, ours[n], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", sorted(BUILD))
@pytest.mark.parametrize("how", ["muon", "adamw"])
def test_it_learns_one_batch_by_heart(name: str, how: str) -> None:
    learner = learner_of(built(name), how=how)
    batch = pack(traces(6)[1::2])
    first = learner.step(batch)
    for _ in range(150):
        last = learner.step(batch)
    assert first.nll == pytest.approx(np.log(VOCABULARY), abs=0.3)
    assert last.nll < 0.1
    assert last.entropy < first.entropy


def test_temperature_is_of_the_policy_gradient_and_not_of_imitation() -> None:
    model, some = built(), traces(8)
    batch = pack(some)
    at_S = predicted_places(batch)
    policy_S = (batch.policy_BT > 0).flatten()[at_S]
    with torch.no_grad():
        plain_S, _ = predicted_logprobs(model, batch, at_S)
        cold_S, entropy_S = predicted_logprobs(model, batch, at_S, 0.5)
        assert torch.equal(plain_S[~policy_S], cold_S[~policy_S])
        assert float((plain_S[policy_S] - cold_S[policy_S]).abs().min()) > 0
        for one in some[::2]:
            logit_TV = model(torch.from_numpy(one.ids)[None]).logits[0, :-1] / 0.5
            expected = logit_TV.log_softmax(-1).gather(1, torch.from_numpy(one.ids[1:, None]))[:, 0]
            row, start = _where(batch, one)
            at = row * batch.ids_BT.shape[1] + start
            mine = (at_S >= at) & (at_S < at + len(one))
            torch.testing.assert_close(cold_S[mine], expected[-int(mine.sum()) :], atol=1e-5, rtol=1e-5)
    assert bool((entropy_S > 0).all())


def test_reinforced_tokens_grow_likelier_and_punished_ones_rarer() -> None:
    model = built()
    some = traces(8)[::2]
    batch = pack(some)
    at_S = predicted_places(batch)
    with torch.no_grad():
        before_S, _ = predicted_logprobs(model, batch, at_S)
    batch.logprob_BT.view(-1)[at_S] = before_S
    batch.reference_BT.view(-1)[at_S] = before_S
    report = learner_of(model, kl=0.0).step(batch)
    with torch.no_grad():
        after_S, _ = predicted_logprobs(model, batch, at_S)
    advantage_S = batch.advantage_BT.flatten()[at_S]
    assert {*advantage_S.tolist()} == {-1.0, 1.0}
    assert float(((after_S - before_S) * advantage_S).mean()) > 0
    assert report.clipped == 0.0
    assert report.kl == pytest.approx(0.0, abs=1e-6)


def test_restored_it_goes_on_bit_for_bit() -> None:
    batches = [pack(traces(8, seed)) for seed in range(6)]
    straight = learner_of(built())
    for batch in batches[:3]:
        straight.step(batch)
    again = learner_of(copy.deepcopy(straight.model))
    again.restore(straight.state())
    reports = [[learner.step(batch) for batch in batches[3:]] for learner in (straight, again)]
    assert digest_of(straight.model) == digest_of(again.model)
    assert [r.loss for r in reports[0]] == [r.loss for r in reports[1]]
    forgetful = learner_of(built())
    for batch in batches:
        forgetful.step(batch)
    assert digest_of(forgetful.model) == digest_of(straight.model)


def test_without_its_state_it_goes_elsewhere() -> None:
    batches = [pack(traces(8, seed)) for seed in range(4)]
    straight = learner_of(built())
    for batch in batches[:3]:
        straight.step(batch)
    fresh = learner_of(copy.deepcopy(straight.model))
    assert fresh.state() == {}
    straight.step(batches[3])
    fresh.step(batches[3])
    assert digest_of(straight.model) != digest_of(fresh.model)


def test_state_is_a_copy_and_names_parameters() -> None:
    learner = learner_of(built())
    learner.step(pack(traces()))
    state = learner.state()
    kept = {k: v.clone() for k, v in state.items()}
    learner.step(pack(traces()))
    assert all(torch.equal(kept[k], v) for k, v in state.items())
    assert "matrix/transformer.h.0.attn.c_attn.weight/momentum" in state
    assert "other/transformer.wte.weight/exp_avg" in state


def test_state_of_another_model_is_refused() -> None:
    learner = learner_of(built("gpt2"))
    with pytest.raises(ValueError, match=r"matrix/nothing.* fits no parameter"):
        learner.restore({"matrix/nothing.weight/momentum": torch.zeros(2)})


@pytest.mark.parametrize("field", ["advantage_BT", "logprob_BT", "nll_BT"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_broken_batch_changes_nothing(field: str, value: float) -> None:
    learner = learner_of(built())
    learner.step(pack(traces()))
    weights, state = digest_of(learner.model), learner.state()
    broken = pack(traces(8, 1))
    place = (broken.policy_BT > 0).nonzero()[0]
    getattr(broken, field)[place[0], place[1]] = -value if field == "logprob_BT" else value
    report = learner.step(broken)
    assert "not finite" in report.skipped
    assert digest_of(learner.model) == weights
    assert all(torch.equal(v, state[k]) for k, v in learner.state().items())
    after = learner.step(pack(traces(8, 2)))
    assert after.skipped == ""
    assert np.isfinite(after.loss)


def test_a_batch_without_weights_is_an_error() -> None:
    batch = pack(traces(4))
    batch.nll_BT.zero_()
    batch.policy_BT.zero_()
    with pytest.raises(ValueError, match="no token with a weight"):
        learner_of(built()).step(batch)


def test_a_first_token_cannot_be_predicted() -> None:
    batch = pack(traces(4))
    batch.nll_BT[0, 0] = 1.0
    with pytest.raises(ValueError, match="give it a prompt"):
        learner_of(built()).step(batch)


def test_it_says_nothing_on_the_side() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learner_of(built()).step(pack(traces()))


def test_rate_scales_every_step() -> None:
    learner = learner_of(built())
    weights = digest_of(learner.model)
    report = learner.step(pack(traces()), rate=0.0)
    assert digest_of(learner.model) == weights
    assert report.grad_norm > 0
    assert report.tokens == sum(map(len, traces()))


@pytest.mark.parametrize("name", sorted(BUILD))
def test_matrices_go_to_muon_and_the_rest_to_adamw(name: str) -> None:
    model = built(name)
    learner = learner_of(model)
    names = {p: n for n, p in model.named_parameters()}
    by = {kind: {names[p] for p in o.param_groups[0]["params"]} for kind, o in learner.optimisers.items()}
    assert by["matrix"] | by["other"] == set(names.values())
    assert not by["matrix"] & by["other"]
    assert all(model.get_parameter(n).ndim == 2 and "wte" not in n and "embed" not in n for n in by["matrix"])
    assert not any("lm_head" in n or "wpe" in n for n in by["matrix"])
    blocks = {names[p]: m.blocks for p, m in learner.optimisers["matrix"].matrices.items()}
    if name == "bigcode":
        assert blocks["transformer.h.0.attn.c_attn.weight"] == (32, 8, 8)
    if name == "gpt2":
        assert blocks["transformer.h.0.attn.c_attn.weight"] == (32, 32, 32)
        assert blocks["transformer.h.0.mlp.c_fc.weight"] == (128,)


def test_frozen_parameters_are_left_alone() -> None:
    model = built()
    frozen = model.transformer.h[0].mlp.c_fc.weight.requires_grad_(False)
    before = frozen.clone()
    learner_of(model).step(pack(traces()))
    assert torch.equal(frozen, before)


def test_an_unknown_optimiser() -> None:
    with pytest.raises(ModelError, match="one of muon, adamw"):
        learner_of(built(), how="sgd")


def test_rate_goes_up_stays_and_comes_down() -> None:
    rate = warmup_then_cooldown(4, 0.25)
    assert [rate(step, 0.0) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert [rate(100, p) for p in (0.5, 0.75, 0.875, 1.0)] == [1.0, 1.0, 0.5, 0.0]
    assert warmup_then_cooldown(0, 0.0)(0, 1.0) == 1.0


def count(calls: Counter[str], module: object, *_: object) -> None:
    calls[type(module).__name__] += 1


@pytest.mark.parametrize("size", [1, 2])
def test_activations_computed_twice_change_nothing_but_the_work(size: int) -> None:
    batch = pack(traces(40))
    found = []
    for checkpointing in (False, True):
        model, crew, calls = built("llama"), Crew(size), Counter[str]()
        model.model.layers[0].mlp.register_forward_pre_hook(partial(count, calls))
        learner = PolicyLearner(
            model,
            lr_matrix=0.02,
            lr_other=0.003,
            clip=Clip(kl=0.1),
            policy=1.0,
            checkpointing=checkpointing,
            crew=crew,
        )
        calls.clear()
        report = learner.step(batch)
        crew.close()
        assert not any(module.training for module in model.modules())  # nothing stays switched on
        found.append((report.loss, digest_of(model), calls.total()))
    (loss, weights, once), (again, others, twice) = found
    assert (loss, weights) == (again, others)
    assert twice == 2 * once


def test_blocks_that_cannot_compute_twice_are_named() -> None:
    class Plain(torch.nn.Module):
        pass

    with pytest.raises(ModelError, match="Plain cannot compute their activations again"):
        Recompute(Plain())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["bigcode", "llama"])
def test_a_crew_makes_the_same_update(name: str) -> None:
    """Shared out among threads, an update is the same but for rounding, and the same bits each time."""
    batch = pack(traces(40))
    outcomes = []
    for size in (1, 3, 3):
        model, crew = built(name), Crew(size)
        learner = PolicyLearner(
            model,
            lr_matrix=0.02,
            lr_other=0.003,
            clip=Clip(kl=0.1),
            policy=1.0,
            crew=crew,
        )
        reports = [learner.step(batch) for _ in range(3)]
        crew.close()
        outcomes.append((reports, [p.detach().clone() for p in model.parameters()], digest_of(model)))
    (alone, weights, _), (shared, others, digest), (_, _, again) = outcomes
    assert digest == again
    for one, other in zip(alone, shared, strict=True):
        for figure in ("loss", "nll", "policy", "kl", "clipped", "entropy", "grad_norm"):
            assert getattr(one, figure) == pytest.approx(getattr(other, figure), rel=1e-3, abs=1e-5), figure
    for one, other in zip(weights, others, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-2)
