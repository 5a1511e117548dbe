"""From a charter's `[domain]` to a domain: the built-in ones, those of other packages, and a class by its path."""

from __future__ import annotations

import difflib
import importlib
import inspect
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, cast

from autotelic.domains.adapters import ADAPTERS
from autotelic.domains.guard import Guarded
from autotelic.domains.watch import in_one_line
from autotelic.errors import AutotelicError, DomainError
from autotelic.pictures import Gallery
from autotelic.protocols import Domain
from autotelic.sandbox import Sandbox
from autotelic.types import Spec

BUILT_IN: Mapping[str, str] = {
    "forecast": "autotelic.domains.forecast:ForecastDomain",
    "functions": "autotelic.domains.functions:FunctionsDomain",
    "games": "autotelic.domains.games:GamesDomain",
    "insulin": "autotelic.domains.insulin:InsulinDomain",
    "insulin-titration": "autotelic.domains.insulin:TitrationDomain",
    "laws": "autotelic.domains.laws:LawsDomain",
    "math": "autotelic.domains.math:MathDomain",
    "packing": "autotelic.domains.packing:PackingDomain",
    "python": "autotelic.domains.python:PythonDomain",
    "routing": "autotelic.domains.routing:RoutingDomain",
    "scenes": "autotelic.domains.scenes:ScenesDomain",
}
"""Where the class of each built-in domain is. It is imported when it is first asked for, with what it needs."""
GROUP = "autotelic.domains"
"""The group of entry points in which another package registers its domains."""
MEMBERS = ("spec", "tasks", "judge")
"""What every domain has."""


class Settings(Protocol):
    """The `[domain]` of a charter. `levels` are the lowest and the highest."""

    @property
    def name(self) -> str: ...
    @property
    def levels(self) -> tuple[int, int]: ...
    @property
    def style(self) -> str: ...
    @property
    def modes(self) -> tuple[str, ...]: ...


def load_domain(
    settings: Settings,
    *,
    sandbox: Sandbox | None = None,
    verifier: object = None,
    exam_levels: tuple[int, int] | None = None,
    pictures: Gallery | None = None,
) -> Domain:
    """The domain that a charter names. A domain that is not built in comes guarded (`guard.Guarded`).

    A name is a built-in domain, an entry point of the group `autotelic.domains`, `PACKAGE:ID` of an adapter, or
    `module:Class`. Modules are looked for in the working directory too, and there first. The class is called with
    those of `sandbox`, `levels`, `style`, `pictures`, `modes` and, where there is one, `verifier` that its signature
    names. `levels` spans those of practice and of the exam; `pictures` is where a domain puts what it shows.

    Raises DomainError, in one line: no such name, module or class; a class that cannot be made or is no
    domain; a mode or a level that the domain does not have.
    """
    spans = [settings.levels, *([exam_levels] if exam_levels else [])]
    levels = tuple(range(min(low for low, _ in spans), max(high for _, high in spans) + 1))
    given: dict[str, Any] = {"sandbox": sandbox, "levels": levels, "style": settings.style}
    if settings.modes:
        given["modes"] = settings.modes
    factory = _factory(settings.name)
    # Only a class that names them: one that passes on all it is given need not know of them.
    named = _parameters(settings.name, factory)
    if verifier is not None and "verifier" in named:
        given["verifier"] = verifier
    if "pictures" in named:
        given["pictures"] = Gallery() if pictures is None else pictures
    domain = _made(settings.name, factory, given)
    _check(settings.name, domain)
    _check_cells(settings, domain.spec, exam_levels)
    return domain if settings.name in BUILT_IN else Guarded(domain)


def _factory(name: str) -> Any:
    """The class, or whatever else makes the domain when it is called."""
    if name in BUILT_IN:
        return _attribute(BUILT_IN[name])
    registered = {point.name: point for point in entry_points(group=GROUP)}
    if name in registered:
        return _loaded(registered[name])
    kind, colon, identifier = name.partition(":")
    if colon and kind in ADAPTERS:
        return partial(_attribute(ADAPTERS[kind]), identifier)
    if colon:
        return _of_path(name)
    known = sorted([*BUILT_IN, *registered])
    near = difflib.get_close_matches(name, known, n=1)
    fix = (
        f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}; your own is `module:Class`"
    )
    raise DomainError(f"there is no domain {name!r}", fix)


def _of_path(name: str) -> Any:
    """The class at `module:Class`. Where there is no such module, the adapter that was perhaps meant is named."""
    try:
        return _attribute(name)
    except DomainError as error:
        kind = name.partition(":")[0]
        near = difflib.get_close_matches(kind, ADAPTERS, n=1)
        if near and isinstance(error.__cause__, ModuleNotFoundError) and error.__cause__.name == kind:
            fix = f"did you mean {near[0] + name[len(kind) :]!r}?"
            raise DomainError(f"there is no adapter and no module {kind!r}", fix) from None
        raise


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise DomainError(
            f"the domain {point.name!r} is registered as {point.value}, which does not load: {in_one_line(error)}",
            "correct the package that registers it, or remove it",
        ) from error


def _attribute(path: str) -> Any:
    module_name, _, names = path.partition(":")
    with _working_directory_first():
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:
            raise DomainError(
                f"the module {module_name!r} of the domain {path!r} does not import: {in_one_line(error)}",
                "correct it, or start autotelic in the folder from which it can be imported",
            ) from error
    found: Any = module
    for name in names.split("."):
        if not hasattr(found, name):
            near = difflib.get_close_matches(name, dir(found), n=1)
            fix = (
                f"did you mean {near[0]!r}?"
                if near
                else f"it is looked for in {getattr(module, '__file__', '')}"
            )
            raise DomainError(f"the module {module_name!r} has no {name!r}", fix)
        found = getattr(found, name)
    return found


@contextmanager
def _working_directory_first() -> Iterator[None]:
    """The working directory at the front of the path, as under `python -m`; afterwards it stays at the end,
    for what a domain imports later.
    """
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
        if here not in sys.path:
            sys.path.append(here)


def _parameters(name: str, factory: Any) -> Mapping[str, inspect.Parameter]:
    """What a factory may be called with. Raises DomainError for one that does not say so, as types of C do not."""
    try:
        return inspect.signature(factory).parameters if callable(factory) else {}
    except (ValueError, TypeError) as error:
        raise DomainError(
            f"{name} does not say what it is called with", "name a class whose instances are domains"
        ) from error


def _made(name: str, factory: Any, given: Mapping[str, Any]) -> Domain:
    """The domain, from a factory called with what its signature names."""
    if not callable(factory):
        raise DomainError(
            f"{name} is no class but of the type {type(factory).__name__}",
            "name a class whose instances are domains",
        )
    wanted = _parameters(name, factory).values()
    takes_all = any(p.kind is p.VAR_KEYWORD for p in wanted)
    named = [p for p in wanted if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY, p.POSITIONAL_ONLY)]
    unknown = [p.name for p in named if p.default is p.empty and p.name not in given]
    if unknown:
        raise DomainError(
            f"{name} asks for {', '.join(map(repr, unknown))}, which no charter gives",
            "give it a default; a domain is made with those of sandbox, levels, style, pictures, modes that it names",
        )
    chosen = {key: value for key, value in given.items() if takes_all or key in {p.name for p in named}}
    try:
        return cast("Domain", factory(**chosen))
    except AutotelicError:
        raise
    except (Exception, SystemExit) as error:
        if name in BUILT_IN:
            raise
        raise DomainError(
            f"{name} cannot be made: {in_one_line(error)}", "correct its constructor"
        ) from error


def _check(name: str, domain: Domain) -> None:
    """Whether it is a domain at all."""
    try:
        missing = [member for member in MEMBERS if getattr(domain, member, None) is None]
        spec: Any = None if "spec" in missing else domain.spec
    except Exception as error:
        raise DomainError(
            f"{name} has a spec that fails: {in_one_line(error)}", "return a types.Spec"
        ) from error
    if missing:
        raise DomainError(
            f"{name} has no {' and no '.join(f'`{member}`' for member in missing)}",
            "a domain has spec, tasks(rng, cells) and judge(episodes)",
        )
    if not isinstance(spec, Spec):
        raise DomainError(
            f"the spec of {name} is of the type {type(spec).__name__}", "make it an autotelic.types.Spec"
        )
    if not spec.modes or not spec.levels:
        raise DomainError(
            f"the spec of {name} has no {'modes' if not spec.modes else 'levels'}", "give it one at least"
        )
    low, high = spec.scale.low, spec.scale.high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DomainError(
            f"the scale of {name} goes from {low} to {high}", "give a finite low below a finite high"
        )


def _check_cells(settings: Settings, spec: Spec, exam_levels: tuple[int, int] | None) -> None:
    """Whether the domain has the modes and the levels that the charter asks for."""
    for mode in settings.modes:
        if mode not in spec.modes:
            near = difflib.get_close_matches(mode, spec.modes, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(spec.modes)}"
            raise DomainError(f"domain.modes names {mode!r}, which {settings.name} does not have", fix)
    _check_levels("domain.levels", settings.levels, settings.name, spec.levels)
    if exam_levels:
        _check_levels("exam.levels", exam_levels, settings.name, spec.levels)


def _check_levels(key: str, span: tuple[int, int], name: str, has: Sequence[int]) -> None:
    missing = [level for level in range(span[0], span[1] + 1) if level not in has]
    if missing:
        shown = ", ".join(map(str, has))
        raise DomainError(
            f"{key} = {list(span)}, and {name} has the level{'s' if len(has) > 1 else ''} {shown}",
            f"set {key} = [{min(has)}, {max(has)}]",
        )
