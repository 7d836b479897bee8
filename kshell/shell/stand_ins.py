"""What stands in for functions of the standard library whose modules cost a start more than it has to give.

functools needs collections, importlib warnings: each takes as long to import as a dozen of the kernel's modules. So
imports.py leads the package's imports of these names here. They do what theirs do.
"""

from __future__ import annotations

import _functools  # type: ignore[import-not-found]  # typeshed has none
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType, MappingProxyType, ModuleType
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])
else:
    FunctionType, MappingProxyType, ModuleType = type(lambda: None), type(vars(object)), type(sys)

NAMES = {
    "functools": {"cache", "cached_property", "lru_cache"},
    "importlib": {"import_module"},
    "types": {"FunctionType", "MappingProxyType", "ModuleType"},
}
"""The names that this module stands in for."""


def lru_cache(maxsize: int | None) -> Callable[[Function], Function]:
    """As functools.lru_cache, but that `cache_info` gives a plain tuple."""

    def cached(function: Function) -> Function:
        wrapper = _functools._lru_cache_wrapper(function, maxsize, False, lambda *counts: counts)
        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(wrapper, name, getattr(function, name))
        wrapper.__dict__.update(function.__dict__)
        wrapper.__wrapped__ = function
        return wrapper  # type: ignore[no-any-return]

    return cached


def cache(function: Function) -> Function:
    """As functools.cache."""
    return lru_cache(None)(function)


class cached_property:
    """As functools.cached_property."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.func, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.attrname = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.attrname] = self.func(instance)
        return value


def import_module(name: str) -> ModuleType:
    """As importlib.import_module for absolute names."""
    __import__(name)
    return sys.modules[name]
