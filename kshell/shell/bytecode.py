"""Starts quickly: the byte code of the whole package in one file beside Python's own `__pycache__` files.

Python looks for each of some 600 modules with half a dozen system calls, which takes longer than to run them.
The cache file is mapped into memory and asked first; a module whose source has changed since, by time or size, is
loaded as usual and put into the cache when the process ends. Nothing depends on it: without it all goes as usual.

The file: the length of the index (8 bytes, little endian), the index (a marshalled dict of `Entry` by module name),
and after it the marshalled code of each module.
"""

from __future__ import annotations

import builtins
import marshal
import mmap
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Import(Protocol):
        """Python's __import__."""

        def __call__(
            self,
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType: ...


PACKAGE = "kshell"
ROOT = os.path.dirname(os.path.dirname(__file__))
CACHE = os.path.join(ROOT, "__pycache__", f"all.{sys.implementation.cache_tag}.bin")

Entry = tuple[str, bool, int, int, int, int]
"""Path of the source, whether it is a package, mtime in ns and size of the source, start and end of its code."""

_LENGTH = 8
_DAMAGED = (ValueError, EOFError, TypeError)


class CachedLoader(SourceFileLoader):
    """Takes a module's code from the cache."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType | None:
        try:
            code = marshal.loads(self._code)
        except _DAMAGED:
            code = None
        return code if isinstance(code, CodeType) else super().get_code(fullname)


class BytecodeCache:
    """A finder of the package's modules in the cache file; first of sys.meta_path."""

    def __init__(self) -> None:
        self._entries, self._codes = _read()
        self._stale = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the package whose source is as it was cached, else None."""
        if not name.startswith(PACKAGE):
            return None
        entry = self._entries.get(name)
        if entry is None or _version(entry[0]) != entry[2:4]:
            self._stale = True
            return None
        source, is_package, _, _, start, end = entry
        spec = ModuleSpec(
            name, CachedLoader(name, source, self._codes[start:end]), origin=source, is_package=is_package
        )
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        return spec

    def load(self, name: str) -> ModuleType | None:
        """Load a module of a package that is in the cache, as importlib would; None if it is not there."""
        parent, _, attribute = name.rpartition(".")
        spec = self.find_spec(name) if parent else None
        if spec is None:
            return None
        assert isinstance(spec.loader, CachedLoader)
        package = __import__(parent, fromlist=("__path__",))
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

    def save(self) -> None:
        """Put the modules that were loaded past the cache into it, unless Python is told to write no byte code."""
        if not self._stale or sys.dont_write_bytecode:
            return
        modules = {name: (entry[:4], bytes(self._codes[entry[4] : entry[5]])) for name, entry in self._entries.items()}
        for name, module in list(sys.modules.items()):
            spec = module.__spec__ if name.startswith(PACKAGE) else None
            if spec is not None and spec.origin is not None and not isinstance(spec.loader, CachedLoader):
                modules[name] = _compiled(name, spec.origin, spec.submodule_search_locations is not None)
        _write(modules)


_Compiled = tuple[tuple[str, bool, int, int], bytes]


def _compiled(name: str, source: str, is_package: bool) -> _Compiled:
    code = SourceFileLoader(name, source).get_code(name)
    return (source, is_package, *(_version(source) or (0, 0))), marshal.dumps(code)


def _version(source: str) -> tuple[int, int] | None:
    try:
        status = os.stat(source)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read() -> tuple[dict[str, Entry], memoryview]:
    try:
        with open(CACHE, "rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
        entries = marshal.loads(content[_LENGTH:start])
    except (OSError, *_DAMAGED):
        return {}, memoryview(b"")
    return (entries, content[start:]) if isinstance(entries, dict) else ({}, content)


def _write(modules: Mapping[str, _Compiled]) -> None:
    entries: dict[str, Entry] = {}
    end = 0
    for name, (version, code) in modules.items():
        start, end = end, end + len(code)
        entries[name] = (*version, start, end)
    index = marshal.dumps(entries)
    temporary = f"{CACHE}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(CACHE), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(len(index).to_bytes(_LENGTH, "little") + index)
            file.writelines(code for _, code in modules.values())
        os.replace(temporary, CACHE)
    except OSError:
        return  # nobody but its speed depends on it


def _import_from(cache: BytecodeCache, plain_import: Import) -> Import:
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
            if module is not None and ("__path__" not in module.__dict__ or module.__dict__.keys() >= set(fromlist)):
                return module
        return plain_import(name, globals, locals, fromlist, level)

    return import_module


def install() -> BytecodeCache:
    """Have imports of the package ask the cache first."""
    cache = BytecodeCache()
    sys.meta_path.insert(0, cache)
    builtins.__import__ = _import_from(cache, builtins.__import__)
    return cache


def build() -> None:
    """Cache every module of the package, as set-up does after it installed it."""
    modules: dict[str, _Compiled] = {}
    for directory, _, files in os.walk(ROOT):
        for file in files:
            source = os.path.join(directory, file)
            stem, extension = os.path.splitext(os.path.relpath(source, os.path.dirname(ROOT)))
            if extension == ".py":
                name = stem.replace(os.sep, ".").removesuffix(".__init__")
                modules[name] = _compiled(name, source, file == "__init__.py")
    _write(modules)


if __name__ == "__main__":
    build()
