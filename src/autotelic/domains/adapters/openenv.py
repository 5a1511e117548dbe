"""A running server of OpenEnv as a domain: `domain.name = "openenv:http://127.0.0.1:8000"`."""

from __future__ import annotations

from autotelic.domains.adapters.environments import EnvironmentDomain


class OpenEnvDomain(EnvironmentDomain):
    """The environment that a server of OpenEnv 0.3 serves, one WebSocket an episode. An action has one field, a
    text or a whole number. The sum of its rewards is squashed to [-1, 1].

    Raises DomainError where no such server answers, or it does not go the same way from the same seed.
    """

    def __init__(self, name: str, style: str = "compact") -> None:
        super().__init__(
            "openenv",
            name,
            fix="start the server, give its address as openenv:http://HOST:PORT, and "
            "pip install -e '.[openenv]'",
            style=style,
        )
