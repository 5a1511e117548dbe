"""What belongs to the machine comes from the command line or a file, and is outside the charter's digest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from autotelic.charter import Charter
from autotelic.errors import CharterError
from autotelic.machine import Machine, fits, schema

SERVER = "http://127.0.0.1:8000/v1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_it_is_the_default(folder: Path) -> None:
    assert Machine.load() == Machine()
    assert Machine().canonical() == {
        "threads": 0,
        "workers": 2,
        "server": "",
        "checkpointing": False,
        "verifier": "auto",
        "device": "cpu",
        "engine": "local",
        "address": "",
        "samplers": 1,
        "judges": 1,
        "auditors": [],
        "overseer": "",
        "brake": "",
        "pinned": "",
    }


def test_the_file_in_the_current_folder_is_read_unless_another_is_named(folder: Path) -> None:
    (folder / "machine.toml").write_text("threads = 3\n")
    (folder / "other.toml").write_text("workers = 5\n")
    assert Machine.load() == Machine(threads=3)
    assert Machine.load("other.toml") == Machine(workers=5)


def test_the_command_line_goes_first_where_it_says_something(folder: Path) -> None:
    (folder / "machine.toml").write_text("threads = 3\nworkers = 4\n")
    assert Machine.load(None, {"threads": 1, "workers": None}) == Machine(threads=1, workers=4)


def test_an_empty_file_is_the_default(folder: Path) -> None:
    (folder / "machine.toml").write_text("# nothing\n")
    assert Machine.load() == Machine()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "thread = 3",
            "machine.toml: thread is no key of the machine; the nearest is threads",
        ),
        ("threads = -1", "machine.toml: threads = -1, expected an integer, 0 to 1024"),
        ("workers = 2.0", "machine.toml: workers = 2.0, expected an integer, 1 to 1024"),
        ("checkpointing = 1", "machine.toml: checkpointing = 1, expected true or false"),
        ("server = 'localhost'", "machine.toml: server = 'localhost' is no address; write http"),
        ("server = 'http://a/v1,b'", "machine.toml: server = 'b' is no address; write http"),
        ("address = '10.0.0.1:6379'", "address = '10.0.0.1:6379' is of a Ray cluster; write engine ="),
        ("engine = 'dask'", 'machine.toml: engine = "dask", expected "local" or "ray"'),
        ("samplers = 0", "machine.toml: samplers = 0, expected an integer, 1 to 4096"),
        ("device = 'tpu'", 'machine.toml: device = "tpu", expected "auto" or'),
        ("[learn]\nkl = 1", "machine.toml: learn is no key of the machine"),
        ("threads = ", "machine.toml is not TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(folder: Path, text: str, message: str) -> None:
    (folder / "machine.toml").write_text(text)
    with pytest.raises(CharterError, match=re.escape(message)) as caught:
        Machine.load()
    assert "\n" not in str(caught.value)
    assert caught.value.fix


def test_what_is_wrong_with_the_command_line_says_so(folder: Path) -> None:
    with pytest.raises(CharterError, match="the command line: threads = -1, expected an integer"):
        Machine.load(None, {"threads": -1})
    with pytest.raises(CharterError, match=r"none\.toml does not exist; give the path of a machine\.toml"):
        Machine.load("none.toml")


@pytest.mark.parametrize(
    ("machine", "charter", "fit"),
    [
        (Machine(), {}, True),
        (Machine(server=SERVER), {"model": {"name": "smollm2-135m", "lora_rank": 16}}, True),
        (Machine(server=SERVER), {"model": {"name": "smollm2-135m"}}, False),
    ],
)
def test_a_server_needs_an_adapter(machine: Machine, charter: dict[str, Any], fit: bool) -> None:
    if fit:
        fits(machine, Charter.of(charter))
    else:
        with pytest.raises(CharterError, match=r"set model\.lora_rank = 16"):
            fits(machine, Charter.of(charter))


@pytest.mark.parametrize(
    "given",
    [
        {"overseer": "unix:/x"},
        {"brake": "brake brake AAAA"},
        {"overseer": "unix:/x", "brake": "brake brake AAAA", "auditors": ["exam"]},
    ],
)
def test_an_overseer_elsewhere_has_a_key_and_auditors_of_its_own(given: dict[str, Any]) -> None:
    with pytest.raises(CharterError) as caught:
        Machine.of(given)
    assert "overseer" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_setting_is_in_the_guide_with_its_default_and_its_reason() -> None:
    guide = (Path(__file__).parents[1] / "docs" / "charters.md").read_text()
    for name, place in schema()["properties"].items():
        assert f"`--{name}`" in guide
        assert f"| `{name}` |" in guide
        assert place["description"].rpartition(" (")[0] in guide


def test_none_of_its_settings_is_one_of_the_charter() -> None:
    assert not set(schema()["properties"]) & set(Charter.model_fields)
