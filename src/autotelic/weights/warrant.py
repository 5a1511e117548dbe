"""What a use of weights needs: a warrant for exactly these, in exactly this role.

Warrants are the run's own word until auditors and brakes issue them. Their place is final: the door asks for
one each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autotelic.errors import ModelError

Role = Literal["train", "reference", "champion", "examine", "export", "serve", "replay"]
"""What weights are to be used for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """Allows the weights of one reference to be used in one role. `issuer` is who says so."""

    role: Role
    ref: str
    issuer: str = "self"

    def check(self, ref: str, roles: tuple[Role, ...]) -> None:
        """Raise ModelError unless this warrant is for these weights, in one of these roles."""
        if self.ref != ref:
            raise ModelError(
                f"the warrant is for the weights {self.ref}, and these are {ref}",
                "ask for a warrant for the weights that are to be used",
            )
        if self.role not in roles:
            raise ModelError(
                f"the warrant allows to {self.role}, and this use is to {' or '.join(roles)}",
                "ask for a warrant for this use",
            )
