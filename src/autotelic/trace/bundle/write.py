"""A bundle, written from a finished run."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from autotelic.dashboard.card import model_card
from autotelic.dashboard.story import Story
from autotelic.engine.champion import champion_of
from autotelic.errors import RecordError, RunError
from autotelic.messages import ChampionSaved, Decided, Evaluated, RunStarted, Updated
from autotelic.record import Journal, RunFolder
from autotelic.record.plain import to_json
from autotelic.trace.ancestry import Ancestry
from autotelic.trace.bundle import documents, evidence, formats, verify
from autotelic.trace.bundle.samples import samples as sampled
from autotelic.trace.graph import Provenance
from autotelic.trace.lineage import lineage_of_weights
from autotelic.trace.signers import ledger_of
from autotelic.weights.load import manifest_of

SAMPLES = 50
"""Tasks, and attempts, that a bundle shows: as many as a person reads in an hour."""
_PREDICATE = "https://autotelic.invalid/{}/v1"
"""Predicate types of our statements; `.invalid` because nobody serves them (RFC 2606)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A bundle on the disk: its size in bytes, how many files, what is not in it and why."""

    path: Path
    size: int
    files: int
    absent: Mapping[str, str]


def write(run: RunFolder, out: Path, *, key: EllipticCurvePrivateKey, samples: int = SAMPLES) -> Bundled:
    """Write the bundle of a run: a zip where `out` ends so, else a folder; whole or not at all.

    Raises RunError where `out` exists or the run has no champion, RecordError where the champion is not what the
    run saved.
    """
    if out.exists():
        raise RunError(f"{out} exists already", "give another name, or remove it")
    if not out.parent.is_dir():
        raise RunError(f"{out.parent} is no folder", "make it, or give another name")
    absent: dict[str, str] = {}
    with Journal.open(run.path) as journal:
        files = _contents(run, journal, key, samples, absent)
    manifest = {
        "format": verify.FORMAT,
        "version": verify.VERSION,
        "run": run.path.resolve().name,
        "key": formats.public_pem(key),
        "absent": absent,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in files.items()
        },
    }
    files[verify.MANIFEST] = verify.plain(manifest)
    signed = formats.envelope(key, verify.MANIFEST_TYPE, files[verify.MANIFEST])
    files[verify.SIGNATURE] = verify.plain(signed)
    _put(files, out)
    return Bundled(path=out, size=sum(map(len, files.values())), files=len(files), absent=absent)


def _put(files: Mapping[str, bytes], out: Path) -> None:
    out = out.absolute()  # `.` has no name
    new = out.with_name(f".{out.name}.new")
    try:
        if out.suffix == ".zip":
            try:
                content = verify.zipped(files)
            except verify.BundleError as error:
                raise RunError(str(error), "give a name that does not end in .zip") from None
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        else:
            for name, content in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
        os.rename(new, out)
    finally:
        if new.is_dir():
            shutil.rmtree(new, ignore_errors=True)
        new.unlink(missing_ok=True)


def _contents(
    run: RunFolder, journal: Journal, key: EllipticCurvePrivateKey, samples: int, absent: dict[str, str]
) -> dict[str, bytes]:
    """Every file but the manifest and its signature."""
    started = journal.latest(RunStarted)
    if started is None:
        raise RecordError(f"{run.path} has no run.started message", "restore the run folder from a copy")
    name = run.path.resolve().name
    model = _model(run)
    lineage = _lineage(run, journal)
    if lineage.missing:
        absent["a whole lineage"] = "; ".join(lineage.missing[:3])
    about = next(facts for facts in lineage.nodes.values() if facts["kind"] == "run") | {"time": started.time}
    exams = [facts for facts in lineage.nodes.values() if facts["kind"] == "exam"]
    story = Story.of(journal.each_message())
    tasks = journal.tally("tasks", ("mode", "level", "is_repair", "author = 'rules'"))
    verdicts = journal.tally("verdicts", ("source", "reason"))
    steps = sum(1 for _ in journal.each_message(kinds=(Updated.kind,)))
    model_files = {f"model/{file}": content for file, content in model.items()}
    bom = formats.bill_of_materials(name, model_files, about, documents.packages(started), exams)
    files = {
        **model_files,
        "model.sig": verify.plain(formats.model_signature(key, name, model, verify.plain)),
        "model-card.md": model_card(story, name).encode(),
        "charter.json": (run.path / "charter.json").read_bytes(),
        "change-plan.md": documents.change_plan(started).encode(),
        "datasheet.md": documents.datasheet(started, tasks, verdicts).encode(),
        "bom.cdx.json": verify.plain(bom),
        "lineage.prov.json": verify.plain(formats.provenance(lineage)),
        "REPLAY.md": documents.replay_instructions(started, steps).encode(),
        "requirements.lock": documents.lock_file(started).encode(),
        "verify.py": _verifier(),
        "bundle.pub.pem": formats.public_pem(key).encode(),
        **_judged(run, journal, key),
        **sampled(run, journal, started, samples),
        **_ledger(run, absent),
    }
    if (run.path / "charter.toml").is_file():
        files["charter.toml"] = (run.path / "charter.toml").read_bytes()
    files["README.md"] = documents.readme(started, name, absent).encode()
    return dict(sorted(files.items()))


def _verifier() -> bytes:
    """The verifier as one file: where it imports its evidence, the source of that."""
    own, evidence_source = (Path(str(module.__file__)).read_text() for module in (verify, evidence))
    lines: list[str | None] = list(own.splitlines())
    imports = [n for n in ast.parse(own).body if getattr(n, "module", None) == evidence.__name__]
    for node in imports:
        lines[node.lineno - 1 : node.end_lineno] = [None] * len(lines[node.lineno - 1 : node.end_lineno])
    _, _, body = evidence_source.partition("from __future__ import annotations\n")
    lines[imports[0].lineno - 1] = body.strip()
    return ("\n".join(line for line in lines if line is not None) + "\n").encode()


def _model(run: RunFolder) -> dict[str, bytes]:
    """The files of the champion. Raises RecordError where they are not what the run saved."""
    folder, expected = champion_of(run)
    if (found := manifest_of(folder).ref) != expected:
        raise RecordError(
            f"{folder} is not what was saved: it is {found}, expected {expected}",
            "restore the run folder from a copy",
        )
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _lineage(run: RunFolder, journal: Journal) -> Provenance:
    """The lineage of the champion's weights, whose node is its subject."""
    saved = journal.read(kinds=(ChampionSaved.kind,), superseded=True)[-1]
    assert isinstance(saved, ChampionSaved)
    digest = Ancestry.of(journal, run).refs().get(saved.weights)
    if digest is None:
        raise RecordError(
            f"{run.path} does not say which update made its champion",
            "restore its folder `start` from a copy",
        )
    return lineage_of_weights(run, journal, digest, "champion")


def _judged(run: RunFolder, journal: Journal, key: EllipticCurvePrivateKey) -> dict[str, bytes]:
    """Decisions, and a signed in-toto statement for each decision and exam. What a gate asked is in the ledger."""
    files: dict[str, bytes] = {}
    lines: list[bytes] = []
    kinds = (Decided.kind, Evaluated.kind)
    for message in journal.each_message(kinds=kinds):
        subject: dict[str, str] = {}
        predicate: dict[str, Any] = {
            "message": message.id,
            "generation": message.generation,
            "time": message.time,
        }
        if isinstance(message, Decided):
            kind, d = "decision", message.decision
            predicate |= {
                "candidate": message.weights,
                "champion": message.champion,
                "verdict": d.verdict,
                "reasons": list(d.reasons),
            }
            lines.append(to_json(predicate).encode() + b"\n")
            subject = {"candidate": _hex(message.weights), "champion": _hex(message.champion)}
        elif isinstance(message, Evaluated):
            kind, report = "exam", message.report
            score = report.overall.pass_at_1
            predicate |= {"exam": report.exam, "digest": report.digest, "when": message.when}
            predicate |= {"pass_at_1": score.value, "interval": [score.low, score.high], "items": score.n}
            subject = {"weights": _hex(report.weights)}
        else:
            continue
        payload = verify.plain(
            formats.statement(subject, _PREDICATE.format(kind), json.loads(to_json(predicate)))
        )
        signed = formats.envelope(key, verify.STATEMENT_TYPE, payload)
        files[f"statements/{kind}-{message.id:08d}.json"] = verify.plain(signed)
    files["decisions.jsonl"] = b"".join(lines)
    return files


def _hex(ref: str) -> str:
    return ref.removeprefix("sha256:")


def _ledger(run: RunFolder, absent: dict[str, str]) -> dict[str, bytes]:
    """The ledger as an export with a proof of each leaf; where there is none, why."""
    place = ledger_of(run.path)
    if place is None:
        absent["ledger"] = (
            "the run was made without oversight, so nobody but itself vouches for its decisions"
        )
        return {}
    from tempfile import TemporaryDirectory

    from autotelic.oversee.ledger import Ledger, export_ledger

    with TemporaryDirectory(prefix="autotelic-") as private, Ledger.open(place) as ledger:
        export_ledger(ledger, Path(private) / "ledger.jsonl")
        return {"ledger.jsonl": (Path(private) / "ledger.jsonl").read_bytes()}
