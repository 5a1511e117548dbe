"""Which update made which weights: from the digest that signs a turn back to the weights that the run began from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autotelic.errors import RecordError
from autotelic.messages import RunStarted, Updated
from autotelic.record import Journal, RunFolder
from autotelic.weights.reference import Manifest, changes_behaviour, hashes_of

_RESTORE = "restore the run folder from a copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestry:
    """The weights of a run by the digest of their tensors.

    `makers` are the updates that made them: the one that stands where a resume made it again, else one that it
    went back on. `files` are the hashes of what else belongs to a reference, empty where the folder `start` is gone.
    """

    started: RunStarted
    makers: Mapping[str, Updated]
    begun: frozenset[str]
    files: Mapping[str, str]
    superseded: frozenset[int]
    """The messages of updates that a resume went back on."""
    _refs: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, journal: Journal, folder: RunFolder) -> Ancestry:
        """Read all updates once. Raises RecordError for a run that recorded no start."""
        started = journal.latest(RunStarted)
        if started is None:
            raise RecordError(f"{folder.path} has no run.started message", _RESTORE)
        makers: dict[str, Updated] = {}
        live: set[str] = set()
        ranges = journal.ranges()
        superseded: set[int] = set()
        begun: set[str] = set()
        for message in journal.each_message(kinds=(Updated.kind,), superseded=True):
            if not isinstance(message, Updated):
                continue
            if not message.step:
                begun.add(message.before)
            if message.report.skipped:
                continue
            gone = any(first <= message.id <= last for first, last in ranges)
            if gone:
                superseded.add(message.id)
            # The last updates of a cooldown have a rate of 0, and leave the weights as they are.
            if message.after in live or message.after == message.before:
                continue
            makers[message.after] = message
            if not gone:
                live.add(message.after)
        return cls(
            started=started,
            makers=makers,
            begun=frozenset(begun),
            files=_files(folder.start),
            superseded=frozenset(superseded),
        )

    def is_start(self, digest: str) -> bool:
        """Whether a run began from these weights: the first update learned from them, or there is none."""
        return digest in self.begun or (not self.makers and digest.startswith("sha256:"))

    def chain(self, digest: str) -> list[Updated]:
        """The updates that led to weights, newest first, to the start. A rejected candidate's are not among them.

        Raises RecordError where one is missing.
        """
        found: list[Updated] = []
        while not self.is_start(digest):
            maker = self.makers.get(digest)
            if maker is None or len(found) > len(self.makers):
                raise RecordError(f"no update of the run made the weights {digest}", _RESTORE)
            found.append(maker)
            digest = maker.before
        return found

    def ref(self, digest: str) -> str:
        """The reference that the door gives weights of this digest; empty where the folder `start` is gone."""
        if digest not in self._refs:
            self._refs[digest] = Manifest(tensors=digest, files=self.files).ref if self.files else ""
        return self._refs[digest]

    def refs(self) -> dict[str, str]:
        """The digest of tensors by reference, of all weights there ever were."""
        return {self.ref(d): d for d in {*self.makers, *self.begun}} if self.files else {}


def _files(start: Path) -> dict[str, str]:
    if not start.is_dir():
        return {}
    names = [path for path in sorted(start.iterdir()) if path.is_file() and changes_behaviour(path.name)]
    return hashes_of({path.name: path.read_bytes() for path in names})
