"""How values cross: atoms as copies, containers as copies kept alike on both sides, all else as handles.

A message is lines. The first is JSON: what is asked or answered, with values as references. Each further line is the
content of one container that the two sides share. A container keeps its identity: changed in place on one side, it is
changed in place on the other with the next message. It is shared until one side has let go of it.
"""

from __future__ import annotations

from autotelic.sandbox.inside.packing import Packing
from autotelic.sandbox.inside.unpacking import Unpacking


class Crossing(Packing, Unpacking):
    """One side's tables: what is shared, what it lent to the other side, what it holds of the other side's."""
