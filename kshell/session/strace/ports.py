"""Ephemeral ports of a log: which port a socket got where the kernel chose it, read ahead from what is said later.

Before such a call is replayed, ip_local_port_range is narrowed to that one port, so that the model's choice is the
recorded one and later addresses in the log mean what they meant.
"""

from __future__ import annotations

import re

from kshell.session.strace.lines import Log, LogCall
from kshell.session.strace.tables import FORKS

PATH = "net/ipv4/ip_local_port_range"
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_CHOOSING = frozenset({"bind", "connect", "sendto", "sendmsg", "sendmmsg", "listen"})
_SOURCES = frozenset({"accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "getpeername"})
_NEW = frozenset({"socket", "accept", "accept4"})
_LOOK_AHEAD = 4000
UNPRIVILEGED = 1024


class Ports:
    """Tells the port that a call of the log makes the kernel choose; 0 if it is not known or none is chosen."""

    def __init__(self, log: Log) -> None:
        self._calls = log.calls
        self._named = {int(port) for call in log.calls if call.name == "bind" for port in _PORT.findall(call.text)}
        self._leaders: dict[int, int] = {}
        for call in log.calls:
            if call.name in FORKS and call.ret is not None and "CLONE_FILES" in call.text:
                self._leaders[call.ret] = self._leaders.get(call.pid, call.pid)
        self._tables: dict[int, dict[str, int]] = {}
        own = {call.index: name for call in log.calls if (name := self._own_name(call))}
        self._named.update(own.values())
        self._seen = [
            (call, int(port[1]))
            for call in sorted(log.calls, key=lambda call: call.end_line)
            if call.name in _SOURCES and call.ret is not None and call.ret >= 0 and (port := _PORT.search(call.text))
        ]
        self._chosen: dict[int, int] = {}
        for call in log.calls:
            self._follow(call, own)

    def chosen_by(self, call: LogCall) -> int:
        """The ephemeral port that `call` will give its socket."""
        return self._chosen.get(call.index, 0)

    def _follow(self, call: LogCall, own: dict[int, int]) -> None:
        """Which port the socket of each descriptor has by now; 0: one that nobody tells."""
        table = self._table(call.pid)
        if call.name in FORKS and call.ret is not None:
            self._tables.setdefault(call.ret, dict(table))
        elif call.name in _NEW and call.ret is not None and call.ret >= 0:
            table.pop(str(call.ret), None)
            if call.name != "socket":
                table[str(call.ret)] = 0
        elif call.name == "bind" and call.ret == 0 and (port := _PORT.search(call.text)):
            table[call.args[0]] = self._chosen[call.index] = own.get(call.index, 0)
            table[call.args[0]] = table[call.args[0]] or int(port[1])
        elif call.name in _CHOOSING and call.args and _PORT.search(call.text) and call.args[0] not in table:
            port_seen = own.get(call.index) or self._seen_by_peer(call)
            if port_seen:
                table[call.args[0]] = self._chosen[call.index] = port_seen
                self._named.add(port_seen)

    def _table(self, pid: int) -> dict[str, int]:
        """The descriptors of a process, its threads' too; a child begins with its parent's."""
        return self._tables.setdefault(self._leaders.get(pid, pid), {})

    def _own_name(self, call: LogCall) -> int:
        """What getsockname says of the descriptor before it is closed, where the kernel chose the port."""
        address = _PORT.search(call.text) if call.name in _CHOOSING and call.args else None
        if address is None or (call.name == "bind" and address[1] != "0"):
            return 0
        for later in self._calls[call.index + 1 : call.index + _LOOK_AHEAD]:
            if later.pid != call.pid or not later.args or later.args[0] != call.args[0]:
                continue
            if later.name == "getsockname" and later.ret == 0 and (port := _PORT.search(later.text)):
                return int(port[1])
            if later.name in ("close", "socket"):
                return 0
        return 0

    def _seen_by_peer(self, call: LogCall) -> int:
        """The first source port of an unknown socket that somebody sees after the call."""
        target = _PORT.search(call.text)
        assert target is not None
        for later, port in self._seen:
            if later.end_line <= call.start_line or port < UNPRIVILEGED or port in self._named or str(port) == target[1]:
                continue
            if later.pid == call.pid and later.args[0] == call.args[0]:
                continue
            if self._table(later.pid).get(later.args[0], int(target[1])) in (0, int(target[1])):
                return port
        return 0
