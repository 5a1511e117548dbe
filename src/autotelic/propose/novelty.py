"""What is already known, by behaviour: no task is learned twice as if it were new, none that is sealed."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autotelic.types import Rejection, Task

WINDOW = 4096
"""Recent tasks over which clusters are counted: about the new ones of a generation."""
FRESH = 4096
"""Signatures kept in a set, at 70 bytes each, before they are merged into the sorted array, at 8 bytes."""
ROOM = 8
"""Tasks of one cluster that are always let through: small batches have few clusters."""


class Signatures:
    """Signatures seen so far, by 64 bits of each: 8 bytes, so that a run of weeks can keep all of them.

    Of ten million, two share theirs with a probability of 3 in a million; a task would then be refused as
    known.
    """

    def __init__(
        self, sorted_N: np.ndarray[Any, np.dtype[np.uint64]] | None = None, *, merge: int = FRESH
    ) -> None:
        self._sorted_N = np.zeros(0, np.uint64) if sorted_N is None else sorted_N
        self._fresh: set[int] = set()
        self._merge = merge

    def __contains__(self, signature: object) -> bool:
        key = _key(str(signature))
        if key in self._fresh:
            return True
        at = int(np.searchsorted(self._sorted_N, np.uint64(key)))
        return at < len(self._sorted_N) and int(self._sorted_N[at]) == key

    def __len__(self) -> int:
        return len(self._sorted_N) + len(self._fresh)

    def add(self, signature: str) -> None:
        """Know a signature from now on."""
        if signature not in self:
            self._fresh.add(_key(signature))
            if len(self._fresh) >= self._merge:
                self._sorted_N, self._fresh = self.array(), set()

    def array(self) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """All of them, sorted."""
        fresh_N = np.fromiter(self._fresh, np.uint64, len(self._fresh))
        fresh_N.sort()
        # Both are sorted and share nothing, so that merging costs one copy.
        return np.insert(self._sorted_N, np.searchsorted(self._sorted_N, fresh_N), fresh_N)


def _key(signature: str) -> int:
    """64 bits of a signature, whatever a domain makes its signatures of."""
    spelled = signature.encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(spelled).digest()[:8], "big")


class Novelty:
    """Signatures seen so far, signatures sealed by an exam, and how often each cluster came up lately."""

    def __init__(self) -> None:
        self.sealed: set[str] = set()
        self.known = Signatures()
        self.recent: deque[str] = deque(maxlen=WINDOW)
        self.counts: Counter[str] = Counter()

    def share(self, cluster: str) -> float:
        """The cluster's share of recent tasks."""
        return self.counts[cluster] / max(1, len(self.recent))

    def screen(self, found: Sequence[Task | Rejection], quota: float) -> list[Task | Rejection]:
        """The tasks that are new; the others become rejections `sealed`, `known` or `crowded`. Changes
        nothing.

        `quota` is the largest share of these tasks that one cluster may have, except that a cluster always
        has some room. A second task that behaves like one before it is known.
        """
        room = max(ROOM, int(quota * sum(isinstance(item, Task) for item in found)))
        taken: Counter[str] = Counter()
        met: set[str] = set()
        decided: list[Task | Rejection] = []
        for item in found:
            if isinstance(item, Task):
                refusal = self._refusal(item, met, taken[item.cluster] >= room)
                if refusal:
                    item = Rejection(reason=refusal, detail=item.cluster if refusal == "crowded" else "")
                else:
                    taken[item.cluster] += 1
                    met.add(item.signature)
            decided.append(item)
        return decided

    def _refusal(self, task: Task, met: set[str], crowded: bool) -> str:
        if task.signature in self.sealed:
            return "sealed"
        if task.signature in met or task.signature in self.known:
            return "known"
        return "crowded" if crowded else ""

    # ── for State.apply alone ────────────────────────────────────────────────────────────────────────────

    def seal(self, signatures: Iterable[str]) -> None:
        """From now on refuse these: an exam asks them."""
        self.sealed.update(signatures)

    def remember(self, task: Task) -> None:
        """Count a task as known."""
        self.known.add(task.signature)
        if len(self.recent) == WINDOW:
            self.counts[self.recent[0]] -= 1
            if not self.counts[self.recent[0]]:
                del self.counts[self.recent[0]]
        self.recent.append(task.cluster)
        self.counts[task.cluster] += 1

    def state(self) -> dict[str, Any]:
        """Plain JSON: what is sealed, and the clusters of recent tasks in order."""
        return {"sealed": sorted(self.sealed), "recent": list(self.recent)}

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Everything known, as numbers."""
        return {"novelty.known": self.known.array()}

    def restore(self, state: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """The inverse of `state` and `arrays`."""
        self.sealed = set(state["sealed"])
        self.known = Signatures(np.sort(np.asarray(arrays["novelty.known"], np.uint64)))
        self.recent = deque(state["recent"], maxlen=WINDOW)
        self.counts = Counter(self.recent)
