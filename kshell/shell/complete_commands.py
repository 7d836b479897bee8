"""What the arguments of a command may be, by the kind that the registry gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kshell.shell import complete_programs as programs

if TYPE_CHECKING:
    from kshell.shell.completion import Pairs, State

SHOWN = (
    ("fd", "a descriptor: file, inode, socket, sock"), ("task", "a task, by name or pid"),
    ("sock", "the sock behind a descriptor"), ("socket", "the socket behind a descriptor"),
    ("inode", "the inode behind a descriptor"), ("file", "the file behind a descriptor"),
    ("all", "the current task and all below it"),
)  # fmt: skip
GRAPHED = (
    ("fd", "a descriptor: fd_array, file, inode, socket, sock"), ("fds", "a process and its open files"),
    ("task", "a task with all that it has"), ("tcp", "TCP's sockets in their hash tables"),
    ("inetsw", "net_families and inetsw"), ("pair", "two descriptors and what joins them"),
)  # fmt: skip


def candidates(command: str, argument: str, state: State) -> tuple[Pairs, str]:
    """What may stand at the end of a command's argument, and the word there."""
    words = argument.split()
    word = "" if not argument or argument[-1].isspace() else words.pop()
    kind = _KINDS.get(state.argument_of(command) or "")
    if kind is None:
        return (), word
    return kind(words, word, state), word


def paths(word: str, state: State) -> Iterator[tuple[str, str]]:
    """Paths that begin as the word does, as far as the next slash."""
    directory, slash, _ = word.rpartition("/")
    base = directory + slash
    for name in state.paths(base or "."):
        yield base + name, "directory" if name.endswith("/") else ""


def _tasks(words: list[str], word: str, state: State) -> Pairs:
    return () if words and words != ["new"] else state.tasks()


def _topics(words: list[str], word: str, state: State) -> Pairs:
    if words:
        return ()
    return [*state.commands(), *((name, "system call") for name in state.calls()), *state.topics()]


def _settings(words: list[str], word: str, state: State) -> Pairs:
    if not words:
        return state.settings()
    return [(value, "") for value in state.values(words[0])] if len(words) == 1 else ()


def _objects(words: list[str], word: str, state: State) -> Pairs:
    if not words:
        return [*SHOWN, *_expressions(words, word, state)]
    if words[0] == "task":
        return [*state.tasks(), *state.pids()]
    if words[0] in ("fd", "sock", "socket", "inode", "file"):
        return [*state.descriptors(), *state.variables()]
    return _expressions(words, word, state)


def _expressions(words: list[str], word: str, state: State) -> Pairs:
    return [*state.variables(), *state.roots()]


def _graphs(words: list[str], word: str, state: State) -> Pairs:
    if not words:
        return [*GRAPHED, *_expressions(words, word, state)]
    if words[0] == "task":
        return [*state.tasks(), *state.pids()] if len(words) == 1 else ()
    if (words[0] == "fd" and len(words) == 1) or (words[0] == "pair" and len(words) < 3):
        return [*state.descriptors(), *state.variables()]
    return ()


def _structs(words: list[str], word: str, state: State) -> Pairs:
    from kshell.lens.layouts import names

    if words == ["struct"]:
        return [(name, "") for name in sorted(names())]
    return [("struct", "a struct by its name"), *_expressions(words, word, state)] if not words else ()


def _tables(words: list[str], word: str, state: State) -> Pairs:
    from kshell.lens.walk import HASHES

    return () if words else HASHES.items()


def _functions(words: list[str], word: str, state: State) -> Pairs:
    if words[-1:] == ["task"]:
        return state.tasks()
    if words[-1:] == ["if"] or "if" in words:
        return _expressions(words, word, state)
    if words:
        return [("task", "only in this task"), ("if", "only when this is true")]
    return ((name, "") for name in state.functions()) if word else ()


def _trace(words: list[str], word: str, state: State) -> Pairs:
    fixed = [("on", "trace every command"), ("off", "trace no more"), ("last", "the last command once more")]
    calls = ((f"{name}(", "trace this call") for name in state.calls())
    return [*fixed, *calls] if not words or words[-1].startswith("-") else ()


def _paths(words: list[str], word: str, state: State) -> Pairs:
    return paths(word, state)


def _modules(words: list[str], word: str, state: State) -> Pairs:
    return state.modules()


def _calls(words: list[str], word: str, state: State) -> Pairs:
    return ((f"{name}(", "system call") for name in state.calls())


def _words(*texts: str) -> Callable[[list[str], str, State], Iterable[tuple[str, str]]]:
    return lambda words, word, state: () if words else [(text, "") for text in texts]


_KINDS: dict[str, Callable[[list[str], str, State], Pairs]] = {
    "task": _tasks,
    "topic": _topics,
    "setting": _settings,
    "object": _objects,
    "expr": _expressions,
    "function": _functions,
    "trace": _trace,
    "path": _paths,
    "module": _modules,
    "call": _calls,
    "graph": _graphs,
    "struct": _structs,
    "hash": _tables,
    "packets": _words("last", "-x"),
    "device": programs.device,
    "onlydevice": programs.only_device,
    "ip": programs.ip,
    "ss": programs.ss,
    "route": programs.route,
    "tcpdump": programs.tcpdump,
    "sysctl": programs.sysctl,
    "cable": programs.cable,
    "end": programs.end,
    "capture": programs.capture,
    "breakpoint": programs.breakpoint_number,
    "info": _words("breakpoints", "args", "locals", "frame"),
}
"""By `Command.completion`."""
