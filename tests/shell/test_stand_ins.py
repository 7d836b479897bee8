"""What stands in for the standard library does as that does."""

import functools
import importlib
import types
from collections.abc import Callable
from typing import Any

import pytest

from kshell.shell import stand_ins


def described(function: Callable[..., Any]) -> tuple[object, ...]:
    wrapped: Callable[..., Any] = vars(function)["__wrapped__"]
    return function.__name__, function.__qualname__, function.__module__, function.__doc__, wrapped.__name__, type(function)


@pytest.mark.parametrize(
    ("decorator", "original"),
    [(stand_ins.cache, functools.cache), (stand_ins.lru_cache(2), functools.lru_cache(2))],
)
def test_caches(decorator: Callable[[Any], Any], original: Callable[[Any], Any]) -> None:
    def double(number: int) -> int:
        """Twice a number."""
        called.append(number)
        return 2 * number

    called: list[int] = []
    results = []
    for decorate in (decorator, original):
        called.clear()
        cached = decorate(double)
        doubled = [cached(number) for number in (1, 2, 1, 3, 1)]
        results.append((doubled, list(called), tuple(cached.cache_info()), described(cached)))
    assert results[0] == results[1]


@pytest.mark.parametrize("decorator", [stand_ins.cached_property, functools.cached_property])
def test_cached_property(decorator: Callable[[Any], Any]) -> None:
    class C:
        calls = 0

        @decorator
        def value(self) -> int:
            """A number."""
            self.calls += 1
            return self.calls

    c = C()
    assert (c.value, c.value, vars(c)) == (1, 1, {"calls": 1, "value": 1})
    assert vars(C)["value"] is C.value
    assert C.value.__doc__ == "A number."
    del c.value
    assert c.value == 2


def test_the_rest() -> None:
    assert all(getattr(stand_ins, name) is getattr(types, name) for name in stand_ins.NAMES["types"])
    assert stand_ins.import_module("kshell.abi.errno") is importlib.import_module("kshell.abi.errno")
    with pytest.raises(ModuleNotFoundError):
        stand_ins.import_module("kshell.nowhere")


def test_every_name_is_there() -> None:
    for module, names in stand_ins.NAMES.items():
        for name in names:
            assert hasattr(stand_ins, name)
            assert hasattr(importlib.import_module(module), name)
