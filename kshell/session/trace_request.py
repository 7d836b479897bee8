"""What is asked of the tracer: `trace [-a] [-i] [-d N] [FILTER...] [on|off|last|N|CALL]`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.lang.nearest import nearest
from kshell.lens.trace_parts import Filter, is_wild
from kshell.lens.trace_twins import kernel_functions
from kshell.session.commands import CommandError

if TYPE_CHECKING:
    from kshell.session.session import Session

_WORD: Final = re.compile(r"\s*(\S+)")
_FILTER: Final = re.compile(r"[\w*?\[\]./-]+")
ACTIONS: Final = frozenset({"on", "off", "last"})


class Request:
    """A trace command, understood. action: on, off, last, a number, call (`rest` says what to run) or ""."""

    __slots__ = ("action", "arguments", "chain", "compared", "depth", "inlined", "patterns", "rest", "side", "unfold")

    def __init__(self) -> None:
        self.patterns: list[str] = []
        self.depth = 0
        self.arguments = self.inlined = self.unfold = self.side = False
        self.chain = ""
        self.compared: tuple[int, int] | None = None
        self.action = ""
        self.rest = ""

    @property
    def wanted(self) -> Filter:
        """What to show."""
        return Filter(tuple(self.patterns), self.depth, self.inlined)

    @property
    def plain(self) -> bool:
        """Whether it says nothing about what to show."""
        return not (self.patterns or self.depth or self.arguments or self.inlined or self.unfold)

    @property
    def changes_machine(self) -> bool:
        """Whether it runs something in the session."""
        return self.action == "call"

    def shown(self) -> str:
        """The filters, as they were given."""
        words = [*(["-a"] if self.arguments else []), *(["-i"] if self.inlined else []),
                 *([f"-d {self.depth}"] if self.depth else []), *self.patterns]  # fmt: skip
        return " ".join(words)


def parse(text: str, is_command: Callable[[str], bool]) -> Request:
    """Understand the arguments of `trace`; is_command: whether a word is a command of the session."""
    request = Request()
    at = 0
    while (match := _WORD.match(text, at)) is not None:
        word = match[1]
        if word.startswith("-"):
            at = _option(request, word, text, match.end())
        elif not request.action and (word in ACTIONS or word.isdecimal()):
            request.action, at = word, match.end()
        elif not _is_filter(word, text[match.end() :], is_command):
            break
        else:
            request.patterns.append(_known(word))
            at = match.end()
    request.rest = text[at:].strip()
    if request.rest and request.action:
        raise CommandError(f"{request.rest!r} is too much behind trace {request.action}", "filters and options go there")
    if request.rest:
        request.action = "call"
    return request


def does_something(session: Session, text: str) -> bool:
    """Whether `trace` with these arguments runs a command in the session."""
    try:
        return parse(text, lambda word: session.registry.get(word) is not None).changes_machine
    except CommandError:
        return False


def from_option(text: str) -> Request:
    """The request that `--trace=tcp_*,-d4` makes."""
    request = parse(text.replace(",", " "), lambda word: False)
    if request.action or request.compared is not None or request.chain:
        raise CommandError(f"--trace={text}: only filters, -a, -i, -u and -d N go there")
    return request


def _is_filter(word: str, behind: str, is_command: Callable[[str], bool]) -> bool:
    if is_command(word) or not _FILTER.fullmatch(word):
        return False
    return not behind.lstrip().startswith(("(", "="))


def _known(word: str) -> str:
    """The name that a filter means (`connect` is `sys_connect`); CommandError when no function has it."""
    if is_wild(word):
        return word
    names = {function.__name__ for function in kernel_functions()}
    bare = re.sub(r"^__(x64|ia32|do)_sys_", "sys_", word)
    found = next((name for name in (word, bare, f"sys_{word}") if name in names), "")
    if not found:
        near = nearest(word, sorted(names))
        hint = f"did you mean {near}?" if near else "a filter is a function, tcp_* or net/ipv4/*"
        raise CommandError(f"the kernel has no function {word!r}", hint)
    return found


def _option(request: Request, word: str, text: str, at: int) -> int:
    """Take an option and its value; where the next word begins."""
    for letter, flag in (("-a", "arguments"), ("-i", "inlined"), ("-u", "unfold"), ("-y", "side")):
        if word == letter:
            setattr(request, flag, True)
            return at
    if word[:2] == "-d" and word != "-d":
        request.depth = _number(word[2:], word)
        return at
    if word in ("-d", "--depth"):
        value, at = _value(text, at, word)
        request.depth = _number(value, word)
    elif word == "--chain":
        request.chain, at = _value(text, at, word)
    elif word == "--diff":
        first, at = _value(text, at, word)
        second, at = _value(text, at, word)
        request.compared = (_number(first, word), _number(second, word))
    else:
        raise CommandError(f"trace has no option {word}", "there are -a, -i, -u, -d N, --diff A B, --chain FILE")
    return at


def _value(text: str, at: int, option: str) -> tuple[str, int]:
    match = _WORD.match(text, at)
    if match is None:
        raise CommandError(f"{option} wants a value", "trace -d 4 CALL, trace --diff 3 5, trace --chain FILE CALL")
    return match[1], match.end()


def _number(text: str, option: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise CommandError(f"{option}: {text!r} is not a number from 1 on")
    return int(text)
