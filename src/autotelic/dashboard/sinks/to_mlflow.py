"""MLflow, with a local store. `mlflow ui --backend-store-uri sqlite:///RUN/sinks/mlflow/mlflow.db` shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric


class MlflowSink:
    """One run of the experiment `autotelic`."""

    def __init__(self, folder: Path) -> None:
        self._client = MlflowClient(tracking_uri=f"sqlite:///{folder.resolve() / 'mlflow.db'}")
        found = self._client.get_experiment_by_name("autotelic")
        artifacts = (folder / "artifacts").resolve().as_uri()
        experiment = (
            found.experiment_id
            if found is not None
            else self._client.create_experiment("autotelic", artifact_location=artifacts)
        )
        name = folder.resolve().parent.parent.name
        self._run = self._client.create_run(experiment, run_name=name).info.run_id

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, step) for name, value in numbers.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def close(self) -> None:
        self._client.set_terminated(self._run)


def open_sink(folder: Path) -> MlflowSink:
    """A run in a local store."""
    return MlflowSink(folder)
