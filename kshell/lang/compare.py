"""Holds what the model did to what a log or a script says: results, errno, and what the call gave back.

Addresses, pids, inode and device numbers, times and what strace left out need not be equal. Arguments that only go in
are not compared: they are the same by construction.
"""

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import compress
from typing import Final

from kshell.abi import errno
from kshell.abi.record import Record
from kshell.abi.syscalls import Param, Syscall, signature
from kshell.lang.ast import (
    Annotated,
    Apply,
    Array,
    Call,
    Change,
    Dots,
    Name,
    Named,
    Node,
    Number,
    Result,
    String,
    Struct,
    Unknown,
)
from kshell.lang.ast_text import show
from kshell.lang.compare_bytes import same_bytes
from kshell.lang.decode import Decoding
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source
from kshell.lang.messages import is_message
from kshell.lang.numbers import Numbers, Variables
from kshell.lang.parser import Parser, parse_expression
from kshell.lang.statements import read_result

#: calls whose result is a pid or an address, so that only its sign counts
_PID_RESULTS: Final = frozenset(
    {"fork", "vfork", "clone", "clone3", "wait4", "waitid", "waitpid", "getpid", "gettid", "getppid", "getpgrp",
     "getpgid", "getsid", "setsid", "set_tid_address"}
)  # fmt: skip
_ADDRESS_RESULTS: Final = frozenset({"mmap", "brk", "mremap", "shmat"})
#: calls whose result depends on the clock or on the state of a real machine
_FREE_RESULTS: Final = frozenset({"time", "times", "alarm", "getdents64", "getdents", "getrandom"})

#: calls whose arguments strace shows in ways of their own
_UNCOMPARED: Final = frozenset({"clone", "clone3", "rt_sigreturn", "execve"})

#: fields whose values differ from one run to another
_FREE_FIELDS: Final = frozenset(
    {
        *("st_dev", "st_ino", "st_atime", "st_mtime", "st_ctime", "st_atime_nsec", "st_mtime_nsec", "st_ctime_nsec"),
        *("st_blksize", "st_blocks", "st_nlink", "st_size", "stx_mask", "stx_attributes", "stx_size", "st_rdev"),
        *("si_pid", "si_uid", "si_utime", "si_stime", "pid", "l_pid", "nl_pid", "nlmsg_pid", "nlmsg_seq", "nlmsg_len"),
        *("tv_sec", "tv_usec", "tv_nsec", "ru_utime", "ru_stime", "d_ino", "d_off", "sa_restorer", "msg_control_ptr"),
        *("parent_tid", "child_tid", "tls", "stack", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_fsid"),
    }
)
#: file systems on disks, and what a statfs of one tells of it
_DISKS: Final = frozenset({"EXT2_SUPER_MAGIC", "OVERLAYFS_SUPER_MAGIC", "XFS_SUPER_MAGIC", "BTRFS_SUPER_MAGIC"})
_OF_A_DISK: Final = frozenset({"f_type", "f_bsize", "f_frsize", "f_flags"})

#: result details whose values are times
_FREE_LABELS: Final = frozenset({"left"})


class Difference(Record):
    """One thing that is not as expected: where in the call, what was expected, what came."""

    where: str  # "result", an argument's name, "argument.field"
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, got {self.got}"


def compare(
    call: Call, expected: Result, line: str, *, results_only: bool = False
) -> list[Difference]:
    """The differences between an expected call with its result and the model's line for it.

    call, expected: as parsed from the log or script; line: what Decoding.line() says, with string_limit None.
    results_only: an expectation of a script, which says nothing of buffers.
    """
    got_call, got_result = parse_line_of_log(line)
    comparison = _Comparison(call.name)
    comparison.results(expected, got_result)
    if not results_only and not comparison.differences:
        syscall = signature(call.name)
        if syscall is not None and syscall.known and (expected.value or 0) >= 0:
            comparison.arguments(call, got_call, syscall)
    return comparison.differences


def compare_decoded(
    call: Call,
    expected: Result,
    decoding: Decoding,
    result: int | None,
    *,
    source: str = "",
    says: Callable[[Node], bool] = lambda node: True,
    variables: Variables | None = None,
) -> list[Difference]:
    """As compare, from the Decoding itself (string_limit None) and the raw result: only what matters is made text.

    source: the text that the call was read from: what stands there as the model shows it is not read again;
    says: whether an argument says what must come out; variables: what names stand for inside of arguments.
    """
    comparison = _Comparison(call.name, variables)
    got = result_of(result)
    if expected.details and not got.errno:
        got = parse_line_of_log(f"x() = {decoding.result_text(result)}")[1]
    comparison.results(expected, got)
    if comparison.differences:
        return comparison.differences
    for position, param in compared(call, expected, decoding.marshalled.syscall):
        node = call.args[position] if position < len(call.args) else None
        if node is None or not says(node):
            continue
        text = decoding.argument(param, result)
        if text is not None and text != source[slice(*node.span)]:
            comparison.values(param.name, node, parse_expression(text))
    return comparison.differences


def compared(call: Call, expected: Result, syscall: Syscall) -> tuple[tuple[int, Param], ...]:
    """The arguments that are compared after such a call, if its result is as expected, with their places."""
    return _filled(syscall) if (expected.value or 0) >= 0 and call.name not in _UNCOMPARED else ()


@cache
def _filled(syscall: Syscall) -> tuple[tuple[int, Param], ...]:
    """The arguments that the kernel fills with what can be said before."""
    filled = (p.kind.direction in ("out", "inout") and not _is_free(p) for p in syscall.shown)
    return tuple(compress(enumerate(syscall.shown), filled))


def compare_result(call: Call, expected: Result, result: int | None) -> list[Difference]:
    """As compare, for a bare result: of an expectation in a script, ``= 3`` or ``= -1 EBADF``."""
    if result is not None and result >= 0 and expected.value == result and not expected.errno and not expected.details:
        return []
    comparison = _Comparison(call.name)
    comparison.results(expected, result_of(result))
    return comparison.differences


def result_of(result: int | None) -> Result:
    """A raw result as the parser would have read it from strace's text."""
    if result is None:
        return Result(None)
    if errno.is_error(result):
        return Result(None if -result >= 512 else -1, errno.errno_name(-result))
    return Result(result)


def parse_line_of_log(line: str) -> tuple[Call, Result]:
    """A line such as Decoding.line() makes, parsed."""
    source = Source(line, "<model>")
    parser = Parser(source)
    node = parser.expression()
    parser.expect("=")
    assert isinstance(node, Apply)
    return Call(node.function, node.args, node.span), read_result(parser, source)


class _Comparison:
    """Collects differences."""

    def __init__(self, name: str, variables: Variables | None = None) -> None:
        self.name = name
        self.differences: list[Difference] = []
        self._variables = variables

    @cached_property
    def _numbers(self) -> Numbers:
        return Numbers(Source(""), self._variables)

    # ---- results ----

    def results(self, expected: Result, got: Result) -> None:
        """The values, the errno and what stands in the parentheses of a success."""
        if expected.errno or got.errno:
            if not _same_errno(expected.errno, got.errno):
                self._differ("result", _result_text(expected), _result_text(got))
            return
        if expected.value is None or got.value is None:
            return
        if not self._same_result(expected.value, got.value):
            self._differ("result", _result_text(expected), _result_text(got))
            return
        self._details(expected, got)

    def _same_result(self, expected: int, got: int) -> bool:
        if self.name == "rt_sigreturn":
            return True  # a register of the program, should it not have been in a call
        if self.name in _PID_RESULTS or self.name in _ADDRESS_RESULTS or self.name in _FREE_RESULTS:
            return _sign(expected) == _sign(got)
        return expected == got

    def _details(self, expected: Result, got: Result) -> None:
        there = dict(got.details)
        for label, node in expected.details:
            if label in _FREE_LABELS or node is None:
                continue
            other = there.get(label)
            if other is None:
                self._differ(f"result {label}".strip(), show(node), "nothing")
            else:
                self.values(f"result {label}".strip(), node, other)

    # ---- arguments ----

    def arguments(self, call: Call, got: Call, syscall: Syscall) -> None:
        """The arguments that the kernel fills."""
        if len(call.args) > len(syscall.shown) or call.name in _UNCOMPARED:
            return
        for param, expected, other in zip(syscall.shown, call.args, got.args, strict=False):
            if param.kind.direction in ("out", "inout") and not _is_free(param):
                self.values(param.name, expected, other)

    def values(self, where: str, expected: Node, got: Node) -> None:
        """Two values; what strace left out matches everything."""
        expected, got = _plain(expected), _plain(got)
        if isinstance(expected, (Dots, Unknown)) or _is_address(expected):
            return
        if isinstance(expected, Change) or isinstance(got, Change):
            self._changes(where, expected, got)
        elif is_message(expected) or is_message(got):
            self._messages(where, expected, got)
        elif isinstance(expected, String):
            self._strings(where, expected, got)
        elif isinstance(expected, Array) and isinstance(got, Array):
            self._arrays(where, expected, got)
        elif isinstance(expected, Struct) and isinstance(got, Struct):
            self._structs(where, expected, got)
        else:
            self._scalars(where, expected, got)

    def _messages(self, where: str, expected: Node, got: Node) -> None:
        """Netlink: the same messages with the same headers; which attributes follow differs from kernel to kernel."""
        left, right = list(_netlink_messages(expected)), list(_netlink_messages(got))
        if len(left) != len(right):
            self._differ(where, f"{len(left)} netlink messages", f"{len(right)}")
            return
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            for part, its_part in zip(one, other, strict=False):
                self._structs(f"{where}[{index}]", part, its_part)

    def _changes(self, where: str, expected: Node, got: Node) -> None:
        after = expected.after if isinstance(expected, Change) else expected
        other = got.after if isinstance(got, Change) else got
        self.values(where, after, other)

    def _strings(self, where: str, expected: String, got: Node) -> None:
        if not isinstance(got, String):
            if not isinstance(got, Struct):
                self._differ(where, show(expected), show(got))
            return
        left, right = expected.data, got.data
        if expected.truncated or got.truncated:
            length = min(len(left), len(right)) if got.truncated else len(left)
            left, right = left[:length], right[:length]
        if expected.abstract != got.abstract or not same_bytes(left, right):
            self._differ(where, show(expected), show(got))

    def _arrays(self, where: str, expected: Array, got: Array) -> None:
        if expected.spaced or got.spaced:
            if sorted(map(show, expected.items)) != sorted(map(show, got.items)):
                self._differ(where, show(expected), show(got))
            return
        if len(expected.items) != len(got.items) and not expected.truncated and not got.truncated:
            self._differ(where, show(expected), show(got))
            return
        for index, (left, right) in enumerate(zip(expected.items, got.items, strict=False)):
            inner = f"{where}[{index}]" if len(expected.items) > 1 else where
            self.values(inner, left, right)

    def _structs(self, where: str, expected: Struct, got: Struct) -> None:
        there = {item.name: item.value for item in got.items if isinstance(item, Named)}
        rest = [item for item in got.items if not isinstance(item, Named)]
        for item in expected.items:
            if not isinstance(item, Named):
                other = rest.pop(0) if rest else None
                if other is None or show(item) != show(other):
                    self._differ(where, show(item), show(other) if other is not None else "nothing")
            elif item.name in there:
                if item.name not in _FREE_FIELDS and not _of_another_disk(item, expected):
                    self.values(f"{where}.{item.name}", item.value, there[item.name])
            elif item.name not in _FREE_FIELDS and not got.truncated and not _is_empty(item.value):
                self._differ(f"{where}.{item.name}", show(item.value), "nothing")

    def _scalars(self, where: str, expected: Node, got: Node) -> None:
        if show(expected) == show(got):
            return
        left, right = self._number(expected), self._number(got)
        if left is None or right is None or left != right:
            self._differ(where, show(expected), show(got))

    def _number(self, node: Node) -> int | None:
        try:
            return self._numbers.host_number(node)
        except LangError:
            return errno.NUMBERS.get(node.name) if isinstance(node, Name) else None

    def _differ(self, where: str, expected: str, got: str) -> None:
        self.differences.append(Difference(where, expected, got))


def _netlink_messages(node: Node) -> Iterator[tuple[Struct, ...]]:
    """Header and family header of each message."""
    if isinstance(node, Struct):
        yield (node,)
    elif isinstance(node, Array) and node.items:
        first = node.items[0]
        if isinstance(first, Struct) and isinstance(first.items[0], Named):
            yield tuple(item for item in node.items[:2] if isinstance(item, Struct))
        else:
            for item in node.items:
                yield from _netlink_messages(item)


def _same_errno(expected: str, got: str) -> bool:
    if expected == got:
        return True
    numbers = errno.NUMBERS
    if expected in numbers and got in numbers:
        return numbers[expected] == numbers[got]
    return expected.startswith("ERESTART") and got.startswith("ERESTART")


def _of_another_disk(item: Named, struct: Struct) -> bool:
    """Whether a field of statfs tells of the recorder's disk: the model's files are all in tmpfs."""
    kinds = [other.value for other in struct.items if isinstance(other, Named) and other.name == "f_type"]
    return item.name in _OF_A_DISK and any(isinstance(kind, Name) and kind.name in _DISKS for kind in kinds)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _plain(node: Node) -> Node:
    return node.value if isinstance(node, (Annotated, Named)) else node


def _is_address(node: Node) -> bool:
    return isinstance(node, Number) and node.base == 16 and node.value > 0xFFFF


def _is_empty(node: Node) -> bool:
    return (isinstance(node, Number) and node.value == 0) or (isinstance(node, Name) and node.name == "NULL")


#: structs that hold nothing but times and the like
_FREE_STRUCTS: Final = frozenset({"rusage", "timespec", "timeval", "sysinfo", "tms", "utsname", "timezone"})


def _is_free(param: Param) -> bool:
    """Whether nothing can be said about what an argument should hold."""
    if param.kind.style in ("remaining", "dirents", "longs"):
        return True
    return param.kind.args[:1] != () and param.kind.args[0] in _FREE_STRUCTS


def _result_text(result: Result) -> str:
    if result.errno:
        return f"{'?' if result.value is None else '-1'} {result.errno}"
    return "?" if result.value is None else str(result.value)
