"""Weights & Biases, offline: nothing is sent. `wandb sync RUN/sinks/wandb/wandb/offline-*` sends it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import wandb


class WandbSink:
    """One offline run."""

    def __init__(self, folder: Path) -> None:
        self._run = wandb.init(
            mode="offline",
            dir=str(folder),
            project="autotelic",
            name=folder.resolve().parent.parent.name,
            settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
        )

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Its own steps only ever grow, so ours is a number beside the others."""
        axis = "update" if any(name.startswith("update/") for name in numbers) else "generation"
        self._run.log({**numbers, axis: step})

    def close(self) -> None:
        self._run.finish()


def open_sink(folder: Path) -> WandbSink:
    """An offline run in a folder."""
    return WandbSink(folder)
