"""What could be done about a failed call, the likeliest first. None of it is known to work before it was tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from kshell.abi.syscalls import Param, signature
from kshell.lang.ast import Dots, Name
from kshell.session.manual import page
from kshell.session.reasons.sockets import Open, ends_of, everything, free_port, opened, tcp_peer
from kshell.session.reasons.trial import Step

if TYPE_CHECKING:
    from kshell.session.manual.parse import ErrorRow
    from kshell.session.manual.parse import Step as Written
    from kshell.session.reasons.failure import Failure

_EDIT: Final = re.compile(r"(\w+)=(?!=)(.*)")
_WORD: Final = re.compile(r"\$(\w+)")
_PORT: Final = re.compile(r"AF_INET, *(?:htons\()?(\d+)|sin_port=htons\((\d+)\)")
_ADDRESS: Final = re.compile(r'"(\d+\.\d+\.\d+\.\d+)"')
_PATH: Final = re.compile(r'(?<!@)"(/[^"]*)"')
MOST_DESCRIPTORS: Final = 6
STDERR: Final = 2

SOCKET_CALLS: Final = frozenset({
    "bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername", "shutdown", "setsockopt",
    "getsockopt", "sendto", "send", "recvfrom", "recv", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg",
})  # fmt: skip
READS: Final = frozenset({"read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg", "splice", "tee", "pread64"})


class NotHere(Exception):
    """The present state has no such thing as a step names."""


def candidates(failure: Failure, rows: list[ErrorRow]) -> Iterator[Step]:
    """Steps to try: the manual's for this cause, then what the error suggests, then arguments that are known to be good."""
    seen = set()
    if failure.errno in INTERRUPTED or failure.late:
        yield Step(failure.call.text)
    for step in _all(failure, rows):
        if step.text and step.text != failure.call.text and (step.text, step.again) not in seen:
            seen.add((step.text, step.again))
            yield step
    if failure.errno in AGAIN:
        yield Step(failure.call.text)


INTERRUPTED: Final = frozenset({"EINTR"})
"""Errors that have nothing to do with the call's arguments: it is simply made again."""

AGAIN: Final = frozenset({"ECONNREFUSED", "ECONNRESET", "ECONNABORTED"})
"""Errors that are over when they have been told."""


def _all(failure: Failure, rows: list[ErrorRow]) -> Iterator[Step]:
    for row in rows:
        for written in row.steps:
            try:
                yield _made(failure, written)
            except NotHere:
                continue
    rule = RULES.get(failure.errno)
    if rule is not None:
        yield from rule(failure)
    yield from _repairs(failure)


# ---- the manual's steps


def _made(failure: Failure, written: Written) -> Step:
    text = _WORD.sub(lambda found: _word(failure, found[1]), written.text)
    changes: dict[str, str] = {}
    for part in written.text.split("; "):
        edit = _EDIT.fullmatch(part)
        if edit is None:
            return Step(text.replace(" ;; ", "\n"), written.again)
        if edit[1] not in failure.call.nodes:  # of a call that has its arguments' names from another
            raise NotHere(edit[1])
        changes[edit[1]] = _WORD.sub(lambda found: _word(failure, found[1]), edit[2])
    return Step(failure.call.edited(changes), written.again)


def _word(failure: Failure, name: str) -> str:
    """What $NAME stands for: an argument of the failed call, or a thing of the present state."""
    if name in failure.call.nodes:
        return failure.call.argument(name)
    found = STATE.get(name)
    if found is None:
        raise NotHere(name)
    return found(failure)


def _address_text(failure: Failure) -> str:
    names = ("umyaddr", "uservaddr", "addr", "usockaddr")
    return next((text for name in names if (text := failure.call.argument(name))), "")


def _port(failure: Failure) -> str:
    """A port that nobody has, and not the one that the call wanted: it may be in TIME_WAIT."""
    found = _PORT.search(_address_text(failure))
    return str(free_port(failure.call.session, int(found[1] or found[2]) if found else 0))


def _address(failure: Failure) -> str:
    found = _ADDRESS.search(_address_text(failure))
    return found[1] if found else "127.0.0.1"


def _unix_path(failure: Failure) -> str:
    found = _PATH.search(_address_text(failure))
    if found is None:
        raise NotHere("path")
    return found[1]


def _fresh_name(failure: Failure) -> str:
    return f"n{failure.call.session.next_number}"


def _first(found: list[Open], failure: Failure) -> Open:
    """The first, preferably of the same task."""
    mine = [each for each in found if each.user is failure.call.user]
    if not found:
        raise NotHere
    return (mine or found)[0]


def _listening(failure: Failure) -> str:
    """The port of a TCP socket that listens where it can be connected to."""
    found = [each for each in everything(failure.call.session) if each.listens and each.port and each.family == 2]
    return str(_first(found, failure).port)


def _listener(failure: Failure) -> str:
    return str(_first([each for each in opened(failure.call.user) if each.listens], failure).fd)


def _rival(failure: Failure) -> str:
    """Another descriptor of the task with the port that the call wanted."""
    found = _PORT.search(_address_text(failure))
    own = failure.call.number("fd")
    ports = {int(found[1] or found[2])} if found else {o.port for o in opened(failure.call.user) if o.fd == own}
    rivals = [o for o in opened(failure.call.user) if o.port in ports and o.port and o.fd != own]
    return str(_first(rivals, failure).fd)


def _bound(failure: Failure) -> str:
    """A descriptor of the task that is bound to a path of AF_UNIX."""
    return str(_first([o for o in opened(failure.call.user) if getattr(o.sk, "path", None) is not None], failure).fd)


def _server(failure: Failure) -> str:
    """A task that listens on a free port."""
    return (f'@server s = socket(AF_INET, SOCK_STREAM, 0) ;; @server bind(s, {{AF_INET, {_port(failure)}, "127.0.0.1"}}, 16)'
            " ;; @server listen(s, 5)")  # fmt: skip


STATE: Final[dict[str, Callable[[Failure], str]]] = {
    "port": _port, "address": _address, "unixpath": _unix_path, "name": _fresh_name, "listening": _listening,
    "listener": _listener, "rival": _rival, "bound": _bound, "server": _server,
}  # fmt: skip
"""What a step of the manual may name beside the arguments of the call."""


# ---- what an error suggests, whatever the call


def _fd_params(failure: Failure) -> list[Param]:
    call = signature(failure.call.name)
    return [p for p in call.params if p.kind.style in ("fd", "dirfd")] if call else []


def _is_socket(each: Open) -> bool:
    return each.sk is not None


def _other_descriptors(failure: Failure) -> Iterator[Step]:
    """The same call on another descriptor that is open."""
    call = failure.call
    if call.name == "close":
        yield Step("fds")
    others = [o for o in reversed(opened(call.user)) if o.fd > STDERR]
    fitting = [o for o in others if call.name not in SOCKET_CALLS or _is_socket(o)]
    for param in _fd_params(failure):
        if param.kind.style == "dirfd":
            yield Step(call.edited({param.name: "AT_FDCWD"}))
        for each in fitting[:MOST_DESCRIPTORS]:
            if call.number(param.name) != each.fd:
                yield Step(call.edited({param.name: str(each.fd)}))
    if failure.errno == "EBADF" and call.name not in SOCKET_CALLS:
        yield Step("fds", anything=True)
    yield Step("socket(AF_INET, SOCK_STREAM, 0)" if call.name in SOCKET_CALLS else 'open("/tmp", O_RDONLY)', anything=True)
    yield Step(f'open("/tmp/{_fresh_name(failure)}", O_RDWR|O_CREAT, 0644)', anything=True)


def _memory(failure: Failure) -> Iterator[Step]:
    """The same call with memory that is there."""
    call = signature(failure.call.name)
    for param in call.params if call else ():
        if param.kind.direction and not isinstance(failure.call.nodes.get(param.name), Dots):
            for text in (*_from_example(failure, param.name), *GOOD.get(param.kind.style, ()), "..."):
                yield Step(failure.call.edited({param.name: text}))
    edits = {p.name: "..." for p in (call.params if call else ()) if p.kind.direction in ("out", "inout")}
    yield Step(failure.call.edited({name: text for name, text in edits.items() if name in failure.call.nodes}))


GOOD: Final = {"path": ('"/tmp"',), "bytes": ('"hello"',), "sockaddr": ('{AF_INET, 0, "127.0.0.1"}',), "socklen": ("[16]",)}
"""Values of pointers that are always good, by style."""


def _no_waiting(failure: Failure) -> Iterator[Step]:
    """Something to wait for comes from the other end; or wait for it."""
    call = failure.call
    for param in _fd_params(failure):
        fd = call.number(param.name)
        for mine in (o for o in opened(call.user) if o.fd == fd):
            reading = call.name in READS
            yield from (Step(_at(failure, o, reading), True) for o in _ends(failure, mine, write=reading))
            yield Step(f"poll([{{fd={fd}, events={'POLLIN' if reading or mine.listens else 'POLLOUT'}}}], 1, 1000)")


def _ends(failure: Failure, mine: Open, write: bool) -> list[Open]:
    session = failure.call.session
    tcp = tcp_peer(session, mine.sk) if mine.family == 2 else None
    return [tcp] if tcp is not None else ends_of(session, mine.file, write)


def _at(failure: Failure, end: Open, reading: bool) -> str:
    what = f'write({end.fd}, "hello", 5)' if reading else f"read({end.fd}, ..., 65536)"
    return what if end.user is failure.call.user else f"@{end.user.name} {what}"


def _room(failure: Failure) -> Iterator[Step]:
    """One descriptor less."""
    yield from (Step(f"close({each.fd})", True) for each in reversed(opened(failure.call.user)))


def _rights(failure: Failure) -> Iterator[Step]:
    """Root's rights, where the task may take them back."""
    yield Step("setresuid(-1, 0, -1)", True)
    yield Step("setuid(0)", True)


def _peer(failure: Failure) -> Iterator[Step]:
    """A connection, where somebody listens; a pair that is connected from birth."""
    for fd in (failure.call.number(p.name) for p in _fd_params(failure)[:1]):
        ports = [o.port for o in everything(failure.call.session) if o.listens and o.port]
        yield from (Step(f'connect({fd}, {{AF_INET, {port}, "127.0.0.1"}}, 16)', True) for port in ports)
        yield from (Step(failure.call.edited({"fd": str(o.fd)})) for o in reversed(opened(failure.call.user)) if o.sk)
    yield Step("socketpair(AF_UNIX, SOCK_STREAM, 0, ...)", anything=True)


def _paths(failure: Failure) -> Iterator[Step]:
    """The same call with a path that is there, or a new one."""
    call = signature(failure.call.name)
    for param in call.params if call else ():
        if param.kind.style == "path":
            fresh = f'"/tmp/{_fresh_name(failure)}"'
            for path in ('"/tmp"', '"/proc/filesystems"', fresh):
                yield Step(failure.call.edited({param.name: path}))
            yield Step(f"creat({failure.call.argument(param.name)}, 0644)", True)
            yield Step(f"mkdir({failure.call.argument(param.name)}, 0755)", True)
            yield Step(f"creat({fresh}, 0644)", anything=True)


RULES: Final[dict[str, Callable[[Failure], Iterator[Step]]]] = {
    "EBADF": _other_descriptors, "ENOTSOCK": _other_descriptors, "ESPIPE": _other_descriptors,
    "ENOTTY": _other_descriptors, "EFAULT": _memory, "EAGAIN": _no_waiting, "EMFILE": _room, "EPERM": _rights,
    "EACCES": _rights, "ENOTCONN": _peer, "EPIPE": _peer, "EDESTADDRREQ": _peer, "ENOENT": _paths, "ENOTDIR": _paths,
    "EISDIR": _paths, "ELOOP": _paths, "EROFS": _paths, "ENAMETOOLONG": _paths, "EEXIST": _paths, "EXDEV": _paths,
    "EBUSY": _paths, "ENOTEMPTY": _paths,
}  # fmt: skip


# ---- arguments that are known to be good


def _from_example(failure: Failure, name: str) -> list[str]:
    """The argument that the manual's example of the call has there, unless it is a variable."""
    found = _example_arguments(failure.call.name)
    return [found[name]] if name in found else []


def _example_arguments(call_name: str) -> dict[str, str]:
    from kshell.lang.ast import CallStatement
    from kshell.lang.statements import parse_line

    found, call = page(call_name), signature(call_name)
    if found is None or call is None or not found.example:
        return {}
    text = found.example.split("\n")[-1]
    statement = parse_line(text)
    if not isinstance(statement, CallStatement):
        return {}
    shown = [p.name for p in call.params if p.kind.style != "hidden"]
    pairs = zip(shown, statement.call.args, strict=False)
    return {n: text[a.span[0] : a.span[1]] for n, a in pairs if not (isinstance(a, Name) and a.name.islower())}


def _repairs(failure: Failure) -> Iterator[Step]:
    """The same call with one argument, then all but the descriptors, taken from the example of the manual."""
    fds = {param.name for param in _fd_params(failure)}
    good = {n: t for n, t in _example_arguments(failure.call.name).items() if n not in fds and n in failure.call.nodes}
    for name, text in good.items():
        if text != failure.call.argument(name):
            yield Step(failure.call.edited({name: text}))
    if len(good) > 1:
        yield Step(failure.call.edited(good))
    yield from _other_descriptors(failure) if fds else ()
