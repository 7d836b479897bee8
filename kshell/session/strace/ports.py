"""Ephemeral ports of a log: which port a socket got where the kernel chose it, read ahead from what is said later.

Before such a call is replayed, ip_local_port_range is narrowed to that one port, so that the model's choice is the
recorded one and later addresses in the log mean what they meant.
"""

from __future__ import annotations

import re

from kshell.session.strace.lines import Log, LogCall

PATH = "net/ipv4/ip_local_port_range"
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_CHOOSING = frozenset({"bind", "connect", "sendto", "sendmsg", "sendmmsg", "listen"})
_SOURCES = frozenset({"accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "getpeername"})
_LOOK_AHEAD = 4000


class Ports:
    """Tells the port that a call of the log makes the kernel choose; 0 if it is not known or none is chosen."""

    def __init__(self, log: Log) -> None:
        self._calls = log.calls
        self._named = {int(port) for call in log.calls if call.name == "bind" for port in _PORT.findall(call.text)}
        self._bound: dict[tuple[int, str], int] = {}

    def chosen_by(self, call: LogCall) -> int:
        """The ephemeral port that `call` will give its socket."""
        if call.name not in _CHOOSING or not call.args:
            return 0
        address = _PORT.search(call.text)
        if call.name == "bind" and (address is None or address[1] != "0"):
            return 0
        if call.name != "bind" and address is None:
            return 0
        return self._own_name(call) or (self._seen_by_peer(call) if call.name != "bind" else 0)

    def _own_name(self, call: LogCall) -> int:
        """What getsockname says of the descriptor before it is closed."""
        for later in self._calls[call.index + 1 : call.index + _LOOK_AHEAD]:
            if later.pid != call.pid or not later.args or later.args[0] != call.args[0]:
                continue
            if later.name == "getsockname" and later.ret == 0 and (port := _PORT.search(later.text)):
                return int(port[1])
            if later.name in ("close", "socket"):
                return 0
        return 0

    def _seen_by_peer(self, call: LogCall) -> int:
        """The first unknown source port that somebody sees after the call."""
        target = _PORT.search(call.text)
        for later in self._calls[call.index + 1 : call.index + _LOOK_AHEAD]:
            port = _PORT.search(later.text) if later.name in _SOURCES else None
            if port and later.ret is not None and later.ret >= 0 and int(port[1]) not in self._named:
                if later.pid == call.pid and later.args[0] == call.args[0]:
                    continue
                if target is None or port[1] != target[1]:
                    return int(port[1])
        before = (later for later in self._calls[: call.index] if later.name in _SOURCES)
        for earlier in before:
            unfinished = earlier.end_line > call.start_line
            port = _PORT.search(earlier.text) if unfinished else None
            if port and int(port[1]) not in self._named:
                return int(port[1])
        return 0
