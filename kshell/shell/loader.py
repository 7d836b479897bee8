"""Modules from the byte code cache: their functions' code, and what only they need, are loaded when they are called."""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec  # importlib and types cost more time than there is
from _frozen_importlib_external import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, FunctionType, ModuleType
    from typing import Any

    from kshell.shell.bytecode import BytecodeCache
else:
    FunctionType = type(lambda: None)

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

if TYPE_CHECKING:
    Parts = tuple[int, tuple[str, ...], CodeType]
    """What importing a module needs: the place in the module's bytes of all that waits, by name, which is a dict of `Later`;
    the names that its hot functions need; its code."""
    Source = tuple[str, bool, int, int]
    """Of a module the path of its source, whether it is a package, and in the cache the places of what waits and of its parts."""

DAMAGED = (ValueError, EOFError, TypeError)
"""What marshal raises where it finds no byte code."""


class CachedLoader(SourceFileLoader):
    """Loads a module; `complete` loads all of it."""

    def __init__(self, cache: BytecodeCache, name: str, source: Source) -> None:
        self.name, self.path, self._is_package, self._start, self._parts = name, *source
        self._cache = cache
        self._globals: dict[str, Any] = {}
        self._later: int | dict[str, Later] = {}
        self._stubs: dict[int, tuple[FunctionType, dict[str, Any] | None]] = {}

    def spec(self) -> ModuleSpec:
        """What importlib wants to know of the module."""
        spec = ModuleSpec(self.name, self, origin=self.path, is_package=self._is_package)
        spec.has_location = True
        if self._is_package:
            spec.submodule_search_locations = [os.path.dirname(self.path)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        try:
            parts = self._cache.unpack(self._parts)
        except DAMAGED:
            return super().exec_module(module)
        self.run(module, *parts)

    def run(self, module: ModuleType, later: int, called_soon: tuple[str, ...], code: CodeType) -> None:
        """Run the code of a module that is being imported."""
        cache = self._cache
        self._later = later
        self._globals = bound = module.__dict__
        bound[LOADER], bound["__getattr__"] = self._stub, self._attribute
        cache.busy += 1
        try:
            exec(code, bound)
        finally:
            cache.busy -= 1
        if called_soon:
            cache.soon.append((self, called_soon))
        if not cache.busy:
            cache.settle()

    def load(self, place: int) -> FunctionType:
        """Give a function that is called its code; place: of the code in the module's bytes."""
        function, kwdefaults = self._stubs[place]
        needs, code = self._cache.unpack(self._start + place)
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

    def bound(self) -> list[str]:
        """The names that waited and wait no more."""
        return [name for name in self.later() if name in self._globals]

    def later(self) -> dict[str, Later]:
        """All that waits, by name."""
        later = self._later
        if isinstance(later, int):
            self._later = later = self._cache.unpack(self._start + later)
        return later

    def _stub(
        self, later: int, name: str, defaults: tuple[Any, ...] | None = None, kwdefaults: dict[str, Any] | None = None
    ) -> FunctionType:
        """A function that gets its code when it is called."""
        function = FunctionType(_STUBS[later & 3], self._globals, name, defaults)
        function.__kwdefaults__ = {"_loader": self, "_place": later >> 2}
        self._stubs[later >> 2] = function, kwdefaults
        return function

    def bring(self, names: Iterable[str] | None = None) -> None:
        """Bind those of some names that wait, or of all."""
        bound, later = self._globals, self.later()
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
        needs, called_soon, code = self._cache.unpack(self._start + place)
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
            if type(loader) is CachedLoader and name in loader.later():
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
        if name == "__spec__":
            self._globals[name] = spec = self.spec()
            return spec
        if name in self.later():
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
