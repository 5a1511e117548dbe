"""An auditor for tests of whole runs: it approves of everything, at once."""

from __future__ import annotations

from autotelic.oversee.auditor import Exhibits, Opinion, SigningAuditor, approve
from autotelic.oversee.bodies import Claim


class Approves(SigningAuditor):
    name = "approves"

    def opinion(self, candidate: Claim, evidence: Exhibits) -> Opinion:
        return approve("it is a test")
