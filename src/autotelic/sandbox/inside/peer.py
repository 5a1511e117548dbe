"""One side of a pair: asks the other for what it lacks, and answers what it is asked meanwhile.

The candidate's side answers everything. The tests' side answers only about what it has itself lent, and never a name
that leads on to the rest of its process.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from autotelic.sandbox.inside import mirrors
from autotelic.sandbox.inside.atoms import NonsenseError, Refused
from autotelic.sandbox.inside.channel import CapacityError, Channel, Gone
from autotelic.sandbox.inside.crossing import Crossing

ASK, ANSWER, RAISED, REFUSED = "?", "=", "!", "~"
MOST_REASONS = 1000
FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinMethodType)
OF_FUNCTIONS = ("__name__", "__qualname__", "__doc__", "__module__")
"""What a candidate may read of a function of the tests: not what leads on to their other names."""


class PairSide:
    """A side. `judges` says that it is that of the tests; `printed` gives what was printed since last time."""

    def __init__(
        self, channel: Channel, crossing: Crossing, *, judges: bool, printed: Callable[[], str] = str
    ) -> None:
        self.channel, self.crossing, self.judges, self._printed = channel, crossing, judges, printed
        self.calls = 0
        self.refusals: list[str] = []
        self.broken = ""
        """Why nothing more can be expected of the other side: on record, whatever a test catches."""
        self.used = False
        """Whether anything of the other side's was called or looked up."""
        mirrors.serve(self)

    # ---- asking -------------------------------------------------------------------------------------------------

    def ask(self, what: str, *values: Any) -> Any:
        """What the other side answers. Raises what it raised, or Refused."""
        self.used = True
        if self.broken:
            raise Gone
        try:
            self._send(ASK, what, list(values))
        except Refused as error:
            raise self.refuse(str(error)) from None
        try:
            return self.listen()
        except StopIteration:
            if not self.judges or what == "operate:__next__":
                raise
            # Within a loop it would end that loop, and with it the tests, as if all was well.
            raise self.refuse("the candidate raised StopIteration") from None

    def call(self, what: str, target: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What a call of something of the other side's returns."""
        self.calls += 1
        found = self.ask(what, target, given, tuple(named), tuple(named.values()))
        if what == "construct" and self.crossing.is_named(target):
            self.crossing.is_made(found)
        return found

    def look_up(self, name: str) -> tuple[bool, Any]:
        """A global of the candidate's that the tests name: whether there is one, and it."""
        found, value = self.ask("name", name)
        self.crossing.name(value)
        return bool(found), value

    def advance(self, handle: int, sent: Any) -> tuple[bool, Any]:
        """The next item of an iterator of the other side's: whether there is one, and it or what was returned."""
        more, value = self.ask("next", self.crossing.own(handle), sent)
        return bool(more), value

    def greet(self, status: str, function: Any) -> None:
        """The candidate's first word: what is wrong with its program, and the function that the tests call."""
        try:
            lines = self.crossing.pack(ANSWER, "", [(status, function)], self._printed())
        except Refused as error:
            lines = self.crossing.pack(REFUSED, "", [], str(error))
        self.channel.send(self.crossing.finish(lines))

    def listen(self) -> Any:
        """Answer until there is an answer."""
        while True:
            try:
                kind, what, values, note = self.crossing.unpack(self.channel.receive())
            except Refused as error:
                raise self.refuse(str(error)) from None
            except Gone:
                self.broken = "its process ended"
                raise
            except NonsenseError as error:
                self.broken = f"what it sent makes no sense ({error})"
                raise Gone from None
            if kind == REFUSED:
                raise self.refuse(note)
            if note and self.judges:
                sys.stdout.write(note)
            if kind == ASK:
                self._answer(what, values)
            elif kind == ANSWER and len(values) == 1:
                return values[0]
            elif kind == RAISED and len(values) == 1 and isinstance(values[0], BaseException):
                raise values[0]
            else:
                self.broken = "what it sent makes no sense (no such kind of message)"
                raise Gone

    def refuse(self, why: str) -> Refused:
        """The exception to raise, which is on record even where a test catches everything."""
        if len(self.refusals) < MOST_REASONS:
            self.refusals.append(str(why)[:200])
        return Refused(why)

    def is_answer(self, value: object) -> bool:
        return self.crossing.is_answer(value)

    def is_held(self, value: object) -> bool:
        return self.crossing.is_held(value)

    def hash_of(self, value: object) -> int:
        return self.crossing.hash_of(value)

    # ---- answering ----------------------------------------------------------------------------------------------

    def _answer(self, what: str, values: list[Any]) -> None:
        kind, reply = ANSWER, None
        try:
            if self.judges:
                self._allow(what, values)
            reply = self._do(what, values)
        except Refused as error:
            kind, reply = REFUSED, str(error)
        except BaseException as error:
            kind, reply = RAISED, error
            error.__traceback__ = error.__context__ = None  # their frames hold what was given
        values.clear()
        try:
            if kind == REFUSED:
                lines = self.crossing.pack(REFUSED, "", [], str(reply))
            else:
                lines = self.crossing.pack(kind, "", [reply], self._printed())
        except Refused as error:
            lines = self.crossing.pack(REFUSED, "", [], str(error))
        except Exception as error:
            lines = self.crossing.pack(REFUSED, "", [], f"a value that cannot cross: {type(error).__name__}")
        reply = None
        try:
            self.channel.send(self.crossing.finish(lines))
        except CapacityError as error:
            self.channel.send(self.crossing.finish(self.crossing.pack(REFUSED, "", [], str(error))))

    def _send(self, kind: str, what: str, values: list[Any]) -> None:
        try:
            lines = self.crossing.pack(kind, what, values, self._printed())
        except Exception as error:
            raise Refused(f"a value that cannot cross: {type(error).__name__}: {error}") from None
        try:
            self.channel.send(self.crossing.finish(lines))
        except CapacityError as error:
            raise Refused(str(error)) from None

    def _do(self, what: str, values: list[Any]) -> Any:
        name, _, which = what.partition(":")
        match name, values:
            case "call" | "construct", [target, given, names, named]:
                return target(*given, **dict(zip(names, named, strict=True)))
            case "method", [target, given, names, named]:
                return getattr(target, which)(*given, **dict(zip(names, named, strict=True)))
            case "operate", [target, given, names, named]:
                if which in ("__copy__", "__deepcopy__") and not hasattr(type(target), which):
                    return _copied(target, which)
                return getattr(type(target), which)(target, *given, **dict(zip(names, named, strict=True)))
            case "get", [target, attribute]:
                found = getattr(target, attribute)
                is_method = isinstance(found, types.MethodType | types.BuiltinMethodType)
                mine = is_method and getattr(found, "__self__", None) is target
                return (True, None) if mine else (False, found)
            case "set", [target, attribute, value]:
                return setattr(target, attribute, value)
            case "delete", [target, attribute]:
                return delattr(target, attribute)
            case "next", [target, sent]:
                return _advance(target, sent)
            case "name", [text]:
                return _named(text)
        raise NonsenseError("no such question")

    def _allow(self, what: str, values: list[Any]) -> None:
        """Whether the candidate may ask this of the tests. Raises Refused, or AttributeError for a name."""
        name, _, which = what.partition(":")
        target = values[0] if values else None
        if name == "name" or not self.crossing.is_lent(target):
            raise self.refuse("the candidate asked for something of the tests that it was not given")
        if name == "call" or what == "operate:__call__":
            return
        if name == "next" and hasattr(target, "__next__"):
            return
        if name == "construct" and isinstance(target, type):
            return
        attribute = values[1] if name in ("get", "set", "delete") else which
        changes = name in ("set", "delete")
        if type(attribute) is str and self._is_open(target, attribute, changes):
            return
        if name == "get":
            raise AttributeError(str(attribute)[:60])
        raise self.refuse(f"the candidate asked for `{str(attribute)[:60]}` of an object of the tests")

    @staticmethod
    def _is_open(target: Any, attribute: str, changes: bool) -> bool:
        """Whether an attribute is the business of whoever was given the object."""
        if isinstance(target, FUNCTIONS):
            return attribute in OF_FUNCTIONS and not changes
        made = "__main__" in (type(target).__module__, getattr(target, "__module__", ""))
        special = attribute.startswith("__")
        if changes:
            return made and not special and not isinstance(target, type)
        return made and (not special or attribute in mirrors.OPERATIONS)


def _copied(target: Any, which: str) -> Any:
    import copy

    return copy.copy(target) if which == "__copy__" else copy.deepcopy(target)


def _advance(target: Any, sent: Any) -> tuple[bool, Any]:
    try:
        return True, next(target) if sent is None else target.send(sent)
    except StopIteration as stop:
        return False, stop.value


def _named(text: str) -> tuple[bool, Any]:
    """A global of the candidate's, if there is one of that name."""
    scope = vars(sys.modules["candidate"])
    return text in scope, scope.get(text)
