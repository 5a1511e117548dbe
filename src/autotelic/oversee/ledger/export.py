"""A ledger as JSON lines, which can be verified without the run and read by any program.

    {"format":"autotelic ledger export v1","key":...,"origin":...,"size":3}
    {"checkpoint":"example.com/log\\n0\\n...","cosignatures":{vkey: line},"size":0}
    {"index":0,"leaf":{...},"proof":"c2sp.org/tlog-proof@v1\\nindex 0\\n..."}
    ...

A checkpoint stands where the commit ended. Each leaf has its proof to the last checkpoint (c2sp.org/tlog-proof),
unless they are left out. Every line is canonical JSON, and each byte of the file counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotelic.canonical import canonical
from autotelic.errors import LedgerError
from autotelic.oversee.ledger import merkle, tables
from autotelic.oversee.ledger.leaves import decode_leaf, encode_leaf
from autotelic.oversee.ledger.notes import NoteVerifier
from autotelic.oversee.ledger.seal import sync_folder
from autotelic.oversee.ledger.store import Ledger
from autotelic.oversee.ledger.tlog_proof import TlogProof
from autotelic.oversee.ledger.verify import Contents, Expected, LedgerReport, Row, verify_contents

FORMAT = "autotelic ledger export v1"


def export_ledger(ledger: Ledger, path: str | Path, *, proofs: bool = True) -> int:
    """Write a ledger to a file, which appears once it is whole. Returns how many leaves were written."""
    path = Path(path).absolute()
    new = path.with_name(path.name + ".new")
    with tables.clearly(path):
        try:
            with new.open("w", encoding="utf-8", newline="") as file:
                for line in _lines(ledger, proofs):
                    file.write(canonical(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    return ledger.head().size


def _lines(ledger: Ledger, proofs: bool) -> Iterator[dict[str, Any]]:
    size = ledger.head().size
    yield {"format": FORMAT, "origin": ledger.origin, "key": ledger.verifier.vkey, "size": size}
    last = ledger.checkpoint(size) + "".join(ledger.cosignatures(size).values())
    done = 0
    for commit in ledger.checkpoints():
        if commit > size:
            break  # appended meanwhile
        for index, leaf in enumerate(ledger.leaves(done, commit), start=done):
            line: dict[str, Any] = {"index": index, "leaf": leaf}
            if proofs:
                line["proof"] = TlogProof(index, tuple(ledger.prove_inclusion(index, size)), last).text
            yield line
        done = commit
        yield {
            "size": commit,
            "checkpoint": ledger.checkpoint(commit),
            "cosignatures": ledger.cosignatures(commit),
        }


def verify_export(
    path: str | Path,
    *,
    origin: str | None = None,
    key: NoteVerifier | None = None,
    witnesses: Sequence[NoteVerifier] = (),
    cosigned: Mapping[str, str | None] | None = None,
) -> LedgerReport:
    """Verify an exported ledger, like `verify_ledger`. Never raises for what the file holds."""
    report = LedgerReport(str(path), sealed=True)
    try:
        export = Export.read(path)
        contents = Contents(
            export.origin,
            export.key,
            enumerate(export.data),
            None,
            iter([(size, note) for size, note, _ in export.checkpoints]),
            iter(export.cosignatures()),
        )
        verify_contents(contents, Expected(origin, key, witnesses, cosigned or {}), report)
        if report.size != export.size:
            raise LedgerError(f"the export names {export.size} leaves, and has {report.size}")
        export.check_proofs()
    except LedgerError as error:
        report.problem, report.sealed = " ".join(error.cause.split()), False
    return report


class Export:
    """An exported ledger, read and not yet verified: `verify_export` does that."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self.origin: str = header["origin"]
        self.key: str = header["key"]
        self.size: int = header["size"]
        self.data: list[bytes] = []
        """The canonical text of each leaf."""
        self.proofs: list[str | None] = []
        self.checkpoints: list[tuple[int, str, dict[str, str]]] = []
        """Size in leaves, signed note, signature lines by the witness's vkey."""

    @classmethod
    def read(cls, path: str | Path) -> Export:
        """Read an export. Raises LedgerError with the first line that is not one's."""
        path = Path(path)
        with tables.clearly(path):
            data = path.read_bytes()
        if not data.endswith(b"\n"):
            raise LedgerError(f"{path} is no export of a ledger, or was cut short: its last line has no end")
        export: Export | None = None
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
            try:
                value = _line(line)
                if any(isinstance(one, bool) for one in value.values()):
                    raise LedgerError("it holds a yes or no where a number or text is expected")
                if export is None:
                    export = cls(_header(value))
                else:
                    export._take(value)
            except LedgerError as error:
                raise LedgerError(f"line {number} of {path}: {error.cause}") from error
        assert export is not None
        return export

    def _take(self, value: dict[str, Any]) -> None:
        match value:
            case {"index": int(index), "leaf": dict(leaf), **rest} if rest.keys() <= {"proof"}:
                if index != len(self.data):
                    raise LedgerError(f"leaf {len(self.data)} is missing, and {index} is in its place")
                proof = rest.get("proof")
                if proof is not None and not isinstance(proof, str):
                    raise LedgerError("a proof is a text")
                self.data.append(encode_leaf(leaf))
                self.proofs.append(proof)
            case {"size": int(size), "checkpoint": str(note), "cosignatures": dict(lines)} if len(value) == 3:
                if size != len(self.data):
                    raise LedgerError(f"a checkpoint of {size} leaves follows {len(self.data)} leaves")
                if self.checkpoints and self.checkpoints[-1][0] == size:
                    raise LedgerError(f"there are two checkpoints of {size} leaves")
                self.checkpoints.append((size, note, lines))
            case _:
                raise LedgerError("neither a leaf nor a checkpoint")

    def cosignatures(self) -> Iterator[Row]:
        """Size, vkey of the witness, signature line."""
        for size, _, lines in self.checkpoints:
            for vkey in sorted(lines):
                yield size, vkey, lines[vkey]

    def leaves(self) -> Iterator[dict[str, Any]]:
        """The values of the leaves."""
        return map(decode_leaf, self.data)

    def check_proofs(self) -> None:
        """Raises LedgerError where a proof is not that of its leaf to the last checkpoint, word by word."""
        if not any(self.proofs):
            return
        _, note, lines = self.checkpoints[-1]
        last = note + "".join(lines[vkey] for vkey in sorted(lines))
        levels = [list(map(merkle.hash_leaf, self.data))]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            levels.append([merkle.hash_children(left, right) for left, right in pairs])
        for index, proof in enumerate(self.proofs):
            path = merkle.prove_inclusion(lambda level, at: levels[level][at], index, len(self.data))
            if proof != TlogProof(index, tuple(path), last).text:
                raise LedgerError(f"the proof of leaf {index} is not one to the last checkpoint")


def _line(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode()
        value = json.loads(text)
        if isinstance(value, dict) and canonical(value) == text:
            return value
    except (ValueError, TypeError, RecursionError) as error:
        raise LedgerError(f"it is not JSON ({error})"[:200]) from error
    raise LedgerError("it is no JSON object in canonical form")


def _header(value: dict[str, Any]) -> dict[str, Any]:
    match value:
        case {"format": str(form), "origin": str(), "key": str(), "size": int()} if len(value) == 4:
            if form != FORMAT:
                raise LedgerError(f"the format is {form[:60]!r}, and {FORMAT!r} is expected")
            return value
    raise LedgerError("it is not the first line of an export of a ledger")
