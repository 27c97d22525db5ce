"""What decides the answers of a plug-in, as one short text.

Comes in: a Python object, or files. Goes out: hexadecimal text that is the same in every process, and differs when the
answers may differ. Neighbours: `registry.py` puts it into a part's identity; `identity.py` makes keys of that.

A function is its bytecode, constants, defaults, closure and the globals that it reads; an object is its class and its
attributes; arrays and tensors are their bytes; a network is its structure, its code and its weights; a module is its
file. What comes from the standard library or from an installed package counts by name and version, not by content.
Limits, on purpose: anything held in a foreign runtime (a compiled interpreter, a socket, an open file) counts only by
its type; what is looked up by a computed name is not seen; another version of Python compiles to other bytecode. A
plug-in that knows better says so with an attribute `fingerprint: str`.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_DEEPEST = 40
_MOST = 50_000
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+")
_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray)
_OF_EVERY_CLASS = frozenset((
    "__module__", "__dict__", "__weakref__", "__doc__", "__slots__", "__annotations__", "__annotate_func__",
    "__annotations_cache__", "__firstlineno__", "__static_attributes__", "__parameters__", "__orig_bases__",
    "__abstractmethods__", "_abc_impl",
))  # fmt: skip


def without_addresses(text: str) -> str:
    """Blank the memory addresses in a text, which differ from run to run."""
    return _ADDRESS.sub("0x…", text)


def of_files(files: Iterable[Path], root: Path) -> str:
    """Hash files by content and by their path below `root`, whatever order they come in; 64 hexadecimal digits."""
    lines = []
    for file in sorted(files, key=lambda path: path.relative_to(root).as_posix()):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        lines.append(f"{content}  {file.relative_to(root).as_posix()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def of_object(value: object) -> str:
    """Hash whatever decides the behaviour of a Python object; 32 hexadecimal digits. See the limits above."""
    return _Walk().digest(value)


class _Walk:
    """One walk over an object and all that it reaches, each thing once."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._open: list[int] = []
        self._alive: list[object] = []

    def digest(self, value: Any) -> str:
        """Hash one value and everything below it. A thing that is met inside itself is named by its height above."""
        if isinstance(value, _PLAIN):
            return _hash((type(value).__name__, repr(value)))
        if id(value) in self._known:
            return self._known[id(value)]
        if id(value) in self._open:
            return f"cycle {self._open.index(id(value))}"
        if len(self._open) >= _DEEPEST or len(self._known) >= _MOST:
            return _hash((_named(value),))
        self._alive.append(value)
        self._open.append(id(value))
        try:
            known = self._known[id(value)] = _hash((_named(value), *self._inside(value)))
        finally:
            self._open.pop()
        return known

    def _inside(self, value: Any) -> Iterator[str]:
        for kinds, read in self._readers():
            if isinstance(value, kinds):
                yield from read(value)
                return
        yield from _tensor(value) or self._network(value) or self._instance(value)

    def _readers(self) -> tuple[tuple[Any, Any], ...]:
        """Pair kinds of values with how they are read, the first that fits."""
        return (
            (types.ModuleType, _source),
            (types.BuiltinFunctionType, lambda _: ()),
            (list | tuple, self._each),
            (set | frozenset, lambda items: sorted(self._each(items))),
            (Mapping, self._pairs),
            (types.CodeType, self._code),
            (types.FunctionType, self._function),
            (types.MethodType, lambda method: self._each((method.__func__, method.__self__))),
            (functools.partial, lambda part: self._each((part.func, part.args, part.keywords))),
            (property, lambda one: self._each((one.fget, one.fset))),
            (staticmethod | classmethod, lambda one: self._each((one.__func__,))),
            (Path, lambda path: (path.as_posix(),)),
            (type, self._class),
        )

    def _each(self, items: Iterable[Any]) -> list[str]:
        return [self.digest(item) for item in items]

    def _pairs(self, items: Mapping[Any, Any]) -> Iterator[str]:
        for key, item in sorted(items.items(), key=lambda pair: without_addresses(repr(pair[0]))):
            yield from (self.digest(key), self.digest(item))

    def _code(self, code: types.CodeType) -> Iterator[str]:
        yield from (code.co_code.hex(), repr(code.co_names), repr(code.co_freevars), repr(code.co_varnames))
        yield from self._each(code.co_consts)

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        if _installed(function.__module__):
            return
        yield from self._each((function.__code__, function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                yield self.digest(cell.cell_contents)
            except ValueError:
                yield "an empty cell"
        for name in sorted(_names(function.__code__)):
            if name in function.__globals__:
                yield from (name, self.digest(function.__globals__[name]))

    def _class(self, kind: type) -> Iterator[str]:
        if _installed(kind.__module__):
            return
        yield from self._each(kind.__bases__)
        yield from self._pairs({name: item for name, item in vars(kind).items() if name not in _OF_EVERY_CLASS})

    def _instance(self, value: object) -> list[str]:
        state = dict(getattr(value, "__dict__", {}))
        for kind in type(value).__mro__:
            slots = vars(kind).get("__slots__", ())
            names = (slots,) if isinstance(slots, str) else tuple(slots)
            state.update({name: getattr(value, name) for name in names if hasattr(value, name)})
        return [self.digest(type(value)), *self._pairs(state)]

    def _network(self, value: Any) -> list[str]:
        """Read a torch module: structure, the code of its own classes, plain attributes, weights."""
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(value, torch.nn.Module):
            return []
        found = [without_addresses(repr(value))]
        for name, module in value.named_modules():
            plain = {key: item for key, item in vars(module).items() if key[0] != "_" and isinstance(item, _PLAIN)}
            found += [name, self.digest(type(module)), *self._pairs(plain)]
        return found + [text for name, item in sorted(value.state_dict().items()) for text in (name, *_tensor(item))]


def _hash(parts: Iterable[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _tensor(value: Any) -> list[str]:
    """Give the bytes of an array or a tensor, where that library is loaded at all; nothing for anything else."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        plain = value.detach().cpu().contiguous().reshape(-1)
        content = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
    elif numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        content = repr(value.tolist()).encode() if value.dtype.hasobject else numpy.ascontiguousarray(value).tobytes()
    else:
        return []
    return [str(value.dtype), str(tuple(value.shape)), hashlib.sha256(content).hexdigest()]


def _source(module: types.ModuleType) -> list[str]:
    """Hash the file of a module that is nobody's package; what it imports in turn is not followed."""
    file = getattr(module, "__file__", None)
    if _installed(module.__name__) or not file or not Path(file).is_file():
        return []
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest()]


def _named(value: Any) -> str:
    """Name a value by its type, or itself where it has a name of its own; with the version where it is installed."""
    if isinstance(value, types.ModuleType):
        module, name = value.__name__, ""
    else:
        owner = value if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) else type(value)
        module, name = owner.__module__ or "", owner.__qualname__
    version = getattr(sys.modules.get(module.partition(".")[0]), "__version__", "")
    told = version if isinstance(version, str) and _installed(module) else ""
    return f"{type(value).__name__} {module} {name} {told}"


def _installed(module: str | None) -> bool:
    """Say whether a module is Python's own or an installed package's, so that its name and version stand for it."""
    top = (module or "builtins").partition(".")[0]
    if top == "__main__":
        return False
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return top in sys.stdlib_module_names or "site-packages" in file or "dist-packages" in file


def _names(code: types.CodeType) -> set[str]:
    """Collect the global names that a function and the functions inside it may read."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*(_names(constant) for constant in inner))
