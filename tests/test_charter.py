"""A charter is read whole or refused with one line that says what to change."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autotelic import charter
from autotelic.charter import Charter, Section
from autotelic.errors import CharterError


def sections() -> dict[str, type[Section]]:
    fields = Charter.model_fields.items()
    return {
        name: field.annotation
        for name, field in fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }


def keys() -> set[str]:
    """Every key of a charter, as `section.key`."""
    nested = {
        f"{name}.{field.alias or key}"
        for name, section in sections().items()
        for key, field in section.model_fields.items()
    }
    return nested | (set(Charter.model_fields) - set(sections()))


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


def test_there_are_fewer_than_eighty_knobs_and_each_has_a_unit_an_owner_and_a_reason() -> None:
    assert len(keys()) < 80
    for section in (*sections().values(), Charter):
        for name, field in section.model_fields.items():
            if name in sections():
                continue
            extra = field.json_schema_extra
            assert isinstance(extra, dict), name
            assert extra["unit"], name
            assert extra["owner"], name
            assert (field.description or "").strip(), name


def test_a_charter_is_frozen_and_can_be_a_key() -> None:
    with pytest.raises(ValidationError):
        Charter().seed = 3  # type: ignore[misc]
    assert {Charter(): 1}[Charter()] == 1


@pytest.mark.parametrize(
    ("values", "near"),
    [
        (
            {"learn": {"lr_matix": 0.1}},
            "learn.lr_matix is no key of the charter; the nearest is learn.lr_matrix",
        ),
        ({"group_size": 3}, "group_size is no key of the charter; the nearest is curriculum.group_size"),
        ({"exam": {"wall_s": 1}}, "exam.wall_s is no key of the charter; the nearest is limits.wall_s"),
        ({"feedbak": {"critic": 1.0}}, "feedbak is no key of the charter; the nearest is [feedback]"),
        ({"model": {"from_": "x"}}, "model.from_ is no key of the charter; the nearest is model.from"),
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
    wrong = name[:cut] + "q" + name[cut:]
    message = refusal({section[0]: {wrong: 1}} if section else {wrong: 1})
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
        ({"limits": {"wall_s": 0}}, ["limits.wall_s = 0", "above 0, at most 600"]),
        ({"budget": {"seconds": float("nan")}}, ["budget.seconds = NaN", "a number"]),
        (
            {"domain": {"levels": [1, "2"]}},
            ['domain.levels = "2" in its list', "a list of 2, each an integer"],
        ),
        ({"domain": {"levels": [1, 2, 3]}}, ["domain.levels = [1, 2, 3]", "a list of 2"]),
        ({"domain": {"modes": []}}, ["domain.modes = []", "1 or more"]),
        ({"exam": 3}, ["exam = 3", "expected a table", "[exam]"]),
        ({"purpose": ""}, ['purpose = ""', "not empty"]),
        ({"purpose": ["x" * 500]}, ["...", "expected text"]),
        # what no single key shows
        ({"domain": {"levels": [3, 1]}}, ["domain.levels = [3, 1]", "swap them"]),
        ({"exam": {"levels": [3, 1]}}, ["exam.levels = [3, 1]", "swap them"]),
        ({"domain": {"modes": ["deduction", "deduction"]}}, ["names a mode twice", "name each once"]),
        ({"model": {"width": 100, "heads": 3}}, ["model.heads = 3", "model.width = 100", "multiple of 6"]),
        (
            {"roles": {"max_tokens": 512}, "model": {"context": 512}},
            ["roles.max_tokens = 512", "model.context = 512", "smaller"],
        ),
        (
            {"feedback": dict.fromkeys(("verifier", "critic", "consensus", "certainty"), 0)},
            ["every weight of [feedback] is 0", "set feedback.verifier"],
        ),
        (
            {"curriculum": {"retention": 0.9, "replay": 0.2, "explore": 0.1}},
            ["curriculum.retention + replay + explore = 1.2", "1 or less"],
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


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1), st.text())
def test_any_text_survives_being_written_as_toml(purpose: str, folder: str) -> None:
    written = Charter.of({"purpose": purpose, "model": {"from": folder}})
    assert Charter.of(tomllib.loads(written.toml())) == written


def test_replace_changes_what_it_names_and_checks_it() -> None:
    changed = Charter().replace({"model.from": "runs/a", "seed": 3, "domain.levels": [1, 5]})
    assert (changed.model.from_, changed.seed, changed.domain.levels) == ("runs/a", 3, (1, 5))
    with pytest.raises(CharterError, match=r"the nearest is budget\.seconds"):
        Charter().replace({"budget.secs": 3})
    with pytest.raises(CharterError, match="the nearest is"):
        Charter().replace({"nothing.at.all": 3})
    with pytest.raises(CharterError, match="seed is no section"):
        Charter().replace({"seed.x": 3})


def test_the_schema_describes_every_key() -> None:
    schema = charter.schema()
    assert set(schema["properties"]) == set(Charter.model_fields)
    assert schema["$defs"]["Model"]["properties"]["from"]["unit"] == "folder"
    assert schema["additionalProperties"] is False


def test_the_guide_names_only_keys_that_exist_and_leaves_no_section_out() -> None:
    guide = (Path(__file__).parents[1] / "docs" / "charters.md").read_text()
    named = set(re.findall(r"`([a-z]+\.[a-z_0-9]+)`", guide))
    files = {name for name in named if name.endswith((".toml", ".json", ".md"))}
    assert named - files <= keys()
    assert all(f"[{section}]" in guide for section in sections())
    for block in re.findall(r"```toml\n(.*?)```", guide, flags=re.S):
        assert Charter.of(tomllib.loads(block))


def test_every_recipe_is_a_charter() -> None:
    for recipe in (Path(__file__).parents[1] / "recipes").glob("*.toml"):
        assert charter.check(recipe) == []
