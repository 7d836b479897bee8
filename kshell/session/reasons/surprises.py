"""Calls that succeeded and still did something else than one expects: what happened instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.abi.socket import SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM
from kshell.abi.tcp import TCP_CLOSE, TCP_CLOSE_WAIT, TCP_SYN_SENT
from kshell.session.reasons.sockets import Open, everything, opened

if TYPE_CHECKING:
    from kshell.session.reasons.failure import TypedCall

Check = Callable[["TypedCall", int], str]
CONNECTIONLESS: Final = frozenset({SOCK_DGRAM, SOCK_RAW})
OF_MESSAGES: Final = CONNECTIONLESS | {SOCK_SEQPACKET}
DOUBLED: Final = ("SO_RCVBUF", "SO_SNDBUF")


def surprise_of(call: TypedCall) -> str:
    """What is surprising about a call that succeeded; "" if nothing is."""
    if call.result is None or call.result < 0:
        return ""
    for check in CHECKS.get(call.name, ()):
        text = check(call, call.result)
        if text:
            return text
    return ""


def _file_of(call: TypedCall, name: str = "fd") -> Open | None:
    fd = call.number(name)
    return next((each for each in opened(call.user) if each.fd == fd), None)


def _end_of_file(call: TypedCall, result: int) -> str:
    if result or 0 in (call.number("count"), call.number("size")):
        return ""
    found = _file_of(call)
    sk = found.sk if found is not None else None
    if getattr(sk, "sk_type", 0) in CONNECTIONLESS:
        return "0 bytes are an empty message, or this end was shut down: datagrams have no end of file."
    if getattr(sk, "sk_state", 0) == TCP_CLOSE_WAIT:
        return "0 is end of file: the peer has sent a FIN, this end is in TCP_CLOSE_WAIT. Writing still works."
    if sk is not None:
        return "0 is end of file, no error: the peer has closed or shut down its sending direction (or sent an empty message)."
    return "0 is end of file, no error: there are no bytes left, and nobody who could write any."


def _short_read(call: TypedCall, result: int) -> str:
    wanted = call.number("count") or call.number("size") or 0
    if 0 < result < wanted and getattr(getattr(_file_of(call), "sk", None), "sk_type", 0) in OF_MESSAGES:
        return (f"{result} bytes are the whole message: a call gives one, however much room there is. Of one that is longer "
                "than the room the rest is lost; MSG_TRUNC tells.")  # fmt: skip
    if 0 < result < wanted:
        return (f"{result} of {wanted} bytes: read() gives what is there and waits for no more. A loop, or MSG_WAITALL on a "
                "socket, gets all.")  # fmt: skip
    return ""


def _short_write(call: TypedCall, result: int) -> str:
    wanted = call.number("count") or call.number("len") or 0
    if 0 < result < wanted:
        return (f"{result} of {wanted} bytes were taken: the buffer is full, and a non-blocking call takes what fits. "
                "Write the rest when poll() says POLLOUT.")  # fmt: skip
    return ""


def _write_to_closed(call: TypedCall, result: int) -> str:
    """The first write after the peer has closed: it is accepted, and answered with a RST."""
    sk = getattr(_file_of(call), "sk", None)
    if getattr(sk, "sk_type", 0) != SOCK_STREAM or not result or not getattr(sk, "inet_dport", 0):
        return ""
    if getattr(sk, "sk_err", 0) or (getattr(sk, "sk_state", 0) == TCP_CLOSE and getattr(sk, "sk_shutdown", 0)):
        return ("the bytes were taken and sent, but the peer is closed: it answered with a RST, which has ended the connection. "
                "The next call tells: ECONNRESET or EPIPE.")  # fmt: skip
    return ""


def _write_unconnected(call: TypedCall, result: int) -> str:
    """A datagram that nobody takes."""
    sk = getattr(_file_of(call), "sk", None)
    waiting, over = getattr(sk, "sk_err", 0), getattr(sk, "sk_shutdown", 0)
    if result > 0 and waiting and not over:
        return ("the datagram was sent, but no socket has the port: an ICMP port unreachable came back and waits in sk_err. "
                "The next call gives ECONNREFUSED.")  # fmt: skip
    return ""


def _connected(call: TypedCall, result: int) -> str:
    sk = getattr(_file_of(call), "sk", None)
    port = getattr(sk, "inet_dport", 0)
    for each in everything(call.session):
        if each.listens and port and each.port == port:
            queue = getattr(each.sk, "sk_ack_backlog", 0)
            most = getattr(each.sk, "sk_max_ack_backlog", 0)
            if queue > most:
                return (f"connected, though nobody has accepted: the handshake is the kernel's. The queue of {each} holds "
                        f"{queue} connections with a backlog of {most}: full, the next SYN is dropped.")  # fmt: skip
            if queue:
                return (f"connected, though nobody has accepted: the handshake is the kernel's. {queue} of at most {most + 1} "
                        f"connections wait at {each} for accept().")  # fmt: skip
    if getattr(sk, "sk_type", 0) == SOCK_DGRAM:
        return "nothing was sent: for a datagram socket, connect() only notes the peer, whether it is there or not."
    return ""


def _sent_by_syn(call: TypedCall, result: int) -> str:
    sk = getattr(_file_of(call), "sk", None)
    return "the SYN is sent, the answer is not here." if getattr(sk, "sk_state", 0) == TCP_SYN_SENT else ""


def _closed(call: TypedCall, result: int) -> str:
    """The descriptor is gone; the file may live on in others."""
    before = call.argument("fd")
    number = call.number("fd")
    copies = [each for each in everything(call.session) if each.file in _files_before(call)]
    if copies:
        others = ", ".join(str(each) for each in copies[:4])
        return (f"descriptor {number if number is not None else before} is free, but the file lives on: {others} lead to it. "
                "A connection's FIN is sent when the last one is closed.")  # fmt: skip
    return ""


def _files_before(call: TypedCall) -> list[object]:
    """The file that the closed descriptor led to, as a copy of the session before the call shows it: matched by inode."""
    from kshell.session.commands import CommandError

    try:
        twin = call.session.copy(call.command.n - 1)
    except CommandError:
        return []
    number = call.number("fd")
    user = next((u for h in twin.hosts for u in h.tasks if u.name == call.user.name), None)
    old = next((o for o in opened(user) if o.fd == number), None) if user is not None else None
    address = getattr(old.file, "_addr", 0) if old is not None else 0
    return [o.file for o in everything(call.session) if address and getattr(o.file, "_addr", 0) == address]


def _bound(call: TypedCall, result: int) -> str:
    found = _file_of(call)
    text = call.argument("umyaddr")
    if found is not None and found.port and ("AF_INET, 0" in text or "htons(0)" in text):
        return f"port 0 means any: the kernel has chosen {found.port}. getsockname() tells it."
    return ""


def _listening(call: TypedCall, result: int) -> str:
    found = _file_of(call)
    wanted = call.number("backlog")
    if found is None or wanted is None:
        return ""
    most = getattr(found.sk, "sk_max_ack_backlog", 0)
    if wanted != most:
        return f"the backlog is {most}, not {wanted}: net.core.somaxconn is the most there can be."
    if "bind" not in {c.command.text.split("(")[0] for c in _calls(call)} and found.port:
        return f"the socket had no port: listen() has given it {found.port}. getsockname() tells it."
    return ""


def _calls(call: TypedCall) -> list[TypedCall]:
    from kshell.session.reasons.failure import last_calls

    return last_calls(call.session, call.user)


def _doubled(call: TypedCall, result: int) -> str:
    name = call.argument("optname")
    found = _file_of(call)
    if name not in DOUBLED or found is None:
        return ""
    field = "sk_rcvbuf" if name == "SO_RCVBUF" else "sk_sndbuf"
    limit = "rmem_max" if name == "SO_RCVBUF" else "wmem_max"
    return (f"{field} is {getattr(found.sk, field, 0)}: the kernel doubles the value, since its own bookkeeping counts too, "
            f"after cutting it to net.core.{limit}; getsockopt() gives the doubled one.")  # fmt: skip


def _read_doubled(call: TypedCall, result: int) -> str:
    name = call.argument("optname")
    return "the doubled value: what setsockopt() was given, twice." if name in DOUBLED else ""


def _shut_down(call: TypedCall, result: int) -> str:
    found = _file_of(call)
    return f"the descriptor stays open: close({found.fd}) gives it back." if found is not None else ""


def _timed_out(call: TypedCall, result: int) -> str:
    return "0: the time ran out, and nothing was ready." if result == 0 else ""


def _forked(call: TypedCall, result: int) -> str:
    if call.number("sig") == 0:
        return "signal 0 is never sent: the call only says that it could be."
    return ""


CHECKS: Final[dict[str, tuple[Check, ...]]] = {
    **dict.fromkeys(("read", "recv", "recvfrom", "readv", "recvmsg"), (_end_of_file, _short_read)),
    **dict.fromkeys(("write", "send", "sendto", "sendmsg", "writev"), (_write_to_closed, _write_unconnected, _short_write)),
    "connect": (_sent_by_syn, _connected), "close": (_closed,), "bind": (_bound,), "listen": (_listening,),
    "setsockopt": (_doubled,), "getsockopt": (_read_doubled,), "shutdown": (_shut_down,),
    **dict.fromkeys(("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait"), (_timed_out,)),
    "kill": (_forked,),
}  # fmt: skip
