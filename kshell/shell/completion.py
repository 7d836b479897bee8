"""What can be typed next: a pure function of the text, the cursor and the state of the session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from kshell.abi.names import enumeration, flags
from kshell.abi.syscalls import BY_NAME, Param, Syscall

MOST = 100
SOCKET_TYPES = ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_SEQPACKET", "SOCK_NONBLOCK", "SOCK_CLOEXEC")
TYPES_OF_FAMILY = {
    "AF_INET": ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"),
    "AF_UNIX": ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"),
    "AF_NETLINK": ("SOCK_RAW", "SOCK_DGRAM"),
    "AF_PACKET": ("SOCK_RAW", "SOCK_DGRAM"),
}
PROTOCOLS = ("0", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_ICMP", "IPPROTO_RAW")
ADDRESSES = ('{AF_INET, 8080, "127.0.0.1"}', '{AF_UNIX, "/tmp/socket"}', "NULL")

_WORD = re.compile(r"[\w./@]*$")
_CALL = re.compile(r"(\w+)\s*\($")


class Candidate(NamedTuple):
    """Something that may stand at the cursor: text replaces the last `length` characters."""

    text: str
    length: int
    meta: str = ""


class State(Protocol):
    """What completion asks of a session."""

    def calls(self) -> Iterable[str]:
        """Names of the system calls that the kernel has."""

    def commands(self) -> Iterable[tuple[str, str]]:
        """Commands and their summaries."""

    def descriptors(self) -> Iterable[tuple[int, str]]:
        """Open descriptors of the task and what they are."""

    def variables(self) -> Iterable[tuple[str, str]]:
        """Variables and their values."""

    def tasks(self) -> Iterable[str]:
        """Names of tasks."""

    def paths(self, directory: str) -> Iterable[str]:
        """Names in a directory of the simulated file system."""

    def fields(self, expression: str) -> Iterable[tuple[str, str]]:
        """Fields of the object that an expression gives, and their values."""


class Place(NamedTuple):
    """The call around the cursor: its name, the arguments before the current one, and its number."""

    call: str
    before: tuple[str, ...]
    number: int
    nested: bool = False  # in a bracket of the argument


def place_of(text: str) -> Place | None:
    """The innermost system call whose argument the end of text is in."""
    depth, start, quote, stack = 0, 0, "", []
    for i, char in enumerate(text):
        if quote:
            if char == quote and text[i - 1] != "\\":
                quote = ""
        elif char in "\"'":
            quote = char
        elif char in "([{":
            stack.append(i)
            depth += 1
        elif char in ")]}" and stack:
            stack.pop()
            depth -= 1
    for start in reversed(stack):
        found = _CALL.search(text[: start + 1])
        if text[start] == "(" and found and found[1] in BY_NAME:
            arguments = split_arguments(text[start + 1 :])
            before = tuple(a.strip() for a in arguments[:-1])
            return Place(found[1], before, len(arguments) - 1, start != stack[-1])
    return None


def split_arguments(text: str) -> list[str]:
    """Text cut at the commas that stand in no bracket and no quote."""
    parts, depth, quote, start = [], 0, "", 0
    for i, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[i - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]]


def complete(text: str, cursor: int, state: State) -> list[Candidate]:
    """The candidates at the cursor, at most MOST, the likeliest first."""
    before = text[:cursor]
    found = _WORD.search(before)
    word = found[0] if found else ""
    arrow = re.search(r"([\w>.\[\]()\-]+)->(\w*)$", before)
    if arrow:
        chosen: Iterable[tuple[str, str]] = state.fields(arrow[1])
        word = arrow[2]
    else:
        place = place_of(before)
        if place is not None:
            chosen = _of_argument(place, before, state)
        else:
            chosen = _of_line(before, word, state)
    return _fitting(chosen, word)


def _fitting(chosen: Iterable[tuple[str, str]], word: str) -> list[Candidate]:
    seen: dict[str, Candidate] = {}
    for text, meta in chosen:
        if text.lower().startswith(word.lower()) and text != word:
            seen.setdefault(text, Candidate(text, len(word), meta))
        if len(seen) == MOST:
            break
    return list(seen.values())


def _of_line(before: str, word: str, state: State) -> Iterator[tuple[str, str]]:
    """At the start of a line: tasks behind an @, calls, commands, variables; then a command's argument."""
    stripped = before.lstrip()
    if word.startswith("@"):
        yield from ((f"@{name}", "task") for name in state.tasks())
        return
    first = stripped.split(None, 1)[0] if stripped else ""
    if " " in stripped and not stripped.startswith("@") and "=" not in stripped:
        yield from _of_command(first, word, state)
        return
    yield from ((f"{name}(", BY_NAME[name].prototype()) for name in state.calls())
    yield from state.commands()
    yield from state.variables()


def _of_command(name: str, word: str, state: State) -> Iterator[tuple[str, str]]:
    if name in ("cat", "ls", "echo"):
        yield from _paths(word, state)
    elif name in ("help", "man"):
        yield from ((call, "system call") for call in state.calls())
        yield from state.commands()
    elif name == "task":
        yield from ((task, "task") for task in state.tasks())
    elif name == "show":
        yield from (("fd", "a descriptor"), ("task", "a task"), ("sock", "a protocol's socket"))
        yield from ((str(fd), what) for fd, what in state.descriptors())
    elif name in ("print", "assert"):
        yield ("current", "struct task_struct *")
        yield from state.variables()


def _of_argument(place: Place, before: str, state: State) -> Iterator[tuple[str, str]]:
    call: Syscall = BY_NAME[place.call]
    if place.number >= len(call.params):
        return
    param = call.params[place.number]
    style = param.kind.style
    if style in ("fd", "dirfd"):
        yield from state.variables()
        yield from ((str(fd), what) for fd, what in state.descriptors())
    elif style == "socktype":
        family = place.before[0] if place.before else ""
        yield from ((name, param.ctype) for name in (*TYPES_OF_FAMILY.get(family, ()), *SOCKET_TYPES))
    elif style == "protocol":
        yield from ((name, param.ctype) for name in PROTOCOLS)
    elif place.nested:
        yield from ((name, "address family") for name in enumeration("af").names())
        yield from state.variables()
    elif style == "sockaddr":
        yield from ((address, param.ctype) for address in ADDRESSES)
    elif style == "path":
        yield from _paths(re.split(r"[\"(, ]", before)[-1], state)
    else:
        yield from _constants(param)
        yield from state.variables()


def _constants(param: Param) -> Iterator[tuple[str, str]]:
    style, arguments = param.kind.style, param.kind.args
    try:
        if style == "enum" and arguments:
            yield from ((name, param.name) for name in enumeration(arguments[0]).names())
        elif style == "flags" and arguments:
            yield from ((name, param.name) for name in flags(arguments[0]).names())
        elif style == "signal":
            yield from ((name, param.name) for name in enumeration("signal").names())
    except KeyError:
        return


def _paths(word: str, state: State) -> Iterator[tuple[str, str]]:
    directory, slash, _ = word.rpartition("/")
    base = directory + slash
    yield from ((base + name, "") for name in state.paths(base or "."))


def signature(text: str, cursor: int) -> tuple[str, str, str] | None:
    """The prototype of the call around the cursor in three parts: before, the current argument, behind."""
    place = place_of(text[:cursor])
    if place is None:
        return None
    call = BY_NAME[place.call]
    words = [f"{p.ctype}{'' if p.ctype.endswith('*') else ' '}{p.name}" for p in call.params]
    if place.number >= len(words):
        return f"{call.name}({', '.join(words)}", "", ")  too many arguments"
    head = ", ".join(words[: place.number])
    tail = ", ".join(words[place.number + 1 :])
    return (
        f"{call.name}({head}{', ' if head else ''}",
        words[place.number],
        f"{', ' if tail else ''}{tail})",
    )
