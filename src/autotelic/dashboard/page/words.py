"""What the words of the page mean: a part of the page and of the report."""

from __future__ import annotations

from autotelic.dashboard.markup import para, section
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.story import Story

WORDS = {
    "actor": "The model that a run trains. It proposes tasks and it solves them.",
    "proposer, solver": "What the actor is asked as.",
    "mode, level, cell": "A kind of task, how hard it is, and both together, such as <code>induction/2</code>.",
    "proposal": "What the actor wrote when it was asked for a task. Not yet a task.",
    "verdict": "How good an attempt was, and who says so: the verifier executes, the critic predicts.",
    "sealed exam": "Items that were drawn at the start, committed to by digest, and kept from training.",
    "own exam": "An exam that the model sets itself, from proposals that are kept from training.",
    "pass@1, pass@8": "The share of items that greedy answers pass, and that any of 8 samples passes.",
    "advantage": "By how much an attempt was better than was expected.",
    "flat": "Said of a group of attempts that all earned the same. It teaches nothing.",
    "KL": "How far the actor has moved from the champion, in nats a token.",
    "clipped": "The share of tokens whose step was held back.",
    "entropy": "How undecided the actor is, in nats a token.",
    "AUROC, ECE": "How well the critic ranks (0.5 is chance), and how far its percentages are off (0 is best).",
    "champion": "The weights that were certified last. All else trains on.",
    "brake": "What auditors and alarms can do to a run: slow it, hold it, stop it, quarantine it.",
    "bootstrap": "The first generations, in which the rules of the domain write all tasks.",
    "worked": "Seconds of the run itself, without the time that a stopped run lay still.",
}
"""A word, as the page writes it, and what it means. The glossary of the documentation has the same words."""


_SUCCESS = "pass@1, pass@8"
"""Where a domain knows no success, scores are rewards."""
_REWARD = {"reward": "A real number on the domain's scale; 0 % is its lowest, 100 % its highest."}


def words_of(story: Story) -> dict[str, str]:
    """The words that the views of a run use."""
    if story.success is not False:
        return WORDS
    return {**{word: meaning for word, meaning in WORDS.items() if word != _SUCCESS}, **_REWARD}


def explained(run: RunView) -> str:
    """The words as a list."""
    entries = "".join(f"<dt>{word}</dt><dd>{meaning}</dd>" for word, meaning in words_of(run.story).items())
    return section(
        "Words",
        para("One word for one thing, on the page as in the record.", style="quiet"),
        f"<dl>{entries}</dl>",
    )


def view(run: RunView) -> str:
    """The words as a view of the page."""
    return '<h1 class="hidden">Words</h1>' + explained(run)
