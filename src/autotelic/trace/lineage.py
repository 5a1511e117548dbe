"""From an answer back to everything it rests on, read from the journal alone.

    attempt ──► its task ──► who wrote it, what they were shown
       └──► weights ──► update ──► its sequences ──► tasks, attempts with verdicts, proposals ──► weights that wrote
                          └──► the updates before it ──► the weights that the run began from
       weights ──► exams they sat, decisions of the gate on the way, leaves of the ledger that name them

The update that made the weights is followed into every sequence; of the updates before it, what each consisted of
is counted, and `why` says more of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotelic.errors import RecordError
from autotelic.messages import Admitted, Attempted, ChampionSaved, Decided, Evaluated, ExamSet, Updated
from autotelic.record import Journal, RunFolder, StoredEpisode
from autotelic.trace.ancestry import Ancestry
from autotelic.trace.graph import RULES_NODE, RUN_NODE, Provenance
from autotelic.trace.signers import leaves_about, ledger_of
from autotelic.types import RULES, Entry, Proposal, Task, text_of

OF_TASKS = ("demonstration", "practice", "form")
_LARGEST = 2**63 - 1
"""The largest number of a row."""
_SHOWN_DEPTH = 2
"""How far references are followed: what a writer was shown, and what the writers of that were shown."""


def lineage_of_attempt(run: RunFolder, journal: Journal, number: int) -> Provenance:
    """What an attempt rests on, and what became of it. Raises RecordError for one that there is not."""
    stored = journal.episode(number) if 0 < number <= _LARGEST else None
    if stored is None:
        has = journal.counts()["episodes"]
        fix = f"give one from 1 to {has}" if has else "wait until it has attempted something"
        raise RecordError(f"the run has no attempt {number} (it has {has})", fix)
    walk = _Follower(run, journal, Ancestry.of(journal, run), Provenance(subject=f"attempt:{number}"))
    walk.attempts([stored], whole=True)
    made = {turn.weights for turn in stored.episode.turns}
    if len(made) != 1:
        walk.lineage.missing.append(
            f"attempt {number} was signed by {len(made)} sets of weights, expected one"
        )
    for digest in made:
        walk.history(digest)
    walk.consequences(stored)
    return walk.lineage


def lineage_of_weights(run: RunFolder, journal: Journal, digest: str, subject: str) -> Provenance:
    """What weights rest on; `subject` is the node of what they answered, which nothing recorded."""
    walk = _Follower(run, journal, Ancestry.of(journal, run), Provenance(subject=subject))
    walk.lineage.add(subject, "answer", {"recorded": False})
    walk.lineage.link(subject, "sampled from", walk.weights(digest))
    walk.history(digest)
    return walk.lineage


def newest_attempt_at(journal: Journal, task: Task) -> int:
    """The newest attempt at a task that no resume went back on, else the newest. Raises RecordError for none."""
    found = journal.episodes(task_id=task.id)
    if not found:
        raise RecordError(
            f"nobody has attempted the task {task.id}",
            "give one that was: `autotelic inspect RUN GENERATION`",
        )
    return max(found, key=lambda one: (not one.superseded, one.episode.id)).episode.id


@dataclass(frozen=True, slots=True)
class _Follower:
    run: RunFolder
    journal: Journal
    ancestry: Ancestry
    lineage: Provenance
    followed: dict[str, int] = field(default_factory=dict)
    """How many levels of references each task was followed."""

    # ── weights and updates ──────────────────────────────────────────────────────────────────────────────

    def weights(self, digest: str) -> str:
        """The node of weights, with the edge to what made them."""
        node = f"weights:{digest}"
        if self.lineage.has(node):
            return node
        self.lineage.add(node, "weights", {"digest": digest, "ref": self.ancestry.ref(digest)})
        if digest == RULES:
            return self.rules()
        if self.ancestry.is_start(digest):
            self.lineage.link(node, "begun by", self.started())
        elif (maker := self.ancestry.makers.get(digest)) is not None:
            self.lineage.link(node, "made by", self.update(maker))
        else:
            self.lineage.missing.append(f"no update of the run made the weights {digest}")
        return node

    def rules(self) -> str:
        return self.lineage.add(
            RULES_NODE, "rules", {"what": "the rules that a human wrote: the run's domain"}
        )

    def started(self) -> str:
        """The node of the run: what it began from, under which charter, by which version."""
        if self.lineage.has(RUN_NODE):
            return RUN_NODE
        s = self.ancestry.started
        facts = {
            "run": s.run,
            "message": s.id,
            "charter": s.digest,
            "purpose": s.charter.get("purpose", ""),
            "seed": s.seed,
            "model": s.model,
            "start": s.start,
            "version": s.version,
            "commit": s.commit,
            "parent": None if s.parent is None else {"run": s.parent.run, "weights": s.parent.weights},
        }
        return self.lineage.add(RUN_NODE, "run", facts)

    def update(self, message: Updated) -> str:
        # A step may have been made twice: what a resume went back on is named by its message.
        gone = message.id in self.ancestry.superseded
        node = f"message:{message.id}" if gone else f"update:{message.step}"
        facts = {
            "step": message.step,
            "message": message.id,
            "generation": message.generation,
            "before": message.before,
            "after": message.after,
            "loss": message.report.loss,
            "sequences": len(message.batch),
            "superseded": gone,
        }
        return self.lineage.add(node, "update", facts)

    def history(self, digest: str) -> None:
        """How weights came to be, from the start on; what they, and those on the way, were examined and judged by."""
        self.weights(digest)
        try:
            chain = self.ancestry.chain(digest)
        except RecordError as error:
            self.lineage.missing.append(error.cause)
            return
        for message in chain:
            node = self.update(message)
            self.lineage.link(node, "learned on top of", self.weights(message.before))
        if chain:
            self.sequences(chain[0])
        digests = [digest, *(message.before for message in chain)]
        self.exams(digests)
        self.decisions(digests)

    def sequences(self, message: Updated) -> None:
        """Every sequence of an update, with where it came from."""
        node, entries = self.update(message), list(message.batch)
        self.lineage.add(node, "update", {"by_kind": dict(Counter(entry.kind for entry in entries))})
        ids = [e.ref for e in entries if e.kind in OF_TASKS] + [one for e in entries for one in e.shown]
        self.tasks(ids)
        self.attempts(self._episodes([int(e.ref) for e in entries if e.kind in ("own", "attempt")]))
        self.proposals([int(e.ref) for e in entries if e.kind == "proposal"])
        for at, entry in enumerate(entries):
            sequence = self.lineage.add(
                f"{node}/{at}", "sequence", {"learned_as": entry.kind, "weight": entry.weight, "place": at}
            )
            self.lineage.link(node, "consisted of", sequence)
            self.lineage.link(sequence, "is", _source_of(entry))
            for shown in entry.shown:
                self.lineage.link(sequence, "shows", f"task:{shown}")

    def _episodes(self, ids: Sequence[int]) -> list[StoredEpisode]:
        wanted = list(dict.fromkeys(ids))
        found = [
            one
            for at in range(0, len(wanted), 500)
            for one in self.journal.episodes(ids=wanted[at : at + 500])
        ]
        lost = set(wanted) - {one.episode.id for one in found}
        self.lineage.missing += [f"the run has no attempt {number}" for number in sorted(lost)]
        return found

    # ── tasks, attempts, proposals ───────────────────────────────────────────────────────────────────────

    def tasks(self, ids: Iterable[str], depth: int = _SHOWN_DEPTH) -> None:
        """The nodes of tasks, with who wrote them, from which proposal, and what the writers were shown.

        A task that was met as a reference, and followed less far, is followed again.
        """
        wanted = [id_ for id_ in dict.fromkeys(ids) if self.followed.get(id_, -1) < depth]
        self.followed.update(dict.fromkeys(wanted, depth))
        if not wanted:
            return
        try:
            found = self.journal.tasks(wanted)
        except RecordError as error:
            self.lineage.missing.append(error.cause)
            found = [task for id_ in wanted if (task := self.journal.task(id_)) is not None]
        further: list[str] = []
        for task in found:
            node = self._task(task)
            author = task.lineage.author
            self.lineage.link(node, "written by", self.rules() if author == RULES else self.weights(author))
            relation = "repairs an answer to" if task.is_repair else "its writer was shown"
            for reference in task.lineage.references if depth else ():
                self.lineage.link(node, relation, f"task:{reference}")
                further.append(reference)
            self.lineage.nodes[node].pop("references_not_followed", None)
            if task.lineage.references and not depth:
                self.lineage.add(node, "task", {"references_not_followed": list(task.lineage.references)})
        self._proposed(found)
        if further:
            self.tasks(further, depth - 1)

    def _task(self, task: Task) -> str:
        facts = {
            "id": task.id,
            "cell": str(task.cell),
            "prompt": text_of(task.prompt),
            "generation": task.lineage.generation,
            "is_repair": task.is_repair,
        }
        return self.lineage.add(f"task:{task.id}", "task", facts)

    def _proposed(self, tasks: Sequence[Task]) -> None:
        """Edges from tasks that the model wrote to the proposals that became them."""
        own = {task.id for task in tasks if task.lineage.author != RULES and not task.is_repair}
        numbers: dict[int, str] = {}
        generations = {task.lineage.generation for task in tasks if task.id in own}
        for generation in sorted(generations):
            for message in self.journal.each_message(
                kinds=(Admitted.kind,), generation=generation, superseded=True
            ):
                for outcome in message.outcomes if isinstance(message, Admitted) else ():
                    if outcome.task in own:
                        numbers[outcome.proposal] = outcome.task
        self.proposals(list(numbers))
        for proposal, task in numbers.items():
            self.lineage.link(f"task:{task}", "was proposed as", f"proposal:{proposal}")

    def proposals(self, ids: Sequence[int]) -> None:
        """The nodes of proposals, with the weights that sampled them."""
        wanted = [number for number in dict.fromkeys(ids) if not self.lineage.has(f"proposal:{number}")]
        found = self.journal.proposals_at(wanted, missing=True)
        lost = set(wanted) - {proposal.id for proposal in found}
        self.lineage.missing += [f"the run has no proposal {number}" for number in sorted(lost)]
        for proposal in found:
            self._proposal(proposal)

    def _proposal(self, proposal: Proposal) -> None:
        node = self.lineage.add(
            f"proposal:{proposal.id}",
            "proposal",
            {
                "cell": str(proposal.cell),
                "text": proposal.text,
                "generation": proposal.lineage.generation,
                "references": list(proposal.lineage.references),
            },
        )
        self.lineage.link(node, "sampled from", self.weights(proposal.lineage.author))

    def attempts(self, stored: Sequence[StoredEpisode], whole: bool = False) -> None:
        """The nodes of attempts with their verdicts, their tasks and the weights that sampled them."""
        self.tasks([one.episode.task_id for one in stored])
        for one in stored:
            episode = one.episode
            node = self.lineage.add(
                f"attempt:{episode.id}",
                "attempt",
                {
                    "generation": one.generation,
                    "purpose": one.purpose,
                    "answer": episode.answer,
                    "texts": list(one.texts) if whole else [],
                    "superseded": one.superseded,
                    "verdicts": [_verdict(v) for v in one.verdicts],
                    "advantage": None if one.earned is None else one.earned.advantage,
                },
            )
            self.lineage.link(node, "answers", f"task:{episode.task_id}")
            for digest in dict.fromkeys(turn.weights for turn in episode.turns):
                self.lineage.link(node, "sampled from", self.weights(digest))
            if not one.verdicts:
                self.lineage.notes.append(f"attempt {episode.id} was never judged")

    # ── exams, decisions, who signed ─────────────────────────────────────────────────────────────────────

    def exams(self, digests: Sequence[str]) -> None:
        """The exams that the weights sat, or the nearest weights before them that sat one."""
        place = {digest: at for at, digest in enumerate(digests)}
        found: dict[str, Evaluated] = {}
        for message in self.journal.each_message(kinds=(Evaluated.kind,), superseded=True):
            if isinstance(message, Evaluated) and message.report.weights in place:
                name, at = message.report.exam, place[message.report.weights]
                if name not in found or at <= place[found[name].report.weights]:
                    found[name] = message
        sets = {m.digest: m for m in self.journal.each_message(kinds=(ExamSet.kind,), superseded=True)
                if isinstance(m, ExamSet)}  # fmt: skip
        for name, message in found.items():
            score = message.report.overall.pass_at_1
            facts = {
                "exam": name,
                "digest": message.report.digest,
                "when": message.when,
                "generation": message.generation,
                "pass_at_1": score.value,
                "interval": [score.low, score.high],
                "items": score.n,
                "set_in": sets[message.report.digest].id if message.report.digest in sets else None,
            }
            node = self.lineage.add(f"message:{message.id}", "exam", facts)
            self.lineage.link(self.weights(message.report.weights), "examined in", node)
        if not found:
            self.lineage.notes.append("neither these weights nor any before them have sat an exam")

    def decisions(self, digests: Sequence[str]) -> None:
        """The decisions of the gate about these weights, and who signed for them."""
        by_ref = {self.ancestry.ref(digest): digest for digest in digests} if self.ancestry.files else {}
        if not by_ref:
            self.lineage.notes.append(
                "the folder `start` is gone, so decisions cannot be told apart by reference"
            )
        nodes: dict[str, str] = {}
        for message in self.journal.each_message(kinds=(Decided.kind, ChampionSaved.kind), superseded=True):
            if not isinstance(message, Decided | ChampionSaved) or message.weights not in by_ref:
                continue
            node = self._decided(message)
            nodes[node] = message.weights
            self.lineage.link(self.weights(by_ref[message.weights]), "judged in", node)
        self._signed(nodes, set(by_ref))

    def _decided(self, message: Decided | ChampionSaved) -> str:
        facts: dict[str, Any] = {"generation": message.generation, "ref": message.weights}
        facts["superseded"] = self.journal.is_superseded(message.id)
        if isinstance(message, ChampionSaved):
            return self.lineage.add(
                f"message:{message.id}", "champion saved", {**facts, "folder": message.folder}
            )
        d = message.decision
        facts |= {"verdict": d.verdict, "reasons": list(d.reasons), "against": message.champion}
        return self.lineage.add(f"message:{message.id}", "decision", facts)

    def _signed(self, nodes: dict[str, str], refs: set[str]) -> None:
        leaves, why = leaves_about(self.run.path, refs)
        if why:
            self.lineage.notes.append(why)
        place = ledger_of(self.run.path)
        for leaf in leaves:
            node = self.lineage.add(f"leaf:{leaf['index']}", "leaf", {**leaf, "ledger": str(place)})
            for decided, ref in nodes.items():
                if ref in leaf["names"]:
                    self.lineage.link(decided, "signed in", node)
            for ref in leaf["names"]:
                self.lineage.add(node, "leaf", {"about": ref})
        if not nodes:
            self.lineage.notes.append("the gate has decided about none of these weights yet")

    # ── what became of it ────────────────────────────────────────────────────────────────────────────────

    def consequences(self, stored: StoredEpisode) -> None:
        """The updates that were made of an attempt, or the message that it was evidence in."""
        ref, node = str(stored.episode.id), f"attempt:{stored.episode.id}"
        ids = {id_ for kind in ("own", "attempt") for id_ in self.journal.messages_with(kind, ref)}
        for id_ in sorted(ids):
            message = self.journal.message(id_)
            if isinstance(message, Updated):
                self.lineage.link(node, "was learned in", self.update(message))
                self.lineage.link(f"weights:{message.after}", "made by", self.update(message))
                self.weights(message.after)
        brought = self.journal.message(stored.message)
        if brought is not None and not isinstance(brought, Attempted):
            facts = {"generation": brought.generation, "message": brought.kind}
            self.lineage.add(f"message:{brought.id}", "message", facts)
            self.lineage.link(node, "is evidence in", f"message:{brought.id}")


def _source_of(entry: Entry) -> str:
    """The node that a sequence stands for."""
    if entry.kind in OF_TASKS:
        return f"task:{entry.ref}"
    return f"proposal:{entry.ref}" if entry.kind == "proposal" else f"attempt:{entry.ref}"


def _verdict(verdict: Any) -> dict[str, Any]:
    return {
        "by": verdict.source,
        "passed": verdict.passed,
        "reward": verdict.reward,
        "reason": verdict.reason,
    }
