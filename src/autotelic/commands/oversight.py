"""`autotelic brake` and `autotelic review`: who stops, who signs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from autotelic.commands import Json

if TYPE_CHECKING:
    from autotelic.oversee.client import RemoteOverseer
    from autotelic.oversee.house import House
    from autotelic.oversee.keys import PublicKey

FOLDER = "oversight"
"""The oversight folder in a run folder."""

app = App(name="brake", help="Set, release or show a run's brake.")
Brakes = Annotated[str, Parameter(help="A run folder, an oversight folder, or an overseer's address.")]


def house_of(place: Path) -> House:
    """The oversight folder of a run folder, or the folder itself."""
    from autotelic.errors import OversightError
    from autotelic.oversee.house import House

    folder = place / FOLDER if (place / FOLDER).is_dir() else place
    if not (folder / "keys").is_dir():
        raise OversightError(f"{place} has no oversight folder", "give a run folder, or an oversight folder")
    return House(folder, folder.parent / "weights")


def _remote(place: str, pinned: Path | None) -> RemoteOverseer | None:
    """The overseer that listens for a place; None where the place is a folder of which nobody listens."""
    from autotelic.oversee.client import RemoteOverseer
    from autotelic.oversee.server import listens

    if place.startswith(("unix:", "http:", "https:")):
        return RemoteOverseer(place, pinned=pinned)
    house = house_of(Path(place))
    return RemoteOverseer(house.socket) if listens(house.socket) else None


@app.command
def status(place: Brakes = "runs/default", *, pinned: Path | None = None, as_json: Json = False) -> None:
    """Show the level of the brake, why, and the champion.

    Parameters
    ----------
    pinned
        The certificate of an overseer at an https address.
    """
    _show(_reached(place, pinned, lambda overseer: overseer.status()), as_json)


@app.command(name="set")
def raise_brake(
    level: Literal["slow", "hold", "stop", "quarantine", "1", "2", "3", "4"],
    place: Brakes = "runs/default",
    *,
    reason: str = "a human set it",
    pinned: Path | None = None,
    as_json: Json = False,
) -> None:
    """Raise the brake. Anybody may, and no key is needed.

    Parameters
    ----------
    level
        1 slow: smaller leases. 2 hold: no certificate. 3 stop: no lease. 4 quarantine: back to certified weights.
    reason
        Why, for the record.
    pinned
        The certificate of an overseer at an https address.
    """
    from autotelic.oversee.bodies import LEVELS

    wanted = int(level) if level.isdigit() else LEVELS.index(level)

    def raised(overseer: Any) -> Mapping[str, Any]:
        overseer.raise_to(wanted, reason, "human")
        return dict(overseer.status())

    _show(_reached(place, pinned, raised), as_json)


@app.command
def release(
    place: Brakes = "runs/default",
    *,
    to: Literal["run", "slow", "hold", "stop", "0", "1", "2", "3"] = "run",
    key: tuple[Path, ...] = (),
    reason: str = "a human released it",
    pinned: Path | None = None,
    as_json: Json = False,
) -> None:
    """Lower the brake, with a human's key; from 3 up with those of two humans.

    Parameters
    ----------
    to
        The level to lower it to.
    key
        Key files of humans. Without, those of the oversight folder: at grade A they lie there.
    reason
        Why, for the record.
    pinned
        The certificate of an overseer at an https address.
    """
    from autotelic.oversee.bodies import LEVELS, Order
    from autotelic.oversee.keys import path_of, read_key

    paths = key or tuple(path_of(house_of(Path(place)).keys, "human", name) for name in ("first", "second"))
    keys = [read_key(path, "human") for path in paths]
    wanted = int(to) if to.isdigit() else LEVELS.index(to)

    def released(overseer: Any) -> Mapping[str, Any]:
        now = overseer.status()
        order = Order(run=now["run"], level=wanted, change=now["change"], reason=reason)
        overseer.release([order.sign(one) for one in keys])
        return dict(overseer.status())

    _show(_reached(place, pinned, released), as_json)


@app.command
def rollback(
    place: Brakes = "runs/default",
    *,
    key: Path | None = None,
    reason: str = "a human took the champion back",
    pinned: Path | None = None,
    as_json: Json = False,
) -> None:
    """Take the champion back, for ever: the weights certified before it are champion again. Sets the brake to 4.

    A run that is running stops. Once two humans have released the brake, `autotelic resume` goes on from these.

    Parameters
    ----------
    key
        A human's key file. Without, one of the oversight folder.
    reason
        Why, for the record.
    pinned
        The certificate of an overseer at an https address.
    """
    from autotelic.oversee.bodies import Recall
    from autotelic.oversee.keys import path_of, read_key

    signer = read_key(key or path_of(house_of(Path(place)).keys, "human", "first"), "human")

    def recalled(overseer: Any) -> Mapping[str, Any]:
        now = overseer.status()
        order = Recall(run=now["run"], champion=now["champion"], change=now["change"], reason=reason)
        overseer.recall(order.sign(signer))
        return dict(overseer.status())

    _show(_reached(place, pinned, recalled), as_json)


def _reached(place: str, pinned: Path | None, work: Any) -> Mapping[str, Any]:
    """Do something with the overseer of a place. Where none runs, the brake is opened here, with its key."""
    remote = _remote(place, pinned)
    if remote is not None:
        return dict(work(remote))
    house = house_of(Path(place))
    overseer = house.again()
    try:
        return dict(work(overseer))
    finally:
        house.close(overseer)


def _show(now: Mapping[str, Any], as_json: bool) -> None:
    from autotelic.oversee.house import GRADES

    if as_json:
        print(json.dumps(dict(now), indent=2))
        return
    why = f": {now['reason']}" if now["reason"] else ""
    print(f"brake     {now['level']} ({now['name']}){why}")
    print(f"champion  {now['champion']}, generation {now['generation']}, {len(now['certified'])} certified")
    print(
        f"auditors  {', '.join(now['auditors'])}; {now['quorum']} must approve; {now['pending']} claims pending"
    )
    print(f"grade     {now['grade']} ({GRADES.get(now['grade'], 'unknown')})")
    if now["broken"]:
        print(f"broken    {now['broken']}")


# ── a human auditor ──────────────────────────────────────────────────────────────────────────────────────


def review(
    place: Brakes = "runs/default",
    *,
    key: Path | None = None,
    verdict: Literal["approve", "refuse"] | None = None,
    reason: tuple[str, ...] = (),
    brake: str = "",
    pinned: Path | None = None,
    as_json: Json = False,
) -> int:
    """Show the claims that wait for auditors, with their evidence, and sign a review of the first.

    Parameters
    ----------
    key
        The auditor's key file. Without it claims are shown and nothing is signed.
    verdict
        What to sign. Without it you are asked.
    reason
        A sentence for the record. May be given several times.
    brake
        The brake's public key, where the overseer is elsewhere.
    pinned
        The certificate of an overseer at an https address.
    """
    from autotelic.oversee.keys import PublicKey, read_key

    remote = _remote(place, pinned)
    pending = [] if remote is None else list(remote.pending())
    if remote is None or not pending:
        print("nothing waits for a review")
        return 0
    if as_json:
        print(json.dumps(pending, indent=2))
    else:
        for one in pending:
            _show_claim(one)
    if key is None:
        return 0
    signer = read_key(key, "auditor")
    trusted = PublicKey.parse(brake) if brake else house_of(Path(place)).published("brake")
    mine = next((one for one in pending if signer.public.name in one["missing"]), None)
    if mine is None:
        print(f"nothing waits for a review by {signer.public.name}")
        return 0
    said = verdict or _asked()
    if said is None:
        print("nothing was signed")
        return 1
    print(f"{said}: {_sent(remote, trusted, signer, mine, said, reason)}")
    return 0


def _sent(
    remote: RemoteOverseer,
    brake: PublicKey,
    signer: Any,
    one: Mapping[str, Any],
    said: Any,
    reason: Sequence[str],
) -> str:
    """Sign a review of exactly what the run's trainer claims; what became of it."""
    from autotelic.oversee.auditor import Opinion, sign_opinion
    from autotelic.oversee.bodies import Claim
    from autotelic.oversee.permits import Trust
    from autotelic.oversee.signed import Signed

    trust = Trust.of(remote.founding(), brake)
    claim = Claim.opened(Signed.parse(one["claim"]), *trust.of_role("trainer"))
    opinion = Opinion(said, tuple(reason) or ("a human looked at it",))
    return remote.review(sign_opinion(signer, claim, one["evidence"], opinion))


def _asked() -> Literal["approve", "refuse"] | None:
    """What the human at the terminal says: only the whole word counts."""
    if not sys.stdin.isatty():
        return None
    said = input("approve or refuse? ").strip()
    if said == "approve":
        return "approve"
    return "refuse" if said == "refuse" else None


def _show_claim(one: Mapping[str, Any]) -> None:
    from autotelic.oversee.signed import Signed

    body = Signed.parse(one["claim"]).body
    print(f"candidate   {body['candidate']}")
    print(f"parent      {body['parent']}")
    print(f"generation  {body['generation']}, epoch {body['epoch']}, run {body['run']}")
    print(f"missing     {', '.join(one['missing']) or 'nobody'}")
    for name, value in sorted(one["evidence"].items()):
        print(f"evidence    {name}: {json.dumps(value)[:1000]}")
    print()
