"""TensorBoard: event files. `tensorboard --logdir RUN/sinks/tensorboard` shows them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


class TensorBoardSink:
    """Writes each number as a scalar."""

    def __init__(self, folder: Path) -> None:
        self._writer = EventFileWriter(str(folder))

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Written at once: the writer's own thread would keep what the disk says to itself."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        if not any(name.startswith("update/") for name in numbers):
            self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def open_sink(folder: Path) -> TensorBoardSink:
    """Event files in a folder."""
    return TensorBoardSink(folder)
