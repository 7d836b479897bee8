"""`list`: the source of a kernel function, and where it stands among the others."""

from __future__ import annotations

from textwrap import wrap
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Final

from kshell.lang.errors import LangError
from kshell.lang.nearest import nearest
from kshell.lens import sources
from kshell.lens.debug import frames
from kshell.lens.debug.debugger import named
from kshell.lens.linux_files import linux_file
from kshell.session.commands import CommandError, command
from kshell.session.commands.debugging import functions_by_name
from kshell.session.commands.printing import walked
from kshell.session.instruments import instruments_of
from kshell.session.paragraphs import WIDTH

if TYPE_CHECKING:
    from kshell.lens.debug.debugger import Stop
    from kshell.session.session import Session

AROUND: Final = 5
MOST_LESSONS: Final = 3


@command("list [FUNCTION|LIST]", section="debug", completion="function")
def do_list(session: Session, arguments: str) -> None:
    """Show the source of a kernel function, Linux's file of it, who calls it and whom it calls.

    list tcp_v4_connect    callers and callees are those that the source names,
                           and those seen in traces; lessons that name it
    list                   at a stop: the lines around the next one, marked =>
    list EXPR              the elements of a list of the kernel, one a line
    """
    text = arguments.strip().removesuffix("()")
    debugger = instruments_of(session).debugger
    stop = debugger.stop if debugger is not None else None
    if not text:
        if stop is None:
            raise CommandError("list wants a function", "list tcp_v4_connect; at a stop, list alone shows where it is")
        session.say("\n".join(_around(stop)))
        return
    functions = named(functions_by_name(), text)
    if not functions:
        session.say(_walked(session, text))
        return
    session.say("\n\n".join("\n".join(_described(session, function, stop)) for function in functions))


def _walked(session: Session, text: str) -> str:
    """The elements of a list; a word that names nothing may be meant to be a function."""
    try:
        return walked(session, text)
    except LangError:
        near = nearest(text, sorted(functions_by_name())) if text.isidentifier() else ""
        if not near:
            raise
        raise CommandError(f"the kernel has no function and no list {text!r}", f"did you mean {near}?") from None


def _described(session: Session, function: FunctionType, stop: Stop | None) -> list[str]:
    code = frames.true_code(function.__code__)
    current = next((f.f_lineno for f in stop.frames if f.f_code is code), 0) if stop is not None else 0
    lines = [f"{function.__name__}()   {linux_file(function)}   kshell/linux/{frames.file_of(code)}"]
    lines += _relations(session, function)
    lines += _lessons(function.__name__)
    source, first = frames.source(code)
    return lines + _numbered(source, first, current)


def _relations(session: Session, function: FunctionType) -> list[str]:
    edges, name = instruments_of(session).edges, function.__name__
    above = [*sources.callers(function), *sorted(caller for caller, callee in edges if callee == name)]
    below = [*sources.callees(function), *sorted(callee for caller, callee in edges if caller == name)]
    return [
        *_row("called by", [*sources.tables(function), *above]),
        *_row("calls", below),
    ]


def _row(label: str, found: list[str]) -> list[str]:
    """Names behind a label, over as many lines as they need."""
    if not found:
        return []
    text = ", ".join(dict.fromkeys(found))
    return wrap(text, WIDTH, initial_indent=f"  {label:10} ", subsequent_indent=" " * 13, break_long_words=False)


def _lessons(name: str) -> list[str]:
    found = list(sources.lessons(name))
    lines = [f"  {'lesson' if i == 0 else '':10} {file}:{number}  {text}"[:WIDTH] for i, (file, number, text) in
             enumerate(found[:MOST_LESSONS])]  # fmt: skip
    return [*lines, f"{'':13}… {len(found) - MOST_LESSONS} more"] if len(found) > MOST_LESSONS else lines


def _numbered(source: list[str], first: int, current: int) -> list[str]:
    return [f"{'=>' if number == current else '  '}{number:5}  {line}" for number, line in enumerate(source, first)]


def _around(stop: Stop) -> list[str]:
    """Some lines around the one that the chosen frame stands at."""
    code: CodeType = stop.frame.f_code
    source, first = frames.source(code)
    here = stop.frame.f_lineno - first
    start = max(0, here - AROUND)
    shown = source[start : start + 2 * AROUND]
    return [f"{code.co_name}()   {frames.file_of(code)}", *_numbered(shown, first + start, stop.frame.f_lineno)]
