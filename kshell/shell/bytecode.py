"""Starts quickly: the byte code of the whole package in one file beside Python's own `__pycache__` files.

Python looks for each of some 600 modules with half a dozen system calls, which takes longer than to run them.
The cache file is mapped into memory and asked first; a module whose source has changed since, by time or size, is
loaded as usual and put into the cache when the process ends. Nothing depends on it: without it all goes as usual.

The file, which bytecode_build.py writes: the length of the index (8 bytes, little endian), the index, and after it each
module. The index is a marshalled tuple: the directory of the package, and the place of each module by name. A module is
a `HEADER` and the bytes of deferral.py: first what waits until it is needed, then what importing the module needs.
"""

from __future__ import annotations

import builtins
import marshal
import mmap
import os
import sys
from _frozen_importlib import ModuleSpec  # importlib and types cost more time than this module has
from _frozen_importlib_external import SourceFileLoader
from _struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FunctionType, ModuleType
    from typing import Any, Protocol

    class PythonImport(Protocol):
        """Python's __import__."""

        def __call__(
            self,
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType: ...

else:
    FunctionType, ModuleType = type(lambda: None), type(sys)

PACKAGE = "kshell"
ROOT = os.path.dirname(os.path.dirname(__file__))
CACHE = os.path.join(ROOT, "__pycache__", f"parts.{sys.implementation.cache_tag}.bin")

LOADER = "__stub__"
"""The global variable of a module that makes functions whose code waits."""

STUB_FILE = "<waiting>"
"""The file of the code that stands for code that waits."""

Later = tuple[str, str | None] | int
"""What a name is bound to later: a module and the name to be taken from it, None for the module itself; or a number.

The number's two lowest bits tell the kind, the others, for IMPORT, the module's number in the index (what is taken from
it has the same name), and for FUNCTION, COROUTINE and STATEMENT the place of the code in the module's bytes.
"""

IMPORT, FUNCTION, COROUTINE, STATEMENT = range(4)

LENGTH = 8
HEADER = Struct("<QQQ?")
"""mtime in ns and size of the source, where in the module's bytes that begins which does not wait, whether it is a package."""

_DAMAGED = (ValueError, EOFError, TypeError)


class CachedLoader(SourceFileLoader):
    """Loads a module from the cache: its functions' code, and what only they need, when they are called."""

    def __init__(self, name: str, path: str, cache: BytecodeCache, code: memoryview, first: int) -> None:
        super().__init__(name, path)
        self._cache, self._code, self._first = cache, code, first
        self._globals: dict[str, Any] = {}
        self._later: dict[str, Later] = {}
        self._stubs: dict[int, tuple[FunctionType, dict[str, Any] | None]] = {}

    def exec_module(self, module: ModuleType) -> None:
        self._globals = module.__dict__
        try:
            self._later, called_soon, code = marshal.loads(self._code[self._first :])
        except _DAMAGED:
            return super().exec_module(module)
        self._globals[LOADER] = self._stub
        if self._later:
            self._globals["__getattr__"] = self._attribute
        self._cache.busy += 1
        try:
            exec(code, self._globals)
        finally:
            self._cache.busy -= 1
        self._cache.soon.append((self, called_soon))
        self._cache.settle()

    def load(self, place: int) -> FunctionType:
        """Give a function that is called its code; place: of the code in the module's bytes."""
        function, kwdefaults = self._stubs[place]
        needs, code = marshal.loads(self._code[place:])
        self.bring(needs)
        function.__code__, function.__kwdefaults__, function.__qualname__ = code, kwdefaults, code.co_qualname
        self._stubs.pop(place, None)
        return function

    def complete(self) -> None:
        """Load all that waits, for who looks at modules instead of calling them."""
        self.bring()
        self._later = {}
        for place in list(self._stubs):
            self.load(place)

    def _stub(
        self, later: int, name: str, defaults: tuple[Any, ...] | None = None, kwdefaults: dict[str, Any] | None = None
    ) -> FunctionType:
        """A function that gets its code when it is called."""
        place = later >> 2
        function = FunctionType(_STUBS[later & 3], self._globals, name, defaults or None)
        function.__kwdefaults__ = {"_loader": self, "_place": place}
        self._stubs[place] = function, kwdefaults or None
        return function

    def bring(self, names: Iterable[str] | None = None) -> None:
        """Bind those of some names that wait, or of all."""
        bound, later = self._globals, self._later
        for name in later if names is None else names:
            if name not in bound:
                bound[name] = self._value(name, later[name])
        if self._cache.soon:
            self._cache.settle()

    def _value(self, name: str, later: Later) -> object:
        if isinstance(later, tuple):
            return self._imported(*later)
        place, kind = later >> 2, later & 3
        if kind == IMPORT:
            return self._imported(self._cache.names[place], name)
        if kind != STATEMENT:
            return self._stub(later, name)
        needs, called_soon, code = marshal.loads(self._code[place:])
        self.bring(needs)
        exec(code, self._globals)
        self._cache.soon.append((self, called_soon))
        return self._globals[name]

    def _imported(self, module: str, name: str | None) -> object:
        if name is None:
            return __import__(module)
        loaded = sys.modules.get(module) or self._cache.load(module)
        if loaded is None or name not in loaded.__dict__:
            loader = getattr(loaded, "__loader__", None)
            if type(loader) is CachedLoader and name in loader._later:
                loader.bring((name,))
            else:
                loaded = __import__(module, fromlist=(name,))
        try:
            return getattr(loaded, name)
        except AttributeError:
            submodule = sys.modules.get(f"{module}.{name}")  # that is being imported, as in IMPORT_FROM
            if submodule is None:
                raise ImportError(f"cannot import name {name!r} from {module!r}") from None
            return submodule

    def _attribute(self, name: str) -> object:
        """The module's __getattr__: others may ask for a name that waits."""
        if name in self._later:
            self.bring((name,))
            return self._globals[name]
        raise AttributeError(f"module {self.name!r} has no attribute {name!r}")


def _function(*args: Any, _loader: CachedLoader, _place: int, **kwargs: Any) -> Any:
    """The code of every function that waits for its own."""
    return _loader.load(_place)(*args, **kwargs)


async def _coroutine(*args: Any, _loader: CachedLoader, _place: int, **kwargs: Any) -> Any:
    """As _function: a function's code is to be replaced by code of the same kind."""
    return await _loader.load(_place)(*args, **kwargs)


_STUBS = {
    kind: stub.__code__.replace(co_filename=STUB_FILE)
    for kind, stub in ((FUNCTION, _function), (COROUTINE, _coroutine))
}


class BytecodeCache:
    """A finder of the package's modules in the cache file; first of sys.meta_path."""

    def __init__(self) -> None:
        self._places, self._content = _read()
        self.names = tuple(self._places)
        self.soon: list[tuple[CachedLoader, tuple[str, ...]]] = []
        self.busy = 0
        self._stale = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the package whose source is as it was cached, else None."""
        if not name.startswith(PACKAGE):
            return None
        place = self._places.get(name)
        if place is None:
            self._stale = True
            return None
        mtime, size, first, is_package = HEADER.unpack_from(self._content, place)
        source = source_of(name, is_package)
        found = version(source)
        if found != (mtime, size):
            self._stale |= found is not None
            return None
        loader = CachedLoader(name, source, self, self._content[place + HEADER.size :], first)
        spec = ModuleSpec(name, loader, origin=source, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        return spec

    def load(self, name: str) -> ModuleType | None:
        """Load a module of a package that is in the cache, as importlib would; None if it is not there."""
        parent, _, attribute = name.rpartition(".")
        if name not in self._places or not parent:
            return None
        package = sys.modules.get(parent) or __import__(parent, fromlist=("__path__",))
        if name in sys.modules:  # the package has imported it
            return sys.modules[name]
        spec = self.find_spec(name)
        if spec is None:
            return None
        assert isinstance(spec.loader, CachedLoader)
        module = ModuleType(name)
        module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
        module.__package__ = spec.parent
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        setattr(package, attribute, module)
        return module

    def settle(self) -> None:
        """Bind the names that hot functions need, before one is called: when no module is being imported any more."""
        if self.busy:
            return
        self.busy += 1
        try:
            while self.soon:
                loader, names = self.soon[0]
                loader.bring(names)
                self.soon.pop(0)  # not before: an import can fail, or be interrupted, and is tried again
        finally:
            self.busy -= 1

    def contents(self) -> dict[str, bytes]:
        """The bytes of each module."""
        places = [*self._places.values(), len(self._content)]
        return {
            name: bytes(self._content[start:end])
            for name, start, end in zip(self.names, places, places[1:], strict=False)
        }

    def save(self) -> None:
        """Put the modules that were loaded past the cache into it, unless Python is told to write no byte code."""
        if not self._stale or sys.dont_write_bytecode or not os.access(os.path.dirname(CACHE), os.W_OK):
            return
        from kshell.shell.bytecode_build import add

        specs = [module.__spec__ for name, module in list(sys.modules.items()) if name.startswith(PACKAGE)]
        add([spec for spec in specs if spec is not None and not isinstance(spec.loader, CachedLoader)])


def source_of(name: str, is_package: bool) -> str:
    """The path of a module's source."""
    _, dot, below = name.partition(".")
    path = ROOT + (dot + below).replace(".", os.sep)
    return f"{path}{os.sep}__init__.py" if is_package else f"{path}.py"


def version(source: str) -> tuple[int, int] | None:
    """mtime in ns and size of a file; None if there is none."""
    try:
        status = os.stat(source)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read() -> tuple[dict[str, int], memoryview]:
    """The place of each module by name, and the bytes in which it is."""
    try:
        with open(CACHE, "rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        start = LENGTH + int.from_bytes(content[:LENGTH], "little")
        root, places = marshal.loads(content[LENGTH:start])
    except (OSError, *_DAMAGED):
        return {}, memoryview(b"")
    return (places, content[start:]) if root == ROOT else ({}, content)


def _import_from(cache: BytecodeCache, plain_import: PythonImport) -> PythonImport:
    """An __import__ that does itself what `from MODULE import …` asks for, where the module is loaded or in the cache.

    importlib takes ten times the steps, and Python 3.11 words an error for each attribute that it looks for in vain:
    the __path__ of modules that are no packages, at all of the 6000 imports of a start.
    """
    loaded = sys.modules

    def import_module(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if fromlist and not level:
            module = loaded.get(name) or cache.load(name)
            if module is not None:
                if "__path__" not in module.__dict__:
                    if fromlist[0] == "*" and isinstance(module.__loader__, CachedLoader):
                        module.__loader__.bring()
                    return module
                if all(each in module.__dict__ or has_module(f"{name}.{each}") for each in fromlist):
                    return module
        return plain_import(name, globals, locals, fromlist, level)

    def has_module(name: str) -> bool:
        return name not in loaded and cache.load(name) is not None

    return import_module


def install() -> BytecodeCache:
    """Have imports of the package ask the cache first."""
    cache = BytecodeCache()
    sys.meta_path.insert(0, cache)
    builtins.__import__ = _import_from(cache, builtins.__import__)
    return cache
