"""What a model learned from can be looked up: text, author and reason of any sequence of any batch."""

from __future__ import annotations

from pathlib import Path

from autotelic.messages import Admitted, Credited, Probed, Updated
from autotelic.record import Journal
from autotelic.streams import stream
from autotelic.types import RULES, text_of

DRAWN = 200


def test_two_hundred_random_sequences_are_found_through_the_journal(real_run: Path) -> None:
    with Journal.open(real_run) as journal:
        updates = [m for m in journal.read(kinds=(Updated.kind,)) if isinstance(m, Updated)]
        # Every digest that ever was: weights that sign turns and tasks must be among them.
        known = {m.weights for m in journal.read(kinds=(Probed.kind,)) if isinstance(m, Probed)}
        known |= {digest for m in updates for digest in (m.before, m.after)}
        fate = {o.proposal: o for m in journal.read() if isinstance(m, Admitted) for o in m.outcomes}
        earned = {(e.role, e.id): e for m in journal.read() if isinstance(m, Credited) for e in m.earned}
        entries = [entry for m in updates for entry in m.batch]
        drawn = stream(0, "lineage").choice(len(entries), size=DRAWN, replace=len(entries) < DRAWN)
        kinds = set()
        for entry in (entries[int(i)] for i in drawn):
            kinds.add(entry.kind)
            if entry.kind in ("demonstration", "practice"):
                task = journal.task(entry.ref)
                assert task is not None
                assert text_of(task.prompt)
                assert task.lineage.author == RULES or task.lineage.author in known
                assert all(journal.task(id_) is not None for id_ in entry.shown)
            elif entry.kind == "proposal":
                proposal = journal.proposal(int(entry.ref))
                assert proposal is not None
                assert proposal.text is not None
                assert proposal.lineage.author in known
                outcome = fate[proposal.id]
                assert outcome.task or outcome.reason
                assert earned["proposer", proposal.id].advantage is not None
            else:
                stored = journal.episode(int(entry.ref))
                assert stored is not None
                assert stored.texts
                assert stored.verdicts[-1].reason
                assert {turn.weights for turn in stored.episode.turns} <= known
                assert journal.task(stored.episode.task_id) is not None
                if entry.kind == "attempt":
                    assert stored.earned is not None
                    assert stored.earned.advantage is not None
        assert kinds >= {"demonstration", "own", "attempt"}
