"""What can be typed next: a pure function of the text, the cursor and the state of the session.

`complete` finds out where the cursor is and asks the module that knows that place: complete_arguments for the
arguments of system calls, complete_commands for those of commands. What they give is narrowed to what begins as the
word at the cursor does, then to what has a part that does (`stream` finds SOCK_STREAM).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from kshell.abi.syscalls import BY_NAME
from kshell.shell import complete_arguments, complete_commands
from kshell.shell.places import open_brackets, place_of

MOST = 100
DOTTED = frozenset({"sysctl", "cable", "end", "path", "file", "ip", "device", "capture"})
"""Kinds of arguments in which a dot stands for no member."""
ROOTS_FROM = 3
"""Letters of a line's first word from which on it may be meant for one of the kernel's many globals."""

Pairs = Iterable[tuple[str, str]]
"""Candidates, each with what it is."""

_WORD = re.compile(r"\w*\Z")
_MEMBER = re.compile(r"([A-Za-z_]\w*(?:\([^()]*\))?(?:(?:->|\.)\w+|\[[^\]]*\])*)(?:->|\.)(\w*)\Z")
_PREFIX = re.compile(r"\s*(@[\w/]+:?\s+)?(?:([A-Za-z_]\w*)\s*=(?!=)\s*)?")


class Candidate(NamedTuple):
    """Something that may stand at the cursor: text replaces the last `length` characters."""

    text: str
    length: int
    meta: str = ""


class State(Protocol):
    """What completion asks of a session."""

    def calls(self) -> Iterable[str]:
        """Names of the system calls that the kernel has."""

    def commands(self) -> Pairs:
        """Commands and their summaries."""

    def argument_of(self, command: str) -> str | None:
        """What the argument of a command is (kshell.session.commands.Command.completion); None if it is no command."""

    def descriptors(self) -> Pairs:
        """Open descriptors of the task and what they are."""

    def variables(self) -> Pairs:
        """Variables and their values."""

    def tasks(self) -> Pairs:
        """Names of tasks and what they do."""

    def pids(self) -> Pairs:
        """Process ids and what they are."""

    def paths(self, directory: str) -> Iterable[str]:
        """Names in a directory of the simulated file system; those of directories end in `/`."""

    def fields(self, expression: str) -> Pairs:
        """Fields of the object that an expression gives, its own before those it has from a struct it begins with."""

    def roots(self) -> Pairs:
        """What an expression may begin with: current, Linux's globals, helpers."""

    def families(self) -> Pairs:
        """Address families that the kernel has."""

    def types(self, family: str) -> Pairs:
        """Socket types of a family, those of `inetsw` for AF_INET."""

    def protocols(self, family: str, socktype: str) -> Pairs:
        """Protocols of a family and type."""

    def family_of(self, fd: str) -> str:
        """The family of the socket behind a descriptor or variable; "" if it is none."""

    def settings(self) -> Pairs:
        """Settings and what they do."""

    def values(self, setting: str) -> Iterable[str]:
        """What a setting may be."""

    def functions(self) -> Iterable[str]:
        """Names of the kernel's functions."""

    def modules(self) -> Pairs:
        """Kernel modules, and whether they are loaded."""

    def devices(self) -> Pairs:
        """Network devices: the current host's, then those of others."""

    def ends(self) -> Pairs:
        """Where cables can be put: devices with their host, switches."""

    def sysctls(self) -> Iterable[str]:
        """Names of the kernel's settings, as sysctl writes them."""

    def breakpoints(self) -> Pairs:
        """Numbers of breakpoints and watchpoints, and what they are."""

    def topics(self) -> Pairs:
        """Topics of the manual that are neither calls nor commands."""


def complete(text: str, cursor: int, state: State) -> list[Candidate]:
    """The candidates at the cursor, at most MOST, the likeliest first."""
    before = text[:cursor]
    member = _MEMBER.search(before)
    _, quote = open_brackets(before)
    if member and not quote and not _has_names_with_dots(before, state):
        return _fitting(state.fields(member[1]), member[2])
    place = place_of(before)
    if quote:
        return _in_string(before, quote, place is not None and _is_path(place.call, place.number), state)
    word = _WORD.search(before)
    assert word is not None
    if place is not None:
        return _fitting(complete_arguments.candidates(place, state), word[0])
    return _of_line(before, word[0], state)


def _has_names_with_dots(before: str, state: State) -> bool:
    """Whether a command is typed whose arguments are no expressions: sysctl net.core, link client.eth0, cat a.txt."""
    prefix = _PREFIX.match(before)
    words = before[prefix.end() if prefix else 0 :].split(None, 1)
    return len(words) > 1 and state.argument_of(words[0]) in DOTTED


def _is_path(call: str, number: int) -> bool:
    params = BY_NAME[call].params
    return number < len(params) and params[number].kind.style in ("path", "sockaddr", "strings")


def _in_string(before: str, quote: str, path: bool, state: State) -> list[Candidate]:
    """Inside quotes only a path is known."""
    word = before[before.rfind(quote) + 1 :]
    return _fitting(complete_commands.paths(word, state), word) if path else []


def _of_line(before: str, word: str, state: State) -> list[Candidate]:
    """Outside of calls: a task's name, a call, a command, its argument, or an expression."""
    if re.fullmatch(r"\s*@[\w/]*", before):
        return _fitting(((f"@{name} ", what) for name, what in state.tasks()), before.strip())
    prefix = _PREFIX.match(before)
    assert prefix is not None
    rest = before[prefix.end() :]
    roots = list(state.roots()) if len(word) >= ROOTS_FROM else []
    if prefix[2]:
        return _fitting([*_calls(state), *state.variables(), *roots], word)
    if rest == word:
        return _fitting([*_calls(state), *state.commands(), *state.variables(), *roots], word)
    command = rest.split(None, 1)[0] if rest.strip() else ""
    if rest[len(command) : len(command) + 1].isspace() and state.argument_of(command) is not None:
        argument = rest[len(command) :].lstrip()
        chosen, word = complete_commands.candidates(command, argument, state)
        return _fitting(chosen, word)
    return _fitting([*state.variables(), *state.roots()], word) if word else []


def _calls(state: State) -> Iterator[tuple[str, str]]:
    for name in state.calls():
        if name in BY_NAME:
            yield f"{name}(" if BY_NAME[name].params else f"{name}()", BY_NAME[name].prototype()


def _fitting(chosen: Pairs, word: str) -> list[Candidate]:
    """Those that begin with the word, then those with a part that does; case does not count."""
    first: dict[str, Candidate] = {}
    second: dict[str, Candidate] = {}
    small = word.lower()
    for text, meta in chosen:
        found = text.lower()
        if text == word:
            continue
        if found.startswith(small):
            first.setdefault(text, Candidate(text, len(word), meta))
            if len(first) == MOST:
                break
        elif len(small) > 1 and f"_{small}" in found:
            second.setdefault(text, Candidate(text, len(word), meta))
    return [*first.values(), *second.values()][:MOST]
