"""What a verifier finds: single bytes of a bundle changed at random, files left out and added.

    python -m bench.bundle BUNDLE.zip --changes 1000

Prints JSON: how many changes were tried, how many were found, the seconds of one verification, the size.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from autotelic.streams import stream
from autotelic.trace.bundle.verify import BundleError, read, verify, zipped


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    data = given.bundle.read_bytes()
    began = time.perf_counter()
    verify(given.bundle)
    seconds = time.perf_counter() - began
    rng = stream(given.seed, "bundle", "changes")
    files = read(given.bundle)
    why: Counter[str] = Counter()
    found = 0
    with TemporaryDirectory() as folder:
        place = Path(folder) / "changed.zip"
        for _ in range(given.changes):
            at, by = int(rng.integers(len(data))), int(rng.integers(1, 256))
            place.write_bytes(data[:at] + bytes([data[at] ^ by]) + data[at + 1 :])
            found += _refused(place, why)
        whole = [
            *({n: f for n, f in files.items() if n != gone} for gone in files),
            {**files, "model/extra.bin": b"x"},
            {**files, "README": b""},
        ]
        lost = 0
        for changed in whole:
            place.write_bytes(zipped(changed))
            lost += _refused(place, why)
    print(
        json.dumps(
            {
                "bytes": len(data),
                "files": len(files),
                "seconds": round(seconds, 3),
                "changes": given.changes,
                "found": found,
                "left_out_or_added": len(whole),
                "of_these_found": lost,
            },
            indent=1,
        )
    )


def _refused(place: Path, why: Counter[str]) -> bool:
    try:
        verify(place)
    except BundleError as error:
        why[str(error).split(":")[0]] += 1
        return "\n" not in str(error)
    return False


if __name__ == "__main__":
    main()
