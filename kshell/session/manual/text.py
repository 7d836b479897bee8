"""The manual as text: `help CALL`, `help CALL ERROR` and `man CALL`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import strerror
from kshell.abi.names import constant
from kshell.abi.syscall_table import PARTLY
from kshell.abi.syscalls import BY_NAME, SOCKETCALL_NUMBERS, signature
from kshell.lens.linux_files import file_of_step
from kshell.session.manual.absent import absent_text
from kshell.session.manual.examples import functions_of, origin
from kshell.session.paragraphs import WIDTH, filled

if TYPE_CHECKING:
    from kshell.abi.syscalls import Syscall
    from kshell.session.manual.parse import ErrorRow, Page

MOST_STEPS: Final = 24
DEEPEST: Final = 5


def call_help(page: Page) -> str:
    """The short form: arguments, errors with the functions that raise them, the path, an example."""
    call = _signature(page)
    lines = [call.prototype(), "", *_wrapped(page.summary, ""), *_wrapped(page.description, "")]
    lines += [_number(call), "", *_arguments(page, call)]
    if page.errors:
        lines += ["", f"Errors (help {page.name} ERROR gives an example of each)", *_errors(page)]
    if page.example:
        lines += ["", "Example", *_code(page.example), "", "The functions on its path", *_path(page)]
    if page.name in PARTLY:
        lines += ["", *_wrapped(f"Left out in this model: {PARTLY[page.name]}.", "")]
    if page.see:
        lines += ["", f"See also: {', '.join(page.see)}; man {page.name}"]
    return "\n".join(lines)


def call_man(page: Page) -> str:
    """The long form with headings: every error with its example and what to do then."""
    call = _signature(page)
    title = f"{page.name.upper()}(2)"
    parts = [
        f"{title}{'Linux system calls'.center(WIDTH - 2 * len(title))}{title}",
        _section("NAME", _wrapped(f"{page.name} - {page.summary[0].lower()}{page.summary[1:].rstrip('.')}")),
        _section("SYNOPSIS", _wrapped(call.prototype())),
        _section("DESCRIPTION", [*_wrapped(page.summary), *_wrapped(page.description), *_wrapped(_number(call))]),
        _section("ARGUMENTS", _arguments(page, call, "    ", result=False)),
        _section("RETURN VALUE", _wrapped(f"{page.result}. On error -1, and errno says why.")),
        _section("ERRORS", _long_errors(page)),
        _section("EXAMPLE", _code(page.example, "    ") if page.example else []),
        _section("KERNEL", _path(page, "    ") if page.example else []),
        _section("IN THIS MODEL", _wrapped(f"Left out: {PARTLY[page.name]}.") if page.name in PARTLY else []),
        _section("SEE ALSO", _wrapped(", ".join(f"{name}(2)" for name in page.see))),
    ]
    return "\n\n".join(part for part in parts if part)


def error_help(page: Page, errno: str) -> str:
    """What an error of a call means, where it arises, an example, and what to do then; "" if it has no such error."""
    rows = [row for row in page.errors if row.errno == errno]
    if not rows:
        return ""
    head = f"{page.name}() = -1 {errno} ({meaning(errno)})"
    return "\n\n".join([head, *("\n".join(_long_row(row, "  ")) for row in rows)])


def absent_help(call: Syscall) -> str:
    """What is said of a call that the model leaves out."""
    number = f"system call {call.number} of x86-64" if call.number >= 0 else "a system call of i386"
    prototype = call.prototype() if call.known else f"{call.name}()"
    lines = [prototype, "", f"{number}. This kernel is built without it: ENOSYS."]
    return "\n".join([*lines, *_wrapped(absent_text(call.name), "")])


def meaning(errno: str) -> str:
    """strerror() of an error's name."""
    return strerror(constant(errno) or 0)


def _signature(page: Page) -> Syscall:
    call = signature(page.name)
    assert call is not None, page.name
    return call


def _number(call: Syscall) -> str:
    doors = [f"system call {call.number} (x86-64)"] if call.name in BY_NAME else []
    if call.name in SOCKETCALL_NUMBERS:
        doors.append(f"{SOCKETCALL_NUMBERS[call.name]} of socketcall()")
    return ", ".join(doors)


def _arguments(page: Page, call: Syscall, indent: str = "  ", result: bool = True) -> list[str]:
    shown = [(p.name, p.ctype, page.arguments.get(p.name, "")) for p in call.params if p.kind.style != "hidden"]
    if result:
        shown.append(("returns", "", page.result))
    names = max((len(name) for name, _, _ in shown), default=0)
    types = min(max((len(ctype) for _, ctype, _ in shown), default=0), 26)
    lines = []
    for name, ctype, text in shown:
        head = f"{indent}{name:{names}}  {ctype:{types}}  "
        if len(head) > names + types + 4 + len(indent):
            lines.append(head.rstrip())
            head = " " * (names + types + 4 + len(indent))
        lines += filled(text, head) or [head.rstrip()]
    return lines


def where(row: ErrorRow) -> tuple[str, str]:
    """The function in which a row's error arises, and its file in Linux."""
    function, file, _ = origin(row)
    return function, file_of_step(function, file)


def _errors(page: Page) -> list[str]:
    names = max(len(row.errno) for row in page.errors)
    lines = []
    for row in page.errors:
        function, _ = where(row)
        head = f"  {row.errno:{names}}  "
        text = f"{row.cause}  [{function}]"
        lines += filled(text, head)
    return lines


def _long_errors(page: Page) -> list[str]:
    lines: list[str] = []
    for row in page.errors:
        lines += ["", f"    {row.errno} ({meaning(row.errno)})", *_long_row(row, "        ")]
    return lines[1:]


def _long_row(row: ErrorRow, indent: str) -> list[str]:
    function, file = where(row)
    lines = _wrapped(f"{row.cause[0].upper()}{row.cause[1:]}.", indent)
    return [*lines, f"{indent}{function}()   {file}", *_code(row.example, indent + "    ")]


def _path(page: Page, indent: str = "  ") -> list[str]:
    """The functions that the example's last command enters, indented by depth."""
    steps = [(depth, name) for depth, name in functions_of(page.example, page.name) if depth <= DEEPEST]
    lines = [f"{indent}{'  ' * depth}{name}" for depth, name in steps[:MOST_STEPS]]
    if len(steps) > MOST_STEPS:
        lines.append(f"{indent}… and more: trace {page.example.splitlines()[-1]}")
    return lines


def _code(text: str, indent: str = "  ") -> list[str]:
    return [indent + line for line in text.split("\n")]


def _wrapped(text: str, indent: str = "    ") -> list[str]:
    return [
        line
        for paragraph in text.split("\n")
        for line in filled(paragraph, indent, indent)
    ]


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"{title}\n{body}" if body else ""
