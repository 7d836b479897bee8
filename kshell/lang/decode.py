"""A made call to strace's line: names for flags, structs both ways, buffers as they are after the call.

A Decoding is made when the call enters, since the kernel may write over what it was given; its ``line(result)`` is the
whole line once the call has returned, ``entry()`` and ``resumed(result)`` the two lines of a call that sleeps.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from kshell.abi import errno, names
from kshell.abi.syscalls import Param, Syscall
from kshell.lang import text
from kshell.lang.decode_entry import ENTRY, ShowBefore
from kshell.lang.decode_exit import EXIT, takes_no_argument
from kshell.lang.decode_results import RESULTS
from kshell.lang.decode_scalars import SCALARS, Entered, shown_order
from kshell.lang.marshal import Marshalled
from kshell.lang.show import DEFAULT_LIMIT, Reader, Shower, loopback_only

_ENOSYS_RANGE: Final = range(512, 517)
#: calls that do not return
_NO_RETURN: Final = frozenset({"exit", "exit_group"})
#: styles of what strace shows when the call is over, though it says something before
_SHOWN_LATE: Final = frozenset({"msghdr", "mmsghdr"})
#: calls whose result is an address
_ADDRESSES: Final = frozenset({"mmap", "brk", "mremap"})


@cache
def _looked_behind(syscall: Syscall, written_only: bool) -> tuple[tuple[Param, ShowBefore], ...]:
    """The pointers whose targets are made text when a call enters; written_only: those that the kernel may write to."""
    directions = ("inout",) if written_only else ("in", "inout")
    pointers = (p for p in syscall.params if p.kind.direction in directions)
    return tuple((p, ENTRY[p.kind.style]) for p in pointers if p.kind.style in ENTRY)


class Decoding:
    """One call from its entry to its line.

    written_only: of the arguments only those will be asked for that the kernel may write to.
    """

    def __init__(
        self,
        marshalled: Marshalled,
        memory: Reader,
        *,
        string_limit: int | None = DEFAULT_LIMIT,
        interface_name: Callable[[int], str | None] = loopback_only,
        written_only: bool = False,
    ) -> None:
        self.marshalled = marshalled
        self.shower = Shower(memory, marshalled.arch, string_limit, interface_name)
        syscall = marshalled.syscall
        converted = syscall.arguments(marshalled.values)
        entered = self._entered = Entered(self.shower, syscall, dict(zip(syscall.names, converted, strict=False)))
        for param, text_of in _looked_behind(syscall, written_only):
            if param.name in entered.args:
                entered.before[param.name] = text_of(entered, param, entered.args[param.name])

    def over(self, memory: Reader) -> "Decoding":
        """The same call of a task with other memory of the same content."""
        from copy import copy

        other = copy(self)
        other.shower = self.shower.over(memory)
        other._entered = copy(self._entered)
        other._entered.shower = other.shower
        return other

    # ---- lines ----

    def line(self, result: int | None, shown: list[str] | None = None) -> str:
        """``socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3``; result None: not known, shown as ``?``.

        shown: its arguments, if they are text already.
        """
        return f"{self.call_text(result, shown)} = {self.result_text(result)}"

    def entry(self) -> str:
        """``accept(3,  <unfinished ...>``: the arguments up to the first that only the kernel can fill."""
        shown = self.arguments(None)
        position = self._first_out()
        name = self.marshalled.name
        if position is None:
            return f"{name}({', '.join(shown)} <unfinished ...>"
        return f"{name}({''.join(part + ', ' for part in shown[:position])} <unfinished ...>"

    def resumed(self, result: int | None) -> str:
        """``<... accept resumed>{sa_family=AF_INET, …}, [16]) = 4``"""
        position = self._first_out()
        rest = [] if position is None else self.arguments(result)[position:]
        return f"<... {self.marshalled.name} resumed>{', '.join(rest)}) = {self.result_text(result)}"

    def call_text(self, result: int | None, shown: list[str] | None = None) -> str:
        """The call without its result, as it was spelled."""
        arguments = ", ".join(self.arguments(result) if shown is None else shown)
        if self.marshalled.spelled == "socketcall" and self.marshalled.name != "socketcall":
            number = names.enumeration("socketcall").text(self.marshalled.registers[0])
            return f"socketcall({number}, [{arguments}])"
        return f"{self.marshalled.name}({arguments})"

    # ---- arguments ----

    def arguments(self, result: int | None) -> list[str]:
        """The arguments' texts; with result None as far as they are known at entry."""
        syscall = self.marshalled.syscall
        if not syscall.known:
            return [hex(value) if value else "0" for value in self.marshalled.values[:6]]
        shown = []
        for param in shown_order(syscall):
            piece = self.argument(param, result)
            if piece is not None:
                shown.append(piece)
        return shown

    def named_arguments(self, result: int | None) -> list[tuple[str, str]]:
        """The arguments with Linux's names for them, for a long form of the line."""
        shown = []
        for param in self.marshalled.syscall.params:
            piece = self.argument(param, result)
            if piece is not None:
                shown.append((param.name, piece))
        return shown

    def argument(self, param: Param, result: int | None) -> str | None:
        """The text of one argument; None if it is not there, or this call does not show it."""
        value = self._entered.args.get(param.name)
        if value is None:
            return None
        if param.kind.direction:
            return self._pointer(param, value, result)
        show = SCALARS.get(param.kind.style)
        assert show is not None, param.kind
        return show(self._entered, param, value)

    def _pointer(self, param: Param, value: int, result: int | None) -> str | None:
        if takes_no_argument(self._entered, param):
            return None
        plain = text.address(value)
        before = self._entered.before.get(param.name, plain)
        show = EXIT.get(param.kind.style) if param.kind.direction != "in" else None
        if show is None:
            return before
        if not value and param.kind.style not in ("ioctl", "fcntl"):
            return "NULL"
        return show(self._entered, param, value, result)

    def _first_out(self) -> int | None:
        """The position of the first shown argument that the kernel fills."""
        order = [p for p in shown_order(self.marshalled.syscall) if p.name in self._entered.args]
        for position, param in enumerate(order):
            late = param.kind.direction == "out" or (param.kind.direction == "inout" and param.kind.style in _SHOWN_LATE)
            if late and self._entered.args[param.name]:
                return position
        return None

    # ---- results ----

    def result_text(self, result: int | None) -> str:
        """``3``, ``-1 EPIPE (Broken pipe)``, ``? ERESTARTSYS (…)``, ``0x802 (flags O_RDWR|O_NONBLOCK)``."""
        name = self.marshalled.name
        if result is None or (name in _NO_RETURN and result == 0):
            return "?"
        if errno.is_error(result):
            number = -result
            shown = "?" if number in _ENOSYS_RANGE else "-1"
            return f"{shown} {errno.errno_name(number)} ({errno.strerror(number)})"
        special = RESULTS.get(name)
        if special is not None:
            return special(self._entered, result)
        return hex(result) if name in _ADDRESSES else str(result)


def decode(
    marshalled: Marshalled,
    memory: Reader,
    result: int | None,
    *,
    string_limit: int | None = DEFAULT_LIMIT,
    interface_name: Callable[[int], str | None] = loopback_only,
) -> str:
    """The line of a call that has been made, when nothing was kept from its entry."""
    return Decoding(marshalled, memory, string_limit=string_limit, interface_name=interface_name).line(result)


