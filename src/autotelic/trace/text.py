"""A lineage in plain words, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import indent, shorten
from typing import Any

from autotelic.trace.graph import Provenance

_SHOWN = 8
"""Sequences of an update that are shown, the heaviest first; `--json` has all."""
_WIDE = 88


def describe(lineage: Provenance) -> str:
    """What an answer rests on, top down."""
    return "\n".join(_lines(lineage))


def _lines(lineage: Provenance) -> Iterator[str]:
    subject = lineage.nodes[lineage.subject]
    yield from _answer(lineage, subject)
    for digest in lineage.targets(lineage.subject, "sampled from"):
        yield from _weights(lineage, digest)
    yield from _consequences(lineage)
    for note in lineage.notes:
        yield f"Note: {note}."
    if lineage.complete:
        yield f"The lineage is whole: {len(lineage.nodes)} nodes, {len(lineage.edges)} links, none missing."
    else:
        yield f"The lineage is not whole: {len(lineage.missing)} links are missing."
        yield from (f"  missing: {one}" for one in lineage.missing[:_SHOWN])


def _answer(lineage: Provenance, subject: dict[str, Any]) -> Iterator[str]:
    yield f"Why {lineage.subject}"
    if "generation" in subject:
        gone = ", which a resume went back on" if subject["superseded"] else ""
        yield f"  made in generation {subject['generation']} as {subject['purpose']}{gone}"
    if subject.get("prompt"):
        yield indent(subject["prompt"].rstrip(), "  | ")
    for task in lineage.targets(lineage.subject, "answers"):
        facts = lineage.nodes[task]
        yield f"Task {facts['id']}, {facts['cell']}, of generation {facts['generation']}"
        yield indent(facts["prompt"].rstrip(), "  | ")
        for relation in ("written by", "was proposed as", "its writer was shown", "repairs an answer to"):
            if found := lineage.targets(task, relation):
                yield f"  {relation}: {', '.join(map(_short, found))}"
    yield "Answer"
    yield indent(str(subject.get("answer", "")).rstrip() or "(empty)", "  > ")
    for verdict in subject.get("verdicts", ()):
        passed = {True: "right", False: "wrong", None: "no success is defined"}[verdict["passed"]]
        yield f"  verdict of the {verdict['by']}: {passed} ({verdict['reason']}), reward {verdict['reward']:g}"
    if subject.get("advantage") is not None:
        yield f"  advantage over its siblings: {subject['advantage']:+.3f}"


def _weights(lineage: Provenance, node: str) -> Iterator[str]:
    facts = lineage.nodes[node]
    yield f"Weights {facts['digest']}"
    if facts.get("ref"):
        yield f"  reference {facts['ref']}"
    chain = _chain(lineage, node)
    if chain:
        yield from _update(lineage, chain[0])
        if chain[1:]:
            first, last = lineage.nodes[chain[-1]], lineage.nodes[chain[1]]
            total = sum(lineage.nodes[one]["sequences"] for one in chain[1:])
            yield (
                f"Before it, {len(chain) - 1} updates of generations {first['generation']} to {last['generation']}, "
                f"{total} sequences"
            )
    run = next((n for n in lineage.nodes.values() if n["kind"] == "run"), None)
    if run is not None:
        yield f"It began from {run['start']} ({run['model']}), seed {run['seed']}, charter {run['charter']}"
        if run["parent"]:
            yield f"  parent {run['parent']['run']}, weights {run['parent']['weights'] or 'not recorded'}"
    yield from _judged(lineage)


def _chain(lineage: Provenance, node: str) -> list[str]:
    """The updates from weights to the start, newest first."""
    after: dict[str, str] = {e.source: e.target for e in lineage.edges if e.relation == "made by"}
    before: dict[str, str] = {e.source: e.target for e in lineage.edges if e.relation == "learned on top of"}
    found: list[str] = []
    while node in after and len(found) <= len(after):
        found.append(after[node])
        node = before.get(after[node], "")
    return found


def _update(lineage: Provenance, node: str) -> Iterator[str]:
    facts = lineage.nodes[node]
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(facts.get("by_kind", {}).items()))
    made = f"{facts['sequences']} sequences ({kinds})"
    yield f"Made by update {facts['step']} in generation {facts['generation']}: {made}"
    sequences = [(s, lineage.nodes[s]) for s in lineage.targets(node, "consisted of")]
    sequences.sort(key=lambda one: (-abs(one[1]["weight"]), one[1]["place"]))
    for sequence, own in sequences[:_SHOWN]:
        (source,) = lineage.targets(sequence, "is")
        yield f"  {own['learned_as']:<13} weight {own['weight']:+.3f}  {_short(source)}  {_said(lineage, source)}"
    if len(sequences) > _SHOWN:
        yield f"  and {len(sequences) - _SHOWN} more (`--json` has all)"
    tasks = {e.source for e in lineage.edges if e.relation == "written by"}
    authors = Counter(
        "the rules" if lineage.targets(task, "written by") == ["rules"] else "its own earlier weights"
        for task in tasks
    )
    yield "  their tasks, and those that their writers were shown, were written by " + ", ".join(
        f"{who}: {n}" for who, n in sorted(authors.items())
    )


def _said(lineage: Provenance, node: str) -> str:
    facts = lineage.nodes.get(node, {})
    text = facts.get("answer") or facts.get("text") or facts.get("prompt") or ""
    last = (facts.get("verdicts") or [None])[-1]
    verdict = "" if last is None else f"[{last['reason']}] "
    return verdict + shorten(" ".join(str(text).split()), _WIDE - len(verdict), placeholder=" ...")


def _judged(lineage: Provenance) -> Iterator[str]:
    for facts in (n for n in lineage.nodes.values() if n["kind"] == "exam"):
        low, high = facts["interval"]
        yield (
            f"Exam {facts['exam']} ({facts['when']}, generation {facts['generation']}): "
            f"pass@1 {facts['pass_at_1']:.1%} [{low:.1%}, {high:.1%}] of {facts['items']} items, "
            f"set {facts['digest'][:19]}"
        )
    decisions = [(id_, n) for id_, n in lineage.nodes.items() if n["kind"] == "decision"]
    for id_, facts in decisions[-_SHOWN:]:
        signed = [s for leaf in lineage.targets(id_, "signed in") for s in lineage.nodes[leaf]["signed_by"]]
        who = "; ".join(dict.fromkeys(signed)) or "nobody signed"
        yield f"Decision of generation {facts['generation']}: {facts['verdict']}, {facts['reasons'][0]}; {who}"


def _consequences(lineage: Provenance) -> Iterator[str]:
    for relation in ("was learned in", "is evidence in"):
        for node in lineage.targets(lineage.subject, relation):
            facts = lineage.nodes[node]
            yield f"It {relation} {node} (generation {facts['generation']})"


def _short(node: str) -> str:
    kind, _, rest = node.partition(":")
    return f"weights {rest.removeprefix('sha256:')[:12]}" if kind == "weights" else node
