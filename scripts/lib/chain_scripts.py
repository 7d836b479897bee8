"""Running a set-up script under the tracer: the call tree of its last command.

A call that another task began earlier and that sleeps when the last command starts belongs to it too: its tree
comes first, as in the recordings of blocking calls. A script may set kernel parameters in comments of the form
`# sysctl: net/ipv4/ping_group_range = 0 2147483647`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kshell.lens.trace import Tracer
from kshell.lens.trace_text import chain_text
from kshell.lens.trace_tree import Context, Node
from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.include.linux.sched import task_struct
from kshell.session.events import Error, Event, Oops
from kshell.session.pieces import pieces
from kshell.session.session import Session
from kshell.world.machine import Machine

SYSCTL = re.compile(r"#\s*sysctl:\s*([\w/]+)\s*=\s*(.*)")
TIME_COMMANDS = ("sleep", "wait")
LONGEST_WAIT_NS = 200 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Traced:
    """The chain as text, and what went wrong on the way."""

    text: str
    problems: tuple[str, ...]


def trace_script(path: Path, files: Mapping[str, str]) -> Traced:
    """Run the script on a new machine and trace it, as a recorder that knows the functions of `files` would."""
    text = path.read_text()
    machine = Machine(seed=0)
    for setting, value in SYSCTL.findall(text):
        _sysctl_set(machine.kernel, setting, value)
    session = Session(machine)
    commands = [piece for piece in pieces(text) if not piece.comment]
    problems: list[str] = []
    parked: dict[int, int] = {}
    wanted: set[tuple[int, int]] = set()
    with Tracer() as tracer:
        for number, command in enumerate(commands, 1):
            if number == len(commands):
                wanted = {(pid, n) for pid, began in parked.items() for n in (began, number)}
            tracer.mark(number)
            events = session.run(command.text, str(path))
            problems += _problems(events)
            sleeping = {task.pid for task in _sleeping(machine)}
            parked = {pid: parked.get(pid, number) for pid in sleeping}
        wanted |= {(pid, len(commands)) for event in events if (pid := getattr(event, "pid", 0))}
        _let_it_end(machine, parked, len(commands))
    if commands[-1].text.split(None, 1)[0] in TIME_COMMANDS:
        wanted.add((0, len(commands)))
    trees = tracer.trees()
    if commands[-1].text.split(None, 1)[0] in TIME_COMMANDS:
        trees = {context: _timers(roots) if context is None else roots for context, roots in trees.items()}
    seen = {context: as_recorded(roots, files) for context, roots in _selected(trees, wanted).items()}
    return Traced(chain_text(seen, with_irq=True), tuple(problems))


def as_recorded(nodes: list[Node], files: Mapping[str, str]) -> list[Node]:
    """The calls as the recorder saw them: folding and scoring compare what it could see.

    Of a function that it did not know (it is not in `files`) it saw the callees; an inlined one of a header
    that called nothing out of line left no trace.
    """
    seen: list[Node] = []
    for node in nodes:
        callees = as_recorded(node.children, files)
        if node.function.is_syscall or (node.name in files and (callees or not _of_header(files[node.name]))):
            seen.append(replace(node, children=callees))
        else:
            seen += callees
    return seen


def _of_header(file: str) -> bool:
    return all(place.startswith("include/") for place in file.split(","))


def _timers(roots: list[Node]) -> list[Node]:
    """Of what interrupts did, the timers: the recordings of time that passes hold their functions alone."""
    return [node for node in roots if node.name == "call_timer_fn"]


def _problems(events: list[Event]) -> list[str]:
    return [
        f"{event.line}: {event.message}" + (f"\n{event.traceback}" if isinstance(event, Oops) else "")
        for event in events
        if isinstance(event, Error | Oops)
    ]


def _sleeping(machine: Machine) -> list[task_struct]:
    return [t for t in machine.kernel.tasklist if t._stack is not None and t._syscall is not None]


def _let_it_end(machine: Machine, parked: dict[int, int], last: int) -> None:
    """Let time pass while the last command's own call sleeps."""
    waiting = {pid for pid, number in parked.items() if number == last}
    deadline = machine.clock.now + LONGEST_WAIT_NS
    while waiting & {task.pid for task in _sleeping(machine)} and machine.clock.now < deadline:
        if machine.run_next_event() is None:
            break


def _selected(trees: dict[Context, list[Node]], wanted: set[tuple[int, int]]) -> dict[Context, list[Node]]:
    """The roots of the wanted (pid, mark) pairs; of each, what came before its last system call is preparation.

    Outside of tasks, timers are wanted: the recordings of these are those of call_timer_fn.
    """
    found: dict[Context, list[Node]] = {}
    for context, roots in trees.items():
        pid = context.pid if context is not None else 0
        kept: list[Node] = []
        for mark in sorted({mark for owner, mark in wanted if owner == pid}):
            marked = [node for node in roots if node.mark == mark]
            kept += _from_last_call(marked) if pid else [node for node in marked if node.name == "call_timer_fn"]
        if kept:
            found[context] = kept
    return dict(sorted(found.items(), key=lambda item: item[1][0].mark))


def _from_last_call(roots: list[Node]) -> list[Node]:
    calls = [i for i, node in enumerate(roots) if node.function.is_syscall]
    return roots[calls[-1] :] if calls else roots
