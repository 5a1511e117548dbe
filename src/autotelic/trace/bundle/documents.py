"""What a bundle says in words: the charter as a change plan, the datasheet of self-made data, how to replay."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from autotelic.messages import RunStarted

_CORE = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "pydantic", "cryptography")


def change_plan(run: RunStarted) -> str:
    """The charter in the three parts of a predetermined change control plan (FDA, guidance of August 2025)."""
    c: Mapping[str, Any] = run.charter
    domain, gate, limits, exam = c["domain"], c["gate"], c["limits"], c["exam"]
    learned = {
        k: c["learn"][k] for k in ("algorithm", "lr_matrix", "lr_other", "batch_tokens") if k in c["learn"]
    }
    budget = {key: value for key, value in c["budget"].items() if value}
    return (
        "\n".join(
            [
                "# The charter as a change plan",
                "",
                f"Charter `{run.digest}`. The three parts are those of a predetermined change control plan "
                "(FDA, guidance of August 2025). Nothing here is a claim of conformity.",
                "",
                "## 1. Description of modifications",
                "",
                f"- Purpose: {' '.join(str(c['purpose']).split())}",
                f"- What changes: {run.learned} of {run.parameters} parameters of `{run.model}`, by its own updates.",
                "- What does not change: the tokenizer, the architecture, the domain and this charter.",
                f"- Within: domain `{domain['name']}`, levels {domain['levels']}; budget {budget or 'none'}.",
                "",
                "## 2. Modification protocol",
                "",
                "- Data: tasks of the rules and of the model's own; each is admitted by execution (datasheet.md).",
                f"- Method: {', '.join(f'{key} {value}' for key, value in learned.items())}.",
                f"- Test: a sealed exam of {exam['items_per_cell']} items a cell, which training is kept from.",
                f"- Acceptance: auditors certify a candidate that is better than the last certified weights, on "
                f"{gate['items']} fresh items with {gate['answers']} answers each, alpha {gate['alpha']} over "
                f"{gate['planned']} planned gates. Else training goes on, and the champion stays.",
                "- Record: each message in the journal; each update can be computed again (REPLAY.md).",
                "",
                "## 3. Impact assessment",
                "",
                "- A certificate says better on these items. It does not say safe.",
                f"- What the model writes is run in a sandbox: `{run.sandbox}`, limits {dict(limits)}.",
                "- Skill outside the domain is not measured.",
                "- The champion is what was certified last; the working weights may be better or worse.",
            ]
        )
        + "\n"
    )


def datasheet(run: RunStarted, tasks: Sequence[tuple[Any, ...]], verdicts: Sequence[tuple[Any, ...]]) -> str:
    """The data that a run made for itself, in the sections of a datasheet (Gebru et al. 2021, arXiv:1803.09010).

    `tasks` are rows of mode, level, whether a repair, whether by the rules, and their number; `verdicts` of source,
    reason and number.
    """
    total = sum(row[-1] for row in tasks)
    own = sum(row[-1] for row in tasks if not row[3])
    return (
        "\n".join(
            [
                "# Datasheet of the self-made data",
                "",
                "## Motivation",
                "",
                f"The run made this data to learn from: {' '.join(str(run.charter['purpose']).split())}",
                "",
                "## Composition",
                "",
                f"{total} tasks, of which the model itself wrote {own}. Superseded ones are counted too.",
                "",
                "| mode | level | repair | author | tasks |",
                "|---|---|---|---|---|",
                *(
                    f"| {mode} | {level} | {'yes' if repair else 'no'} | {'rules' if rules else 'model'} | {n} |"
                    for mode, level, repair, rules, n in tasks
                ),
                "",
                "Verdicts on attempts:",
                "",
                "| by | reason | attempts |",
                "|---|---|---|",
                *(f"| {source} | {reason or '-'} | {n} |" for source, reason, n in verdicts),
                "",
                "## Collection",
                "",
                f"Tasks come from rules that a human wrote (domain `{run.charter['domain']['name']}`) and the model. "
                "Each was executed before it was admitted. No person's data was collected.",
                "",
                "## Preprocessing, uses, distribution, maintenance",
                "",
                "Tasks that behave like one of the sealed exam are left out. `samples/` holds some at random. "
                "The whole lies in the journal of the run folder. Nobody has read it all.",
            ]
        )
        + "\n"
    )


def replay_instructions(run: RunStarted, steps: int) -> str:
    """How to compute again what was recorded."""
    return (
        "\n".join(
            [
                "# Replay",
                "",
                "This takes the run folder, which is not in the bundle.",
                "",
                f"    pip install autotelic=={run.version}   # commit {run.commit or 'unknown'}",
                "    pip install -r requirements.lock",
                "    autotelic check RUN                    # every byte is what was written",
                "    autotelic audit RUN                    # every decision, again from the ledger",
                f"    autotelic replay RUN {max(steps - 1, 0):<18} # an update, bit for bit",
                "    autotelic why RUN --attempt 1          # what an answer rests on",
                "",
                f"The run was made on {run.platform or 'an unknown machine'}. An update comes out bit for bit on a "
                "processor of the same kind with the same torch. A new run needs charter.toml alone:",
                "",
                "    autotelic run charter.toml --out again",
            ]
        )
        + "\n"
    )


def packages(run: RunStarted) -> dict[str, str]:
    """The versions that the run recorded, and of this installation's core where it recorded none."""
    found = {name: str(number) for name, number in run.versions.items() if name != "python"}
    for name in _CORE:
        if name not in found:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
    return {name: number.split("+")[0] for name, number in found.items()}


def lock_file(run: RunStarted) -> str:
    lines = [f"# Python {run.versions.get('python', platform.python_version())}"]
    return "\n".join([*lines, *(f"{n}=={v}" for n, v in sorted(packages(run).items()))]) + "\n"


def readme(run: RunStarted, name: str, absent: Mapping[str, str]) -> str:
    """What is in the bundle."""
    gone = [f"- {what}: {why}" for what, why in sorted(absent.items())]
    return (
        "\n".join(
            [
                f"# Bundle of the run {name}",
                "",
                "    pip install cryptography",
                "    python verify.py .",
                "",
                "The verifier is one file. Take it from a source you trust rather than from here.",
                "",
                "| file | what |",
                "|---|---|",
                "| model/, model.sig | the weights, and their signature (OpenSSF Model Signing 1.0) |",
                "| model-card.md | what the model is, and how good |",
                "| charter.json, charter.toml, change-plan.md | what a human decided |",
                "| datasheet.md, samples/ | the data that the run made for itself |",
                "| decisions.jsonl, statements/ | decisions; signed in-toto statements |",
                "| lineage.prov.json | what the weights rest on (W3C PROV) |",
                "| bom.cdx.json | bill of materials (CycloneDX 1.6) |",
                "| ledger.jsonl | the ledger, a proof of each leaf (c2sp.org/tlog-proof), where there is one |",
                "| REPLAY.md, requirements.lock | how to compute it again |",
                "",
                *(["Not in it:", "", *gone] if gone else []),
            ]
        )
        + "\n"
    )
