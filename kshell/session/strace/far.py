"""The other end of a connection of which a log shows one end: somebody outside the log, played by the helper process.

It connects where the log's program accepts, listens where that connects, sends what that is shown to receive, just
before it does, and ends its direction where the log shows the end of file. TCP over loopback only; what the other end
did beyond that (resets, urgent data) the log does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kshell.abi.socket import (
    AF_INET,
    MSG_DONTWAIT,
    SHUT_WR,
    SO_REUSEADDR,
    SOCK_NONBLOCK,
    SOCK_STREAM,
    SOL_SOCKET,
    SOL_TCP,
)
from kshell.abi.tcp import TCP_LISTEN, TCP_NODELAY
from kshell.lang.ipaddr import ipv4_number
from kshell.lens.open_files import open_file, sock_of
from kshell.session.strace.nodes import number_of, string_of
from kshell.userland.addresses import sockaddr_in
from kshell.userland.direct import SystemCallError

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.session.strace.lines import Log, LogCall
    from kshell.userland.direct import Process

_ADDRESS: Final = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)')
_BASE: Final = re.compile(r'iov_base=("(?:[^"\\]|\\.)*"(?:\.\.\.)?)')
_READY: Final = re.compile(r"revents=[A-Z|]*POLLIN|events=[A-Z|]*EPOLLIN|\(in \[")
_LOOPBACK: Final = 0x7F000001

ACCEPTS: Final = frozenset({"accept", "accept4"})
RECEIVES: Final = frozenset({"read", "recv", "recvfrom", "recvmsg", "readv"})
SENDS: Final = frozenset({"write", "writev", "send", "sendto", "sendmsg", "sendfile"})
POLLS: Final = frozenset({"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"})
LOOK_AHEAD: Final = 80
"""Calls of a task behind a poll() among which the one stands that takes what it was told of."""
DRAIN: Final = 1 << 16
ROOM: Final = 16

Key = tuple[int, int]
"""A connection: the port of the log's socket, the port of the other end."""


class Far:
    """Other ends, made as the replay comes to where they act."""

    def __init__(self, log: Log, helper: Process) -> None:
        self._of_task: dict[int, list[LogCall]] = {}
        for call in log.calls:
            self._of_task.setdefault(call.pid, []).append(call)
        self._places = {call.index: place for calls in self._of_task.values() for place, call in enumerate(calls)}
        self._helper = helper
        self._connected = _ports(log, "connect")
        self._bound = _ports(log, "bind")
        self._ends: dict[Key, int] = {}
        self._servers: dict[int, int] = {}

    def before(self, call: LogCall, task: task_struct) -> None:
        """Do what must have been done from outside for a call of `task` to give what the log shows."""
        if call.ret is None or (call.ret < 0 and call.errno != "EINPROGRESS"):
            return
        try:
            self._act(call, task)
        except SystemCallError:
            return  # the call shows it
        finally:
            self._helper.arena.release()

    def _act(self, call: LogCall, task: task_struct) -> None:
        if call.name == "connect":
            self._listen(call)
        elif call.name in ACCEPTS:
            self._connect(call, task)
        elif call.name in RECEIVES:
            self._send(call, task)
        elif call.name in SENDS:
            self._drain(call, task)
        elif call.name in POLLS:
            for later in self._told_of(call):
                self._act(later, task)

    def _told_of(self, poll: LogCall) -> Iterator[LogCall]:
        """The calls that take what a poll() has told of: the next of each descriptor before it is polled anew."""
        if _READY.search(poll.text) is None:
            return
        seen: set[str] = set()
        place = self._places[poll.index] + 1
        for call in self._of_task[poll.pid][place : place + LOOK_AHEAD]:
            if call.name in POLLS and (seen or not call.ret):
                return
            if call.name in ACCEPTS | RECEIVES and call.args and call.args[0] not in seen:
                seen.add(call.args[0])
                if call.ret is not None and call.ret >= 0:
                    yield call

    # ---- what an end does

    def _listen(self, call: LogCall) -> None:
        """A server for a connect() to a port of this host that nobody in the log has."""
        if call.ret and not self._comes_about(call):
            return
        port, address = _named(call)
        if address >> 24 != _LOOPBACK >> 24 or port in self._bound or port in self._servers:
            return
        fd = self._socket(port, address, SOCK_NONBLOCK)
        self._helper.call("listen", fd, 128)
        self._servers[port] = fd

    def _comes_about(self, connect: LogCall) -> bool:
        """Whether the log shows later that a connection was made of one that was begun."""
        place = self._places[connect.index] + 1
        for call in self._of_task[connect.pid][place : place + LOOK_AHEAD]:
            if call.args[:1] != connect.args[:1] or call.ret is None:
                continue
            if call.name == "getsockopt" and "SO_ERROR" in call.text:
                return "[0]" in call.text
            if call.name in ("getpeername", "connect", "close") or call.name in RECEIVES | SENDS:
                return call.ret >= 0 and call.name != "close"
        return False

    def _connect(self, call: LogCall, task: task_struct) -> None:
        """A client for an accept(), unless one waits or the log has one."""
        listener = _sock(task, call)
        if listener is None or listener.sk_state != TCP_LISTEN:
            return
        if listener.inet_num in self._connected or listener.sk_ack_backlog:
            return
        port, address = _named(call)
        fd = self._socket(port, address or _LOOPBACK)
        target = sockaddr_in(listener.inet_rcv_saddr or address or _LOOPBACK, listener.inet_num)
        self._helper.call("connect", fd, target, 16)
        mine = _sock_of(self._helper.task, fd)
        assert mine is not None
        self._ends[listener.inet_num, mine.inet_num] = fd

    def _send(self, call: LogCall, task: task_struct) -> None:
        """What the log's program receives, as far as it is not there."""
        sk, fd = self._end_of(call, task)
        if sk is None or fd is None or sk.sk_shutdown & 1:
            return
        mine = _sock_of(self._helper.task, fd)
        assert mine is not None
        assert call.ret is not None
        waiting = mine.write_seq - sk.copied_seq & 0xFFFFFFFF
        if call.ret > waiting:
            _widen(sk, call.ret)
            data = _received(call)[waiting:]
            self._helper.call("sendto", fd, data, len(data), MSG_DONTWAIT, 0, 0)
        elif not call.ret and not waiting:
            self._helper.call("shutdown", fd, SHUT_WR)

    def _drain(self, call: LogCall, task: task_struct) -> None:
        """The other end reads all that it was sent, so that there is room for more."""
        _, fd = self._end_of(call, task)
        if fd is not None:
            room = self._helper.buffer(DRAIN)
            while self._helper.call("recvfrom", fd, room, DRAIN, MSG_DONTWAIT, 0, 0) == DRAIN:
                pass

    # ---- sockets

    def _socket(self, port: int, address: int, flags: int = 0) -> int:
        helper = self._helper
        fd = helper.call("socket", AF_INET, SOCK_STREAM | flags, 0)
        helper.call("setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, (1).to_bytes(4, "little"), 4)
        helper.call("setsockopt", fd, SOL_TCP, TCP_NODELAY, (1).to_bytes(4, "little"), 4)
        helper.call("bind", fd, sockaddr_in(address, port), 16)
        return fd

    def _end_of(self, call: LogCall, task: task_struct) -> tuple[tcp_sock | None, int | None]:
        """The socket that a call is about, and the helper's descriptor of its other end."""
        sk = _sock(task, call)
        if sk is None:
            return None, None
        key = sk.inet_num, sk.inet_dport
        server = self._servers.get(sk.inet_dport)
        while key not in self._ends and server is not None:
            fd = self._helper.call("accept4", server, 0, 0, 0)
            mine = _sock_of(self._helper.task, fd)
            assert mine is not None
            self._ends[mine.inet_dport, mine.inet_num] = fd
        return sk, self._ends.get(key)


def _ports(log: Log, name: str) -> set[int]:
    """The ports of AF_INET that calls of a name have in their addresses."""
    return {int(found[1]) for call in log.calls if call.name == name and (found := _ADDRESS.search(call.text))}


def _named(call: LogCall) -> Key:
    """The port and the address that a call of the log shows; zeros if it shows none."""
    found = _ADDRESS.search(call.text)
    return (int(found[1]), ipv4_number(found[2]) or 0) if found else (0, 0)


def _sock(task: task_struct, call: LogCall) -> tcp_sock | None:
    return _sock_of(task, number_of(call.args[0])) if call.args else None


def _sock_of(task: task_struct, fd: int) -> tcp_sock | None:
    """The TCP socket behind a descriptor; None if it is none."""
    sk = sock_of(open_file(task.files, fd)) if task.files is not None else None
    return sk if sk is not None and hasattr(sk, "copied_seq") and sk.sk_family == AF_INET else None


def _widen(sk: tcp_sock, size: int) -> None:
    """Room for what was received at once: the recorded kernel had made its buffer larger as the connection went on."""
    if ROOM * size > sk.sk_rcvbuf:
        sk.sk_rcvbuf = ROOM * size
    if size > sk.rcv_ssthresh:
        sk.rcv_ssthresh = sk.window_clamp = 2 * size


def _received(call: LogCall) -> bytes:
    """The bytes that a call received, those that the log does not show being zero."""
    shown = string_of(call.args[1]) if len(call.args) > 1 else None
    parts = [shown] if shown is not None else [string_of(found[1]) for found in _BASE.finditer(call.text)]
    data = b"".join(part[0] for part in parts if part is not None)
    assert call.ret is not None
    return data[: call.ret].ljust(call.ret, b"\0")
