"""The commands of the command line, a file a purpose.

Each is imported to print the help, so what takes long to import (torch, matplotlib) is imported where it is
used.
"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]
