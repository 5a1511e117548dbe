"""The model card: what a champion is, how it came to be, how good it is and what it is not."""

from __future__ import annotations

from autotelic.dashboard.story import Sitting, Story
from autotelic.dashboard.wording import clock, count, interval, percent
from autotelic.types import Cell


def model_card(story: Story, name: str) -> str:
    """`README.md` of a folder in Hugging Face format, in Markdown with its YAML head."""
    last = story.after or story.before
    parts = [_head(name), _what(story), _training(story), _exam(story, last), _use(), _limits(story)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(name: str) -> str:
    return (
        "---\nlibrary_name: transformers\npipeline_tag: text-generation\nlicense: apache-2.0\n"
        f"tags:\n- autotelic\n- self-play\n---\n\n# {name}"
    )


def _what(story: Story) -> str:
    purpose = " ".join(str(story.charter.get("purpose", "")).split())
    return f"A language model that trained itself with autotelic, under a charter that says: {purpose}"


def _training(story: Story) -> str:
    model = story.charter.get("model", {})
    if model.get("from"):
        origin = f"It went on from the weights in `{model['from']}`."
    elif model.get("name", "tiny") == "tiny":
        origin = (
            "It started from random weights and a tokenizer trained on text from the rules: the grammar of "
            "the rules and nothing else. No data made by people was used."
        )
    else:
        origin = f"It started from the pretrained weights of `{model['name']}`."
    promoted = sum(r.verdict == "promote" for r in story.rulings)
    return (
        f"## How it was trained\n\n{origin} Over {len(story.generations)} generations it wrote tasks, "
        "attempted them, was judged by running the code, and learned from the verdicts.\n\n"
        f"- {count(story.tokens)} tokens trained on in {clock(story.seconds)} of work\n"
        f"- {percent(story.actor_task_share)} of what it trained on after the bootstrap was its own work\n"
        f"- {promoted} of {len(story.rulings)} generations were promoted by a paired test\n"
        f"- charter `{story.start.get('digest', 'unknown')}`, seed {story.start.get('seed')}"
    )


def _exam(story: Story, last: Sitting | None) -> str:
    if last is None:
        return "## Exam\n\nThe sealed exam has not been sat."
    levels = sorted({c.level for c in last.cells})
    modes = [m for m in story.modes if any(c.mode == m for c in last.cells)]
    rows = [
        f"| {mode} | " + " | ".join(interval(last.cells.get(Cell(mode=mode, level=n))) for n in levels) + " |"
        for mode in modes
    ]
    before = (
        f"; before learning {interval(story.before.pass_at_1, 1)}" if story.before and story.after else ""
    )
    further = [
        f"pass@8 {interval(last.pass_at_8, 1)}",
        f"best of 8 by its critic {interval(last.best_of_8, 1)}",
    ]
    own = story.sat("own")
    if own:
        further.append(f"the exam it set itself {interval(own[-1].pass_at_1, 1)}")
    return "\n".join(
        [
            "## Exam",
            "",
            f"Sealed exam of {last.pass_at_1.n} items that training was kept from, sat at generation "
            f"{last.generation}: pass@1 {interval(last.pass_at_1, 1)}{before}; {'; '.join(further)}. "
            "In brackets are 95 % intervals. Greedy pass@1 by mode and level:",
            "",
            "| |" + "".join(f" level {level} |" for level in levels),
            "|---|" + "---|" * len(levels),
            *rows,
        ]
    )


def _use() -> str:
    return (
        "## Use\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'model = AutoModelForCausalLM.from_pretrained("PATH")\n'
        'tokenizer = AutoTokenizer.from_pretrained("PATH")\n```\n\n'
        "`autotelic exam PATH` sits an exam with it."
    )


def _limits(story: Story) -> str:
    domain = story.charter.get("domain", {})
    levels = domain.get("levels") or ["?", "?"]
    return (
        f"## Limits\n\nIt practised the domain `{domain.get('name', 'python')}` at levels {levels[0]} to "
        f"{levels[1]} in the prompts of that domain, and nothing else was measured. A model that started "
        "from random weights does not converse, and code outside that grammar means nothing to it. Its "
        "answers are wrong at the rates above. Run what it writes in a sandbox only."
    )
