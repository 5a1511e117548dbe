"""`autotelic run` and `autotelic resume`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO, cast

from cyclopts import Parameter

from autotelic.commands import Json
from autotelic.commands.output import Lasting
from autotelic.commands.preflight import refuse_limits
from autotelic.errors import command

if TYPE_CHECKING:
    from autotelic.charter import Charter
    from autotelic.dashboard.sinks import Sinks
    from autotelic.machine import Machine
    from autotelic.messages import Message

    Watch = Callable[[Message], None]

DEFAULT = Path("runs/default")


_FLAGS = (
    *("threads", "workers", "server", "checkpointing", "verifier"),
    *("device", "engine", "address", "samplers", "judges"),
    *("auditors", "overseer", "brake", "pinned"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFlags:
    """What belongs to this machine and not to the charter; a `machine.toml` here says it for good.

    Parameters
    ----------
    machine
        A TOML file with these settings; ./machine.toml without.
    threads
        Threads to compute with; 0 is the cores. With as many, runs repeat to the bit.
    workers
        Processes of the sandbox.
    server
        The address of a server that samples (http://127.0.0.1:8000/v1); it needs model.lora_rank.
    checkpointing
        Compute activations twice and keep fewer, to save memory.
    verifier
        What reads the mathematics that the domain itself cannot: math-verify, none, or auto.
    device
        What the model computes on: cpu, cuda, mps, or auto for the first GPU that torch finds.
    engine
        Where stages run: local, in this process, or ray, on the workers of a Ray cluster.
    address
        The head of a running Ray cluster (10.0.0.1:6379), or auto for the one of this machine; without, Ray is
        started here.
    samplers
        Workers of a cluster that sample.
    judges
        Workers of a cluster that judge, each with a sandbox.
    auditors
        Who must approve of a champion: exam, rate, safety, or a class of your own, module:Class. May be given several
        times; exam and rate without.
    overseer
        The address of an overseer that somebody else runs (`autotelic auditor`): unix:PATH or https://HOST:PORT.
    brake
        The public key of its brake, as `autotelic auditor --keys` prints it.
    pinned
        Its certificate, where the address is https.
    """

    machine: Path | None = None
    threads: int | None = None
    workers: int | None = None
    server: str | None = None
    checkpointing: bool | None = None
    verifier: Literal["auto", "math-verify", "none"] | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] | None = None
    engine: Literal["local", "ray"] | None = None
    address: str | None = None
    samplers: int | None = None
    judges: int | None = None
    auditors: Annotated[tuple[str, ...] | None, Parameter(name=("--auditors", "--auditor"), negative="")] = (
        None
    )
    overseer: str | None = None
    brake: str | None = None
    pinned: str | None = None

    def settings(self, before: Machine | None = None) -> Machine:
        """The settings of the file, or those from `before`, overridden by the flags."""
        from autotelic.machine import Machine

        flags = {name: getattr(self, name) for name in _FLAGS}
        if before is None or self.machine is not None:
            return Machine.load(self.machine, flags)
        return before.model_copy(update={name: value for name, value in flags.items() if value is not None})


Flags = Annotated[MachineFlags | None, Parameter(name="*")]
Sink = Annotated[tuple[str, ...], Parameter(negative="")]


def run(
    charter: Path | None = None,
    *,
    out: Path = DEFAULT,
    seed: int | None = None,
    from_: Annotated[Path | None, Parameter(name="--from")] = None,
    seconds: float | None = None,
    again: Annotated[bool, Parameter(negative="")] = False,
    dash: Annotated[bool, Parameter(negative="")] = False,
    sink: Sink = (),
    machine: Flags = None,
    as_json: Json = False,
) -> int:
    """Start a run: a model makes its own tasks, learns from them, and sits an exam.

    Parameters
    ----------
    charter
        A TOML file with the purpose, the rules and the limits; none means the built-in default.
    out
        The run folder to make.
    seed
        Names every random stream, instead of the charter's.
    from_
        A run folder, or a model as model.name names it, whose weights to go on from.
    seconds
        Wall time after which to stop, instead of the charter's budget.
    again
        Move a run that is already in the folder aside (runs/default.1) and start afresh.
    dash
        Show the run on a page in the browser too. The page goes on after the run, until nobody looks at it for
        an hour.
    sink
        Copy the run's numbers to a tool too: tensorboard, wandb, mlflow or trackio. May be given several times.
    """
    from autotelic.charter import Charter
    from autotelic.models.registry import folder_of

    sinks = _sinks(sink, out)
    given = Charter.load(charter)
    settings = (machine or MachineFlags()).settings()
    if from_ is not None:
        from_ = folder_of(from_)
    wanted = {"seed": seed, "budget.seconds": seconds}
    changes = {key: value for key, value in wanted.items() if value is not None}
    given = given.replace(changes)
    _refuse_early(given, settings, out, from_, again)

    def start(watch: Watch) -> dict[str, Any]:
        from autotelic.loop import run

        source, moved = _as_given(charter, changes), partial(_say_moved, out) if again else None
        done = run(given, out, machine=settings, watch=watch, start_from=from_, source=source, again=moved)
        return dict(done)

    if dash:
        from autotelic.commands.dashing import beside

        beside(out)
    return watched(start, out, as_json=as_json, sinks=sinks)


def _say_moved(out: Path, aside: Path) -> None:
    print(f"autotelic: the run that was in {out} is now in {aside}", file=sys.stderr)


def _refuse_early(
    charter: Charter, settings: Machine, out: Path, start_from: Path | None, again: bool
) -> None:
    """What the loop would refuse. It looks again; here it takes a second, there the ten that torch does."""
    from autotelic.commands.preflight import refuse_adapter, refuse_domain, refuse_model
    from autotelic.machine import fits
    from autotelic.record import is_run
    from autotelic.record.folder import refuse_taken

    if not (again and is_run(out)):
        refuse_taken(out)
    fits(settings, charter)
    refuse_domain(charter)
    refuse_adapter(charter)
    if start_from is None:
        refuse_model(charter)


def _as_given(charter: Path | None, changes: Mapping[str, Any]) -> str | None:
    """The text of a charter's file, headed by what the command line changed; None where there is no file."""
    if charter is None:
        return None
    lines = [f"# given on the command line: {key} = {value}\n" for key, value in changes.items()]
    return "".join(lines) + charter.read_text(encoding="utf-8-sig")


def resume(
    run: Path = DEFAULT,
    *,
    seconds: float | None = None,
    tokens: int | None = None,
    generations: int | None = None,
    sink: Sink = (),
    machine: Flags = None,
    as_json: Json = False,
) -> int:
    """Go on with a run that was stopped, bit for bit as if it never had been.

    What is given adds to the charter's limit. A run that ended at a limit, or has none of the kind, gets it from
    where it stands; a limit that it ended at, and is given no more of, ends it no longer.

    Parameters
    ----------
    run
        The run folder.
    seconds
        Give the run so many seconds more.
    tokens
        Give it so many tokens more to train on.
    generations
        Give it so many generations more.
    sink
        Copy the run's numbers from here on to a tool too: tensorboard, wandb, mlflow or trackio.
    """
    from autotelic.errors import RunError
    from autotelic.machine import Machine
    from autotelic.messages import BudgetExtended, RunStarted
    from autotelic.record import Journal, RunFolder
    from autotelic.record.ended import refuse_finished

    folder = RunFolder.open(run)
    for name, value in (("seconds", seconds), ("tokens", tokens), ("generations", generations)):
        if value is not None and not 0 < value < float("inf"):
            raise RunError(
                f"--{name} {value:g} gives the run no more", "give a number above 0, or leave it out"
            )
    more = None
    if seconds or tokens or generations:
        more = BudgetExtended(seconds=seconds or 0.0, tokens=tokens or 0, generations=generations or 0)
    # The loop looks at all of this again. Here it takes a second, there the ten that torch does.
    folder.lock().release()
    with Journal.open(folder.path) as journal:
        started = journal.latest(RunStarted)
        if more is None:
            refuse_finished(folder, journal)
    before = None if started is None else Machine(**started.machine)
    settings = (machine or MachineFlags()).settings(before)

    def go_on(watch: Watch) -> dict[str, Any]:
        from autotelic.loop import resume

        return dict(resume(folder.path, machine=settings, watch=watch, extend=more))

    sinks = _sinks(sink, folder.path)
    return watched(go_on, folder.path, _past(folder.path), as_json=as_json, sinks=sinks)


def _sinks(names: tuple[str, ...], folder: Path) -> Sinks:
    """Copies for other tools. What is lost of them is said on standard error."""
    from autotelic.dashboard.sinks import Sinks

    def tell(line: str) -> None:
        with suppress(OSError):
            print(f"autotelic: {line}", file=sys.stderr, flush=True)

    return Sinks(names, folder, tell)


def _past(folder: Path) -> Iterator[Message]:
    """What the run has recorded so far, one by one: a journal of days is not for the memory."""
    from autotelic.record import Journal

    with Journal.open(folder) as journal:
        yield from journal.each_message()


def watched(
    work: Callable[[Watch], dict[str, Any]],
    folder: Path,
    past: Iterable[Message] = (),
    *,
    as_json: bool,
    sinks: Sinks | None = None,
) -> int:
    """Do the work under a view of it; what is printed at the end; the exit code."""
    from rich.console import Console

    from autotelic.commands.interrupt import Interrupt
    from autotelic.dashboard.live import watching

    def lost(why: str) -> None:
        see = command("inspect", folder)
        with suppress(OSError):
            print(
                f"autotelic: nobody sees the progress any more ({why}); the run goes on: {see}",
                file=sys.stderr,
            )

    refuse_limits()
    # With --json, standard output belongs to the program that reads it.
    shown = Lasting(sys.stderr if as_json else sys.stdout, lost)
    try:
        console = Console(file=cast("TextIO", shown))
        with watching(console, str(folder), past) as view, Interrupt(view.say) as interrupt:

            def seen(message: Message) -> None:
                view(message)
                if sinks is not None:
                    sinks(message)

            summary = work(interrupt.through(seen))
    except KeyboardInterrupt:
        summary = {"stopped": "interrupted"}
    finally:
        if sinks is not None:
            sinks.close()
    if as_json:
        print(json.dumps(summary, indent=2))
    interrupted = summary.get("stopped") == "interrupted"
    if summary.get("stopped") == "braked":
        status = command("brake", "status", folder)
        print(f"autotelic: {summary.get('why')}; {status} says more", file=sys.stderr)
        return 1
    if interrupted:
        _say_how_to_resume(folder)
    elif not as_json:
        _say_result(summary, folder)
    return 130 if interrupted else 0


def _say_how_to_resume(folder: Path) -> None:
    from autotelic.record import is_run

    if is_run(folder):
        print(f"autotelic: stopped; go on with: {command('resume', folder)}", file=sys.stderr)
    else:
        print("autotelic: stopped before the run began; nothing is left of it", file=sys.stderr)


def _say_result(summary: dict[str, Any], folder: Path) -> None:
    from autotelic.dashboard.wording import percent

    sealed = summary.get("sealed") or {}
    before, after = sealed.get("before") or {}, sealed.get("after") or {}
    if after:
        low, high = after["interval"]
        print(
            f"sealed exam, pass@1: {percent(before.get('pass_at_1'), 1)} before, "
            f"{percent(after['pass_at_1'], 1)} now (95 % interval {100 * low:.1f} to {100 * high:.1f})"
        )
    if working := sealed.get("working"):
        print(f"working weights, not certified: {percent(working['pass_at_1'], 1)}")
    if oversight := summary.get("oversight"):
        print(f"oversight: grade {oversight['grade']}, brake at level {oversight['level']}")
    if summary.get("generations") == 0:
        more = command("resume", folder, "--seconds", 600)
        print(f"nothing was trained: the budget was spent before a generation was done; give it more: {more}")
    print(f"report:   {folder / 'report.html'}")
    print(f"champion: {folder / 'champion'}   ({command('exam', folder)})")
