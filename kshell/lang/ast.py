"""The nodes of a parsed line. Expressions and values of arguments share one grammar.

Every node carries the offset at which it starts and ends in its line. Nodes are immutable and compare by content,
places left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Number:
    """``3``, ``0x1f``, ``0644``, ``'a'``; base keeps how it was written."""

    value: int
    base: int = 10
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class String:
    """``"..."``; truncated: strace's ``"..."...``; abstract: ``@"..."``, a name with a zero byte before."""

    data: bytes
    truncated: bool = False
    abstract: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier: a constant, a variable, a kernel object, ``NULL``."""

    name: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dots:
    """``...``: a buffer that kshell supplies, or what strace left out."""

    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """``?``: something strace could not know."""

    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x !x ~x &x *x``"""

    op: str
    operand: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``a | b`` and the like; ``or`` is strace's choice of two names."""

    op: str
    left: "Node"
    right: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ternary:
    """``a ? b : c``"""

    condition: "Node"
    then: "Node"
    otherwise: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cast:
    """``(type)x``"""

    type: str
    operand: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TypeName:
    """A C type where one may stand: ``struct socket_alloc``, ``int *``."""

    type: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """``a->b`` or ``a.b``"""

    object: "Node"
    name: str
    arrow: bool
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Index:
    """``a[i]``"""

    object: "Node"
    index: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Apply:
    """``f(x, y)``: a system call, a macro such as ``htons(80)``, a helper such as ``SOCKET_I(inode)``."""

    function: str
    args: tuple["Node", ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """``name=value`` in a struct or, in strace's clone(), in a call."""

    name: str
    value: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Struct:
    """``{…}``: named and unnamed values; truncated when strace ended it with ``...``."""

    items: tuple["Node", ...]
    truncated: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Array:
    """``[…]``; spaced: strace's sets, whose items have no commas between; truncated as Struct."""

    items: tuple["Node", ...]
    truncated: bool = False
    spaced: bool = False
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """``before => after``: a value that the call changed."""

    before: "Node"
    after: "Node"
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Annotated:
    """``3<socket:[12]>``: a descriptor with what strace -y says of it."""

    value: "Node"
    text: str
    span: Span = field(default=(0, 0), compare=False, repr=False)


Node: TypeAlias = (
    Number | String | Name | Dots | Unknown | Unary | Binary | Ternary | Cast | TypeName | Member | Index | Apply
    | Named | Struct | Array | Change | Annotated
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What stands behind a call's ``=``.

    value: the number, None for ``?``; errno: the name behind a -1 or a ``?``; details: what strace put into the
    parentheses behind, label and value (``flags O_RDWR``, ``in [3]``), text: those parentheses as they stood.
    """

    value: int | None
    errno: str = ""
    details: tuple[tuple[str, "Node | None"], ...] = ()
    text: str = ""
    annotation: str = ""  # of -y
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``name(args)`` as a system call, with the raw text it came from."""

    name: str
    args: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CallStatement:
    """``@task variable = call(…) = expectation``; everything but the call may be missing."""

    call: Call
    variable: str = ""
    expected: Result | None = None
    task: str = ""
    line: int = field(default=1, compare=False)
    source: str = field(default="", compare=False)
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``variable = expression``"""

    variable: str
    value: Node
    task: str = ""
    line: int = field(default=1, compare=False)
    source: str = field(default="", compare=False)
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpressionStatement:
    """An expression to print."""

    value: Node
    task: str = ""
    line: int = field(default=1, compare=False)
    source: str = field(default="", compare=False)
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CommandStatement:
    """A command: its words, quotes taken off, and the text behind the first word as it stood."""

    words: tuple[str, ...]
    rest: str
    task: str = ""
    line: int = field(default=1, compare=False)
    source: str = field(default="", compare=False)
    span: Span = field(default=(0, 0), compare=False, repr=False)


Statement: TypeAlias = CallStatement | Assignment | ExpressionStatement | CommandStatement


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node."""
    match node:
        case Unary(operand=x) | Cast(operand=x) | Annotated(value=x) | Named(value=x) | Member(object=x):
            yield x
        case Binary(left=a, right=b) | Index(object=a, index=b) | Change(before=a, after=b):
            yield a
            yield b
        case Ternary(condition=a, then=b, otherwise=c):
            yield a
            yield b
            yield c
        case Apply(args=items) | Struct(items=items) | Array(items=items):
            yield from items
        case _:
            return
