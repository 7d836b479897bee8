"""`trace`: which kernel functions a command runs through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lens.trace_diff import diff_lines
from kshell.lens.trace_parts import segments
from kshell.lens.trace_text import chain_text
from kshell.session import events as ev
from kshell.session.commands import CommandError, command
from kshell.session.instruments import instruments_of
from kshell.session.outside import write_text
from kshell.session.trace_request import Request, parse

if TYPE_CHECKING:
    from kshell.lens.trace import Tracer
    from kshell.session.session import Session
    from kshell.session.timeline import Logged


@command("trace [-a] [-i] [-d N] [FILTER...] [on|off|last|N|CALL]", section="look", completion="trace")
def do_trace(session: Session, arguments: str) -> None:
    """Show the kernel functions that a command runs through, as ftrace's function graph.

    trace CALL             run a call (or a command) and trace it
    trace last             trace the last command that did something, again, on
                           a copy of the state before it: nothing changes here
    trace 3                the same with command 3
    trace on, trace off    trace every command from now on
    trace tcp_*            from now on, only functions whose name matches
    trace net/ipv4/*       those whose file in Linux matches
    trace tcp_v4_rcv       that function with all that it calls
    trace -d 4             only four levels
    trace -a CALL          with arguments and return values
    trace -i CALL          with functions of headers, which the compiler inlines
                           and ftrace can't see
    trace -u CALL          without folding calls that repeat into one with [x3]
    trace --diff 3 5       where commands 3 and 5 part ways: what both do is
                           shown once (-y: side by side)
    trace --chain FILE CALL   write the plain tree to FILE

    Filters and options go with all of them: trace -d 3 tcp_v4_rcv last. In front
    of a call stands its depth, and s when it runs in a softirq, t when a timer
    began it. A head names the task that has the CPU and virtual time. An error is
    marked where it arises and where it passes.
    """
    tools = instruments_of(session)
    request = parse(arguments, lambda word: session.registry.get(word) is not None)
    if request.compared is not None:
        _compare(session, request, *request.compared)
    elif request.action == "off":
        tools.request = None
        session.say("tracing is off")
    elif request.action == "call":
        _call(session, request)
    elif request.action == "last" or request.action.isdecimal():
        _again(session, request)
    elif request.chain:
        raise CommandError("--chain wants something to trace", "trace --chain FILE CALL, or trace --chain FILE last")
    elif request.action == "on" or not request.plain:
        tools.request = request
        session.say(f"tracing is on{_said(request)}; trace off ends it")
    else:
        state = f"on{_said(tools.request)}" if tools.request is not None else "off"
        session.say(f"tracing is {state}; trace CALL traces one call, trace last the last command, help trace says more")


def _said(request: Request) -> str:
    return f": {request.shown()}" if not request.plain else ""


def _call(session: Session, request: Request) -> None:
    tools = instruments_of(session)
    user = session.current

    def run() -> None:
        session.carry_out(request.rest)

    if request.chain:
        with tools.recording(request.arguments) as tracer:
            run()
        tools.learn(tracer.steps())
        _write(session, request, tracer)
    else:
        tools.traced(run, request)
    if session.current is not user and user.dead:
        session.current = session.tasks.init


def _again(session: Session, request: Request) -> None:
    """Run an earlier command again on a copy of the state before it."""
    tools = instruments_of(session)
    logged = _last(session) if request.action == "last" else _numbered(session, int(request.action))
    if tools.request is not None and request.plain:
        tools.request.chain = ""
        chosen = tools.request
    else:
        chosen = request
    with _traced_again(session, logged, chosen.arguments) as tracer:
        steps = tracer.steps()
    tools.learn(steps)
    if request.chain:
        _write(session, request, tracer)
        return
    shown = segments(steps, chosen.wanted, fold=not (chosen.arguments or chosen.unfold))
    if not any(segment.parts for segment in shown):
        raise CommandError(f"nothing of command {logged.n} is shown: {logged.text}", "the filters let nothing pass")
    session.emit(ev.Traced, shown, chosen.arguments, session.kernel.boot_ns)


class _traced_again:
    """A tracer that has seen an earlier command run on a copy."""

    def __init__(self, session: Session, logged: Logged, arguments: bool = False) -> None:
        self.session = session
        self.logged = logged
        self.arguments = arguments

    def __enter__(self) -> Tracer:
        session, logged = self.session, self.logged
        twin = session.copy(logged.n - 1)
        with instruments_of(session).recording(self.arguments, twin) as tracer:
            twin.carry_out(bare(logged.text, session))
        self.twin = twin
        return tracer

    def __exit__(self, *error: object) -> None:
        self.twin.hosts.close()


def bare(text: str, session: Session) -> str:
    """A command without `trace` and its options, or `run`, in front."""
    word, _, rest = text.strip().partition(" ")
    if word == "run":
        return rest.strip()
    if word != "trace":
        return text
    return parse(rest, lambda name: session.registry.get(name) is not None).rest


def _last(session: Session) -> Logged:
    for logged in reversed(session.commands):
        if logged.tape or logged.by_text:
            return logged
    raise CommandError("no command has done anything yet", "trace CALL runs a call and traces it")


def _numbered(session: Session, n: int) -> Logged:
    commands = session.commands
    if not 1 <= n <= len(commands):
        raise CommandError(f"there is no command {n}", f"commands go from 1 to {len(commands)}: history")
    return commands[n - 1]


def _compare(session: Session, request: Request, first: int, second: int) -> None:
    trees = []
    commands = [_numbered(session, n) for n in (first, second)]
    for logged in commands:
        with _traced_again(session, logged) as tracer:
            steps = tracer.steps()
        instruments_of(session).learn(steps)
        trees.append(segments(steps, request.wanted))
    texts = [" ".join(logged.text.split()) for logged in commands]
    session.emit(ev.TraceDiff, first, second, *texts, diff_lines(*trees), request.side)


def _write(session: Session, request: Request, tracer: Tracer) -> None:
    write_text(request.chain, chain_text(tracer.trees(), with_irq=True))
    session.say(f"wrote {request.chain}")
