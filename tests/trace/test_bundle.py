"""A bundle of a real run: what its formats' own tools say of it, and what of a change is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from autotelic.cli import main
from autotelic.errors import OversightError, RecordError, RunError
from autotelic.oversee.ledger import Ledger, Witness, cosign_head
from autotelic.record import RunFolder
from autotelic.streams import stream
from autotelic.trace.bundle.formats import public_pem, signing_key
from autotelic.trace.bundle.verify import BundleError, plain, read, verify, zipped
from autotelic.trace.bundle.write import write

CHANGES = 60
KEY = signing_key()


@pytest.fixture(scope="module")
def bundle(real_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "run.zip"
    write(RunFolder.open(real_run), out, key=KEY)
    return out


def _refusal(place: Path) -> str:
    with pytest.raises(BundleError) as found:
        verify(place, public_pem(KEY).encode())
    assert "\n" not in str(found.value)
    return str(found.value)


def test_it_says_what_it_checked_and_what_not(bundle: Path) -> None:
    report = verify(bundle, public_pem(KEY).encode())
    assert len(report.checked) >= 7
    assert any("the ledger of" in line for line in report.checked)
    assert any("whose key" in line for line in verify(bundle).unchecked)


def test_any_single_byte_that_changes_is_found(bundle: Path, tmp_path: Path) -> None:
    data, rng = bundle.read_bytes(), stream(0, "bundle")
    place = tmp_path / "changed.zip"
    small = [data.index(b"PK\1\2") + i for i in range(40)]  # the zip's own directory, beside random bytes
    for at in [*small[::4], *(int(x) for x in rng.integers(len(data), size=CHANGES))]:
        place.write_bytes(data[:at] + bytes([data[at] ^ int(rng.integers(1, 256))]) + data[at + 1 :])
        _refusal(place)
    place.write_bytes(data + b"\0")
    _refusal(place)
    place.write_bytes(data[:-1])
    _refusal(place)


def test_a_file_that_is_missing_or_added_is_named(bundle: Path, tmp_path: Path) -> None:
    files, place = read(bundle), tmp_path / "changed.zip"
    for name in files:
        place.write_bytes(zipped({n: f for n, f in files.items() if n != name}))
        assert name in _refusal(place)
    place.write_bytes(zipped({**files, "model/extra.bin": b""}))
    assert "model/extra.bin was added" in _refusal(place)
    folder = tmp_path / "folder"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    assert verify(folder).checked
    (folder / "model" / "link").symlink_to(folder / "README.md")
    assert "link" in _refusal(folder)


def test_another_version_and_another_key_are_refused(bundle: Path, tmp_path: Path) -> None:
    files, place = read(bundle), tmp_path / "changed.zip"
    manifest = json.loads(files["MANIFEST.json"])
    place.write_bytes(zipped({**files, "MANIFEST.json": plain({**manifest, "version": 2})}))
    assert "of version 2, this verifier reads 1" in _refusal(place)
    with pytest.raises(BundleError, match="another key"):
        verify(bundle, public_pem(signing_key()).encode())
    for content in (b"", b"PK", b"not a zip at all"):
        place.write_bytes(content)
        _refusal(place)


def test_its_verifier_runs_alone(bundle: Path, tmp_path: Path) -> None:
    alone = tmp_path / "verify.py"
    alone.write_bytes(read(bundle)["verify.py"])
    # -I: neither PYTHONPATH nor the working directory, so that nothing of ours could be imported from the tree.
    done = subprocess.run(
        [sys.executable, "-I", str(alone), str(bundle)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "import autotelic" not in alone.read_text()
    assert "from autotelic" not in alone.read_text()


def test_the_bill_of_materials_fits_the_schema(bundle: Path) -> None:
    pytest.importorskip("cyclonedx")
    pytest.importorskip("jsonschema")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = read(bundle)["bom.cdx.json"].decode()
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    wrong = json.loads(text)
    wrong["metadata"]["component"]["modelCard"]["surprise"] = 1
    assert validator.validate_str(json.dumps(wrong)) is not None


def test_model_signing_accepts_the_weights(bundle: Path, tmp_path: Path) -> None:
    verifying = pytest.importorskip("model_signing.verifying")
    files = read(bundle)
    (tmp_path / "model").mkdir()
    for name in ("model.sig", "bundle.pub.pem", *(n for n in files if n.startswith("model/"))):
        (tmp_path / name).write_bytes(files[name])
    config = verifying.Config().use_elliptic_key_verifier(public_key=tmp_path / "bundle.pub.pem")
    config.verify(tmp_path / "model", tmp_path / "model.sig")
    (tmp_path / "model" / "config.json").write_text("{}")
    with pytest.raises(Exception, match=r"(?i)mismatch|differ"):
        config.verify(tmp_path / "model", tmp_path / "model.sig")


def test_a_run_with_a_ledger_brings_it(real_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(real_run, tmp_path / "copy"))
    witness_key = Ed25519PrivateKey.generate()
    witness = Witness.create(tmp_path / "witness.sqlite", witness_key, "example.com/witness")
    shutil.rmtree(copy / "oversight")  # for a ledger whose leaves and witness are known
    (copy / "oversight").mkdir()
    with Ledger.create(
        copy / "oversight" / "ledger.sqlite", Ed25519PrivateKey.generate(), "autotelic/x"
    ) as ledger:
        witness.add_log(ledger.verifier)
        for n in range(5):
            ledger.append([{"kind": "note", "n": n, "text": "\u2014 é"} for _ in range(n + 1)])
            cosign_head(ledger, witness)
    out = tmp_path / "out"
    write(RunFolder.open(copy), out, key=KEY)
    report = verify(out)
    assert any("the ledger of 15 leaves fits" in line and "15 proofs" in line for line in report.checked)
    assert any(line.startswith("witness example.com/witness") for line in report.checked)
    # Whoever signs the bundle again can still not change the ledger.
    files = read(out)
    lines = files["ledger.jsonl"].replace(b'"n":3', b'"n":4', 1)
    again = {name: content for name, content in files.items() if not name.startswith("MANIFEST")}
    with pytest.raises(BundleError, match="ledger"):
        verify(_signed_again({**again, "ledger.jsonl": lines}, json.loads(files["MANIFEST.json"]), tmp_path))


def _signed_again(files: dict[str, bytes], manifest: dict[str, object], folder: Path) -> Path:
    import hashlib

    from autotelic.trace.bundle.formats import envelope
    from autotelic.trace.bundle.verify import MANIFEST_TYPE

    manifest["files"] = {
        n: {"sha256": hashlib.sha256(f).hexdigest(), "size": len(f)} for n, f in files.items()
    }
    text = plain(manifest)
    signature = plain(envelope(KEY, MANIFEST_TYPE, text))
    place = folder / "again.zip"
    place.write_bytes(zipped({**files, "MANIFEST.json": text, "MANIFEST.dsse.json": signature}))
    return place


def test_what_cannot_be_bundled(real_run: Path, tmp_path: Path) -> None:
    run = RunFolder.open(real_run)
    (tmp_path / "there.zip").write_bytes(b"")
    with pytest.raises(RunError, match="exists already"):
        write(run, tmp_path / "there.zip", key=KEY)
    with pytest.raises(RunError, match="is no folder"):
        write(run, tmp_path / "no" / "b.zip", key=KEY)
    ed25519 = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (b"", b"rubbish", ed25519):
        with pytest.raises(OversightError, match="P-256"):
            signing_key(pem)
    copy = Path(shutil.copytree(real_run, tmp_path / "copy"))
    config = copy / "champion" / "config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(RecordError, match="is not what was saved"):
        write(RunFolder.open(copy), tmp_path / "b.zip", key=KEY)
    assert not (tmp_path / "b.zip").exists()


def test_the_command(real_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "b.zip"
    assert main(["bundle", str(real_run), "--out", str(out), "--samples", "3"]) == 0
    assert main(["bundle", "verify", str(out), "--json"]) == 0
    capsys.readouterr()
    out.write_bytes(out.read_bytes()[:-1])
    assert main(["bundle", "verify", str(out)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1
