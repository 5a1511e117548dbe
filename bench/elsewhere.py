"""vLLM in its own environment, as one more side of a bench: a process that samples whenever it is asked."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 900.0
"""Seconds for one answer; loading takes longest."""
SCRIPT = Path(__file__).with_name("vllm_side.py")


class Vllm:
    """The process, from when it is ready. Raises RuntimeError, with its last words, where it does not come so far.

    `python` is that of the environment. Use as a context manager: the process ends with it.
    """

    def __init__(self, python: Path, work: Mapping[str, Any], threads: int) -> None:
        environment = os.environ | {
            "OMP_NUM_THREADS": str(threads),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # else it binds to cores of its own choice
            "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        }
        environment.pop("PYTHONPATH", None)
        self.words = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by `close`; a pipe would fill up and block
        self.process = subprocess.Popen(
            [str(python), str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words,
            text=True,
            env=environment,
        )
        self.rates: list[float] = []
        """Tokens a CPU second, each time."""
        try:
            self._ask(json.dumps(work))
        except BaseException:
            self.close()
            raise

    def sample(self) -> float:
        """Sample every prompt once; how many tokens came."""
        took = self._ask("")
        self.rates.append(took["tokens"] / took["cpu"])
        return float(took["tokens"])

    def per_cpu_second(self, repeats: int) -> float:
        """The median over the last repetitions."""
        return round(statistics.median(self.rates[-repeats:]), 1)

    def _ask(self, line: str) -> Any:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        late = threading.Timer(PATIENCE, self.process.kill)
        late.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it has died; its last words are below
                stdin.write(line + "\n")
                stdin.flush()
            answer = stdout.readline()
        finally:
            late.cancel()
        if not answer:
            self.words.seek(0)
            words = [said for said in self.words.read().splitlines() if "Error" in said]
            raise RuntimeError(
                (words or [f"no answer within {PATIENCE:g} s, and no reason"])[-1].strip()[:200]
            )
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
