"""Writes the byte code cache: all of the package after it was installed, and what has changed after each run."""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from time import monotonic

from kshell.shell import bytecode
from kshell.shell.deferral import take_apart

LONGEST = 0.5
"""Seconds that a run may take to add modules to the cache; what is left over, later runs add."""


def build() -> None:
    """Cache every module of the package."""
    modules = dict(_modules())
    numbers = {name: number for number, name in enumerate(modules)}
    write({name: _packed(name, is_package, numbers) for name, is_package in modules.items()})


def add(specs: Iterable[ModuleSpec]) -> None:
    """Add modules that were loaded past the cache to what is in it."""
    modules = bytecode.BytecodeCache().contents()
    numbers = {name: number for number, name in enumerate(modules)}
    end = monotonic() + LONGEST
    for spec in specs:
        if monotonic() < end:
            try:
                modules[spec.name] = _packed(spec.name, spec.submodule_search_locations is not None, numbers)
            except OSError:
                continue  # it came from elsewhere: an archive, say
    write(modules)


def write(modules: Mapping[str, bytes]) -> None:
    """Write the file; where that is not possible there is none: nothing but its speed depends on it."""
    places: dict[str, int] = {}
    end = 0
    for name, packed in modules.items():
        places[name], end = end, end + len(packed)
    index = marshal.dumps((bytecode.ROOT, places))
    temporary = f"{bytecode.CACHE}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(bytecode.CACHE), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(len(index).to_bytes(bytecode.LENGTH, "little") + index)
            file.writelines(modules.values())
        os.replace(temporary, bytecode.CACHE)
    except OSError:
        return


def _modules() -> Iterator[tuple[str, bool]]:
    """Name of each module of the package, and whether it is a package."""
    for directory, _, files in os.walk(bytecode.ROOT):
        for file in files:
            stem, extension = os.path.splitext(
                os.path.relpath(os.path.join(directory, file), os.path.dirname(bytecode.ROOT))
            )
            if extension == ".py":
                yield stem.replace(os.sep, ".").removesuffix(".__init__"), file == "__init__.py"


def _packed(name: str, is_package: bool, numbers: Mapping[str, int]) -> bytes:
    source = bytecode.source_of(name, is_package)
    version = bytecode.version(source) or (0, 0)
    with open(source, "rb") as file:
        content, first = take_apart(file.read(), source, numbers)
    return bytecode.HEADER.pack(*version, first, is_package) + content


if __name__ == "__main__":
    build()
