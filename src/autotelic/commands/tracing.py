"""`autotelic why`: what an answer rests on, from the verdict back to the weights that a run began from."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from autotelic.commands import Json

if TYPE_CHECKING:
    from autotelic.trace.graph import Provenance

Flag = Annotated[bool, Parameter(negative="")]


def why(
    run: Path,
    *,
    attempt: int | None = None,
    prompt: str | None = None,
    item: str | None = None,
    attribute: Flag = False,
    without: int = 0,
    candidates: int | None = None,
    method: Literal["tracin", "metagradient"] = "tracin",
    as_json: Json = False,
) -> int:
    """Say what an answer rests on: weights, updates, experiences, their authors, verdicts, exams, signatures.

    Parameters
    ----------
    run
        The run folder.
    attempt
        The number of an attempt.
    prompt
        A prompt: the champion answers it now, greedily.
    item
        The id of a task or exam item, or how it begins: the newest attempt at it.
    attribute
        Also which experiences made the answer likelier, since the nearest kept checkpoint.
    without
        Also what the answer would be without so many of them, by training again; implies --attribute.
    candidates
        How many sequences to look at, the newest first; by default as many as 20 seconds allow.
    method
        tracin, by gradients at each update, or metagradient, by a derivative through all of them: closer to training
        again, for more time and memory.
    """
    from autotelic.errors import RunError
    from autotelic.record import Journal, RunFolder
    from autotelic.trace.text import describe

    if sum(one is not None for one in (attempt, prompt, item)) != 1:
        raise RunError(
            "`why` is about one answer", "give one of --attempt NUMBER, --prompt TEXT and --item ID"
        )
    if without < 0 or (candidates is not None and candidates < 1):
        raise RunError("--without and --candidates count sequences", "give 1 or more")
    if method == "metagradient" and candidates is not None:
        raise RunError("a metagradient is of all sequences", "leave out --candidates, or --method")
    if prompt is not None and (attribute or without):
        raise RunError("only a recorded answer is attributed", "give --attempt NUMBER or --item ID")
    place = RunFolder.open(run)
    with Journal.open(place.path) as journal:
        lineage = _lineage(place, journal, attempt, prompt, item)
        if not as_json:
            print(describe(lineage), flush=True)
        found: dict[str, Any] = {}
        if attribute or without:
            number = int(lineage.subject.removeprefix("attempt:"))
            found = _attribution(place, journal, number, without, candidates, method)
    if as_json:
        print(json.dumps(lineage.as_json() | found, indent=1))
    elif found:
        _show(found)
    return 0 if lineage.complete else 1


def changed(
    run: Path,
    before: str = "start",
    after: str = "champion",
    /,
    *,
    prompt: str | None = None,
    items: int = 10,
    as_json: Json = False,
) -> None:
    """Say what changed between two sets of weights: on a prompt, and which exam answers most.

    Parameters
    ----------
    run
        The run folder.
    before
        start, champion, working, the generation of a certificate, or a reference of the journal.
    after
        The same.
    prompt
        What both read; by default the prompt whose answer in the last exam changed most.
    items
        How many answers to show.
    """
    from autotelic.commands.preflight import refuse_limits
    from autotelic.errors import RunError
    from autotelic.record import Journal, RunFolder

    if items < 1:
        raise RunError("--items counts answers", "give 1 or more")
    refuse_limits()
    place = RunFolder.open(run)
    from autotelic.trace.between import between  # torch takes seconds to import

    with Journal.open(place.path) as journal:
        found = between(place, journal, before, after, prompt, items)
    if as_json:
        print(json.dumps(asdict(found), indent=1, ensure_ascii=False))
    else:
        _print_changes(found)


def _print_changes(between: Any) -> None:
    found = between.found
    print(f"{between.before}\n{between.after}\n")
    print("Token of the prompt, KL in nats, likeliest next token before and after")
    for token in found.tokens:
        print(f"  {token.text!r:<14} {token.kl:8.4f}  {token.before!r:<14} {token.after!r}")
    print(f"\nThe two part at layer {found.parts_at} of {len(found.layers) - 1} (KL of the logit lens, nats)")
    print("  " + "  ".join(f"{kl:.3f}" for kl in found.layers))
    for layer, head, share in found.heads[:5]:
        print(f"  head {head} of layer {layer + 1} alone takes {share:+.0%} of the difference")
    print(
        f"\nThe {len(between.items)} of {between.scored} answers of the last exam that changed most, in nats"
    )
    for one in between.items:
        print(f"  {one.before:9.3f} to {one.after:9.3f}  attempt {one.attempt}  {one.answer[:60]!r}")


def _lineage(
    place: Any, journal: Any, attempt: int | None, prompt: str | None, item: str | None
) -> Provenance:
    from autotelic.trace import lineage as tracing

    if prompt is not None:
        from autotelic.trace.asking import lineage_of_prompt  # torch takes seconds to import

        return lineage_of_prompt(place, journal, prompt)
    if item is not None:
        from autotelic.dashboard.inspect import task_named

        attempt = tracing.newest_attempt_at(journal, task_named(journal, item))
    assert attempt is not None
    return tracing.lineage_of_attempt(place, journal, attempt)


def _attribution(
    place: Any, journal: Any, number: int, without: int, candidates: int | None, method: str
) -> dict[str, Any]:
    """The experiences by their effect, and the counterfactual, as plain JSON. The cost is said first."""
    from autotelic.commands.preflight import refuse_limits
    from autotelic.errors import RunError

    refuse_limits()
    from autotelic.trace import attribution as attributing

    def watch(done: int, of: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {of} {unit}", end="" if done < of else "\n", file=sys.stderr, flush=True)

    through = method == "metagradient"
    unit = "updates" if through else "gradients"
    with attributing.tracing(place, journal, number) as given:
        cost = attributing.cost_through(given) if through else attributing.cost_of(given, candidates)
        print(
            f"about {cost.seconds:.0f} s: {'derivatives' if through else 'gradients'} of {cost.scored} of the "
            f"{cost.sequences} sequences since the checkpoint of generation {cost.checkpoint}",
            file=sys.stderr,
        )
        ranked = (
            attributing.attribute_through(given, watch)
            if through
            else attributing.attribute(given, cost, watch)
        )
    found: dict[str, Any] = {
        "attribution": {"method": method, "cost": asdict(cost), "ranked": [_ranked(one) for one in ranked]}
    }
    if without:
        if without > len(ranked):
            raise RunError(f"--without {without}, and {len(ranked)} sequences were looked at", "give fewer")
        gone = [one.place for one in ranked[:without]]
        done = attributing.counterfactual(place, journal, number, gone)
        found["counterfactual"] = {**asdict(done), "moved": done.moved}
    return found


def _ranked(one: Any) -> dict[str, Any]:
    step, at = one.place
    return {"update": step, "place": at, "kind": one.entry.kind, "ref": one.entry.ref, "score": one.score}


def _show(found: dict[str, Any]) -> None:
    attribution = found["attribution"]
    cost, ranked = attribution["cost"], attribution["ranked"]
    left = cost["sequences"] - cost["scored"]
    print(
        f"Of the {cost['sequences']} sequences of {cost['updates']} updates since generation {cost['checkpoint']}, "
        f"{left} were not looked at; what came before is not attributed."
    )
    unit = "nats, first order" if attribution["method"] == "metagradient" else "first order, no unit"
    for title, some in (("made it likelier", ranked[:8]), ("made it less likely", ranked[::-1][:8])):
        print(f"Experiences that {title} ({unit})")
        for one in some:
            print(f"  {one['score']:+.2e}  {one['kind']:<13} {one['ref']}  update {one['update']}")
    if done := found.get("counterfactual"):
        print(f"Without the first {done['without']}, trained again from the checkpoint")
        print(f"  with     log-probability {done['logprob']:.5f}  greedy answer {done['greedy']!r}")
        print(
            f"  without  log-probability {done['logprob_without']:.5f}  greedy answer {done['greedy_without']!r}"
        )
        print(f"  the answer is {done['moved']:+.5f} nats less likely without them")
