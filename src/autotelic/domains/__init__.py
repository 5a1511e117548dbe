"""What can be learned: one folder a domain, each with its rules, its tasks and its judge."""

from __future__ import annotations

import difflib
import importlib
from typing import Any, cast

from autotelic.errors import DomainError
from autotelic.protocols import Domain
from autotelic.sandbox import Sandbox

DOMAINS = {
    "functions": "autotelic.domains.functions:FunctionsDomain",
    "math": "autotelic.domains.math:MathDomain",
    "python": "autotelic.domains.python:PythonDomain",
}
"""Where each domain's class is. It is imported when it is first asked for, with what it depends on."""


def load_domain(name: str, box: Sandbox, **options: Any) -> Domain:
    """The domain of that name, running its programs in `box`; `options` go to its constructor."""
    if name not in DOMAINS:
        near = difflib.get_close_matches(name, DOMAINS, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(DOMAINS)}"
        raise DomainError(f"there is no domain {name!r}", fix)
    module, _, attribute = DOMAINS[name].partition(":")
    return cast("Domain", getattr(importlib.import_module(module), attribute)(box, **options))
