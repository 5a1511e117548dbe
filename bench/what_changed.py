"""What changed between two champions of a run, as numbers for docs/results; `autotelic changed` shows the same.

    python -m bench.what_changed RUN [--between 5 25] [--items 10] [--json FILE]

The two are those that were promoted in these generations; by default what the run began from and its champion.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from autotelic.record import Journal, RunFolder
from autotelic.trace.between import between


def main() -> None:
    """Print what changed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--between", nargs=2, default=["start", "champion"])
    parser.add_argument("--items", type=int, default=10)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    place = RunFolder.open(given.run)
    with Journal.open(place.path) as journal:
        found = between(place, journal, *given.between, items=given.items)
    text = json.dumps({"run": place.path.name, **asdict(found)}, indent=1, ensure_ascii=False)
    print(text)
    if given.json:
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
