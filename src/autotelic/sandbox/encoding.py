"""Canonical JSON on the trusted side: the C core's writer where one was built, else its Python reference."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from autotelic.sandbox.inside.encode import NotJsonError, TooLongError
from autotelic.sandbox.inside.encode import encode as _encode

__all__ = ["NotJsonError", "TooLongError", "encode"]

encode: Callable[[object, int], str] = _encode
"""`encode(value, room)`: at most `room` characters; raises NotJsonError or TooLongError."""

try:
    _core = importlib.import_module("autotelic.sandbox._core")
except ImportError:
    pass  # not built here: `autotelic sandbox doctor` says so
else:
    _core.errors(NotJsonError, TooLongError)
    encode = _core.encode
