"""Starts quickly: the byte code of the whole package in one file beside Python's own `__pycache__` files.

Python looks for each of some 600 modules with half a dozen system calls, which takes longer than to run them.
The cache file is mapped into memory and asked first; a module whose source has changed since, by time or size, is
loaded as usual and put into the cache when the process ends. Nothing depends on it: without it all goes as usual.

The file, which bytecode_build.py writes: the length of the index (8 bytes, little endian), the index, each module, and
last the image. The index is a marshalled tuple: the directory of the package, the place of each module by name, and the
place of the image. A module is a `HEADER` and the bytes of deferral.py: first what waits until it is needed, then what
importing the module needs. The image is the latter once more for the modules that every start imports, marshalled
together, and the names that they take from one another.
"""

from __future__ import annotations

import builtins
import marshal
import mmap
import os
import sys
from _struct import Struct

from kshell.shell.loader import DAMAGED, CachedLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Protocol

    from kshell.shell.loader import Parts, Source

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
    ModuleType = type(sys)  # the module types costs more time than there is

PACKAGE = "kshell"
ROOT = os.path.dirname(os.path.dirname(__file__))
CACHE = os.path.join(ROOT, "__pycache__", f"parts.{sys.implementation.cache_tag}.bin")

IMAGE = ""
"""Stands for the image among the names of the index, as the last."""

FIRST = "kshell.session.session"
"""The first module of the image: who imports it needs the others too."""

if TYPE_CHECKING:
    Ready = tuple[tuple[int, int], Source, Parts]
    """A module of the image: its source's `version` and place, and its parts."""
    Image = tuple[dict[str, Ready], dict[str, dict[str, str]]]
    """The modules by name, and by module the names that it takes from others."""

LENGTH = 8
HEADER = Struct("<QQQ?")
"""mtime in ns and size of the source, where in the module's bytes that begins which does not wait, whether it is a package."""


class BytecodeCache:
    """A finder of the package's modules in the cache file; first of sys.meta_path."""

    def __init__(self) -> None:
        self._places, self.image, self._content = _read()
        self._ready: dict[str, Ready] = {}
        self.names = tuple(self._places)
        self.soon: list[tuple[CachedLoader, tuple[str, ...]]] = []
        self.busy = 0
        self._stale = False

    def unpack(self, place: int) -> Any:
        """What was marshalled at a place."""
        return marshal.loads(self._content[place:])

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the package whose source is as it was cached, else None."""
        if not name.startswith(PACKAGE):
            return None
        source = self._source(name)
        return CachedLoader(self, name, source).spec() if source is not None else None

    def _source(self, name: str) -> Source | None:
        place = self._places.get(name)
        if place is None:
            self._stale = True
            return None
        mtime, size, first, is_package = HEADER.unpack_from(self._content, place)
        path = source_of(name, is_package)
        found = version(path)
        if found != (mtime, size):
            self._stale |= found is not None
            return None
        start = place + HEADER.size
        return path, is_package, start, start + first

    def load(self, name: str) -> ModuleType | None:
        """Load a module of a package that is in the cache, as importlib would; None if it is not there."""
        package = name.rpartition(".")[0]
        if name not in self._places or not package:
            return None
        if package not in sys.modules:
            __import__(package, fromlist=("__path__",))
        if name == FIRST and not self._ready:
            self._load_image()
        if name in sys.modules:  # the package or the image has imported it
            return sys.modules[name]
        if name in self._ready:
            return self._run(name, *self._ready[name][1:])
        found = self._source(name)
        if found is None:
            return None
        try:
            parts = self.unpack(found[-1])
        except DAMAGED:
            return None
        return self._run(name, found, parts)

    def _run(self, name: str, source: Source, parts: Parts) -> ModuleType:
        package, _, attribute = name.rpartition(".")
        module = ModuleType(name)
        loader = CachedLoader(self, name, source)
        bound = module.__dict__
        del bound["__spec__"]  # made when it is asked for
        bound["__loader__"], bound["__file__"], bound["__package__"] = loader, source[0], package
        if source[1]:
            bound["__package__"], bound["__path__"] = name, [os.path.dirname(source[0])]
        sys.modules[name] = module
        try:
            loader.run(module, *parts)
        except BaseException:
            del sys.modules[name]
            raise
        setattr(sys.modules[package], attribute, module)
        return module

    def _load_image(self) -> None:
        """Load what every start imports, if no source has changed, and bind what they need of one another."""
        try:
            modules, links = self.unpack(self._places[IMAGE])
            if any(version(source[0]) != stamp for stamp, source, _ in modules.values()):
                return
        except DAMAGED:
            return
        self._ready = modules
        new = [name for name in modules if name not in sys.modules]
        self.busy += 1
        try:
            for name in new:
                if name not in sys.modules:
                    self._run(name, *modules[name][1:])
            _link(links)
        except BaseException:  # an import can fail, or be interrupted, and is tried again
            self._ready = {}
            for name in new:
                sys.modules.pop(name, None)
            raise
        finally:
            self.busy -= 1
        self.settle()

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
        starts = self._places.values()
        return {
            name: bytes(self._content[start:end])
            for name, start, end in zip(self.names, starts, list(starts)[1:], strict=False)
        }

    def save(self) -> None:
        """Put the modules that were loaded past the cache into it, unless Python is told to write no byte code."""
        if not self._stale or sys.dont_write_bytecode or not os.access(os.path.dirname(CACHE), os.W_OK):
            return
        from kshell.shell.bytecode_build import add

        specs = [module.__spec__ for name, module in list(sys.modules.items()) if name.startswith(PACKAGE)]
        add([spec for spec in specs if spec is not None and not isinstance(spec.loader, CachedLoader)])


def _link(links: dict[str, dict[str, str]]) -> None:
    """Bind the names that modules take from others."""
    for to, origins in links.items():
        bound = sys.modules[to].__dict__
        for name, origin in origins.items():
            there = sys.modules[origin]
            bound[name] = there.__dict__[name] if name in there.__dict__ else getattr(there, name)


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


def _read() -> tuple[dict[str, int], tuple[str, ...], memoryview]:
    """The place of each module by name, which of them are in the image, and the bytes in which they are."""
    try:
        with open(CACHE, "rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        start = LENGTH + int.from_bytes(content[:LENGTH], "little")
        root, places, image = marshal.loads(content[LENGTH:start])
    except (OSError, *DAMAGED):
        return {}, (), memoryview(b"")
    return (places, image, content[start:]) if root == ROOT else ({}, (), content)


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
