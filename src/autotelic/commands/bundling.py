"""`autotelic bundle`: a run as one file that somebody outside opens, and its verification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cyclopts import App

from autotelic.commands import Json

app = App(
    name="bundle",
    help="Pack a run for somebody outside, or verify such a bundle.",
    help_epilogue="Examples: autotelic bundle runs/default --out run.zip; autotelic bundle verify run.zip",
)


@app.default
def bundle(
    run: Path, *, out: Path | None = None, key: Path | None = None, samples: int = 50, as_json: Json = False
) -> None:
    """Write the weights, charter, ledger, statements, bill of materials, lineage and samples of a run.

    Parameters
    ----------
    run
        The run folder.
    out
        The zip or folder to write; RUN.bundle.zip by default.
    key
        A P-256 private key (PEM) to sign with. A new key signs otherwise, and shows only that nothing was changed.
    samples
        Tasks, and attempts, to show.
    """
    from autotelic.errors import RunError
    from autotelic.record import RunFolder
    from autotelic.trace.bundle.formats import signing_key
    from autotelic.trace.bundle.write import write

    place = RunFolder.open(run)
    if samples < 0:
        raise RunError(f"--samples {samples} cannot be shown", "give 0 or more")
    target = out or place.path.resolve().with_name(f"{place.path.resolve().name}.bundle.zip")
    done = write(place, target, key=signing_key(key.read_bytes() if key else None), samples=samples)
    if as_json:
        print(
            json.dumps(
                {"path": str(done.path), "bytes": done.size, "files": done.files, "absent": dict(done.absent)}
            )
        )
        return
    print(f"{done.path}: {done.files} files, {done.size / 1e6:.1f} MB")
    for what, why in sorted(done.absent.items()):
        print(f"  without {what}: {why}")
    if key is None:
        print("  signed with a new key that nobody knows: give --key to sign with yours")


@app.command
def verify(file: Path, *, key: Path | None = None, as_json: Json = False) -> int:
    """Say what of a bundle was checked, and what could not be; what is wrong is one line, and the exit code is 1.

    Parameters
    ----------
    file
        The zip or folder.
    key
        The public key (PEM) that it must be signed by, if you know it.
    """
    from autotelic.trace.bundle.verify import BundleError, BundleReport
    from autotelic.trace.bundle.verify import verify as check

    found: dict[str, Any] = {"ok": True, "problem": None}
    report = BundleReport()
    try:
        report = check(file, key.read_bytes() if key else None)
    except BundleError as error:
        found = {"ok": False, "problem": str(error)}
    if as_json:
        print(json.dumps({**found, "checked": report.checked, "unchecked": report.unchecked}, indent=1))
    elif not found["ok"]:
        print(f"{file}: refused: {found['problem']}")
    for line in () if as_json else report.checked:
        print(f"checked      {line}")
    for line in () if as_json else report.unchecked:
        print(f"not checked  {line}")
    return 0 if found["ok"] else 1
