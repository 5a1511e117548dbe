"""Checks a bundle of an autotelic run. Needs Python 3.11 and `cryptography`, and nothing of autotelic.

    python verify.py BUNDLE [--key FILE]

It says what it checked, what it could not check, and why. The first thing that is wrong is one line, and the exit
code is then 1. Sources of the formats: DSSE 1.0.0 and in-toto Statement v1, OpenSSF Model Signing 1.0, RFC 6962,
c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof, W3C PROV-JSON, CycloneDX 1.6.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from autotelic.trace.bundle.evidence import BundleError as BundleError
from autotelic.trace.bundle.evidence import (
    check_cosignature,
    check_proof,
    checkpoint_of,
    hash_leaf,
    note_key,
    opened,
    parsed,
    public_key,
    tree,
)
from autotelic.trace.bundle.evidence import plain as plain

FORMAT, VERSION = "autotelic bundle", 1
MANIFEST, SIGNATURE = "MANIFEST.json", "MANIFEST.dsse.json"
MANIFEST_TYPE = "application/vnd.autotelic.bundle+json"
PICTURES = "samples/pictures/"
"""Where the pictures of the samples lie, each under the 64 digits of its sha256."""
STATEMENT_TYPE = "application/vnd.in-toto+json"
Files = Mapping[str, bytes]


class BundleReport:
    """What was checked, and what could not be."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.unchecked: list[str] = []


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────


def read(path: Path) -> dict[str, bytes]:
    """The files of a bundle by name. Raises BundleError for what is none, and for a zip with a byte too many."""
    if path.is_dir():
        links = [p for p in path.rglob("*") if p.is_symlink() or not (p.is_file() or p.is_dir())]
        if links:
            raise BundleError(f"{links[0].relative_to(path)} is a link or no plain file")
        return {
            p.relative_to(path).as_posix(): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()
        }
    if not path.is_file():
        raise BundleError(f"{path} does not exist")
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files: dict[str, bytes] = {}
            for entry in archive.infolist():
                if entry.filename in files or entry.compress_type != zipfile.ZIP_STORED:
                    raise BundleError(f"{entry.filename} stands twice in the file, or is compressed")
                files[entry.filename] = archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, struct.error, NotImplementedError,
            RuntimeError, IndexError) as error:  # fmt: skip
        raise BundleError(f"the file is no whole zip: {' '.join(str(error).split())[:120]}") from None
    if MANIFEST in files and SIGNATURE in files and zipped(files) != data:
        raise BundleError("a byte of the zip's own structure was changed, or something was added to it")
    return files


def zipped(files: Files) -> bytes:
    """The one zip of these files: stored, in order of name, without times. The same files give the same bytes.

    Raises BundleError for more than 4 GiB or 65,535 files, which the plain form has no numbers for.
    """
    parts: list[bytes] = []
    central: list[bytes] = []
    at = 0
    for name in sorted(files):
        content, raw = files[name], name.encode()
        if len(content) >= 2**32 or at >= 2**32 or len(files) >= 2**16:
            raise BundleError("a bundle of more than 4 GiB is no zip: write it as a folder")
        # Version 2.0, names in UTF-8, stored, 1 January 1980.
        head = struct.pack(
            "<HHHHHIIIHH", 20, 0x800, 0, 0, 0x21, zlib.crc32(content), *[len(content)] * 2, len(raw), 0
        )
        parts += [b"PK\3\4", head, raw, content]
        central += [b"PK\1\2\x14\x03", head, struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, at), raw]
        at += 4 + len(head) + len(raw) + len(content)
    directory = b"".join(central)
    if at + len(directory) >= 2**32:
        raise BundleError("a bundle of more than 4 GiB is no zip: write it as a folder")
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), at, 0)
    return b"".join([*parts, directory, b"PK\5\6", end])


# ── the bundle ───────────────────────────────────────────────────────────────────────────────────────────


def verify(path: Path, key: bytes | None = None) -> BundleReport:
    """Check a bundle. `key` is the PEM of the public key that it must be signed by, where you know it.

    Raises BundleError with the first thing that is wrong.
    """
    files = read(path)
    for name in (MANIFEST, SIGNATURE):
        if name not in files:
            raise BundleError(f"{name} is missing")
    manifest = parsed(files[MANIFEST], MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(f"{MANIFEST} is not that of an autotelic bundle")
    if manifest.get("version") != VERSION:
        raise BundleError(
            f"the bundle is of version {manifest.get('version')!r:.20}, this verifier reads {VERSION}"
        )
    report = BundleReport()
    try:
        signer = _signed(files, manifest, key, report)
        _whole(files, manifest, report)
        for check in (_weights, _statements, _decisions, _bom, _provenance, _samples, _ledger):
            check(files, manifest, signer, report)
        report.unchecked += [f"{what}: {why}" for what, why in sorted(manifest["absent"].items())]
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise BundleError(f"the bundle holds a value of another kind ({error!r:.80})") from None
    report.unchecked += [
        "that the verdicts are right: that takes autotelic's sandbox (REPLAY.md)",
        "that the updates give these weights: that takes the run folder and `autotelic replay` (REPLAY.md)",
    ]
    return report


def _signed(files: Files, manifest: Any, key: bytes | None, report: BundleReport) -> EllipticCurvePublicKey:
    """The manifest's signature, and whose it is."""
    signer = public_key(manifest["key"])
    if key is not None and public_key(key).public_numbers() != signer.public_numbers():
        raise BundleError("the bundle is signed by another key than the one that was given")
    envelope = parsed(files[SIGNATURE], SIGNATURE)
    if opened(envelope, MANIFEST_TYPE, signer, MANIFEST) != files[MANIFEST]:
        raise BundleError(f"{MANIFEST} is not what was signed")
    print_of = hashlib.sha256(manifest["key"].encode()).hexdigest()
    if plain(envelope) != files[SIGNATURE] or envelope["signatures"][0].get("keyid") != print_of:
        raise BundleError(f"{SIGNATURE} is not as it was written")
    if set(envelope) != {"payload", "payloadType", "signatures"}:
        raise BundleError(f"{SIGNATURE} holds more than a signature")
    report.checked.append(f"the manifest is signed by the key sha256:{print_of}")
    if key is None:
        report.unchecked.append(
            "whose key that is: the bundle itself names it; give the one you know with --key"
        )
    return signer


def _whole(files: Files, manifest: Any, report: BundleReport) -> None:
    """Every file is what the manifest says, none is missing, none was added."""
    listed: dict[str, Any] = manifest["files"]
    there = set(files) - {MANIFEST, SIGNATURE}
    for name in sorted(set(listed) - there):
        raise BundleError(f"{name} is missing")
    for name in sorted(there - set(listed)):
        raise BundleError(f"{name} was added: the manifest does not know it")
    for name, said in listed.items():
        if hashlib.sha256(files[name]).hexdigest() != said["sha256"]:
            raise BundleError(f"{name} was changed: it is not the file that was bundled")
    size = sum(map(len, files.values()))
    report.checked.append(f"all {len(listed)} files are those that were bundled, {size} bytes")


def _weights(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    """The model's signature in the form of OpenSSF Model Signing 1.0."""
    bundle = parsed(files["model.sig"], "model.sig")
    payload = opened(bundle["dsseEnvelope"], STATEMENT_TYPE, key, "model.sig")
    statement = parsed(payload, "model.sig")
    model = {n.removeprefix("model/"): f for n, f in files.items() if n.startswith("model/")}
    found = [
        {"name": name, "algorithm": "sha256", "digest": hashlib.sha256(model[name]).hexdigest()}
        for name in sorted(model)
    ]
    if statement["predicate"]["resources"] != found:
        raise BundleError("model.sig names other files than the folder model/ has")
    root = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in found)).hexdigest()
    if statement["subject"][0]["digest"]["sha256"] != root:
        raise BundleError("model.sig names another root than its files have")
    report.checked.append(f"the weights are those of model.sig: {len(found)} files, root sha256:{root}")


def _statements(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    """Each in-toto statement is signed and is about something."""
    names = [name for name in sorted(files) if name.startswith("statements/")]
    for name in names:
        statement = parsed(opened(parsed(files[name], name), STATEMENT_TYPE, key, name), name)
        if statement["_type"] != "https://in-toto.io/Statement/v1" or not statement["subject"]:
            raise BundleError(f"{name} is no in-toto statement")
    report.checked.append(f"{len(names)} in-toto statements are signed by the same key")


def _decisions(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    """Each decision says what its signed statement says. What a gate asked and how it came out is in the ledger."""
    lines = files["decisions.jsonl"].splitlines()
    for number, line in enumerate(lines, start=1):
        one = parsed(line, f"decision {number}")
        name = f"statements/decision-{one['message']:08d}.json"
        if name not in files:
            raise BundleError(f"decision {number} has no signed statement {name}")
        if parsed(opened(parsed(files[name], name), STATEMENT_TYPE, key, name), name)["predicate"] != one:
            raise BundleError(f"decision {number} is not what {name} says")
    report.checked.append(f"{len(lines)} decisions are what their signed statements say")


def _bom(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    bom = parsed(files["bom.cdx.json"], "bom.cdx.json")
    if (bom["bomFormat"], bom["specVersion"]) != ("CycloneDX", "1.6"):
        raise BundleError("bom.cdx.json is no CycloneDX 1.6")
    component = bom["metadata"]["component"]
    said = {part["name"]: part["hashes"][0]["content"] for part in component["components"]}
    model = {n: hashlib.sha256(f).hexdigest() for n, f in files.items() if n.startswith("model/")}
    if said != model or component["modelCard"] is None:
        raise BundleError("bom.cdx.json names other files than the folder model/ has")
    report.checked.append(f"the bill of materials names the weights and {len(bom['components'])} packages")


def _provenance(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    """Every relation of the lineage leads to something that is there."""
    prov = parsed(files["lineage.prov.json"], "lineage.prov.json")
    there = {id_ for kind in ("entity", "activity", "agent") for id_ in prov.get(kind, {})}
    count = 0
    for relation, records in prov.items():
        if relation in ("prefix", "entity", "activity", "agent"):
            continue
        for record in records.values():
            count += 1
            for role, id_ in record.items():
                if role.startswith("prov:") and role != "prov:role" and id_ not in there:
                    raise BundleError(f"lineage.prov.json speaks of {id_!r:.80}, which is not in it")
    report.checked.append(f"the lineage has {len(there)} parts and {count} relations, and none leads nowhere")


def _samples(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    """Each picture that a prompt of the samples names is there, and is what its name says."""
    named: set[str] = set()
    counts: list[int] = []
    for name in ("samples/tasks.jsonl", "samples/attempts.jsonl"):
        lines = [parsed(line, name) for line in files[name].splitlines()]
        counts.append(len(lines))
        prompts = [line["prompt"] for line in lines if isinstance(line.get("prompt"), list)]
        named |= {part["digest"].removeprefix("sha256:") for p in prompts for part in p if "digest" in part}
    there = {n: f for n, f in files.items() if n.startswith(PICTURES)}
    for digest in sorted(named):
        content = there.pop(f"{PICTURES}{digest}.png", None)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            raise BundleError(f"the picture {digest[:12]} that a sample shows is not what its name says")
    if there:
        raise BundleError(f"{min(there)} is shown by no sample")
    report.checked.append(
        f"{counts[0]} tasks and {counts[1]} attempts as samples, with the {len(named)} pictures that they show"
    )


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────


def _ledger(files: Files, manifest: Any, key: EllipticCurvePublicKey, report: BundleReport) -> None:
    """Leaves, tree, checkpoints, cosignatures and the proof of each leaf, from the specifications alone."""
    if "ledger.jsonl" not in files:
        if "ledger" not in manifest["absent"]:
            raise BundleError("ledger.jsonl is missing, and the manifest does not say why")
        return
    head, *lines = files["ledger.jsonl"].decode().removesuffix("\n").split("\n")
    header = parsed(head.encode(), "ledger.jsonl")
    log = note_key(header["key"])
    leaves: list[bytes] = []
    proofs: list[str] = []
    witnesses: set[str] = set()
    for line in lines:
        value = parsed(line.encode(), "ledger.jsonl")
        if "checkpoint" in value:
            size, root = checkpoint_of(value["checkpoint"], header["origin"], log)
            if size != len(leaves) or root != tree([hash_leaf(one) for one in leaves]):
                raise BundleError(f"the ledger's checkpoint of {size} leaves is not that of its leaves")
            for vkey, text in value["cosignatures"].items():
                check_cosignature(value["checkpoint"], vkey, text)
                witnesses.add(vkey)
            continue
        begin, end = f'{{"index":{len(leaves)},"leaf":', "}"
        if "proof" in value:
            proofs.append(value["proof"])
            end = f',"proof":{json.dumps(value["proof"], ensure_ascii=False)}}}'
        if not (line.startswith(begin) and line.endswith(end)):
            raise BundleError(f"leaf {len(leaves)} of the ledger is not in its place")
        leaves.append(line[len(begin) : -len(end)].encode())
    if len(leaves) != header["size"]:
        raise BundleError(f"the ledger names {header['size']} leaves, and has {len(leaves)}")
    for index, proof in enumerate(proofs):
        check_proof(proof, index, leaves[index], header["origin"], log)
    report.checked.append(
        f"the ledger of {len(leaves)} leaves fits its signed checkpoints; {len(proofs)} proofs lead to the last"
    )
    report.checked += [f"witness {vkey} cosigned the ledger" for vkey in sorted(witnesses)]


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────


def main(arguments: list[str], say: Callable[[str], None] = print) -> int:
    """`verify.py BUNDLE [--key FILE]`."""
    path, *rest = arguments or ["."]
    if path.startswith("-") or (rest and (len(rest) != 2 or rest[0] != "--key")):
        say("usage: python verify.py BUNDLE [--key PUBLIC.pem]")
        return 2
    try:
        report = verify(Path(path), Path(rest[1]).read_bytes() if rest else None)
    except BundleError as error:
        say(f"{path}: REFUSED: {error}")
        return 1
    except OSError as error:
        say(f"{error.filename}: {error.strerror}")
        return 2
    for line in report.checked:
        say(f"checked      {line}")
    for line in report.unchecked:
        say(f"not checked  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
