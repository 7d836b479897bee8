"""Plain records: what dataclasses are, without the cost that they have at every start."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(kw_only_default=False)
class Record:
    """Base of records: fields are the annotations, in order, those of the base class first.

    Compared, hashed and shown by content, but for the fields in ``uncompared``. Not to be changed once made, unless the
    class says otherwise.
    """

    fields_: ClassVar[tuple[str, ...]] = ()
    defaults_: ClassVar[Mapping[str, object]] = MappingProxyType({})
    compared_: ClassVar[tuple[str, ...]] = ()
    uncompared: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = (name for name, kind in vars(cls).get("__annotations__", {}).items() if not _is_class_level(kind))
        cls.fields_ = (*cls.fields_, *own)
        cls.defaults_ = MappingProxyType({name: getattr(cls, name) for name in cls.fields_ if hasattr(cls, name)})
        cls.compared_ = tuple(name for name in cls.fields_ if name not in cls.uncompared)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        values = self.__dict__
        values.update(self.defaults_)
        values.update(zip(self.fields_, args, strict=False))
        values.update(kwargs)
        if len(values) < len(self.fields_):
            raise AttributeError(f"{type(self).__name__} lacks one of {', '.join(self.fields_)}")

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})

    def _content(self) -> tuple[object, ...]:
        return tuple(self.__dict__[name] for name in self.compared_)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Record) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), self._content()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.compared_)
        return f"{type(self).__name__}({shown})"


def _is_class_level(kind: object) -> bool:
    return "ClassVar" in str(kind)
