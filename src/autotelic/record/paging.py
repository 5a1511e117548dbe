"""Rows of the journal a page at a time: by the number of the row, so that page a thousand costs what page one does.

Each page says where it ended (`before` of the next). Looking for something rare ends after `WINDOW` rows, found
or not, so that no page of a journal of any size takes long.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from autotelic.messages import Admitted, Outcome
from autotelic.record.blobs import OF_TASKS, holds
from autotelic.record.journal import Journal
from autotelic.types import RULES, Kind, Proposal, Task

PAGE = 50
"""Rows of a page: about two screens."""
WINDOW = 100_000
"""Rows that one page of a search looks at: about a tenth of a second."""
_UPDATES_AT_ONCE = 500
_REFUSED_WINDOW = 2_000
"""Proposals that one page looks at. Each generation of them is a message to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks to list; what is empty or None asks for nothing. `author` is `rules` or `actor`, `result` is
    `passed`, `failed`, `attempted` or `untried`, `text` a part of the prompt."""

    mode: str = ""
    level: int | None = None
    author: str = ""
    result: str = ""
    text: str = ""
    generation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTask:
    """A task of a list, with how many of its attempts there are and passed."""

    row: int
    generation: int
    task: Task
    attempts: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProposal:
    """A proposal of a list, with what became of it where that is recorded."""

    generation: int
    proposal: Proposal
    outcome: Outcome | None


def ids_after(journal: Journal, after: int, most: int) -> list[int]:
    """The ids of the next messages."""
    query = "SELECT id FROM messages WHERE id > ? ORDER BY id LIMIT ?"
    return [row[0] for row in journal.select(query, [after, most])]


def ids_spread(journal: Journal, kind: str, most: int) -> list[int]:
    """The ids of messages of a kind, in order: all of them, or of many the first, the newest, and some between."""
    rows = journal.select("SELECT id FROM messages WHERE kind = ? ORDER BY id", [kind])
    ids = [row[0] for row in rows]
    if len(ids) <= most:
        return ids
    newest, older = ids[-(most // 2) :], ids[: -(most // 2)]
    return older[:: -(-len(older) // (most - len(newest)))] + newest


def list_tasks(
    journal: Journal, wanted: TaskFilter, before: int = 0, most: int = PAGE
) -> tuple[list[ListedTask], int]:
    """Tasks, newest first, from below the row `before` (0 is the newest); and the `before` of the next page,
    0 where there is none."""
    top = before or _last(journal, "tasks") + 1
    low = max(0, top - WINDOW)
    where = ["row < ?", "row >= ?"]
    values: list[Any] = [top, low]
    for column, value in (("mode", wanted.mode), ("level", wanted.level), ("generation", wanted.generation)):
        if value not in ("", None):
            where.append(f"{column} = ?")
            values.append(value)
    if wanted.author:
        where.append("author = ?" if wanted.author == "rules" else "author <> ?")
        values.append(RULES)
    if wanted.text:
        where.append("instr(lower(prompt), lower(?)) > 0")
        values.append(wanted.text)
    judged = "SELECT 1 FROM episodes e JOIN verdicts v ON v.episode = e.row WHERE e.task = tasks.id"
    conditions = {
        "passed": f"EXISTS ({judged} AND v.passed = 1)",
        "failed": f"EXISTS ({judged} AND v.passed = 0)",
        "attempted": "EXISTS (SELECT 1 FROM episodes e WHERE e.task = tasks.id)",
        "untried": "NOT EXISTS (SELECT 1 FROM episodes e WHERE e.task = tasks.id)",
    }
    if wanted.result in conditions:
        where.append(conditions[wanted.result])
    query = f"SELECT row, generation FROM tasks WHERE {' AND '.join(where)} ORDER BY row DESC LIMIT ?"
    rows = journal.select(query, [*values, most])
    tasks = journal.tasks_at([row for row, _ in rows])
    found = []
    for (row, generation), task in zip(rows, tasks, strict=True):
        attempts, passed = tried(journal, task.id)
        found.append(ListedTask(row=row, generation=generation, task=task, attempts=attempts, passed=passed))
    following = found[-1].row if len(found) == most else low
    return found, following if following > 1 else 0


def tried(journal: Journal, task: str) -> tuple[int, int]:
    """How many attempts at a task there are, and how many of them the verifier passed."""
    query = (
        "SELECT count(*), coalesce(sum((SELECT max(coalesce(v.passed, 0)) FROM verdicts v "
        "WHERE v.episode = e.row)), 0) FROM episodes e WHERE e.task = ?"
    )
    attempts, passed = journal.select(query, [task])[0]
    return int(attempts), int(passed)


def list_proposals(
    journal: Journal, reason: str = "", generation: int | None = None, before: int = 0, most: int = PAGE
) -> tuple[list[ListedProposal], int]:
    """Proposals, newest first, with what became of them: of one `reason` (`admitted`, `refused`, or the word
    itself), or all; and the `before` of the next page, 0 where there is none."""
    top = before or _last(journal, "proposals") + 1
    low = max(0, top - _REFUSED_WINDOW)
    query, values = "SELECT row, generation FROM proposals WHERE row < ? AND row >= ?", [top, low]
    if generation is not None:
        query, values, low = (
            "SELECT row, generation FROM proposals WHERE row < ? AND generation = ?",
            [
                top,
                generation,
            ],
            0,
        )
    rows = journal.select(f"{query} ORDER BY row DESC LIMIT ?", [*values, _REFUSED_WINDOW])
    if generation is not None and len(rows) == _REFUSED_WINDOW:
        low = rows[-1][0]
    fates: dict[int, dict[int, Outcome]] = {}
    kept: list[tuple[int, int, Outcome | None]] = []
    for row, born in rows:
        if born not in fates:
            fates[born] = _fates(journal, born)
        outcome = fates[born].get(row)
        if _is(outcome, reason):
            kept.append((row, born, outcome))
            if len(kept) == most:
                break
    proposals = journal.proposals_at([row for row, _, _ in kept])
    found = [
        ListedProposal(generation=born, proposal=proposal, outcome=outcome)
        for (_, born, outcome), proposal in zip(kept, proposals, strict=True)
    ]
    following = kept[-1][0] if len(kept) == most else low
    return found, following if following > 1 else 0


def _is(outcome: Outcome | None, reason: str) -> bool:
    if not reason:
        return True
    if outcome is None:
        return False
    if reason in ("admitted", "refused"):
        return bool(outcome.task) == (reason == "admitted")
    return outcome.reason == reason


def _fates(journal: Journal, generation: int) -> dict[int, Outcome]:
    found: dict[int, Outcome] = {}
    for message in journal.read(kinds=(Admitted.kind,), generation=generation, superseded=True):
        for outcome in message.outcomes if isinstance(message, Admitted) else ():
            found[outcome.proposal] = outcome
    return found


def list_attempts(
    journal: Journal, purpose: str = "", generation: int | None = None, before: int = 0, most: int = PAGE
) -> tuple[list[int], int]:
    """The ids of attempts, newest first; and the `before` of the next page, 0 where there is none."""
    top = before or _last(journal, "episodes") + 1
    low = max(0, top - WINDOW)
    where = ["row < ?", "row >= ?"]
    values: list[Any] = [top, low]
    for column, value in (("purpose", purpose), ("generation", generation)):
        if value not in ("", None):
            where.append(f"{column} = ?")
            values.append(value)
    query = f"SELECT row FROM episodes WHERE {' AND '.join(where)} ORDER BY row DESC LIMIT ?"
    rows = [row[0] for row in journal.select(query, [*values, most])]
    following = rows[-1] if len(rows) == most else low
    return rows, following if following > 1 else 0


def updates_after(journal: Journal, most: int) -> Sequence[tuple[int, int, str]]:
    """The id, generation and JSON of updates that are not superseded, in order: at most `most`, spread evenly."""
    ids = [row[0] for row in journal.select("SELECT id FROM messages WHERE kind = 'updated' ORDER BY id")]
    ids = [id_ for id_ in ids[:: max(1, -(-len(ids) // most))] if not journal.is_superseded(id_)]
    found = []
    for at in range(0, len(ids), _UPDATES_AT_ONCE):
        some = ids[at : at + _UPDATES_AT_ONCE]
        places = ",".join("?" * len(some))
        found += journal.select(
            f"SELECT id, generation, data FROM messages WHERE id IN ({places}) ORDER BY id", some
        )
    return found


def updates_holding(
    journal: Journal, wanted: Collection[tuple[Kind, str]], first: int, most: int
) -> list[int]:
    """The ids of the updates, of the `most` after the message `first`, whose batch may hold one of these kinds of
    sequences of these references, oldest first.
    """
    rows: dict[Kind, list[int]] = {}
    for kind, ref in wanted:
        if kind not in OF_TASKS:
            rows.setdefault(kind, []).append(int(ref))
        elif found := journal.select("SELECT max(row) FROM tasks WHERE id = ?", [ref])[0][0]:
            rows.setdefault(kind, []).append(int(found))
    holding = []
    after = first
    while most > 0 and rows:
        query = "SELECT message, kinds, refs FROM entries WHERE message > ? ORDER BY message LIMIT ?"
        some = journal.select(query, [after, min(most, _UPDATES_AT_ONCE)])
        if not some:
            break
        with journal.damaged():
            holding += [
                message
                for message, kinds, refs in some
                if any(holds(kinds, refs, kind, row) for kind, of_kind in rows.items() for row in of_kind)
            ]
        after, most = some[-1][0], most - len(some)
    return holding


def _last(journal: Journal, table: str) -> int:
    return int(journal.select(f"SELECT coalesce(max(row), 0) FROM {table}")[0][0])
