"""What is already known, by behaviour: no task is learned twice as if it were new, none that is sealed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from autotelic.types import Rejection, Task

WINDOW = 4096
"""Recent tasks over which clusters are counted."""


class Novelty:
    """Signatures seen so far, signatures sealed by an exam, and how often each cluster came up lately."""

    def __init__(self, sealed: Iterable[str] = ()) -> None:
        self.sealed = set(sealed)
        self.known: set[str] = set()
        self.recent: deque[str] = deque(maxlen=WINDOW)
        self.counts: Counter[str] = Counter()

    def seal(self, signatures: Iterable[str]) -> None:
        """From now on refuse these: an exam asks them."""
        self.sealed.update(signatures)

    def of(self, task: Task) -> float:
        """How new a task is, in [0, 1]: 0 where its behaviour is known, less where its cluster is crowded."""
        if task.signature in self.known:
            return 0.0
        return 1.0 - self.share(task.cluster)

    def share(self, cluster: str) -> float:
        """The cluster's share of recent tasks."""
        return self.counts[cluster] / max(1, len(self.recent))

    def admit(self, found: Sequence[Task | Rejection], quota: float) -> list[Task | Rejection]:
        """The tasks that are new; the others become rejections `sealed`, `known` or `crowded`.

        `quota` is the largest share of these tasks that one cluster may have, except that a cluster always
        has room for eight: small batches have few clusters. Tasks let through are known from now on.
        """
        room = max(8, int(quota * sum(isinstance(item, Task) for item in found)))
        taken: Counter[str] = Counter()
        decided: list[Task | Rejection] = []
        for item in found:
            if isinstance(item, Task):
                refusal = self._refusal(item, taken[item.cluster] >= room)
                if refusal:
                    item = Rejection(reason=refusal, detail=item.cluster if refusal == "crowded" else "")
                else:
                    taken[item.cluster] += 1
                    self.remember(item)
            decided.append(item)
        return decided

    def _refusal(self, task: Task, crowded: bool) -> str:
        if task.signature in self.sealed:
            return "sealed"
        if task.signature in self.known:
            return "known"
        return "crowded" if crowded else ""

    def remember(self, task: Task) -> None:
        """Count a task as known."""
        self.known.add(task.signature)
        if len(self.recent) == WINDOW:
            self.counts[self.recent[0]] -= 1
        self.recent.append(task.cluster)
        self.counts[task.cluster] += 1

    def recall(self, signatures: Iterable[str], clusters: Iterable[str]) -> None:
        """Take up what was known: every signature, and the clusters of recent tasks in order."""
        self.known = set(signatures)
        self.recent = deque(clusters, maxlen=WINDOW)
        self.counts = Counter(self.recent)
