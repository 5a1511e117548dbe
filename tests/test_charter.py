"""A charter is read whole or refused with one line that says what to change."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autotelic import charter
from autotelic.charter import Charter
from autotelic.charter_text import RENAMED, flat, range_of, render, resolve, toml_value
from autotelic.commands import charters
from autotelic.errors import CharterError

ROOT = Path(__file__).parents[1]
BEFORE = """
purpose seed
domain.name domain.levels domain.style domain.modes
model.name model.width model.depth model.heads model.context model.vocabulary model.dtype model.checkpointing
model.lora_rank model.server model.from
roles.references roles.repair_turns roles.proposer_temperature roles.solver_temperature roles.max_tokens
feedback.verifier feedback.critic feedback.consensus feedback.certainty feedback.withhold feedback.shuffle
feedback.baseline feedback.critic_width feedback.critic_lr feedback.max_ece feedback.min_auroc
curriculum.bootstrap_generations curriculum.tasks_per_generation curriculum.actor_share curriculum.retention
curriculum.replay curriculum.cluster_quota curriculum.probe_tasks curriculum.group_size curriculum.drafted
curriculum.unlock curriculum.lead curriculum.explore
learn.optimiser learn.lr_matrix learn.lr_other learn.momentum learn.batch_tokens learn.warmup_steps
learn.cooldown learn.clip_low learn.clip_high learn.kl learn.normalise learn.anchor_every learn.policy
learn.practice learn.max_grad_norm
exam.items_per_cell exam.samples exam.levels exam.temperature exam.every exam.own_items exam.free_answers
gate.items gate.level
limits.wall_s limits.cpu_s limits.memory_mb limits.output_kb limits.workers limits.require
budget.seconds budget.tokens budget.generations budget.threads
"""
"""Every key of the charter at b78ef97."""
OLD = BEFORE.split()


def keys() -> set[str]:
    """Every setting, as `section.key`."""
    return set(flat(Charter().canonical()))


def sections() -> set[str]:
    """Every table, as `section` or `section.table`."""
    return {key.rpartition(".")[0] for key in keys()} - {""}


def table() -> str:
    """All settings as the guide shows them."""
    lines = ["| setting | default | unit, range | why | read by |", "|---|---|---|---|---|"]
    for key, value in flat(Charter().canonical()).items():
        place = resolve(charter.schema(), key)
        bounds = range_of(place).replace(" to 2**53", " or more").replace('"', "`")
        default = place.get("follows") or toml_value(value)
        why = place["description"].rpartition(" (")[0] + (" *rare*" if place["rare"] else "")
        unit = ", ".join(filter(None, (place["unit"], bounds)))
        lines.append(f"| `{key}` | `{default}` | {unit} | {why} | {place['owner']} |")
    return "\n".join(lines)


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "charter.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(CharterError) as caught:
        Charter.of(values)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_no_path_gives_the_default_and_so_does_its_own_text(tmp_path: Path) -> None:
    default = Charter.load()
    assert default == Charter()
    assert Charter.load(write(tmp_path, default.toml())) == default


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    loaded = Charter.load(write(tmp_path, "[curriculum]\ngroup_size = 4\n"))
    assert loaded.curriculum.group_size == 4
    assert loaded.replace({"curriculum.group_size": Charter().curriculum.group_size}) == Charter()


def test_the_digest_is_of_what_a_charter_means_and_not_of_how_it_is_written(tmp_path: Path) -> None:
    one = Charter.load(write(tmp_path, "seed = 3\n[budget]\nseconds = 60\ntokens = 0\n"))
    other = Charter.load(write(tmp_path, "# a comment\n[budget]\nseconds = 60.0\n[domain]\n")).replace(
        {"seed": 3}
    )
    assert one.digest == other.digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", one.digest)
    assert one.digest != one.replace({"seed": 4}).digest


@pytest.mark.parametrize("key", sorted(keys()))
def test_a_setting_has_a_unit_an_owner_that_exists_and_a_reason(key: str) -> None:
    place = resolve(charter.schema(), key)
    assert place["unit"]
    package = ROOT / "src" / "autotelic"
    assert (package / place["owner"]).is_dir() or (package / f"{place['owner']}.py").is_file()
    why = place["description"].removesuffix(f" ({place['unit']}; read by {place['owner']})")
    assert why != place["description"]
    assert why.endswith(".")
    assert len(why.split()) >= 5, why


def test_a_charter_is_frozen_and_can_be_a_key() -> None:
    with pytest.raises(ValidationError):
        Charter().seed = 3
    assert {Charter(): 1}[Charter()] == 1


@pytest.mark.parametrize(
    ("values", "near"),
    [
        (
            {"learn": {"lr_matix": 0.1}},
            "learn.lr_matix is no key of the charter; the nearest is learn.lr_matrix",
        ),
        ({"group_size": 3}, "group_size is no key of the charter; the nearest is curriculum.group_size"),
        (
            {"exam": {"memory_m": 1}},
            "exam.memory_m is no key of the charter; the nearest is limits.memory_mb",
        ),
        ({"feedbak": {"critic": 1.0}}, "feedbak is no key of the charter; the nearest is [feedback]"),
        ({"model": {"tny": {}}}, "model.tny is no key of the charter; the nearest is [model.tiny]"),
        (
            {"model": {"tiny": {"widht": 8}}},
            "model.tiny.widht is no key of the charter; the nearest is model.tiny.width",
        ),
        ({"": 3}, "is no key"),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_named(values: dict[str, Any], near: str) -> None:
    assert near in refusal(values)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(keys())), st.data())
def test_any_key_misspelt_by_a_letter_finds_its_way_back(key: str, data: st.DataObject) -> None:
    *section, name = key.split(".")
    cut = data.draw(st.integers(0, len(name) - 1))
    values: dict[str, Any] = {name[:cut] + "q" + name[cut:]: 1}
    for table in reversed(section):
        values = {table: values}
    message = refusal(values)
    assert message.endswith(f"the nearest is {key}")


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        (
            {"curriculum": {"group_size": 1}},
            ["curriculum.group_size = 1", "an integer, 2 to 1024", "the default is "],
        ),
        ({"curriculum": {"group_size": 8.0}}, ["curriculum.group_size = 8.0", "an integer, 2 to 1024"]),
        ({"seed": True}, ["seed = true", "expected an integer"]),
        ({"seed": 2**80}, [f"seed = {2**80}", "0 to 2**53"]),
        ({"learn": {"optimiser": "sgd"}}, ['learn.optimiser = "sgd"', '"muon" or "adamw"']),
        ({"limits": {"seconds": 0}}, ["limits.seconds = 0", "above 0, at most 600"]),
        ({"model": {"tiny": {"depth": 0}}}, ["model.tiny.depth = 0", "an integer, 1 to 2**53"]),
        ({"model": {"tiny": 3}}, ["model.tiny = 3", "expected a table", "[model.tiny]"]),
        ({"learn": {"imitation": float("inf")}}, ["learn.imitation = Infinity", "a number, 0 to 1"]),
        ({"exam": {"levels": [0, 1]}}, ["exam.levels = 0 in its list", "the default is domain.levels"]),
        ({"budget": {"seconds": float("nan")}}, ["budget.seconds = NaN", "a number"]),
        (
            {"domain": {"levels": [1, "2"]}},
            ['domain.levels = "2" in its list', "a list of 2, each an integer"],
        ),
        ({"domain": {"levels": [1, 2, 3]}}, ["domain.levels = [1, 2, 3]", "a list of 2"]),
        ({"domain": {"modes": [""]}}, ['domain.modes = "" in its list', "not empty"]),
        ({"exam": 3}, ["exam = 3", "expected a table", "[exam]"]),
        ({"purpose": ""}, ['purpose = ""', "not empty"]),
        ({"purpose": ["x" * 500]}, ["...", "expected text"]),
        # what no single key shows
        ({"domain": {"levels": [3, 1]}}, ["domain.levels = [3, 1]", "swap them"]),
        ({"exam": {"levels": [3, 1]}}, ["exam.levels = [3, 1]", "swap them"]),
        ({"domain": {"modes": ["deduction", "deduction"]}}, ["names a mode twice", "name each once"]),
        (
            {"model": {"tiny": {"width": 100, "heads": 3}}},
            ["model.tiny.heads = 3", "model.tiny.width = 100", "multiple of 6"],
        ),
        (
            {"model": {"name": "smollm2-135m", "tiny": {"width": 96}}},
            ["[model.tiny]", "'smollm2-135m' has its own", "leave [model.tiny] out"],
        ),
        (
            {"roles": {"max_tokens": 512}, "model": {"tiny": {"context": 512}}},
            ["roles.max_tokens = 512", "model.tiny.context = 512", "smaller"],
        ),
        (
            {"feedback": dict.fromkeys(("verifier", "critic", "consensus", "certainty"), 0)},
            ["every weight of [feedback] is 0", "set feedback.verifier"],
        ),
        (
            {"curriculum": {"spread": 0.9, "replay": 0.2}},
            ["curriculum.spread + replay = 1.1", "1 or less"],
        ),
        (
            {"learn": {"imitation": 0.7, "policy": 0.4}},
            ["the shares of [learn] sum to 1.2", "bring them to 1"],
        ),
        (
            {"learn": {"imitation": 0, "own": 0, "policy": 0.5, "practice": 0, "form": 0.1}},
            ["the shares of [learn] sum to 0.6", "policy = 0.5"],
        ),
        (
            {"budget": {"seconds": 0, "tokens": 0, "generations": 0}},
            ["[budget] has no limit", "set budget.seconds"],
        ),
    ],
)
def test_a_wrong_value_says_what_was_got_what_was_expected_and_what_to_do(
    values: dict[str, Any], parts: list[str]
) -> None:
    message = refusal(values)
    assert all(part in message for part in parts), message


def test_the_first_of_several_problems_counts_the_others_and_check_lists_them(tmp_path: Path) -> None:
    path = write(tmp_path, "seed = -1\nsped = 3\n[learn]\noptimiser = 'sgd'\n")
    with pytest.raises(CharterError, match=r"seed = -1.*and 2 more.*charter check"):
        Charter.load(path)
    found = charter.check(path)
    assert [problem.cause.split(": ")[1].split()[0] for problem in found] == [
        "seed",
        "learn.optimiser",
        "sped",
    ]
    assert all(str(path) in problem.cause for problem in found)
    assert charter.check(write(tmp_path, "seed = 1")) == []


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is empty"),
        (b"# only a comment\n", "is empty"),
        (b"seed = \n", "is not TOML: Invalid value (at line 1"),
        (b"seed = 1\nseed = 2\n", "is not TOML: Cannot overwrite a value"),
        (b"purpose = '\xff'\n", "is not UTF-8 text (byte 11 is 0xff)"),
        (b"\x00\x01\x02", "is not TOML"),
        (b"a = " + b"[" * 5000, "is not TOML"),
        (b"seed = " + b"9" * 5000, "is not TOML"),
    ],
)
def test_a_file_that_is_no_charter_is_refused(tmp_path: Path, content: bytes, cause: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(CharterError) as caught:
        Charter.load(path)
    assert f"{path} {cause}" in str(caught.value)
    assert caught.value.fix
    assert caught.value.exit_code == 2
    assert [str(problem) for problem in charter.check(path)] == [str(caught.value)]


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CharterError, match="does not exist; give the path of a charter"):
        Charter.load(tmp_path / "none.toml")
    with pytest.raises(CharterError, match="is a folder; give the path of a charter"):
        Charter.load(tmp_path)
    with pytest.raises(CharterError, match="cannot be read: Not a directory"):
        Charter.load(write(tmp_path, "seed = 1") / "below")


def test_a_date_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(CharterError, match='seed = "2026-01-01", expected an integer'):
        Charter.load(write(tmp_path, "seed = 2026-01-01"))


def test_the_old_keys_are_those_of_the_charter_before() -> None:
    assert len(OLD) == len(set(OLD)) == 79
    assert set(RENAMED) == set(OLD) - keys()


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_an_old_key_is_refused_with_its_new_name_and_what_to_write(old: str) -> None:
    section, name = old.split(".")
    new, fix = RENAMED[old]
    message = refusal({section: {name: 1}})
    assert message.startswith(f"charter: {old} is ")
    assert message.endswith(f"; {fix}")
    assert new is None or (new in keys() and f"is now {new};" in message)


@pytest.mark.parametrize("old", ["budget.threads", "limits.workers", "model.server", "model.checkpointing"])
def test_what_went_to_the_machine_says_where_to_give_it(old: str) -> None:
    assert f"--{old.split('.')[1]}" in RENAMED[old][1]
    assert "machine.toml" in RENAMED[old][1]


def test_two_old_keys_that_became_one_are_two_problems(tmp_path: Path) -> None:
    path = write(tmp_path, "[limits]\nwall_s = 1.0\ncpu_s = 1.0\n[model]\nfrom = 'runs/a'\n")
    found = [str(problem) for problem in charter.check(path)]
    assert len(found) == 3
    assert "autotelic run --from FOLDER" in found[0]
    assert all("limits.seconds" in problem for problem in found[1:])


def test_the_levels_of_the_exam_follow_those_of_the_domain() -> None:
    left_out = Charter.of({"domain": {"levels": [2, 5]}})
    written = Charter.of({"domain": {"levels": [2, 5]}, "exam": {"levels": [2, 5]}})
    assert left_out.exam.levels == (2, 5)
    assert left_out.canonical()["exam"]["levels"] == [2, 5]
    assert (left_out, left_out.digest) == (written, written.digest)
    assert Charter.of(tomllib.loads(left_out.toml())) == left_out
    assert Charter.of({"exam": {"levels": [1, 8]}}).domain.levels == (1, 3)
    assert left_out.replace({"domain.levels": [2, 3]}).exam.levels == (2, 5)


def test_the_clip_is_that_of_dapo() -> None:
    learn = Charter().learn
    assert (learn.clip_low, learn.clip_high) == pytest.approx((0.2, 0.28))


@st.composite
def drawn(draw: st.DrawFn) -> Charter:
    """Charters with some settings drawn and the others at their default."""
    low, high = sorted(draw(st.tuples(st.integers(1, 64), st.integers(1, 64))))
    share = st.floats(0, 1)
    spread = draw(share)
    tiny = draw(st.booleans())
    changes = {
        "purpose": draw(st.text(min_size=1)),
        "domain.levels": [low, high],
        "domain.modes": draw(st.lists(st.text(min_size=1), unique=True, max_size=3)),
        "model.name": "tiny" if tiny else draw(st.text(min_size=1).filter(lambda name: name != "tiny")),
        "curriculum.spread": spread,
        "curriculum.replay": draw(st.floats(0, 1 - spread)),
        "repair.share": draw(share),
        "learn.clip": draw(st.floats(1e-9, 1)),
        "limits.require": draw(st.sampled_from(["L0", "L1", "L2", "L3"])),
        "seed": draw(st.integers(0, 2**53)),
    }
    if tiny:
        changes["model.tiny.width"] = 12 * draw(st.integers(1, 100))
    return Charter().replace(changes)


@settings(max_examples=100, deadline=None)
@given(drawn())
def test_any_charter_survives_being_written_as_toml_whole_or_short(given: Charter) -> None:
    for whole in (True, False):
        read = Charter.of(tomllib.loads(given.toml(whole=whole)))
        assert read == given
        assert read.digest == given.digest


@settings(max_examples=50, deadline=None)
@given(drawn(), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_the_digest(given: Charter, random: Random) -> None:
    def shuffled(values: dict[str, Any]) -> dict[str, Any]:
        names = random.sample(list(values), len(values))
        return {n: shuffled(values[n]) if isinstance(values[n], dict) else values[n] for n in names}

    assert Charter.of(shuffled(given.canonical())).digest == given.digest


def test_a_short_charter_hides_the_sizes_of_tiny_from_other_models_and_what_is_rarely_turned() -> None:
    own = Charter.of({"model": {"name": "smollm2-135m"}})
    shown = keys() - own.hidden()
    assert 30 <= len(shown) <= 40
    assert not any(key.startswith("model.tiny.") for key in shown)
    assert "[model.tiny]" not in own.toml(whole=False)
    assert "[model.tiny]" in own.toml()
    assert keys() - Charter().hidden() - shown == {key for key in keys() if key.startswith("model.tiny.")}


def test_a_rare_setting_that_was_turned_is_shown() -> None:
    assert "learn.clip" in Charter().hidden()
    turned = Charter().replace({"learn.clip": 0.1})
    assert "learn.clip" not in turned.hidden()
    assert "\nclip = 0.1\n" in turned.toml(whole=False)


def test_a_table_of_which_all_is_hidden_is_left_out() -> None:
    text = render(
        {"gate": {"items": 96, "alpha": 0.05}}, charter.schema(), frozenset({"gate.items", "gate.alpha"})
    )
    assert text == ""


def test_replace_changes_what_it_names_and_checks_it() -> None:
    changed = Charter().replace({"model.tiny.width": 96, "seed": 3, "domain.levels": [1, 5]})
    assert (changed.model.tiny.width, changed.seed, changed.domain.levels) == (96, 3, (1, 5))
    with pytest.raises(CharterError, match=r"the nearest is budget\.seconds"):
        Charter().replace({"budget.secs": 3})
    with pytest.raises(CharterError, match="the nearest is"):
        Charter().replace({"nothing.at.all": 3})
    with pytest.raises(CharterError, match="seed is no section"):
        Charter().replace({"seed.x": 3})
    with pytest.raises(CharterError, match="width is no section"):
        Charter().replace({"model.tiny.width.x": 3})
    with pytest.raises(CharterError, match=r"model\.width is now model\.tiny\.width"):
        Charter().replace({"model.width": 3})


def test_the_schema_describes_every_key() -> None:
    schema = charter.schema()
    assert set(schema["properties"]) == set(Charter.model_fields)
    assert resolve(schema, "model.tiny.width")["unit"] == "channels"
    assert all(not resolve(schema, section)["additionalProperties"] for section in ("", *sections()))


def test_the_table_of_the_guide_is_what_the_code_says() -> None:
    guide = (ROOT / "docs" / "charters.md").read_text()
    written = guide.partition("<!-- settings -->\n")[2].partition("\n<!-- /settings -->")[0]
    assert written == table()


def test_the_guide_names_only_keys_that_exist_and_leaves_no_section_out() -> None:
    guide = (ROOT / "docs" / "charters.md").read_text()
    named = set(re.findall(r"`((?:[a-z]+\.)+[a-z_0-9]+)`", guide))
    files = {name for name in named if name.endswith((".toml", ".json", ".md"))}
    assert named - files <= keys()
    assert all(f"[{section}]" in guide for section in sections())
    for block in re.findall(r"```toml\n(.*?)```", guide, flags=re.S):
        assert Charter.of(tomllib.loads(block))


def test_show_is_short_and_says_how_to_see_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "[model]\nname = 'smollm2-135m'\n")
    charters.show(path)
    *lines, last = capsys.readouterr().out.splitlines()
    given = Charter.load(path)
    assert (
        last
        == f"# {len(given.hidden())} settings are hidden; see them with: autotelic charter show {path} --all"
    )
    assert Charter.of(tomllib.loads("\n".join(lines))) == given
    charters.show(path, whole=True)
    assert flat(tomllib.loads(capsys.readouterr().out)) == flat(given.canonical())
    charters.show(path, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"digest": given.digest, **given.canonical()}


def test_check_says_all_problems_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "seed = -1\n[learn]\nmomentum = 0.8\n")
    assert charters.check(path) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[2].split()[0] for line in said] == ["seed", "learn.momentum"]
    assert charters.check(write(tmp_path, "seed = 1\n")) == 0
    assert Charter.load(path).digest in capsys.readouterr().out


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ({"name": "pyhton"}, "there is no domain 'pyhton'"),
        ({"name": "no_such_module:Game"}, "no_such_module"),
        ({"modes": ["dedcution"]}, "'dedcution'"),
        ({"levels": [1, 60]}, "levels"),
    ],
)
def test_check_asks_the_domain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], domain: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, Charter.of({"domain": domain}).toml())
    assert charters.check(path) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
