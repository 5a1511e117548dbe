"""What is signed in a run: one frozen class a kind of statement.

    trainer   LeaseRequest, Beat, Claim
    brake     Founding, Lease, Pulse, Certified, Revocation, Attestation
    auditor   Review
    human     Order, Recall

Numbers are whole. Times are milliseconds of a clock that nobody can set back (`BootClock`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, Self

from autotelic.errors import OversightError
from autotelic.oversee.keys import PrivateKey, PublicKey
from autotelic.oversee.signed import Signed

RUN, SLOW, HOLD, STOP, QUARANTINE = range(5)
"""Levels of the brake."""
LEVELS = ("run", "slow", "hold", "stop", "quarantine")
"""Their names, in order."""
_CHECKS: dict[str, Any] = {
    "str": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "bool": lambda value: isinstance(value, bool),
    "tuple[str, ...]": lambda value: (
        isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What every signed statement has: the run that it is about. A statement of one run is worth nothing in
    another.
    """

    type: ClassVar[str] = ""

    run: str

    def sign(self, key: PrivateKey) -> Signed:
        """This statement, signed."""
        return Signed.sign(key, self.type, asdict(self))

    @classmethod
    def opened(cls, signed: Signed, *keys: PublicKey) -> Self:
        """The statement in an envelope that one of these keys has signed. Raises OversightError for another."""
        return cls.read(signed.opened(cls.type, *keys))

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """A statement from its body: exactly its fields, each of its type."""
        wanted = {field.name: str(field.type) for field in fields(cls)}
        if set(body) != set(wanted):
            odd = sorted(set(body) ^ set(wanted))
            raise OversightError(f"a {cls.type} has or lacks the field {odd[0]!r}", "send exactly its fields")
        values: dict[str, Any] = {}
        for name, kind in wanted.items():
            value = body[name]
            check = _CHECKS.get(kind, _CHECKS["str"])
            if not check(value):
                raise OversightError(f"{cls.type}.{name} is {value!r:.60}, not {kind}", "send its type")
            values[name] = tuple(value) if kind.startswith("tuple") else value
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession(Statement):
    """Weights as the successor of a champion: what is claimed, reviewed and certified.

    `candidate` and `parent` are references of weights. `blob` is the sha256 of the stored file that holds the
    candidate's tensors. `epoch` is that of its lease, `generation` the brake's count.
    """

    charter: str
    candidate: str
    blob: str
    parent: str
    epoch: int
    generation: int


# ── the trainer ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRequest(Statement):
    """The trainer wants to train its generation `trip`, from the champion that it knows.

    `previous` is the digest of the lease that it held before, empty for none. With `takeover` it is taken up
    again after a stop, and whoever held a lease before loses it.
    """

    type: ClassVar[str] = "lease-request"

    charter: str
    trip: int
    champion: str
    previous: str
    takeover: bool
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat(Statement):
    """The trainer's sign of life: what it has used of its lease so far. Sent by the thread that trains.

    `count` grows by one with each beat of a lease: an old beat, and that of a second trainer, are seen by it.
    """

    type: ClassVar[str] = "beat"

    lease: str
    count: int
    steps: int
    tokens: int
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Succession):
    """The trainer wants these weights to be champion. `lease` is the digest of its lease."""

    type: ClassVar[str] = "claim"

    lease: str


# ── auditors and humans ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Succession):
    """An auditor's answer about one candidate, as successor of one parent, in one generation and epoch.

    `evidence` is the digest of what it looked at.
    """

    type: ClassVar[str] = "review"

    verdict: Literal["approve", "refuse"]
    evidence: str
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.verdict not in ("approve", "refuse"):
            raise OversightError(f"a verdict is {self.verdict!r:.40}", "it is `approve` or `refuse`")

    def is_about(self, claim: Claim) -> bool:
        """Whether this is about exactly what is claimed."""
        return all(
            getattr(self, name) == getattr(claim, name)
            for name in ("run", "charter", "candidate", "blob", "parent", "epoch", "generation")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Statement):
    """A human lowers the brake. `change` is the number of changes so far, so that no order works twice."""

    type: ClassVar[str] = "order"

    level: int
    change: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall(Statement):
    """A human takes the champion back: the weights certified before it are champion again, and the brake is at 4.

    `champion` is who is taken back, `change` the number of changes so far, so that no order works twice.
    """

    type: ClassVar[str] = "recall"

    champion: str
    change: int
    reason: str


# ── the brake ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding(Statement):
    """How a run began, and whom it believes: the first weights, the public keys, how many auditors must approve.

    `grade` is the grade of isolation: A same user, B another user, C another host.
    """

    type: ClassVar[str] = "founding"

    charter: str
    start: str
    blob: str
    quorum: int
    keys: tuple[str, ...]
    grade: Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease(Statement):
    """Allows one trainer to train, until a time, so many steps and tokens.

    `generation` is the brake's: it grows by one with each promotion and each roll-back and never goes back. The
    trainer's own count, `trip`, may go back at a resume. `epoch` grows with each lease: an older one is void.
    `parent` is the champion. With `clean` the working weights are to be its: earlier ones are in quarantine.
    `checkpoint` is that of the ledger at the grant, `nonce` that of the request: an old lease
    is no answer to a new one.
    """

    type: ClassVar[str] = "lease"

    charter: str
    trip: int
    generation: int
    epoch: int
    parent: str
    steps: int
    tokens: int
    level: int
    granted: int
    expires: int
    boot: str
    clean: bool
    checkpoint: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse(Statement):
    """The brake's answer to one beat: its level, and the epoch that is in force."""

    type: ClassVar[str] = "pulse"

    level: int
    epoch: int
    reason: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified(Succession):
    """The brake's countersignature: `candidate` succeeds `parent`. `claim` and `reviews` are digests."""

    type: ClassVar[str] = "certificate"

    claim: str
    reviews: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation(Statement):
    """The weights `candidate`, certified in `generation`, are champion no more and never again."""

    type: ClassVar[str] = "revocation"

    candidate: str
    generation: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation(Statement):
    """The brake's answer to one question of the door: who is champion now, and what is revoked."""

    type: ClassVar[str] = "attestation"

    champion: str
    generation: int
    level: int
    revoked: tuple[str, ...]
    nonce: str
