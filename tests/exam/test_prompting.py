"""One exam under several prompts: examples that are no items of it, answers held to a form, a run's own beginning."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
import regex
from schoolroom import Schoolroom, task

from autotelic.charter import Charter
from autotelic.cli import main
from autotelic.domains.math import SPECIAL, MathDomain
from autotelic.errors import DomainError, ModelError
from autotelic.exam.prompting import Primed, Prompted, Prompting, best, draw_shots, sit_prompted
from autotelic.exam.sealed import Exam, draw_sealed
from autotelic.exam.sitting import Examinee, Seat, seated
from autotelic.models.load import save_model
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.record import Record, RunFolder
from autotelic.streams import stream
from autotelic.types import Cell

CHARTER = Charter.of(
    {
        "domain": {"name": "math", "modes": ["solve", "model"], "levels": [1, 2]},
        "model": {"context": 512},
        "roles": {"max_tokens": 24},
        "exam": {"levels": [1, 2], "items_per_cell": 3, "free_answers": 8},
        "limits": {"workers": 1},
        "budget": {"threads": 1},
    }
)
WAYS = [Prompting(shots=n, constrained=held) for n in (0, 3) for held in (False, True)]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    """A run folder as it is before its first checkpoint: what it began from, and the exam it committed to."""
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "a", CHARTER)
    domain = MathDomain(levels=(1, 2))
    tokenizer = train_tokenizer(domain.corpus(stream(0, "corpus"), 120), SPECIAL, 320)
    save_model(build_tiny(tokenizer, width=16, depth=1, heads=2, context=512, seed=0), tokenizer, run.start)
    cells = [Cell(mode=mode, level=level) for mode in CHARTER.domain.modes for level in (1, 2)]
    exam = draw_sealed(domain, CHARTER.seed, cells, items_per_cell=3, free_answers=8)
    with Record.open(run.path, "a") as record:
        record.emit("exam.sealed", digest=exam.digest, items=[], dropped_free=exam.dropped_free)
        record.commit()
    return run


@pytest.fixture(scope="module")
def seat(run) -> Iterator[Seat]:
    with seated(run.path, base=True) as seat:
        yield seat


@pytest.fixture(scope="module")
def sat(seat) -> list[Prompted]:
    return list(sit_prompted(seat, WAYS))


def test_every_way_of_asking_sits_the_same_exam(seat, sat):
    assert [one.prompting for one in sat] == WAYS
    for one in sat:
        assert one.report.digest == seat.exam.digest
        assert [*one.report.passed] == [item.id for item in seat.exam.items]
        assert one.report.sampled_at_1 is None
        assert one.seconds > 0
        assert one.sampled > 0
    assert sat[0].prompt_tokens == sat[1].prompt_tokens < sat[2].prompt_tokens == sat[3].prompt_tokens


def test_the_examples_of_a_mode_are_read_once(seat, sat):
    free, shown = sat[0], sat[2]
    examples = sum(len(ids) for ids in prompts_of(seat, 3)) - sum(len(ids) for ids in prompts_of(seat, 0))
    items = len(seat.exam.items)
    assert shown.prompt_tokens * items == pytest.approx(free.prompt_tokens * items + examples)
    # Once a mode and not once an item; the beginning that items share anyway is a few tokens.
    assert shown.prefilled <= free.prefilled + examples / (items / 2) + 2


def prompts_of(seat: Seat, count: int) -> list[tuple[int, ...]]:
    found = []
    for mode in CHARTER.domain.modes:
        shots = draw_shots(seat.examinee.domain, seat.exam, mode, count, stream(CHARTER.seed, "shots", mode))
        texts = [item.prompt for item in seat.exam.items if item.mode == mode]
        found += seat.examinee.tokens.primed(shots).prompts(texts)
    return found


def test_examples_are_right_easy_first_and_none_is_an_item(seat):
    domain = seat.examinee.domain
    sealed = {item.prompt for item in seat.exam.items}
    for mode in CHARTER.domain.modes:
        shots = draw_shots(domain, seat.exam, mode, 8, stream(1, mode))
        admitted = {
            task.prompt: task for task in domain.rules(stream(1, mode), [Cell(mode=mode, level=1)] * 200)
        }
        known = [(admitted[asked], said) for asked, said in shots if asked in admitted]
        assert known
        assert all(v.passed for v in domain.judge([(t, domain.answer(mode, said)) for t, said in known]))
        assert len({asked for asked, _ in shots}) == 8
        assert not sealed & {asked for asked, _ in shots}


def test_what_behaves_like_an_item_is_no_example():
    """Of twenty behaviours fifteen are sealed: the five others are all there is to show."""
    domain = Schoolroom(20)
    exam = Exam.of("sealed", [task("double", 1, 100_000 + at) for at in range(15)])
    shots = draw_shots(domain, exam, "double", 5, stream(0, "shots"))
    assert {asked for asked, _ in shots} == {f"double 1 {100_000 + at}\n" for at in range(15, 20)}
    with pytest.raises(DomainError, match="gave 5 examples of double that are not in the exam, of 6"):
        draw_shots(domain, exam, "double", 6, stream(0, "shots"))


def test_held_answers_have_the_form_of_their_mode_and_free_ones_need_not(seat):
    shots = {mode: [] for mode in CHARTER.domain.modes}
    texts = {}
    for held in (False, True):
        primed = Primed(seat.examinee, seat.examinee.sampler, shots, held)
        groups = primed.attempt(seat.exam.items, siblings=1, temperature=0.0, max_tokens=24, seed=0)
        assert [group.task.id for group in groups] == [item.id for item in seat.exam.items]
        decode = seat.examinee.tokens.decode
        texts[held] = [(g.task.mode, decode(g.attempts[0].turns[0].completion_ids)) for g in groups]
    form = seat.examinee.domain.form
    begins = {held: [regex.fullmatch(form(m), t, partial=True) for m, t in texts[held]] for held in texts}
    assert all(begins[True])
    assert not all(begins[False])


def test_prompts_that_do_not_fit_are_said_not_to(seat):
    (one,) = sit_prompted(seat, [Prompting(shots=60, constrained=False)])
    assert one.report is None
    assert one.absent.endswith("and 24 of answer; the model reads 512")
    assert best([one]) is None


def test_the_best_is_the_highest_and_the_plainest_of_equals(sat):
    assert best(sat).prompting == WAYS[0]  # of random weights, which pass nothing
    assert str(best(sat).prompting) == "zero-shot"
    assert [str(way) for way in WAYS[1:]] == ["zero-shot, constrained", "3 shots", "3 shots, constrained"]


def test_a_domain_without_forms_and_a_sampler_elsewhere_are_refused(seat):
    class Wordless(Schoolroom):
        pass

    tokens = seat.examinee.tokens
    examinee = Examinee(sampler=seat.examinee.sampler, tokens=tokens, domain=Wordless())
    with pytest.raises(
        DomainError, match=r"schoolroom domain says of no answer what form it has; .*--no-constrained"
    ):
        Primed(examinee, seat.examinee.sampler, {"double": []}, True)
    away = Seat(
        exam=seat.exam, examinee=Examinee(sampler=object(), tokens=tokens, domain=Wordless()), charter=CHARTER
    )
    with pytest.raises(ModelError, match="our own decode loop only"):
        list(sit_prompted(away, WAYS[:1]))


# ── autotelic exam RUN --base ────────────────────────────────────────────────────────────────────────────────


def test_the_command_prints_every_way_and_marks_the_best(run, capsys):
    asked = ["exam", str(run.path), "--base", "--shots", "0", "--shots", "2"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names = ["zero-shot", "zero-shot, constrained", "2 shots", "2 shots, constrained"]
    assert [one["name"] for one in told["prompts"]] == names
    assert told["best"] in names
    assert told["champion"] is told["gain_points"] is None
    assert {"solve/1", "solve/2", "model/1", "model/2"} == set(told["prompts"][0]["report"]["cells"])
    assert main([*asked, "--no-constrained"]) == 0
    out = capsys.readouterr().out
    assert "2 shots" in out
    assert "constrained" not in out


def test_the_champion_stands_beside_what_the_run_began_from(run, capsys, tmp_path):
    copy = RunFolder(shutil.copytree(run.path, tmp_path / "b"))
    score = {"value": 0.75, "low": 0.5, "high": 0.9, "n": 12}
    cells = {cell: {"pass_at_1": score} for cell in ("solve/1", "solve/2", "model/1", "model/2")}
    with Record.open(copy.path, "a") as record:
        record.emit("run.start", charter=CHARTER.canonical(), digest=CHARTER.digest, seed=0, model="tiny")
        for when in ("before", "after"):
            record.emit(
                "exam",
                exam="sealed",
                when=when,
                tokens=0,
                seconds=1.0,
                digest="",
                weights="",
                pass_at_1=score,
                cells=cells,
            )
        record.commit()
    assert main(["exam", str(copy.path), "--base", "--shots", "0", "--no-constrained", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["champion"]["pass_at_1"] == 0.75
    base = told["prompts"][0]["report"]["pass_at_1"]["value"]
    assert told["gain_points"] == pytest.approx(75 - 100 * base)
    assert main(["exam", str(copy.path), "--base", "--shots", "0", "--no-constrained"]) == 0
    assert "the champion against the best prompt: +" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base", "--shots", "65"], "--shots 65"),
        (["--shots", "0"], "has no champion yet"),
    ],
)
def test_what_cannot_be_sat(run, capsys, arguments, said):
    assert main(["exam", str(run.path), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_model_folder_has_no_base(run, capsys):
    assert main(["exam", str(run.start), "--base"]) == 2
    assert "is no run folder, so it has no base" in capsys.readouterr().err
