"""The learner's adapter on a server: what a run samples from where its machine names one (`--server`).

    learner's adapter ──► folder in PEFT's format ──► read back, compared ──► server loads it ──► turns

The server holds the model that is not learned, and is given the adapter after every update. That it has the
same model, and that an adapter arrived, no digest of a server's can tell: `learn/probe.py` compares
log-probabilities.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedModel

from autotelic.errors import ModelError
from autotelic.models.adapter import save_adapter
from autotelic.models.digest import digest_of
from autotelic.models.eyes import eyes_of
from autotelic.models.server import ServerSampler
from autotelic.models.servers import Probe, Servers
from autotelic.types import Request, Turn

KEPT = 2
"""Adapters whose folders are left in place: a server may read one again."""


class RemoteSampler:
    """Samples from a server that is given the adapter of `model`, the learner's. Implements the `Sampler`
    seam.

    `url` may be several, with commas between them: they share the work. `key` and `patience` are as in
    `ServerSampler`, `gone` is how many seconds no server at all may answer while a run goes on, and `probe` sees
    completions of a server that began anew. `name` is what the servers call the model, if they serve several.
    Adapters are written below `folder`, which the servers must see under the same path. Raises ModelError where a
    server cannot be asked, and for a model that sees.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        url: str,
        *,
        name: str,
        end_id: int,
        folder: Path,
        key: str = "",
        patience: float = 30.0,
        gone: float = 600.0,
        probe: Probe | None = None,
    ) -> None:
        if eyes_of(model) is not None:
            # The protocol of completions has tokens of text alone.
            raise ModelError(
                f"a server is asked in text, and {type(model).__name__} is shown pictures",
                "sample in this process: leave out --server and machine.server",
            )
        self.model = model
        self.name = name
        self.folder = folder
        digest = digest_of(model)
        self.server = Servers(
            [
                ServerSampler(
                    one.strip(), model=name, end_id=end_id, digest=digest, key=key, patience=patience
                )
                for one in url.split(",")
            ],
            patience=gone if patience else 0.0,
            probe=probe,
        )
        self.server.find_model(name)

    @property
    def digest(self) -> str:
        """Of the whole model, adapter included, as the learner has it."""
        return self.server.digest

    @property
    def tokens(self) -> int:
        """Completion tokens sampled so far."""
        return self.server.tokens

    @property
    def prefilled(self) -> int:
        """Prompt tokens sent so far."""
        return self.server.prefilled

    @property
    def seconds(self) -> float:
        """Seconds spent sampling so far."""
        return self.server.seconds

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """As `ServerSampler.sample`."""
        return self.server.sample(requests)

    def take_notes(self) -> list[tuple[str, int, str]]:
        """Which servers were lost since the last time, and how often."""
        found, self.server.lost = self.server.lost, {}
        return [("server", n, f"{url} was lost; its work was asked again") for url, n in found.items()]

    def sync(self) -> str:
        """Put the adapter of the learner's model onto the server; returns the digest of the whole model.

        Raises ModelError where what was written is not what is in memory, or the server does not take it.
        """
        digest = digest_of(self.model)
        place = self.folder / digest.removeprefix("sha256:")[:16]
        meant = save_adapter(self.model, place, base=self.server.model)
        if (read := self.server.load_adapter(place)) != meant:
            raise ModelError(
                f"the adapter in {place} has the digest {read}, the learner's {meant}",
                "see whether another process writes there; a run wants its folder for itself",
            )
        self.server.digest = digest
        self._forget(place)
        return digest

    def _forget(self, newest: Path) -> None:
        """Remove the folders of adapters before the last ones."""
        others = [place for place in self.folder.iterdir() if place != newest]
        others.sort(key=lambda place: place.stat().st_mtime_ns, reverse=True)
        for place in others[KEPT - 1 :]:
            shutil.rmtree(place, ignore_errors=True)
