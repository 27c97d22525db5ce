"""From a spec to a plug-in that is ready to be asked.

Comes in: a kind and a spec (`family:name` with arguments), an object that fits the protocol, or a plain function of a
batch. Goes out: a `Part`: the object, and the identity that covers everything which decides its answers. Neighbours:
`protocols.py` says what each kind can do, `asking.py` asks it and checks the answers, `fingerprint.py` hashes it.

Nothing is imported until it is named, and importing this file imports no numerical library.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from foible.errors import ArgumentError, FoibleError, PluginError, brief, near
from foible.parts import answers, fingerprint
from foible.parts.families import BUILT_IN, FURTHER, HINTS, NEEDS
from foible.parts.members import noted_members
from foible.parts.protocols import CountsRequests, Fingerprinted, Resolved, Versioned, offers
from foible.pointers import pointer_among, texts_in
from foible.records import Spec

if TYPE_CHECKING:
    from foible.parts.ceiling import Ceiling

KINDS = ("generator", "classifier", "captioner", "embedder", "judge")

METHODS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "generator": ("draw", ("prompts", "seeds")),
    "classifier": ("classify", ("images",)),
    "captioner": ("caption", ("images",)),
    "embedder": ("embed", ("images",)),
    "judge": ("judge", ("images", "labels")),
}
"""Per kind: the one method of its protocol and what that is given."""

_SAID = (
    "labels", "accepted", "alike", "recipe", "drawable", "can_draw", "world", "fingerprint", "version", "resolved",
)  # fmt: skip
"""What a plain function may say of itself, as the capabilities of `protocols.py` name it."""

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Part:
    """A plug-in that is loaded."""

    kind: str
    """One of `KINDS`."""
    object: Any
    """What answers: it has the one method of its kind."""
    identity: Mapping[str, Any]
    """`spec`, `args`, `fingerprint`, `version`, perhaps `members`: JSON-able, everything that decides its answers."""


@dataclass(frozen=True)
class Source:
    """Where a family comes from."""

    target: str
    package: str
    """Name of the distribution; empty for a built-in."""
    version: str


def load(kind: str, what: object, args: Mapping[str, Any] | None = None, *, ceiling: Ceiling | None = None) -> Part:
    """Make a plug-in ready.

    Args:
        kind: one of `KINDS`.
        what: a `Spec`, a spec string, an object that fits the protocol, a plain function of a batch, or a `Part`, which
            is ready already.
        args: arguments of the plug-in; only beside a spec.
        ceiling: from which a plug-in that asks a server takes its requests; None: as many as it likes.

    Raises:
        PluginError: nothing has that name, or what has it does not load. Says what is near and known, or what to do.
        ArgumentError: the plug-in does not take one of the arguments.
        OutOfRequests: the ceiling does not hold what the plug-in asks its server about itself.
    """
    method(kind)
    if isinstance(what, Part):
        return what
    if not isinstance(what, str | Spec):
        if args:
            message = f"arguments go with a spec; this {kind} is an object already, so give it {_some(args)} yourself"
            raise ArgumentError(message)
        return _from_object(kind, what, ceiling)
    spec = what if isinstance(what, Spec) else Spec(what)
    given = {**spec.args, **(args or {})}
    _must_be_json(kind, spec.name, given)
    factory, name, source = _find(kind, spec.name)
    try:
        made = _make(kind, spec.name, factory, name, given)
    except FoibleError as error:  # whatever a library says of a text in place of weights, this is why
        if not isinstance(error, PluginError | ArgumentError) or not (pointer := pointer_among(_paths(name, given))):
            raise
        message = f"the {kind} {brief(spec.name)!r} could not be loaded: {pointer}"
        raise PluginError(message) from error
    fitting = _counted(kind, spec.name, _fitting(kind, made, spec.name), ceiling)
    return Part(kind, fitting, _identity(kind, spec.name, given, made, source.version))


def verify(kind: str, spec: str, args: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Check a spec and its arguments without loading what it names: no weights are read, and nobody is asked.

    The module of the family is imported, so that a missing extra is told. Gives the arguments, defaults filled in.

    Raises:
        PluginError: as `load`, as far as can be told without loading.
        ArgumentError: as `load`.
    """
    method(kind)
    given = dict(args or {})
    _must_be_json(kind, spec, given)
    factory, name, _ = _find(kind, spec)
    ready = name is None and not inspect.isclass(factory) and hasattr(factory, method(kind))
    try:
        parameters = [] if ready else list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):  # a factory in C that does not tell
        return given
    if given or name is not None or _required(parameters) != METHODS[kind][1]:
        before = () if name is None else _name(kind, spec, name, parameters)
        _check_arguments(kind, spec, parameters[len(before) :], given)
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {**defaults, **given}


def method(kind: str) -> str:
    """Give the name of the one method of a kind."""
    if kind not in METHODS:
        message = f"there is no kind of plug-in called {brief(kind)!r}; {near(str(kind), KINDS)}"
        raise PluginError(message)
    return METHODS[kind][0]


def taken(kind: str, spec: str) -> frozenset[str] | None:
    """Give the names of the arguments that a plug-in takes; None where it takes any, or does not tell.

    Raises:
        PluginError: as `load`, as far as can be told without loading.
    """
    factory, _, _ = _find(kind, spec)
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return frozenset(p.name for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY})


# --- finding -----------------------------------------------------------------------------------------------------


def _find(kind: str, spec: str) -> tuple[Callable[..., Any], str | None, Source]:
    """Find the factory of a spec. Its name is None where the spec names the factory itself (`python:`)."""
    family, _, name = spec.partition(":")
    sources = families(kind).get(family)
    if not sources:
        message = f"no {kind} is called {brief(spec)!r}: the part before the colon names a family; "
        raise PluginError(message + near(family, families(kind)))
    if len(sources) > 1:
        message = f"the {kind} family {family!r} is claimed by {claimants(sources)}: uninstall one of them"
        raise PluginError(message)
    target = _import(sources[0], kind, family)
    if family == "python" and not sources[0].package:
        found = _guarded(kind, spec, lambda: target(name))
        return found, None, Source(sources[0].target, "", _package_version(getattr(found, "__module__", "")))
    return target, name, sources[0]


def families(kind: str) -> dict[str, list[Source]]:
    """Everything that claims a family of this kind, built-ins first."""
    from foible._version import __version__

    found = {family: [Source(target, "", __version__)] for family, target in BUILT_IN[kind].items()}
    for point in metadata.entry_points(group=f"foible.{kind}s"):
        package = point.dist.name if point.dist else "an unnamed package"
        source = Source(point.value, package, point.dist.version if point.dist else "")
        claims = found.setdefault(point.name, [])
        if source not in claims:
            claims.append(source)
    return found


def claimants(sources: list[Source]) -> str:
    """Name who claims a family."""
    return " and ".join(f"the package {one.package!r}" if one.package else "foible itself" for one in sources)


def _import(source: Source, kind: str, family: str) -> Callable[..., Any]:
    module, _, attribute = source.target.partition(":")
    origin = f" (from the package {source.package!r})" if source.package else ""
    try:
        found: Any = importlib.import_module(module)
        for piece in attribute.split("."):
            found = getattr(found, piece)
    except ModuleNotFoundError as error:
        message = f"the {kind} family {family!r}{origin} needs the module {error.name!r}, which is not installed: "
        raise PluginError(message + remedy(family, source)) from error
    except FoibleError:
        raise
    except Exception as error:
        message = f"the {kind} family {family!r}{origin} could not be imported: {_told(error)}"
        raise PluginError(message) from error
    if not callable(found):
        message = f"the {kind} family {family!r}{origin} wants a factory, but {source.target} is {_a(found)}"
        raise PluginError(message)
    return found  # type: ignore[no-any-return]


def remedy(family: str, source: Source) -> str:
    """Say what brings the modules that a family lacks."""
    if source.package:
        return f"install what {source.package!r} asks for"
    extra = NEEDS.get(family, ("", ()))[0]
    return f'pip install "foible[{extra}]"' if extra else "pip install --upgrade foible"


# --- making ------------------------------------------------------------------------------------------------------


def _make(kind: str, spec: str, factory: Any, name: str | None, args: Mapping[str, Any]) -> Any:
    """Call the factory, once its arguments are known to fit. What `python:` names may also be the plug-in itself."""
    if name is None and not inspect.isclass(factory) and hasattr(factory, method(kind)):
        if args:
            message = f"{spec!r} is an object already and takes no arguments, but got {_some(args)}"
            raise ArgumentError(message)
        return factory
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):  # a factory in C that does not tell
        return _guarded(kind, spec, lambda: factory(*(() if name is None else (name,)), **args))
    if name is None and not args and _required(parameters) == METHODS[kind][1]:
        return factory  # no factory, but a function of a batch: it calls its parameters what the protocol does
    before = () if name is None else _name(kind, spec, name, parameters)
    _check_arguments(kind, spec, parameters[len(before) :], args)
    return _guarded(kind, spec, lambda: factory(*before, **args))


def _required(parameters: list[inspect.Parameter]) -> tuple[str, ...]:
    return tuple(p.name for p in parameters if p.default is p.empty and p.kind not in _VARIADIC)


def _name(kind: str, spec: str, name: str, parameters: list[inspect.Parameter]) -> tuple[str, ...]:
    """Say what goes before the arguments: the name, for a factory that takes one."""
    family = spec.partition(":")[0]
    takes = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL}]
    if not takes and name:
        message = f"the {kind} family {family!r} has nothing to choose from: write {family!r}, without {brief(name)!r}"
        raise PluginError(message)
    if takes and not name and takes[0].default is inspect.Parameter.empty:
        message = f"the {kind} spec {spec!r} lacks its name: write {HINTS.get(family, f'{family}:name')!r}"
        raise PluginError(message)
    return (name,) if name else ()


def _check_arguments(kind: str, spec: str, parameters: list[inspect.Parameter], args: Mapping[str, Any]) -> None:
    """Refuse arguments that the factory does not take, and the lack of those that it must have."""
    known = [p.name for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for argument in args:
        if argument not in known and not open_ended:
            message = f"the {kind} {spec!r} takes no argument {brief(argument)!r}; {near(str(argument), known)}"
            raise ArgumentError(message)
    for needed in _required(parameters):
        if needed not in args:
            message = f"the {kind} {spec!r} needs the argument {needed!r}; {near('', known)}"
            raise ArgumentError(message)


def _paths(name: str | None, args: Mapping[str, Any]) -> tuple[str, ...]:
    """Give what may name files: the name itself, and texts among the arguments."""
    return (*filter(None, [name]), *texts_in(args))


def _guarded(kind: str, spec: str, make: Callable[[], Any]) -> Any:
    """Run foreign code; whatever it raises becomes one sentence."""
    try:
        return make()
    except FoibleError:
        raise
    except Exception as error:
        message = f"the {kind} {brief(spec)!r} could not be loaded: {_told(error)}"
        extra, modules, _ = FURTHER.get(spec.partition(":")[0], ("", (), ""))
        if isinstance(error, ModuleNotFoundError) and error.name in modules:
            message = f"the {kind} {brief(spec)!r} needs the module {error.name!r}, which is not installed: "
            message += f'pip install "foible[{extra}]"'
        raise PluginError(message) from error


# --- fitting -----------------------------------------------------------------------------------------------------


def _from_object(kind: str, what: object, ceiling: Ceiling | None) -> Part:
    fitting = _counted(kind, type(what).__qualname__, _fitting(kind, what, ""), ceiling)
    named = what if hasattr(what, "__qualname__") else type(what)
    module, name = getattr(named, "__module__", ""), getattr(named, "__qualname__", type(what).__qualname__)
    return Part(kind, fitting, _identity(kind, f"object:{module}.{name}", {}, what, _package_version(module)))


def _fitting(kind: str, made: Any, spec: str) -> Any:
    """Give an object with the method of the kind, or say what was wanted."""
    wanted, given = METHODS[kind]
    call = f"{wanted}({', '.join(given)})"
    what = f"the {kind} {spec!r}" if spec else f"this {kind}"
    if made is None:
        message = f"{what} came back as nothing: its factory must return it"
        raise PluginError(message)
    if inspect.isclass(made):
        message = f"{what} is the class {made.__qualname__}: give an instance of it, {made.__qualname__}(…)"
        raise PluginError(message)
    if callable(getattr(made, wanted, None)):
        return made
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(made, torch.nn.Module):
        message = f"{what} is a torch module, which takes tensors: wrap it in a function that takes a list of images"
        raise PluginError(message)
    if not callable(made):
        message = f"{what} wants an object with the method {call} or a function of a batch, but is {_a(made)}"
        raise PluginError(message)
    told = {name: getattr(made, name) for name in _SAID if hasattr(made, name)}
    return SimpleNamespace(**told, **{wanted: made})


def _counted(kind: str, spec: str, made: Any, ceiling: Ceiling | None) -> Any:
    """Hand the ceiling to what asks a server, before anything is asked of it."""
    if ceiling is not None and offers(made, CountsRequests):
        _guarded(kind, spec, lambda: made.count_on(ceiling))
    return made


def _identity(kind: str, spec: str, args: Mapping[str, Any], made: Any, version: str) -> dict[str, Any]:
    """Say everything that decides the answers, as JSON-able values."""
    own = made.fingerprint if offers(made, Fingerprinted) else None
    if own is not None and not (isinstance(own, str) and own):
        message = f"{spec!r} has a `fingerprint` that is {_a(own)}; it must be a text that is not empty"
        raise PluginError(message)
    told = made.version if offers(made, Versioned) else None
    settled = made.resolved if offers(made, Resolved) else {}
    return {
        "spec": spec,
        "args": json.loads(json.dumps({**args, **settled}, sort_keys=True)),
        "fingerprint": own or fingerprint.of_object(made),
        "version": (told if isinstance(told, str) else version) + (_READ if kind == "captioner" else ""),
        **noted_members(made),
    }


_READ = f"; answers {answers.VERSION}"
"""How captions are read is part of what decides them."""


def _package_version(module: str) -> str:
    """Version of what a module belongs to, where it says so."""
    top = (module or "").partition(".")[0]
    version = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(version, str):
        return version
    try:
        return metadata.version(top)
    except (metadata.PackageNotFoundError, ValueError):
        return ""


# --- words -------------------------------------------------------------------------------------------------------


def _must_be_json(kind: str, spec: str, args: Mapping[str, Any]) -> None:
    for name, value in args.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            message = f"the argument {brief(name)!r} of the {kind} {brief(spec)!r} must be plain data (text, numbers, "
            raise ArgumentError(message + f"lists), since it is kept with the results; got {_a(value)}") from None


def _some(args: Mapping[str, Any]) -> str:
    return ", ".join(repr(brief(name, 40)) for name in list(args)[:5])


def _a(value: object) -> str:
    """Name the type of a value with its article."""
    name = "None" if value is None else type(value).__name__
    return name if value is None else f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def _told(error: Exception) -> str:
    """Tell of somebody else's exception on one line."""
    text = fingerprint.without_addresses(" ".join(str(error).split()))
    return brief(f"{type(error).__name__}: {text}" if text else type(error).__name__)
