"""How a run starts: what does not fit is said first, and a start that fails leaves nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from autotelic.charter import Charter
from autotelic.engine import start
from autotelic.engine.run import Run
from autotelic.engine.services import Controls
from autotelic.errors import AutotelicError, ModelError, RunError
from autotelic.judge.critic import LONGEST as READ_BY_THE_CRITIC
from autotelic.machine import Machine
from autotelic.record import is_run

sys.path.insert(0, str(Path(__file__).parent / "models"))
from pretrained import byte_level, llama, write

TEXTS = ["def f(x):\n    return x\n"] * 9


def charter(**sections: dict[str, Any]) -> Charter:
    """Of `tiny`, small."""
    values: dict[str, dict[str, Any]] = {
        "domain": {"name": "math", "levels": [1, 1]},
        "model": {"tiny": {"width": 32, "depth": 1, "heads": 2}},
        "exam": {"items_per_cell": 2, "levels": [1, 1]},
        "budget": {"seconds": 0.0, "generations": 1},
        "limits": {"require": "L0"},
    }
    return Charter.of(
        {name: values.get(name, {}) | sections.get(name, {}) for name in {**values, **sections}}
    )


def in_words(folder: Path, **domain: Any) -> Charter:
    """Of a model in a folder, asked in words."""
    given = charter(domain={"style": "natural", **domain})
    return Charter.of({**given.canonical(), "model": {"name": str(folder)}})


def begin(given: Charter, folder: Path, start_from: Path | None = None) -> Run:
    return start.begin(
        given,
        folder,
        machine=Machine(threads=1, workers=1),
        watch=None,
        start_from=start_from,
        source=None,
        controls=Controls(),
    )


# ── lengths ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_prompts_that_are_longer_than_the_model_are_said_before_there_is_a_folder(tmp_path: Path) -> None:
    tokenizer = byte_level(TEXTS)
    model = llama(len(tokenizer))
    model.config.max_position_embeddings = 128
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    with pytest.raises(
        ModelError, match=r"of prompt and 72 of answer\), and the model has 128; take lower"
    ) as caught:
        begin(in_words(tmp_path / "model"), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_answers_that_leave_no_room_are_said_with_what_would_fit(tmp_path: Path) -> None:
    given = charter(
        model={"tiny": {"width": 32, "depth": 1, "heads": 2, "context": 80}}, roles={"max_tokens": 79}
    )
    with pytest.raises(
        ModelError, match=r"set roles.max_tokens = \d+ or less, or take model.tiny.context = \d+"
    ):
        begin(given, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("longest", [1024, 4096])
def test_the_critic_reads_as_far_as_the_model(tmp_path: Path, longest: int) -> None:
    tokenizer = byte_level(TEXTS)
    model = llama(len(tokenizer))
    model.config.max_position_embeddings = longest
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    with begin(in_words(tmp_path / "model"), tmp_path / "run") as run:
        assert run.services.context == longest
        assert run.services.critic.context == min(longest, READ_BY_THE_CRITIC)


def test_the_critic_has_a_row_for_whatever_the_model_can_write(tmp_path: Path) -> None:
    """Models have rows to spare, and one that knows nothing yet writes them, too."""
    tokenizer = byte_level(TEXTS)
    llama(len(tokenizer) + 40).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    with begin(in_words(tmp_path / "model"), tmp_path / "run") as run:
        assert run.services.critic.model.transformer.wte.num_embeddings == len(tokenizer) + 40


# ── what is left behind ──────────────────────────────────────────────────────────────────────────────────────


def failing(*given: Any, **named: Any) -> Any:
    raise ModelError("it was no good", "give another")


@pytest.mark.parametrize("where", ["check_lengths", "save", "equip", "draw_sealed", "_parent"])
@pytest.mark.parametrize("there", [False, True])
def test_a_start_that_fails_leaves_nothing_and_the_next_one_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, there: bool
) -> None:
    folder = tmp_path / "run"
    if there:
        folder.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(start, where, failing)
        with pytest.raises(ModelError, match="it was no good"):
            begin(charter(), folder)
    assert list(folder.iterdir()) == [] if there else not folder.exists()
    with begin(charter(), folder) as run:
        assert is_run(run.folder.path)


def test_an_interrupt_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*given: Any, **named: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "equip", interrupt)
    with pytest.raises(KeyboardInterrupt):
        begin(charter(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_was_in_the_way_stays(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="not empty"):
        begin(charter(), tmp_path / "run")
    assert (tmp_path / "run" / "thesis.txt").read_text() == "all of it"
    with begin(charter(), tmp_path / "other"):
        pass
    before = sorted(path.name for path in (tmp_path / "other").iterdir())
    with pytest.raises(RunError, match="already holds a run"):
        begin(charter(), tmp_path / "other")
    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == before


# ── a run to go on from ──────────────────────────────────────────────────────────────────────────────────────


def test_a_champion_that_was_changed_is_not_gone_on_from(real_run: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(real_run, tmp_path / "copy"))
    given = Charter.of({**charter().canonical(), "domain": {"name": "python", "levels": [1, 1]}})
    with begin(given, tmp_path / "one", copy) as run:
        assert run.services.parameters
    weights = copy / "champion" / "model.safetensors"
    tensors = load_file(weights)
    next(iter(tensors.values())).flatten()[0] += 1
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="champion was changed after it was saved"):
        begin(given, tmp_path / "two", copy)
    shutil.rmtree(copy / "champion")
    with pytest.raises(RunError, match="has no champion yet"):
        begin(given, tmp_path / "two", copy)
    assert not (tmp_path / "two").exists()


def test_a_model_is_named_alike_at_every_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a folder, or by the name under which it was pulled."""
    from autotelic.models.registry import folder_of

    monkeypatch.setenv("AUTOTELIC_CACHE", str(tmp_path))
    pulled = write(tmp_path / "models" / "own--model", TEXTS)
    (pulled / "model.json").write_text("{}")
    assert folder_of("own/model") == folder_of(pulled) == pulled
    for name, says in (
        ("tiny", "random weights"),
        ("own/other", "models pull own/other"),
        ("/no/where", "not exist"),
    ):
        with pytest.raises(ModelError, match=says):
            folder_of(name)


def test_a_home_that_nobody_knows_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from autotelic.models.registry import cache_dir, folder_of

    with pytest.raises(AutotelicError, match="no home folder"):
        folder_of("~nosuchuser/model")
    for name in ("HOME", "XDG_CACHE_HOME", "AUTOTELIC_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4242424)
    with pytest.raises(AutotelicError, match="set AUTOTELIC_CACHE"):
        cache_dir()
