"""All that machines hold, object by object, in one canonical order.

`inventory(roots)` walks everything that can be reached: kernel objects, lists, queues and counters, user memory, timers
and the closures they call, parked coroutines and their locals. An object with an address is a Thing of its own; what
lies inside it is a field with a path (`sk_receive_queue.qlen`). Two machines that are in the same state have equal
inventories, whatever Python's own addresses are; `digest(roots)` is a short name for such a state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from types import CellType, CodeType, CoroutineType, FunctionType, MethodType
from typing import Final

from kshell.lens import names
from kshell.linux.include.linux.random import Random

Leaf = int | str | bytes | float | None

HIDDEN: Final = frozenset({"kernel", "_kernel", "clock", "listening", "_observers", "__dict__", "__weakref__"})
"""Back pointers, and what looks at a machine without being part of it. The clock comes last: timers belong to structs."""

_MODEL: Final = ("kshell.linux", "kshell.world")
_MISSING: Final = object()


class Ref(str):
    """The label of another thing."""

    __slots__ = ()


class Thing:
    """An object with an address: its struct, its fields by path, and the root it was reached from."""

    __slots__ = ("address", "fields", "label", "root", "struct", "value")

    def __init__(self, struct: str, address: int, value: object, root: str) -> None:
        self.struct = struct
        self.address = address
        self.label = Ref(f"{struct} {address:#x}" if address else struct)
        self.value = value
        self.root = root
        self.fields: dict[str, Leaf] = {}


def inventory(roots: Mapping[str, object]) -> list[Thing]:
    """The things that can be reached from the roots, those first, in an order that only their state decides."""
    return _Walk(roots).things


def digest(roots: Mapping[str, object]) -> str:
    """A short name of the whole state: equal for equal states, and different for different ones."""
    hashed = blake2b(digest_size=16)
    for thing in inventory(roots):
        small = [(path, value) for path, value in thing.fields.items() if not isinstance(value, bytes)]
        hashed.update(repr((thing.label, small)).encode("utf-8", "surrogatepass"))
        for path, value in thing.fields.items():
            if isinstance(value, bytes):
                hashed.update(b"%s %d " % (path.encode(), len(value)) + value)
    return hashed.hexdigest()


class _Walk:
    """One walk, breadth first."""

    def __init__(self, roots: Mapping[str, object]) -> None:
        self.things: list[Thing] = []
        self._seen: dict[int, Ref] = {}
        self._queue: deque[Thing] = deque()
        self._keep: list[object] = []  # so that no id is used twice
        for name, value in roots.items():
            self._discover(Thing(name, 0, value, name))
        self._empty()
        for clock in {id(found): found for root in roots.values() if (found := getattr(root, "clock", None))}.values():
            self._discover(Thing("clock", 0, clock, "clock"))
            self._empty()

    def _empty(self) -> None:
        while self._queue:
            self._open(self._queue.popleft())

    def _discover(self, thing: Thing) -> Ref:
        self._seen[id(thing.value)] = thing.label
        self.things.append(thing)
        self._queue.append(thing)
        return thing.label

    def _open(self, thing: Thing) -> None:
        stack = [iter(_parts(thing.value, ""))]
        while stack:
            part = next(stack[-1], None)
            if part is None:
                stack.pop()
                continue
            path, value = part
            inside = self._note(thing, path, value)
            if inside is not None:
                stack.append(inside)

    def _note(self, thing: Thing, path: str, value: object) -> Iterator[tuple[str, object]] | None:
        """Write a leaf down, or give the parts of what has some."""
        if value is None or isinstance(value, (int, str, bytes, float)):
            thing.fields[path] = value
            return None
        if isinstance(value, bytearray):
            thing.fields[path] = bytes(value)
            return None
        known = self._seen.get(id(value))
        if known is not None:
            thing.fields[path] = known
            return None
        address = getattr(value, "_addr", 0)
        if address and _is_model(value):
            struct = next(c.__name__ for c in type(value).__mro__ if not c.__name__.startswith("_"))
            thing.fields[path] = self._discover(Thing(struct, address, value, thing.root))
            return None
        named = _plain_name(value)
        if named is not None:
            thing.fields[path] = named
            return None
        self._seen[id(value)] = Ref(f"{thing.label}.{path}")
        self._keep.append(value)
        if isinstance(value, (list, tuple, deque, dict, set, frozenset, Mapping)):
            thing.fields[f"{path}.len"] = len(value)
        return iter(_parts(value, path))


def _plain_name(value: object) -> str | None:
    """The name of what has nothing inside that could change: a function, a class, an operations table."""
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, FunctionType) and not value.__closure__:
        return value.__qualname__
    if _is_model(value) and not isinstance(value, (dict, list)):
        named = names.table(value)
        return named if named[:1].isalpha() or named[:1] == "_" else None
    return None


def _is_model(value: object) -> bool:
    return type(value).__module__.startswith(_MODEL)


def _parts(value: object, path: str) -> Iterable[tuple[str, object]]:
    """What a value consists of, with the path to each part."""
    dot = f"{path}." if path else ""
    if isinstance(value, (list, tuple, deque)):
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _entries(value, path)
    if isinstance(value, (set, frozenset)):
        return [(f"{path}{{{index}}}", item) for index, item in enumerate(sorted(value, key=_order))]
    if isinstance(value, FunctionType):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        return [(f"{dot}name", value.__qualname__), *((f"{dot}{n}", _content(cell)) for n, cell in cells)]
    if isinstance(value, MethodType):
        return [(f"{dot}name", value.__func__.__qualname__), (f"{dot}self", _self(value.__self__))]
    if isinstance(value, partial):
        return [(f"{dot}func", value.func), (f"{dot}args", value.args), (f"{dot}keywords", value.keywords)]
    if isinstance(value, CoroutineType):
        return _frames(value, dot)
    if isinstance(value, Random):
        return [(f"{dot}state", blake2b(repr(value.getstate()).encode(), digest_size=8).hexdigest())]
    if isinstance(value, BaseException):
        return [(f"{dot}error", f"{type(value).__name__} {value.args}")]
    if callable(value) and not _is_model(value):
        return [(f"{dot}name", getattr(value, "__qualname__", type(value).__name__))]
    return _fields(value, dot)


def _entries(value: Mapping[object, object], path: str) -> Iterator[tuple[str, object]]:
    for index, (key, item) in enumerate(value.items()):
        if key is None or isinstance(key, (int, str, bytes)):
            yield f"{path}[{key!r}]", item
        else:
            yield f"{path}[{index}].key", key
            yield f"{path}[{index}]", item


def _order(value: object) -> tuple[str, int, str]:
    address = getattr(value, "_addr", None)
    if address is not None:
        return type(value).__name__, address, ""
    return (type(value).__name__, value, "") if isinstance(value, int) else (type(value).__name__, 0, str(value))


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _self(value: object) -> object:
    return value if _is_model(value) else type(value).__name__


def _frames(value: object, dot: str) -> Iterator[tuple[str, object]]:
    """A parked coroutine: each function it is in, where, and with what locals."""
    depth = 0
    while isinstance(value, CoroutineType):
        frame = value.cr_frame
        if value.cr_code.co_filename.startswith("<"):  # the tracer's, around a function
            value = value.cr_await
            continue
        if frame is not None:
            code: CodeType = frame.f_code
            yield f"{dot}{depth}", f"{code.co_qualname}+{frame.f_lasti}"
            for name, local in frame.f_locals.items():
                if not isinstance(local, CoroutineType):
                    yield f"{dot}{depth}.{name}", local
        value = value.cr_await
        depth += 1


class _Slots(dict[type, tuple[str, ...]]):
    """The slots of a class, looked up once."""

    def __missing__(self, cls: type) -> tuple[str, ...]:
        found = {name for base in cls.__mro__ for name in vars(base).get("__slots__", ())}
        slots = self[cls] = tuple(sorted(found - HIDDEN - {"_addr"}))
        return slots


_SLOTS: Final = _Slots()


def _fields(value: object, dot: str) -> Iterator[tuple[str, object]]:
    """The fields of a struct; those that lie in the cold part and are as they always are left out."""
    cls = type(value)
    for name in _SLOTS[cls]:
        found = getattr(value, name, _MISSING)
        if found is not _MISSING:
            yield f"{dot}{name}", found
    for name, found in sorted(getattr(value, "__dict__", {}).items()):
        if name not in HIDDEN and name != "_addr" and not _is_default(cls, name, found):
            yield f"{dot}{name}", found


def _is_default(cls: type, name: str, found: object) -> bool:
    """Whether a field of the cold part is as it is before anything is stored there."""
    default = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), _MISSING)
    if isinstance(found, (int, str, bytes, tuple)):
        return type(default) is type(found) and default == found
    make = getattr(default, "_make", None)  # an embedded struct, made when first looked at
    return make is not None and _FRESH[make] == _flat(found)


def _flat(value: object) -> list[tuple[str, object]]:
    """The fields of a struct, those of what is embedded in it included."""
    embedded = (dict, list, deque)
    return [
        (name, _flat(v) if _is_model(v) and not isinstance(v, embedded) and not getattr(v, "_addr", 0) else v)
        for name, v in _fields(value, "")
    ]


class _Fresh(dict[Callable[[], object], list[tuple[str, object]]]):
    """The fields of a struct that has just been made, by what makes it."""

    def __missing__(self, make: Callable[[], object]) -> list[tuple[str, object]]:
        fields = self[make] = _flat(make())
        return fields


_FRESH: Final = _Fresh()
