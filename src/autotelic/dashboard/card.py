"""The model card: what a champion is, how it came to be, how good it is and what it is not."""

from __future__ import annotations

from collections.abc import Callable

from autotelic.charter import BUILT_IN
from autotelic.dashboard.story import Evaluation, Story
from autotelic.dashboard.wording import clock, count, interval, percent
from autotelic.messages import RunStarted
from autotelic.types import Cell


def model_card(story: Story, name: str) -> str:
    """`README.md` of a folder in Hugging Face format, in Markdown with its YAML head."""
    last = story.after or story.before
    parts = [_head(name), _what(story.run), _training(story), _exam(story, last), _use(), _limits(story)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(name: str) -> str:
    return (
        "---\nlibrary_name: transformers\npipeline_tag: text-generation\nlicense: apache-2.0\n"
        f"tags:\n- autotelic\n- self-play\n---\n\n# {name}"
    )


def _what(run: RunStarted | None) -> str:
    if run is None:
        return "A language model that trained itself with autotelic."
    purpose = " ".join(str(run.charter["purpose"]).split())
    return f"A language model that trained itself with autotelic, under a charter that says: {purpose}"


def _training(story: Story) -> str:
    run, champion = story.run, story.champion
    if run is None:
        return ""
    promoted = sum(r.verdict == "promote" for r in story.rulings)
    facts = [
        f"run `{run.run}` of autotelic {run.version}, commit `{run.commit or 'unknown'}`",
        f"charter `{run.digest}`, seed {run.seed}",
        f"start weights `{run.start}`",
    ]
    if run.parent is not None:
        facts.append(f"parent `{run.parent.run}`, weights `{run.parent.weights}`")
    if exam := story.exam("sealed"):
        facts.append(f"sealed exam `{exam.digest}`, {exam.items} items")
    if champion["weights"]:
        facts.append(f"champion weights `{champion['weights']}`, made in generation {champion['generation']}")
    facts += [
        f"{count(story.tokens)} tokens trained on in {clock(story.seconds)} of work",
        f"{percent(story.actor_task_share)} of the tokens of tasks after the bootstrap were of its own tasks",
        f"{promoted} of {len(story.rulings)} candidates were certified as better, on items that an auditor drew",
    ]
    return (
        f"## How it was trained\n\n{origin(run)} Over {len(story.generations)} generations it wrote tasks, "
        "attempted them, and learned from verdicts on the attempts.\n\n"
        + "\n".join(f"- {fact}" for fact in facts)
    )


def origin(run: RunStarted, code: Callable[[str], str] = "`{}`".format) -> str:
    """What the model knew before the run, in a sentence or two; `code` sets a name apart."""
    if run.parent is not None:
        unknown = (
            ""
            if run.parent.seals
            else " What those were trained on is not known here, so an exam may ask what they have seen."
        )
        return f"It went on from the weights of {code(run.parent.run)}.{unknown}"
    if run.model in BUILT_IN:
        return (
            "It started from random weights and a tokenizer trained on text from the rules. "
            "No text made by people was used."
        )
    return f"It started from the pretrained weights of {code(run.model)}."


def _exam(story: Story, last: Evaluation | None) -> str:
    if last is None:
        return "## Exam\n\nThe sealed exam has not been evaluated."
    measures = story.measures
    levels = sorted({c.level for c in last.cells})
    modes = [m for m in story.modes if any(c.mode == m for c in last.cells)]
    rows = [
        f"| {mode} | " + " | ".join(_cell(last, Cell(mode=mode, level=n)) for n in levels) + " |"
        for mode in modes
    ]
    before = (
        f"; before learning {interval(story.before.pass_at_1, 1)}" if story.before and story.after else ""
    )
    further = [
        f"{measures.best} {interval(last.pass_at_8, 1)}",
        f"{measures.chosen} by the critic {interval(last.best_of_8, 1)}",
    ]
    if own := story.evaluations_of("own"):
        further.append(f"the exam it set itself {interval(own[-1].pass_at_1, 1)}")
    return "\n".join(
        [
            "## Exam",
            "",
            f"Sealed exam of {last.pass_at_1.n} items that training was kept from, evaluated in generation "
            f"{last.generation}: {measures.one} {interval(last.pass_at_1, 1)}{before}; {'; '.join(further)}. "
            f"In brackets are 95 % intervals. {scale(story)}Greedy {measures.one} by mode and level:",
            "",
            "| |" + "".join(f" level {level} |" for level in levels),
            "|---|" + "---|" * len(levels),
            *rows,
        ]
    )


def scale(story: Story) -> str:
    """What 0 % and 100 % of a reward are; empty where the domain knows success."""
    if story.success is not False or story.run is None:
        return ""
    low, high = story.run.scale
    return f"0 % is a reward of {low:g}, 100 % of {high:g}. "


def _cell(last: Evaluation, cell: Cell) -> str:
    return interval(last.cells[cell]) if cell in last.cells else ""


def _use() -> str:
    return (
        "## Use\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'model = AutoModelForCausalLM.from_pretrained("PATH")\n'
        'tokenizer = AutoTokenizer.from_pretrained("PATH")\n```\n\n'
        "`autotelic exam PATH` evaluates it on an exam."
    )


def _limits(story: Story) -> str:
    if story.run is None:
        return ""
    domain = story.run.charter["domain"]
    low, high = domain["levels"]
    tiny = (
        "A model that started from random weights does not converse; it knows the texts of this domain alone. "
        if story.run.model in BUILT_IN
        else ""
    )
    return (
        f"## Limits\n\nIt practised the domain `{domain['name']}` at levels {low} to {high} in the prompts of that "
        f"domain, and nothing else was measured. {tiny}It fails at the rates above. "
        "Run what it writes in a sandbox only."
    )
