"""`autotelic ledger`, as it is typed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.oversee.ledger import Ledger, NoteVerifier, Witness, WitnessClient, cosign_head

Capture = pytest.CaptureFixture[str]
ORIGIN = "example.com/runs/1"


def run(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    code = main(["ledger", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_run_folder_is_verified_beside_its_witness(
    ledger: Ledger, witness: Witness, tmp_path: Path, capsys: Capture
) -> None:
    ledger.close()
    witness.close()
    code, out, _ = run(capsys, "verify", tmp_path)
    assert code == 0
    assert "every byte verified: 11 leaves, 5 checkpoints" in out
    code, out, _ = run(capsys, "verify", tmp_path, "--json", "--sealed", "--key", ledger.verifier.vkey)
    found = json.loads(out)
    assert (code, found["ok"], found["sealed"], found["size"], found["notes"]) == (0, True, True, 11, [])
    data = bytearray(ledger.path.read_bytes())
    data[data.find(b"sha256:") + 20] ^= 1
    ledger.path.write_bytes(data)
    code, out, _ = run(capsys, "verify", tmp_path)
    assert code == 1
    assert out.count("\n") == 1
    assert re.search(r"leaf \d+ is", out)


def test_an_export_into_the_working_directory_itself_is_one_line(
    ledger: Ledger, witness: Witness, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.close()
    witness.close()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, err = run(capsys, "export", tmp_path, "")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_old_copy_of_a_run_folder_is_refused(
    ledger: Ledger, witness: Witness, tmp_path: Path, capsys: Capture
) -> None:
    ledger.close()
    old = {name: (tmp_path / name).read_bytes() for name in ("ledger.sqlite", "ledger.sqlite.seal")}
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    with Ledger.open(ledger.path, Ed25519PrivateKey.from_private_bytes(bytes(range(32)))) as again:
        again.append([{"n": 1}])
        cosign_head(again, witness)
    witness.close()
    assert run(capsys, "verify", tmp_path)[0] == 0
    for name, data in old.items():
        (tmp_path / name).write_bytes(data)
    code, out, _ = run(capsys, "verify", tmp_path)
    assert code == 1
    assert "cut short or restored" in out


def test_a_proof_and_an_export_are_verified_alone(
    ledger: Ledger, witness: Witness, tmp_path: Path, capsys: Capture
) -> None:
    ledger.close()
    proof, export = tmp_path / "leaf.tlog-proof", tmp_path / "out.jsonl"
    assert run(capsys, "prove", tmp_path, 4, "--out", proof)[0] == 0
    assert run(capsys, "export", tmp_path, export)[0] == 0
    key, other = ledger.verifier.vkey, witness.verifier.vkey
    code, out, _ = run(capsys, "verify", proof, "--key", key, "--witness-key", other)
    assert code == 0
    assert "leaf 4 of the 11" in out
    assert run(capsys, "verify", export, "--key", key, "--witness-key", other)[0] == 0
    assert run(capsys, "verify", proof)[0] == 2  # without a key a proof shows nothing
    for path in (proof, export):
        data = path.read_bytes()
        for at in range(0, len(data), len(data) // 25):
            changed = bytearray(data)
            changed[at] ^= 1
            path.write_bytes(changed)
            assert main(["ledger", "verify", str(path), "--key", key, "--witness-key", other]) == 1, data[
                at:
            ][:30]
    capsys.readouterr()
    assert run(capsys, "prove", tmp_path, 11)[0] == 2
    code, out, _ = run(capsys, "prove", tmp_path, 0)
    assert out.startswith("c2sp.org/tlog-proof@v1\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--key", "rubbish"], "three parts"),
        (["--witness-url", "http://127.0.0.1:9"], "needs the key of that witness"),
        (["--witness-key", "a+b+c"], "not base64"),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], said: str, ledger: Ledger, capsys: Capture) -> None:
    code, _, err = run(capsys, "verify", ledger.path, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_a_folder_without_a_ledger_is_not_said_to_be_missing(tmp_path: Path, capsys: Capture) -> None:
    for path, said in ((tmp_path, "has no ledger"), (tmp_path / "nothing", "does not exist")):
        code, _, err = run(capsys, "verify", path)
        assert (code, err.count("\n")) == (2, 1)
        assert f"{path} {said}" in err


def test_a_witness_is_served_by_a_process_of_its_own(ledger: Ledger, tmp_path: Path, capsys: Capture) -> None:
    store, key = tmp_path / "own.sqlite", tmp_path / "own.key"
    command = [sys.executable, "-m", "autotelic.cli", "ledger", "witness", str(store), "--key", str(key)]
    command += ["--port", "0", "--log", ledger.verifier.vkey]
    seen = []
    for extra in (["--name", "own.example"], []):  # begun, then opened again
        with subprocess.Popen([*command, *extra], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            vkey, url = process.stdout.readline().strip(), process.stdout.readline().strip()
            seen.append(vkey)
            ledger.append([{"n": len(seen)}])
            cosign_head(ledger, WitnessClient(url, NoteVerifier.parse(vkey)))
            code, out, _ = run(capsys, "verify", ledger.path, "--witness-key", vkey, "--witness-url", url)
            assert code == 0, out
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
    assert seen[0] == seen[1]
    assert key.stat().st_mode & 0o777 == 0o600
    assert run(capsys, "witness", store, "--key", key, "--name", "else.example")[0] == 2
    key.chmod(0o644)
    code, _, err = run(capsys, "witness", store, "--key", key)
    assert (code, "others may read" in err) == (2, True)
    key.chmod(0o600)
    key.write_text("rubbish")
    assert "holds no key" in run(capsys, "witness", store, "--key", key)[2]
    key.unlink()
    assert "is missing" in run(capsys, "witness", store, "--key", key)[2]
