"""The tests' side of a pair: runs their statements one after the other and writes down how each went."""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import json
import sys
from typing import Any

from autotelic.sandbox.inside.atoms import Refused
from autotelic.sandbox.inside.channel import Gone
from autotelic.sandbox.inside.peer import PairSide

MOST_FAILURES = 200
"""Statements that a report names."""
FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
Failure = tuple[int, str]


class Names(dict[str, Any]):
    """The builtins, and behind them the globals of the candidate.

    In that order, so that no candidate can replace what the tests judge with.
    """

    def __init__(self, peer: PairSide) -> None:
        super().__init__(vars(builtins))
        self._peer = peer

    def __missing__(self, name: str) -> Any:
        if name.startswith("__"):
            raise KeyError(name)
        found, value = self._peer.look_up(name)
        if not found:
            raise KeyError(name)
        return value


class Trial:
    """A run of tests. `failed` and `unjudged` are lines with the exception's name, or why there is no verdict."""

    def __init__(self, peer: PairSide) -> None:
        self.peer = peer
        self.failed: list[Failure] = []
        self.unjudged: list[Failure] = []
        self.reason = ""

    def run(self, tests: str, entry: str) -> None:
        """Run the tests, which know the candidate's function as `entry` and as `candidate`."""
        with contextlib.suppress(Gone):
            self._run(tests, entry)
        if self.peer.broken:
            self.reason = f"the candidate: {self.peer.broken}"

    def _run(self, tests: str, entry: str) -> None:
        try:
            tree = ast.parse(tests.removeprefix("\ufeff"), "tests")
            flags = compile(tree, "tests", "exec", dont_inherit=True).co_flags & FUTURE
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.reason = f"the tests: {type(error).__name__}: {error}"
            return
        function = self._hear(entry)
        if self.reason:
            return
        scope = {"__name__": "__main__", "__builtins__": Names(self.peer)}
        scope |= {entry: function, "candidate": function}
        sys.modules["__main__"].__dict__.pop("__file__", None)
        self.peer.used = False
        for node in tree.body:
            self._statement(node, flags, scope)
            if self.peer.broken:
                return
        if not self.peer.used and not self.failed:
            self.reason = "the tests: they never used the candidate"

    def _hear(self, entry: str) -> Any:
        """The candidate's function, once its program is loaded."""
        try:
            status, found = self.peer.listen()
        except Refused as error:
            self.reason = f"the candidate: {error}"
            return None
        if status:
            self.reason = f"the candidate: {status}"
        self.peer.crossing.name(found)
        return found

    def _statement(self, node: ast.stmt, flags: int, scope: dict[str, Any]) -> None:
        module, refused = ast.Module([node], []), len(self.peer.refusals)
        failure = ""
        try:
            exec(compile(module, "tests", "exec", flags, dont_inherit=True), scope)
        except Refused as error:
            if len(self.peer.refusals) == refused:
                self.peer.refuse(str(error))
        except Gone:
            return
        except ModuleNotFoundError as error:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.peer.refuse(f"the sandbox has no module {error.name!r}")
            failure = type(error).__name__
        except BaseException as error:
            failure = type(error).__name__
        if len(self.peer.refusals) > refused:
            self._note(self.unjudged, node.lineno, self.peer.refusals[refused])
        elif failure:
            self._note(self.failed, node.lineno, failure)

    @staticmethod
    def _note(where: list[Failure], line: int, text: str) -> None:
        if len(where) < MOST_FAILURES:
            where.append((line, str(text)[:200]))

    def report(self) -> str:
        """What the engine reads, as canonical JSON."""
        said = {
            "calls": self.peer.calls,
            "failed": self.failed,
            "reason": self.reason[:400],
            "unjudged": self.unjudged,
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":"))
