"""include/net/icmp.h."""

from __future__ import annotations


class icmp_err:
    """What an ICMP "destination unreachable" code means to a socket."""

    __slots__ = ("errno", "fatal")

    def __init__(self, errno: int, fatal: int) -> None:
        self.errno = errno
        self.fatal = fatal


class icmp_control:
    """How an ICMP type is handled."""

    __slots__ = ("error", "handler")

    def __init__(self, handler: object, error: int = 0) -> None:
        self.handler = handler
        self.error = error
