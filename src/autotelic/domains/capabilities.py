"""The one place that names what a domain may be able to do beside setting and judging tasks."""

from __future__ import annotations

from collections.abc import Mapping

from autotelic.protocols import (
    Answering,
    Checkable,
    Comparable,
    Demonstrating,
    Domain,
    Formal,
    Interactive,
    Posable,
    Proposable,
    Repairable,
    Shaped,
    Textual,
)

CAPABILITIES: Mapping[str, type] = {
    "interactive": Interactive,
    "proposable": Proposable,
    "demonstrating": Demonstrating,
    "shaped": Shaped,
    "repairable": Repairable,
    "checkable": Checkable,
    "posable": Posable,
    "answering": Answering,
    "textual": Textual,
    "formal": Formal,
    "comparable": Comparable,
}
"""The protocol behind each name. A domain has a capability when it has every member of the protocol."""


def capabilities_of(domain: Domain) -> tuple[str, ...]:
    """The names of what a domain can do, in the order of `CAPABILITIES`. A run asks once, when it starts."""
    return tuple(name for name, protocol in CAPABILITIES.items() if isinstance(domain, protocol))
