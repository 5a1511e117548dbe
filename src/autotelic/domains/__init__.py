"""What can be learned: one folder a domain, each with its rules, its tasks and its judge.

`registry` finds a domain by name, `capabilities` says what it can do, `guard` holds one from outside the
package. `programs` is what the domains of Python have in common.
"""

from autotelic.domains.capabilities import capabilities_of
from autotelic.domains.guard import Guarded
from autotelic.domains.registry import load_domain

__all__ = ["Guarded", "capabilities_of", "load_domain"]
