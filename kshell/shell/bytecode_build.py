"""Writes the byte code cache: all of the package after it was installed, and what has changed after each run."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from importlib.machinery import ModuleSpec
from io import StringIO
from time import monotonic
from types import FunctionType
from typing import Any

from kshell.shell import bytecode
from kshell.shell.deferral import Place, take_apart
from kshell.shell.loader import IMPORT, CachedLoader, Later

SAMPLE = "fd = socket(AF_INET, SOCK_STREAM, 0) = 3\nclose(fd) = 0\n"
"""What every start of a script does, in small."""

LONGEST = 0.5
"""Seconds that a run may take to add modules to the cache; what is left over, later runs add."""


def build() -> None:
    """Cache every module of the package: what the start of a script calls so that it is there, the rest so that it waits."""
    modules = dict(_modules())
    numbers = {name: number for number, name in enumerate(modules)}
    cached = {name: _packed(name, is_package, numbers) for name, is_package in modules.items()}
    write(cached)
    hot = _recorded("record_calls")
    for name, functions in hot.items():
        cached[name] = _packed(name, modules[name], numbers, functions)
    write(cached)
    image = _recorded("record_names")
    for name, needed in image.items():
        cached[name] = _packed(name, modules[name], numbers, hot.get(name, []), needed)
    write(cached, image)


def _recorded(by: str) -> dict[str, list[Any]]:
    """What a function of this module finds out of each module in a process of its own; nothing if it fails."""
    code = f"""
import sys
sys.path.insert(0, {os.path.dirname(bytecode.ROOT)!r})
from kshell.shell import bytecode, bytecode_build
bytecode.CACHE = {bytecode.CACHE!r}
bytecode_build.{by}()
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        return {}
    found: dict[str, list[Any]] = marshal.loads(done.stdout)
    return found


def record_calls() -> None:
    """Write the hot functions of each module to standard output, marshalled.

    What modules call when they are imported is not hot: its needs would not be bound yet. So all are imported first.
    """
    called: list[tuple[str, Place]] = []
    load = CachedLoader.load

    def recorded_load(loader: CachedLoader, place: int) -> FunctionType:
        function = load(loader, place)
        called.append((loader.name, (function.__code__.co_name, function.__code__.co_firstlineno)))
        return function

    bytecode.install()
    for name, _ in _modules():
        if not name.endswith("__main__"):
            loader = import_module(name).__loader__
            if isinstance(loader, CachedLoader):
                loader.bring()
    setattr(CachedLoader, "load", recorded_load)  # noqa: B010  mypy takes no assignment to a method
    run_sample()
    hot: dict[str, list[Place]] = {}
    for name, place in called:
        hot.setdefault(name, []).append(place)
    sys.stdout.buffer.write(marshal.dumps(hot))


def record_names() -> None:
    """Write the names that the start of a script binds late, by module, likewise; but for modules of this package, of
    which each command needs others.
    """
    bytecode.install()
    run_sample()
    loaders = [getattr(module, "__loader__", None) for module in sys.modules.values()]
    found = [loader for loader in loaders if isinstance(loader, CachedLoader) and not loader.name.startswith(__package__)]
    bound = {loader.name: loader.bound() for loader in found}
    sys.stdout.buffer.write(marshal.dumps(bound))


def run_sample() -> None:
    """Check and run a small script, as quietly as its success lets it be."""
    from kshell.shell.main import main

    with tempfile.NamedTemporaryFile("w", suffix=".ks") as script:
        script.write(SAMPLE)
        script.flush()
        with redirect_stdout(StringIO()):
            main(["check", script.name])
            main(["run", script.name])


def add(specs: Iterable[ModuleSpec]) -> None:
    """Add modules that were loaded past the cache to what is in it."""
    cache = bytecode.BytecodeCache()
    modules = cache.contents()
    numbers = {name: number for number, name in enumerate(modules)}
    end = monotonic() + LONGEST
    for spec in specs:
        if monotonic() < end:
            try:
                modules[spec.name] = _packed(spec.name, spec.submodule_search_locations is not None, numbers)
            except OSError:
                continue  # it came from elsewhere: an archive, say
    write(modules, cache.image)


def write(modules: Mapping[str, bytes], image: Collection[str] = ()) -> None:
    """Write the file; where that is not possible there is none: nothing but its speed depends on it.

    image: the names of the modules that are in the image.
    """
    places: dict[str, int] = {}
    end = 0
    for name, packed in modules.items():
        places[name], end = end, end + len(packed)
    places[bytecode.IMAGE] = end
    index = marshal.dumps((bytecode.ROOT, places, tuple(image)))
    temporary = f"{bytecode.CACHE}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(bytecode.CACHE), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(len(index).to_bytes(bytecode.LENGTH, "little") + index)
            file.writelines(modules.values())
            file.write(marshal.dumps(_image(modules, places, image)))
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


def _image(modules: Mapping[str, bytes], places: Mapping[str, int], image: Collection[str]) -> bytecode.Image:
    names = list(places)
    found: dict[str, bytecode.Ready] = {}
    links: dict[str, dict[str, str]] = {}
    for name in image:
        mtime, size, first, is_package = bytecode.HEADER.unpack_from(modules[name])
        content, start = modules[name][bytecode.HEADER.size :], places[name] + bytecode.HEADER.size
        at, called_soon, code = marshal.loads(content[first:])
        origins = _origins(marshal.loads(content[at:]), called_soon, names)
        links[name] = {wanted: origin for wanted, origin in origins.items() if origin in image}
        source = bytecode.source_of(name, is_package), is_package, start, start + first
        parts = at, tuple(wanted for wanted in called_soon if wanted not in links[name]), code
        found[name] = (mtime, size), source, parts
    return found, links


def _origins(later: Mapping[str, Later], wanted: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """The modules of those names that are taken from a module in the index."""
    numbers = {name: number for name in wanted if isinstance(number := later[name], int)}
    return {name: names[number >> 2] for name, number in numbers.items() if number & 3 == IMPORT}


def _packed(
    name: str,
    is_package: bool,
    numbers: Mapping[str, int],
    hot: Collection[Place] = (),
    needed: Collection[str] = (),
) -> bytes:
    source = bytecode.source_of(name, is_package)
    version = bytecode.version(source) or (0, 0)
    with open(source, "rb") as file:
        content, first = take_apart(file.read(), source, numbers, hot, needed)
    return bytecode.HEADER.pack(*version, first, is_package) + content


if __name__ == "__main__":
    build()
