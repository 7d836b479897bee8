"""Starts quickly: the byte code of the whole package in one file beside Python's own `__pycache__` files.

Python looks for each of some 500 modules with half a dozen system calls, which takes longer than to run them.
The cache file is read at once and asked first; a module whose source has changed since, by time or size, is
loaded as usual and put into the cache when the process ends. Nothing depends on it: without it all goes as usual.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

PACKAGE = "kshell"
ROOT = os.path.dirname(os.path.dirname(__file__))
CACHE = os.path.join(ROOT, "__pycache__", f"all.{sys.implementation.cache_tag}.bin")

Entry = tuple[str, bool, int, int, bytes]
"""Path of the source, whether it is a package, mtime in ns and size of the source, its marshalled code."""


class CachedLoader(SourceFileLoader):
    """Takes a module's code from the cache."""

    def __init__(self, name: str, path: str, code: bytes) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType | None:
        code = marshal.loads(self._code)
        return code if isinstance(code, CodeType) else super().get_code(fullname)


class BytecodeCache:
    """A finder of the package's modules in the cache file; first of sys.meta_path."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = _read()
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
        source, is_package = entry[:2]
        spec = ModuleSpec(name, CachedLoader(name, source, entry[4]), origin=source, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        return spec

    def save(self) -> None:
        """Put the modules that were loaded past the cache into it, unless Python is told to write no byte code."""
        if not self._stale or sys.dont_write_bytecode:
            return
        for name, module in list(sys.modules.items()):
            spec = module.__spec__ if name.startswith(PACKAGE) else None
            if spec is not None and spec.origin is not None and not isinstance(spec.loader, CachedLoader):
                self._entries[name] = _entry(name, spec.origin, spec.submodule_search_locations is not None)
        _write(self._entries)


def _entry(name: str, source: str, is_package: bool) -> Entry:
    code = SourceFileLoader(name, source).get_code(name)
    return source, is_package, *(_version(source) or (0, 0)), marshal.dumps(code)


def _version(source: str) -> tuple[int, int] | None:
    try:
        status = os.stat(source)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read() -> dict[str, Entry]:
    try:
        with open(CACHE, "rb") as file:
            entries = marshal.loads(file.read())
    except (OSError, ValueError, EOFError, TypeError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _write(entries: dict[str, Entry]) -> None:
    temporary = f"{CACHE}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(CACHE), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(marshal.dumps(entries))
        os.replace(temporary, CACHE)
    except OSError:
        return  # nobody but its speed depends on it


def install() -> BytecodeCache:
    """Have imports of the package ask the cache first."""
    cache = BytecodeCache()
    sys.meta_path.insert(0, cache)
    return cache


def build() -> None:
    """Cache every module of the package, as set-up does after it installed it."""
    entries: dict[str, Entry] = {}
    for directory, _, files in os.walk(ROOT):
        for file in files:
            source = os.path.join(directory, file)
            stem, extension = os.path.splitext(os.path.relpath(source, os.path.dirname(ROOT)))
            if extension == ".py":
                name = stem.replace(os.sep, ".").removesuffix(".__init__")
                entries[name] = _entry(name, source, file == "__init__.py")
    _write(entries)


if __name__ == "__main__":
    build()
