"""Work by workers is the work of this process, to the bit, at any number of them and whichever dies."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from in_process import InProcess, NoCluster

from autotelic.charter import Charter
from autotelic.domains.capabilities import capabilities_of
from autotelic.engine import start
from autotelic.engine.cluster.plan import OutOfStepError, WorkerPlan, cpus_of
from autotelic.engine.cluster.seams import FarLearner, FleetSampler, ScatteredDomain
from autotelic.engine.cluster.workers import JudgeWorker, LearnerWorker, SamplerWorker, installed
from autotelic.engine.learner import learner_of
from autotelic.engine.services import open_world
from autotelic.errors import AutotelicError, ModelError, RunError
from autotelic.learn.pack import imitate, pack
from autotelic.loop import run
from autotelic.machine import Machine
from autotelic.messages import RunStarted
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.digest import digest_of
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.models.tokens import Tokens
from autotelic.record import Journal
from autotelic.types import Cell, Episode, Request
from autotelic.weights.load import load, save

CHARTER = Charter.of(
    {
        "domain": {"levels": [1, 1]},
        "model": {"tiny": {"width": 32, "depth": 2, "heads": 2}},
        "roles": {"max_tokens": 16},
        "curriculum": {
            "bootstrap_generations": 1,
            "tasks_per_generation": 24,
            "probe_tasks": 4,
            "group_size": 2,
        },
        "learn": {"batch_tokens": 512},
        "exam": {"items_per_cell": 1, "levels": [1, 1], "every": 2, "own_items": 2},
        "gate": {"items": 8, "answers": 1, "planned": 1},
        "budget": {"seconds": 0.0, "generations": 2},
    },
    where="test",
)
TEXTS = ["def f(x):\n    return x + 1", "def g(x):\n    return [v * 2 for v in x]"]


def never(kind: str, n: int) -> str:
    """Nobody dies."""
    return ""


def often(kind: str, n: int) -> str:
    """Some calls are lost before their work, and some after it. A learner has to be made again from its steps."""
    if kind == "learner":
        return {3: "after", 7: "before", 8: "before", 22: "after"}.get(n, "")
    return "before" if n % 11 == 2 else "after" if n % 13 == 5 else ""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a small random model, and its reference."""
    folder = tmp_path_factory.mktemp("model") / "start"
    tokenizer = train_tokenizer(TEXTS * 50, (), 300)
    return folder, save(
        build_tiny(tokenizer, width=32, depth=2, heads=2, context=256, seed=1), tokenizer, folder
    )


def plan_of(place: tuple[Path, str], threads: int = 2, **changed: Any) -> WorkerPlan:
    return WorkerPlan(
        **{
            "charter": CHARTER.canonical(),
            "machine": Machine(workers=1).canonical(),
            "threads": threads,
            "start": place[1],
            "folder": str(place[0]),
            "here": "",
            "versions": installed(),
        }
        | changed
    )


def requests(count: int) -> list[Request]:
    return [
        Request(prompt_ids=tuple(range(5, 8 + i % 4)), n=2, max_tokens=6 + i % 3, temperature=1.0, seed=i)
        for i in range(count)
    ]


@pytest.mark.parametrize(("workers", "fate"), [(1, never), (2, never), (3, often)])
def test_turns_are_those_of_the_local_loop_at_any_number_of_workers(
    place: tuple[Path, str], workers: int, fate: Any
) -> None:
    model = load(place[0]).model
    tokens = Tokens(load(place[0]).tokenizer, chat=False)
    pool = InProcess(SamplerWorker, plan_of(place, threads=3), size=workers, lanes=1, fate=fate)
    far = FleetSampler(model, pool, 3)
    local = Decoder(model, end_id=tokens.end_id, crew=Crew(3))
    for round_ in range(2):
        asked = requests(7 + round_)
        assert far.sample(asked) == local.sample(asked)
        assert (far.tokens, far.prefilled) == (local.tokens, local.prefilled)
        with torch.no_grad():
            next(model.parameters()).mul_(1.01)
        assert far.sync() == local.sync()
    assert bool(pool.deaths) == (fate is often)


def test_a_sampler_with_other_weights_is_noticed(place: tuple[Path, str]) -> None:
    model = load(place[0]).model
    pool = InProcess(SamplerWorker, plan_of(place), size=1, lanes=1, fate=never)
    far = FleetSampler(model, pool, 2)
    pool.live[0].decoder.digest = "sha256:other"
    pool.live[0].take = lambda sent: None
    with pytest.raises(RunError, match="sampled with the weights sha256:other"):
        far.sample(requests(2))


@pytest.mark.parametrize("fate", [never, often])
def test_a_far_learner_is_the_local_one_whatever_dies(place: tuple[Path, str], fate: Any) -> None:
    near, far_model = load(place[0]).model, load(place[0]).model
    local = learner_of(CHARTER, Machine(), near, Crew(2))
    pool = InProcess(LearnerWorker, plan_of(place), size=1, lanes=2, fate=fate)
    far = FarLearner(far_model, pool)
    batches = [pack([imitate([5, 6, i], [7, 8, 9 + i]), imitate([4, i], [3, 2])], 2) for i in range(6)]
    for at, batch in enumerate(batches):
        mine, theirs = local.step(batch, 0.5), far.step(batch, 0.5)
        assert (mine.loss, mine.grad_norm) == (theirs.loss, theirs.grad_norm)
        assert digest_of(near) == digest_of(far_model)
        if at == 2:
            one, other = local.state(), far.state()
            assert digest_of(one) == digest_of(other)
        if at == 4:  # go back, as a resume or a brake does
            for model, learner in ((near, local), (far_model, far)):
                with torch.no_grad():
                    next(model.parameters()).mul_(0.5)
                learner.restore(one)
    assert digest_of(local.state()) == digest_of(far.state())
    assert bool(pool.deaths) == (fate is often)


def test_a_step_that_was_made_is_not_made_again(place: tuple[Path, str]) -> None:
    """A call whose answer was lost is made again; the learner must not step twice."""
    model = load(place[0]).model
    pool = InProcess(LearnerWorker, plan_of(place), size=1, lanes=1, fate=never)
    far = FarLearner(model, pool)
    batch = pack([imitate([5, 6], [7, 8])], 2)
    worker = pool.live[0]
    first, again = worker.step(0, 0, batch, 1.0, None), worker.step(0, 0, batch, 1.0, None)
    assert first is again
    with pytest.raises(OutOfStepError):
        worker.step(0, 3, batch, 1.0, None)
    far.step(batch)
    assert digest_of(model) == first[1].digest


def test_judges_say_what_the_domain_here_says(place: tuple[Path, str]) -> None:
    with ExitStack() as resources:
        local = open_world(CHARTER, Machine(workers=1), resources).domain
        pool = InProcess(JudgeWorker, plan_of(place), size=2, lanes=1, fate=often)
        resources.callback(pool.close)
        far = ScatteredDomain(local, pool)
        assert capabilities_of(far) == capabilities_of(local)
        import numpy as np

        tasks = far.tasks(np.random.default_rng(0), [Cell(mode="deduction", level=1)] * 20)
        asked = [(t, Episode(task_id=t.id, steps=(), answer=str(i % 3))) for i, t in enumerate(tasks)]
        assert far.judge(asked) == local.judge(asked)
        assert far.judge([]) == []
        assert pool.deaths


def test_what_travels_is_checked(place: tuple[Path, str]) -> None:
    from autotelic.weights.travel import SentWeights, packed, unpacked

    model = load(place[0]).model
    sent = packed(model)
    with pytest.raises(ModelError, match="arrived as"):
        unpacked(SentWeights(digest="sha256:0", content=sent.content), model)
    cut = SentWeights(digest=sent.digest, content=sent.content[:-8])
    with pytest.raises(AutotelicError):
        unpacked(cut, model)
    assert digest_of(model) == sent.digest


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"folder": "/nowhere"}, "there is no model in /nowhere; give all nodes one file system"),
        ({"versions": {"torch": "0.1"}}, "it has torch .*, and the loop has 0.1; install the same versions"),
        ({"start": "sha256:0"}, "was changed after it was saved"),
    ],
)
def test_what_keeps_a_worker_from_beginning_is_one_line(
    place: tuple[Path, str], changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(AutotelicError, match=message) as caught:
        SamplerWorker().open(plan_of(place, **changed), 1)
    assert str(caught.value).startswith("a sampler on ")
    assert "\n" not in str(caught.value)


def test_a_worker_without_a_sandbox_says_so(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    charter = CHARTER.canonical()
    machine = Machine(workers=1).canonical()
    worker = JudgeWorker()
    why = "neither user namespaces nor a memory cgroup"
    monkeypatch.setattr("autotelic.sandbox.pool.supported", lambda: why)
    with pytest.raises(AutotelicError, match=f"a judge on .*{why}; run the engine in a Linux") as caught:
        worker.open(plan_of(place, charter=charter, machine=machine), 1)
    assert "\n" not in str(caught.value)


def test_a_model_is_sent_to_a_node_that_does_not_see_its_folder(place: tuple[Path, str]) -> None:
    from autotelic.engine.cluster.opening import _files

    worker = SamplerWorker()
    worker.open(plan_of(place, folder="/nowhere", files=_files(place[0])), 1)
    assert worker.decoder.digest == digest_of(load(place[0]).model)
    worker.close()


def champion(folder: Path) -> bytes:
    return (folder / "champion" / "model.safetensors").read_bytes()


def test_a_run_by_workers_that_die_is_the_run_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(CHARTER, tmp_path / "local", machine=Machine(threads=2, workers=1))
    made: list[NoCluster] = []

    def opened(machine: Machine, crew: Crew, opening: ExitStack) -> NoCluster | None:
        if machine.engine == "local":
            return None
        made.append(NoCluster(machine, crew.size, opening, often))
        return made[-1]

    monkeypatch.setattr(start, "open_cluster", opened)
    machine = Machine(threads=2, workers=1, engine="ray", samplers=2, judges=2)
    run(CHARTER, tmp_path / "far", machine=machine)
    assert champion(tmp_path / "far") == champion(tmp_path / "local")
    assert all(pool.deaths for pool in made[0].pools)
    assert sum(pool.size * pool.lanes for pool in made[0].pools) == cpus_of(machine, 2)
    with Journal.open(tmp_path / "far") as journal:
        started = journal.latest(RunStarted)
    assert started is not None
    assert started.machine["engine"] == "ray"
    assert started.versions["ray"] == "none"
