"""Events as plain text lines, with colour if asked for. No escape sequence from data ever passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kshell.lens.style import Line, Style
from kshell.lens.text import one_line, printable
from kshell.session import events as ev

RESET = "\x1b[0m"
STYLES = {
    "command": "\x1b[1m",
    "comment": "\x1b[2m",
    "error": "\x1b[31m",
    "signal": "\x1b[35m",
    "sleeps": "\x1b[35m",
    "new": "\x1b[1;32m",
    "changed": "\x1b[1;35m",
    "freed": "\x1b[1;31m",
    "folded": "\x1b[2m",
    "held": "\x1b[32m",
    "log": "\x1b[2m",
    "packet": "\x1b[36m",
    "struct": "\x1b[1m",
    "address": "\x1b[2m",
    "state": "\x1b[36m",
    "head": "\x1b[1m",
    "raised": "\x1b[1;31m",
    "stop": "\x1b[1m",
}
"""SGR codes by style, for a dark background: the eight ANSI colours only, as the terminal's owner has chosen them."""

ON_LIGHT = STYLES | {
    "packet": "\x1b[34m",
    "state": "\x1b[34m",
    "held": "\x1b[34m",
    "new": "\x1b[1;34m",
}
"""The same for a light background, where green and cyan are hard to read."""

_NO_STYLES: dict[str, str] = {}


class Painter:
    """Wraps text in SGR codes, or leaves it alone."""

    def __init__(self, colour: bool, light: bool = False) -> None:
        self.codes = (ON_LIGHT if light else STYLES) if colour else _NO_STYLES

    def __call__(self, style: str, text: str) -> str:
        code = self.codes.get(style, "")
        return f"{code}{text}{RESET}" if code and text else text

    def line(self, runs: Line) -> str:
        """A line of runs; trailing blanks are dropped."""
        codes = self.codes
        if not codes:
            return printable("".join([text for _, text in runs])).rstrip()
        out = ""
        for style, text in runs:
            if not text.isprintable():
                text = printable(text)
            code = codes.get(style)
            out += f"{code}{text}{RESET}" if code else text
        return out.rstrip()


class PlainText:
    """Turns events into lines; `panels`: which are wanted, `echo`: whether commands are repeated;
    width: of the screen, 0 if lines may be of any length; glyphs: boxes, ascii or words (`kshell.lens.style`);
    light: whether the background is."""

    def __init__(
        self, panels: frozenset[str], colour: bool = False, echo: bool = False, names: bool = False, width: int = 0,
        glyphs: str = "boxes", light: bool = False,
    ) -> None:  # fmt: skip
        self.panels = panels
        self.paint = Painter(colour, light)
        self.echo = echo
        self.names = names
        self.style = Style(glyphs, width)
        self.in_comment = False
        self.drawn = (0, 0)
        """Command and connection of the packet drawn last."""

    def lines(self, event: ev.Event) -> Iterable[str]:
        """The lines for standard output; none if the event is not wanted or belongs to standard error."""
        panel = _PANELS.get(event.kind)
        if panel is not None and panel not in self.panels:
            return ()
        handler = _HANDLERS.get(event.kind)
        return handler(self, event) if handler else ()

    def message(self, event: ev.Event) -> list[str]:
        """The lines for standard error: errors, failed expectations, oopses."""
        handler = _MESSAGES.get(event.kind)
        return handler(self, event) if handler else []

    def _error(self, event: ev.Event) -> list[str]:
        assert isinstance(event, ev.Error)
        where = position(event.file, event.line, event.column)
        lines = [self.paint("error", where + printable(event.message))]
        if event.text and (event.file or event.column):
            lines += _caret(event.text, event.column)
        if event.hint:
            lines.append(f"  {printable(event.hint)}")
        return lines

    def _failed(self, event: ev.Event) -> list[str]:
        assert isinstance(event, ev.ExpectationFailed)
        where = position(event.file, event.line, event.column)
        return [
            self.paint("error", where + printable(shorten(event.text))),
            f"  expected {printable(shorten(event.expected))}",
            f"  got      {printable(shorten(event.got))}",
        ]

    def _oops(self, event: ev.Event) -> list[str]:
        assert isinstance(event, ev.Oops)
        where = position(event.file, event.line, 0)
        head = f"{where}oops: an internal fault of kshell, caused by: {printable(shorten(event.text))}"
        trace = [f"  {printable(line)}" for line in event.traceback.rstrip("\n").split("\n")]
        return [
            self.paint("error", head),
            *trace,
            "  The session goes on. Please report this with the command.",
        ]


def position(file: str, line: int, column: int) -> str:
    """`file:line:column: `, as editors understand it; "" for what was typed just above."""
    return ":".join([one_line(file), *(str(n) for n in (line, column) if n)]) + ": " if file else ""


def shorten(text: str, limit: int = 400) -> str:
    """Long text with its middle left out."""
    text = text.replace("\n", " ")
    return text if len(text) <= limit else f"{text[: limit - 100]} … ({len(text)} characters) … {text[-60:]}"


def _caret(text: str, column: int, width: int = 100) -> list[str]:
    line = text.split("\n", 1)[0]
    if column < 1:
        return [f"  {printable(line[:width])}"]
    start = max(0, column - 1 - width // 2) if len(line) > width else 0
    before = printable(line[start : column - 1].replace("\t", " "))
    behind = printable(line[max(column - 1, start) : start + width].replace("\t", " "))
    return [f"  {before}{behind}", f"  {' ' * len(before)}^"]


def _command(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.CommandStarted)
    if not self.echo:
        return
    yield ""
    self.in_comment = False
    for index, line in enumerate(shorten(each, 4000) for each in printable(event.text).split("\n")):
        prompt = f"{event.n} {event.task}> " if index == 0 else " " * len(f"{event.n} {event.task}> ")
        yield self.paint("command", prompt + line)


def _comment(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Comment)
    if self.echo:
        if not self.in_comment:
            yield ""
        self.in_comment = True
        yield self.paint("comment", printable(event.text))


def _call(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, (ev.CallFinished, ev.CallSleeps))
    style = "sleeps" if isinstance(event, ev.CallSleeps) else "error" if event.errno else ""
    for row in _rows(self, _tasked(self, event.task, printable(event.text))):
        yield self.paint(style, row)


def _sleeps(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.CallSleeps)
    yield from _call(self, event)
    if event.where:
        where = [name for name in event.where if not name.startswith("schedule")]
        upto = where.index(event.wchan) + 1 if event.wchan in where else len(where)
        on = f"   on {', '.join(event.queues[:3])}" if event.queues else ""
        for row in _rows(self, f"  sleeps in {' > '.join(where[:upto][-3:])}{on}"):
            yield self.paint("folded", row)


def _waits(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.CallWaits)
    yield self.paint("sleeps", f"waits until {event.task} comes back from {event.sleeping}(): {printable(event.text)}")


def _rows(self: PlainText, text: str) -> Iterable[str]:
    """The rows of a line of strace's on this screen."""
    if not self.style.width or (len(text) <= self.style.width and text.isascii()):
        return (text,)
    from kshell.shell.wrap import wrapped_call

    return wrapped_call(text, self.style.width)


def _drawn(self: PlainText, lines: Iterable[Line]) -> Iterable[str]:
    """Lines in styles, painted; those that are too long for the screen over several rows."""
    if not self.style.width:
        yield from map(self.paint.line, lines)
        return
    from kshell.shell.wrap import wrapped_runs

    for line in lines:
        yield from map(self.paint.line, wrapped_runs(line, self.style.width))


def _tasked(self: PlainText, task: str, text: str) -> str:
    return text if task == "init" and not self.names else f"[{printable(task)}] {text}"


def _held(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.ExpectationHeld)
    if self.echo and event.text.lstrip().startswith("assert"):
        yield self.paint("held", "holds")


def _line_in(style: str) -> Callable[[PlainText, ev.Event], Iterable[str]]:
    def lines(self: PlainText, event: ev.Event) -> Iterable[str]:
        text = printable(str(getattr(event, "text", "")))
        task = str(getattr(event, "task", "init"))
        for line in _tasked(self, task, text).split("\n"):
            yield from (self.paint(style, row) for row in _rows(self, line))

    return lines


def _objects(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Objects)
    if "objects" not in self.panels:
        return ()
    from kshell.lens.draw import draw_tree

    return map(self.paint.line, draw_tree(event.lines, self.style))


def _drawing(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Output)
    draw = getattr(event, "draw", None)
    if isinstance(event, ev.Prose):
        from kshell.shell.wrap import laid_out

        yield from laid_out(printable(event.text), self.style.width)
    elif draw is None:
        yield from printable(event.text).split("\n")
    else:
        yield from _drawn(self, draw(self.style))


def _packet(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Packet)
    from kshell.lens.sequence import draw_packet

    if self.drawn[0] != event.n:
        self.drawn = (event.n, 0)
    yield from _drawn(self, draw_packet(event, self.style, self.drawn[1]))
    self.drawn = (event.n, event.flow)


def _panels(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Panels)
    self.panels = self.panels & {"output"} | frozenset(event.shown)
    return ()


def _change(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Change)
    text = f"  {event.struct} {event.address:#x}  {event.field}: {event.old} → {event.new}"
    yield self.paint("changed", printable(text))


def _trace(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Traced)
    from kshell.lens.trace_graph import graph

    for line in graph(event.segments, event.boot_ns, self.style.width, event.arguments):
        left, right = line.halves(self.style.width)
        yield self.paint(line.style, printable(left)) + self.paint("folded", right)


def _tracediff(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.TraceDiff)
    from kshell.lens.trace_diff import drawn

    styles = {"-": "freed", "+": "new", "~": "changed"}
    for sign, text in drawn(event, self.style.width):
        yield self.paint(styles.get(sign, ""), printable(text))


def _cause(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Cause)
    from textwrap import wrap

    width = max(self.style.width, 40) if self.style.width else 0
    lines = [event.cause] if event.cause else []
    if event.step:
        lines.append(f"try: {event.step}" if "\n" not in event.step else "why tells what to do")
    for line in lines:
        text = f"  {printable(line)}"
        cut = wrap(text, width - 1, subsequent_indent="      ") if width else [text]
        yield from (self.paint("folded", each) for each in cut)


def _travel(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Travel)
    yield self.paint("folded", printable(event.text))


def _history(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.History)
    for line in event.commands:
        number = "-" if line.undone else str(line.number)
        result = printable(f"  {line.result}".rstrip())
        yield f"{number:>5}  " + self.paint("command", printable(line.command)) + result
        for part in _wrapped(_arrows(self, line.changes), self.style.width - 7):
            yield self.paint("folded", f"       {part}")


def _wrapped(text: str, width: int) -> list[str]:
    """A text over as many lines as it needs; one if nothing is known of the width."""
    if width < 20:
        return [text] if text else []
    from textwrap import wrap

    return wrap(text, width)


def _difference(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Difference)
    from kshell.session.difference import text_of

    style = ""
    for line in text_of(event.differs, event.everything) or ["nothing differs"]:
        if not line.startswith(" "):
            style = {"created": "new", "freed": "freed", "changed": "changed"}.get(line, "")
            yield self.paint("head", printable(line))
        else:
            yield self.paint(style if line[2:3] != " " or style != "changed" else "", _arrows(self, line))


def _arrows(self: PlainText, text: str) -> str:
    return printable(text).replace("→", self.style.arrow)


def _stop(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Stop)
    context = f"[{event.task}] " if event.pid > 1 or not event.task.startswith(("init", "swapper")) else ""
    if event.reason:
        for line in printable(f"{context}{event.reason}").split("\n"):
            yield from (self.paint("stop", row) for row in _rows(self, line))
    yield f"{event.line}\t{printable(event.text)}"


def _debug(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Debug)
    if self.echo:
        yield self.paint("command", f"(kdb) {printable(event.text)}")


def _go(self: PlainText, event: ev.Event) -> Iterable[str]:
    assert isinstance(event, ev.Go)
    if event.text:
        yield printable(event.text)


_ANSWERS = ("output", "trace", "tracediff", "travel", "history", "difference", "stop", "go")
"""What a command was given for; `kshell check` wants none of it."""

_PANELS = {
    **dict.fromkeys(_ANSWERS, "output"),
    **dict.fromkeys(("call", "resumed", "sleeps", "waits"), "line"),
    **dict.fromkeys(("signal", "exit"), "signals"),
    "packet": "packets",
    "log": "log",
    "wakeup": "wakeups",
    "objects": "objects",
    "change": "changes",
    "cause": "causes",
}
"""The panel that shows a kind of event; others are always shown."""

_MESSAGES = {"error": PlainText._error, "failed": PlainText._failed, "oops": PlainText._oops}
"""What goes to standard error."""

_HANDLERS: dict[str, Callable[[PlainText, ev.Event], Iterable[str]]] = {
    "command": _command,
    "comment": _comment,
    "held": _held,
    "call": _call,
    "resumed": _call,
    "sleeps": _sleeps,
    "waits": _waits,
    "signal": _line_in("signal"),
    "exit": _line_in("signal"),
    "packet": _packet,
    "log": _line_in("log"),
    "wakeup": _line_in("folded"),
    "output": _drawing,
    "panels": _panels,
    "objects": _objects,
    "stop": _stop,
    "debug": _debug,
    "go": _go,
    "trace": _trace,
    "tracediff": _tracediff,
    "change": _change,
    "cause": _cause,
    "travel": _travel,
    "history": _history,
    "difference": _difference,
}
