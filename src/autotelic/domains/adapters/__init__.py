"""Environments that exist already, one file a package: `domain.name = "PACKAGE:ID"` (docs/adapters.md).

`export` goes the other way: a domain of ours in other people's trainers.
"""

from __future__ import annotations

from collections.abc import Mapping

ADAPTERS: Mapping[str, str] = {
    "gymnasium": "autotelic.domains.adapters.gymnasium:GymnasiumDomain",
    "openenv": "autotelic.domains.adapters.openenv:OpenEnvDomain",
    "reasoning-gym": "autotelic.domains.adapters.reasoning_gym:ReasoningGymDomain",
    "verifiers": "autotelic.domains.adapters.verifiers:VerifiersDomain",
}
"""Where the class for each package's ids is. It is imported when an id is first asked for."""
