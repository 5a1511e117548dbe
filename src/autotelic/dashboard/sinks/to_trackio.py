"""trackio, with a local database. `TRACKIO_DIR=RUN/sinks/trackio trackio show` shows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


class TrackioSink:
    """One run of the project `autotelic`."""

    def __init__(self, folder: Path) -> None:
        # Read when the library is imported, so it is set before.
        os.environ["TRACKIO_DIR"] = str(folder.resolve())
        import trackio

        name = folder.resolve().parent.parent.name
        self._run = trackio.init(project="autotelic", name=name, resume="allow", embed=False)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Its steps are its own; ours is a number beside the others."""
        axis = "update" if any(name.startswith("update/") for name in numbers) else "generation"
        self._run.log({**numbers, axis: step})

    def close(self) -> None:
        self._run.finish()


def open_sink(folder: Path) -> TrackioSink:
    """A local run."""
    return TrackioSink(folder)
