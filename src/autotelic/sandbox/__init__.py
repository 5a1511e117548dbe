"""Running code that a model wrote: many programs a second, none of them let out.

>>> from autotelic.sandbox import Limits, Sandbox
>>> with Sandbox(Limits(wall_s=1.0), workers=1) as box:  # doctest: +SKIP
...     box.run("def f(x): return x + 1", entry="f", inputs=[[1], [2]]).outputs
('2', '3')

Only source and inputs go in, and JSON text comes out: answers never enter a process that runs a candidate,
and nothing a candidate returns is evaluated on this side. `docs/sandbox.md` says what each level stops.
"""

from autotelic.errors import SandboxError
from autotelic.sandbox.level import Level
from autotelic.sandbox.pool import Sandbox
from autotelic.sandbox.run import Job, Limits, Run, Usage, decode, encode

__all__ = ["Job", "Level", "Limits", "Run", "Sandbox", "SandboxError", "Usage", "decode", "encode"]
