"""The nodes of a parsed line. Expressions and values of arguments share one grammar.

Every node carries the offset at which it starts and ends in its line. Nodes are immutable and compare by content,
places left out. They are plain classes, since hundreds are made for a line and the
classes at every start.
"""

from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


class _Node:
    """What all nodes share: a place, and comparison by content."""

    __slots__ = ("span",)
    span: Span

    def _content(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in type(self).__slots__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), self._content()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__slots__)
        return f"{type(self).__name__}({shown})"


class Number(_Node):
    """``3``, ``0x1f``, ``0644``, ``'a'``; base keeps how it was written."""

    __slots__ = ("base", "value")
    __match_args__ = ("value", "base")

    def __init__(self, value: int, base: int = 10, span: Span = (0, 0)) -> None:
        self.value = value
        self.base = base
        self.span = span


class String(_Node):
    """``"..."``; truncated: strace's ``"..."...``; abstract: ``@"..."``, a name with a zero byte before."""

    __slots__ = ("abstract", "data", "truncated")
    __match_args__ = ("data", "truncated", "abstract")

    def __init__(self, data: bytes, truncated: bool = False, abstract: bool = False, span: Span = (0, 0)) -> None:
        self.data = data
        self.truncated = truncated
        self.abstract = abstract
        self.span = span


class Name(_Node):
    """An identifier: a constant, a variable, a kernel object, ``NULL``."""

    __slots__ = ("name",)
    __match_args__ = ("name",)

    def __init__(self, name: str, span: Span = (0, 0)) -> None:
        self.name = name
        self.span = span


class Dots(_Node):
    """``...``: a buffer that kshell supplies, or what strace left out."""

    __slots__ = ()
    __match_args__ = ()

    def __init__(self, span: Span = (0, 0)) -> None:
        self.span = span


class Unknown(_Node):
    """``?``: something strace could not know."""

    __slots__ = ()
    __match_args__ = ()

    def __init__(self, span: Span = (0, 0)) -> None:
        self.span = span


class Unary(_Node):
    """``-x !x ~x &x *x``"""

    __slots__ = ("op", "operand")
    __match_args__ = ("op", "operand")

    def __init__(self, op: str, operand: "Node", span: Span = (0, 0)) -> None:
        self.op = op
        self.operand = operand
        self.span = span


class Binary(_Node):
    """``a | b`` and the like; ``or`` is strace's choice of two names."""

    __slots__ = ("left", "op", "right")
    __match_args__ = ("op", "left", "right")

    def __init__(self, op: str, left: "Node", right: "Node", span: Span = (0, 0)) -> None:
        self.op = op
        self.left = left
        self.right = right
        self.span = span


class Ternary(_Node):
    """``a ? b : c``"""

    __slots__ = ("condition", "otherwise", "then")
    __match_args__ = ("condition", "then", "otherwise")

    def __init__(self, condition: "Node", then: "Node", otherwise: "Node", span: Span = (0, 0)) -> None:
        self.condition = condition
        self.then = then
        self.otherwise = otherwise
        self.span = span


class Cast(_Node):
    """``(type)x``"""

    __slots__ = ("operand", "type")
    __match_args__ = ("type", "operand")

    def __init__(self, type: str, operand: "Node", span: Span = (0, 0)) -> None:
        self.type = type
        self.operand = operand
        self.span = span


class TypeName(_Node):
    """A C type where one may stand: ``struct socket_alloc``, ``int *``."""

    __slots__ = ("type",)
    __match_args__ = ("type",)

    def __init__(self, type: str, span: Span = (0, 0)) -> None:
        self.type = type
        self.span = span


class Member(_Node):
    """``a->b`` or ``a.b``"""

    __slots__ = ("arrow", "name", "object")
    __match_args__ = ("object", "name", "arrow")

    def __init__(self, object: "Node", name: str, arrow: bool, span: Span = (0, 0)) -> None:
        self.object = object
        self.name = name
        self.arrow = arrow
        self.span = span


class Index(_Node):
    """``a[i]``"""

    __slots__ = ("index", "object")
    __match_args__ = ("object", "index")

    def __init__(self, object: "Node", index: "Node", span: Span = (0, 0)) -> None:
        self.object = object
        self.index = index
        self.span = span


class Apply(_Node):
    """``f(x, y)``: a system call, a macro such as ``htons(80)``, a helper such as ``SOCKET_I(inode)``."""

    __slots__ = ("args", "function")
    __match_args__ = ("function", "args")

    def __init__(self, function: str, args: tuple["Node", ...], span: Span = (0, 0)) -> None:
        self.function = function
        self.args = args
        self.span = span


class Named(_Node):
    """``name=value`` in a struct or, in strace's clone(), in a call."""

    __slots__ = ("name", "value")
    __match_args__ = ("name", "value")

    def __init__(self, name: str, value: "Node", span: Span = (0, 0)) -> None:
        self.name = name
        self.value = value
        self.span = span


class Struct(_Node):
    """``{…}``: named and unnamed values; truncated when strace ended it with ``...``."""

    __slots__ = ("items", "truncated")
    __match_args__ = ("items", "truncated")

    def __init__(self, items: tuple["Node", ...], truncated: bool = False, span: Span = (0, 0)) -> None:
        self.items = items
        self.truncated = truncated
        self.span = span


class Array(_Node):
    """``[…]``; spaced: strace's sets, whose items have no commas between; truncated as Struct."""

    __slots__ = ("items", "spaced", "truncated")
    __match_args__ = ("items", "truncated", "spaced")

    def __init__(
        self, items: tuple["Node", ...], truncated: bool = False, spaced: bool = False, span: Span = (0, 0)
    ) -> None:
        self.items = items
        self.truncated = truncated
        self.spaced = spaced
        self.span = span


class Change(_Node):
    """``before => after``: a value that the call changed."""

    __slots__ = ("after", "before")
    __match_args__ = ("before", "after")

    def __init__(self, before: "Node", after: "Node", span: Span = (0, 0)) -> None:
        self.before = before
        self.after = after
        self.span = span


class Annotated(_Node):
    """``3<socket:[12]>``: a descriptor with what strace -y says of it."""

    __slots__ = ("text", "value")
    __match_args__ = ("value", "text")

    def __init__(self, value: "Node", text: str, span: Span = (0, 0)) -> None:
        self.value = value
        self.text = text
        self.span = span


Node: TypeAlias = (
    Number | String | Name | Dots | Unknown | Unary | Binary | Ternary | Cast | TypeName | Member | Index | Apply
    | Named | Struct | Array | Change | Annotated
)  # fmt: skip


class Result(_Node):
    """What stands behind a call's ``=``.

    value: the number, None for ``?``; errno: the name behind a -1 or a ``?``; details: what strace put into the
    parentheses behind, label and value (``flags O_RDWR``, ``in [3]``), text: those parentheses as they stood;
    annotation: of -y.
    """

    __slots__ = ("annotation", "details", "errno", "text", "value")

    def __init__(
        self,
        value: int | None,
        errno: str = "",
        details: "tuple[tuple[str, Node | None], ...]" = (),
        text: str = "",
        annotation: str = "",
        span: Span = (0, 0),
    ) -> None:
        self.value = value
        self.errno = errno
        self.details = details
        self.text = text
        self.annotation = annotation
        self.span = span


class Call(_Node):
    """``name(args)`` as a system call."""

    __slots__ = ("args", "name")

    def __init__(self, name: str, args: tuple[Node, ...], span: Span = (0, 0)) -> None:
        self.name = name
        self.args = args
        self.span = span


class _Statement(_Node):
    """What all statements share: a task that they are for, and where they stand."""

    __slots__ = ("line", "source", "task")
    task: str
    line: int
    source: str

    def __init__(self) -> None:
        self.stand("", 1, "", (0, 0))

    def stand(self, task: str, line: int, source: str, span: Span) -> None:
        """It is for this task, and stands there."""
        self.task = task
        self.line = line
        self.source = source
        self.span = span

    def _content(self) -> tuple[object, ...]:
        return (self.task, *super()._content())


class CallStatement(_Statement):
    """``@task variable = call(…) = expectation``; everything but the call may be missing."""

    __slots__ = ("call", "expected", "variable")

    def __init__(self, call: Call, variable: str = "", expected: Result | None = None) -> None:
        super().__init__()
        self.call = call
        self.variable = variable
        self.expected = expected


class Assignment(_Statement):
    """``variable = expression``"""

    __slots__ = ("value", "variable")

    def __init__(self, variable: str, value: Node) -> None:
        super().__init__()
        self.variable = variable
        self.value = value


class ExpressionStatement(_Statement):
    """An expression to print."""

    __slots__ = ("value",)

    def __init__(self, value: Node) -> None:
        super().__init__()
        self.value = value


class CommandStatement(_Statement):
    """A command: its words, quotes taken off, and the text behind the first word as it stood."""

    __slots__ = ("rest", "words")

    def __init__(self, words: tuple[str, ...], rest: str) -> None:
        super().__init__()
        self.words = words
        self.rest = rest


Statement: TypeAlias = CallStatement | Assignment | ExpressionStatement | CommandStatement
