"""What a sleeping task waits for: the function and its wait queue, how long, and who could wake it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from kshell.abi.socket import AF_INET, AF_UNIX, SOCK_DGRAM
from kshell.lens.linux_files import linux_file
from kshell.lens.names import ipv4
from kshell.linux.kernel.stacktrace import _frames as frames
from kshell.session.reasons.sockets import Open, ends_of, everything, opened, tcp_peer
from kshell.session.sleeping import wchan_of

if TYPE_CHECKING:
    from types import FrameType

    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

Locals = Mapping[str, object]


class Wait:
    """What a task waits for, in which function and queue, until when (ns of the clock, None: for ever), and what would
    wake it beside a signal."""

    __slots__ = ("file", "function", "queue", "until", "wakers", "what")

    def __init__(self, function: str, what: str, queue: str, wakers: list[str]) -> None:
        self.function = function
        self.what = what
        self.queue = queue
        self.wakers = wakers
        self.until: int | None = None
        self.file = ""


def wait_of(session: Session, user: UserTask) -> Wait | None:
    """What a task waits for; None if it does not sleep."""
    chain = list(frames(user.task))
    if not chain:
        return None
    wait = _explained(session, user, chain) or _unknown(user, chain)
    wait.until = _until(chain)
    wait.file = _file(chain, wait.function)
    return wait


def _explained(session: Session, user: UserTask, chain: list[FrameType]) -> Wait | None:
    for frame in reversed(chain):
        name = frame.f_code.co_name
        explain = WAITS.get(name)
        if explain is not None:
            what, queue, wakers = explain(session, user, frame.f_locals)
            return Wait(name, what, queue, [each for each in wakers if each])
    return None


def _unknown(user: UserTask, chain: list[FrameType]) -> Wait:
    function = wchan_of(user.task) or chain[-1].f_code.co_name
    return Wait(function, "something to happen", "", [])


def _until(chain: list[FrameType]) -> int | None:
    """When the sleep's own timer is due."""
    for frame in reversed(chain):
        for name in ("timer", "sleeper", "t"):
            timer = frame.f_locals.get(name)
            event = getattr(timer, "_event", None)
            when = getattr(event, "when", None)
            if isinstance(when, int):
                return when
    return None


def _file(chain: list[FrameType], function: str) -> str:
    frame = next((frame for frame in chain if frame.f_code.co_name == function), chain[-1])
    known = frame.f_globals.get(function)
    return linux_file(known) if known is not None and hasattr(known, "__module__") else ""


# ---- who is at the other end


def _names(found: list[Open], verb: str) -> list[str]:
    """The descriptors by which a task that does not sleep itself could wake the sleeper."""
    return [f"{verb} {each}" for each in found if each.user.task._stack is None]


def _mine(user: UserTask, sk: object) -> str:
    """The descriptor through which the task has a socket."""
    return next((f"fd {o.fd}" for o in opened(user) if o.sk is sk), "a socket")


def _writers(session: Session, user: UserTask, sk: object) -> list[str]:
    """Who could send something to a socket."""
    family = getattr(sk, "sk_family", 0)
    if family == AF_INET and getattr(sk, "inet_dport", 0):
        tcp = tcp_peer(session, sk)
        return [f"a write to {tcp}"] if tcp is not None else [f"data from {_peer_address(sk)}"]
    if family == AF_INET:
        port = getattr(sk, "inet_num", 0)
        return [f"a sendto() to {_own_address(sk)} from any socket" if port else "nobody yet: it has no port; bind() gives one"]
    mine = next((o for o in opened(user) if o.sk is sk), None)
    ends = ends_of(session, mine.file, write=True) if mine is not None else []
    if ends:
        return _names(ends, "a write to") or [f"a write to {ends[0]}, by a task that is awake and has it too"]
    connected = getattr(sk, "peer", None) is not None or getattr(sk, "sk_type", 0) != SOCK_DGRAM
    return ["data from its peer" if connected else "a message to its address from another socket"]


def _own_address(sk: object) -> str:
    address = getattr(sk, "inet_rcv_saddr", 0)
    return f"{ipv4(address) if address else '127.0.0.1'}:{getattr(sk, 'inet_num', 0)}"


def _peer_address(sk: object) -> str:
    return f"{ipv4(getattr(sk, 'inet_daddr', 0))}:{getattr(sk, 'inet_dport', 0)}"


def _unix_name(sk: object) -> str:
    name = getattr(getattr(sk, "addr", None), "name", b"")
    raw = bytes(name)[2:] if isinstance(name, bytes | bytearray) else b""
    text = raw.strip(bytes(1)).decode("utf-8", "replace")
    return f'@"{text}"' if raw[:1] == bytes(1) else f'"{text}"'


Explained = tuple[str, str, list[str]]


def _accept(session: Session, user: UserTask, local: Locals) -> Explained:
    sk = local["sk"]
    return (f"a connection to {_mine(user, sk)}, which listens on {_own_address(sk)}", "sk->sk_wq->wait",
            [f"a connect() to {_own_address(sk)} from another task"])  # fmt: skip


def _datagram(session: Session, user: UserTask, local: Locals) -> Explained:
    sk = local["sk"]
    if getattr(sk, "sk_family", 0) == AF_UNIX and getattr(sk, "listens", False):
        return "a connection", "sk->sk_wq->wait", []
    if _listens(sk):
        return (f"a connection to {_mine(user, sk)}, which listens on {_unix_name(sk)}", "sk->sk_wq->wait",
                [f"a connect() to {_unix_name(sk)} from another task"])  # fmt: skip
    return f"a datagram for {_mine(user, sk)}", "sk->sk_wq->wait", _writers(session, user, sk)


def _listens(sk: object) -> bool:
    from kshell.abi.tcp import TCP_LISTEN

    return getattr(sk, "sk_state", 0) == TCP_LISTEN


def _data(session: Session, user: UserTask, local: Locals) -> Explained:
    sk = local["sk"]
    ends = _writers(session, user, sk)
    return f"data on {_mine(user, sk)}", "sk->sk_wq->wait", [*ends, "the peer's close() or shutdown(): end of file"]


def _send_room(session: Session, user: UserTask, local: Locals) -> Explained:
    sk = local["sk"]
    tcp = tcp_peer(session, sk)
    ends = [tcp] if tcp is not None else _unix_readers(session, user, sk)
    return (f"room in the send buffer of {_mine(user, sk)} (sk_sndbuf {getattr(sk, 'sk_sndbuf', 0)})", "sk->sk_wq->wait",
            _names(ends, "a read from") or ["the receiver, when it takes data"])  # fmt: skip


def _unix_readers(session: Session, user: UserTask, sk: object) -> list[Open]:
    mine = next((o for o in opened(user) if o.sk is sk), None)
    return ends_of(session, mine.file, write=False) if mine is not None else []


def _peer_room(session: Session, user: UserTask, local: Locals) -> Explained:
    other = local["other"]
    ends = [o for o in everything(session) if o.sk is other]
    full = "its backlog is full" if _listens(other) else "its receive queue is full"
    verb = "an accept() on" if _listens(other) else "a read from"
    return f"room at {ends[0] if ends else 'the receiver'}: {full}", "unix_sk(other)->peer_wait", _names(ends, verb)


def _connecting(session: Session, user: UserTask, local: Locals) -> Explained:
    sk = local["sk"]
    listeners = [o for o in everything(session) if o.listens and o.port == getattr(sk, "inet_dport", -1)]
    wakers = _names(listeners, "an accept() on") or [f"a SYN-ACK or RST from {_peer_address(sk)}"]
    return f"the answer of {_peer_address(sk)} to its SYN", "sk->sk_wq->wait", wakers


def _pipe_read(session: Session, user: UserTask, local: Locals) -> Explained:
    return _pipe(session, user, local, "data in the pipe", "pipe->rd_wait", True)


def _pipe_write(session: Session, user: UserTask, local: Locals) -> Explained:
    return _pipe(session, user, local, "room in the pipe", "pipe->wr_wait", False)


def _pipe(session: Session, user: UserTask, local: Locals, what: str, queue: str, reading: bool) -> Explained:
    iocb = local.get("iocb")
    file = getattr(iocb, "ki_filp", None)
    ends = ends_of(session, file, write=reading) if file is not None else []
    verb = "a write to" if reading else "a read from"
    end = ["the last writer's close(): end of file"] if reading else ["the last reader's close(): EPIPE"]
    fd = next((f" (fd {o.fd})" for o in opened(user) if o.file is file), "")
    return f"{what}{fd}", queue, [*_names(ends, verb), *end]


def _pipe_moves(session: Session, user: UserTask, local: Locals) -> Explained:
    return "the pipe: data on one side, or room on the other", "pipe->rd_wait or wr_wait", ["a write to or a read from the pipe"]


def _partner(session: Session, user: UserTask, local: Locals) -> Explained:
    side = "a writer" if local.get("counter") == "w_counter" else "a reader"
    flags = "O_WRONLY" if side == "a writer" else "O_RDONLY"
    return f"{side} to open the FIFO too", "pipe->rd_wait", [f"an open() of the same path with {flags}"]


def _child(session: Session, user: UserTask, local: Locals) -> Explained:
    children = [task for task in user.task.kernel.tasklist if task.real_parent is user.task]
    wakers = [f"exit() of pid {task.pid} ({task.comm})" for task in children] or ["the end of a child"]
    return "a child to end", "current->signal->wait_chldexit", wakers


def _polling(session: Session, user: UserTask, local: Locals) -> Explained:
    fds = [f"fd {getattr(pfd, 'fd', '?')}" for pfd in local.get("fds", ())]  # type: ignore[attr-defined]
    return f"{', '.join(fds) or 'nothing but time'} to become ready", "of each of these files", _any_end(session, user, fds)


def _selecting(session: Session, user: UserTask, local: Locals) -> Explained:
    fds = [f"fd {fd}" for fd in local.get("numbers", ())]  # type: ignore[attr-defined]
    return f"{', '.join(fds) or 'nothing but time'} to become ready", "of each of these files", _any_end(session, user, fds)


def _epoll(session: Session, user: UserTask, local: Locals) -> Explained:
    items = getattr(local.get("ep"), "rbr", None) or ()
    fds = [f"fd {fd}" for fd in sorted({_item_fd(item) for item in items} - {-1})]
    what = f"an event of {', '.join(fds)}" if fds else "an event; nothing is watched yet"
    return what, "ep->wq", _any_end(session, user, fds) or ["epoll_ctl(EPOLL_CTL_ADD) of something that is ready"]


def _item_fd(item: object) -> int:
    """The descriptor of an epitem, or of the key it is kept by."""
    if isinstance(item, tuple):
        return next((part for part in item if isinstance(part, int)), -1)
    ffd = getattr(item, "ffd", item)
    fd = getattr(ffd, "fd", -1)
    return fd if isinstance(fd, int) else -1


def _any_end(session: Session, user: UserTask, fds: list[str]) -> list[str]:
    wakers = []
    for each in opened(user):
        if f"fd {each.fd}" in fds:
            if each.listens:
                wakers.append(f"a connect() to {_own_address(each.sk) if each.family == AF_INET else _unix_name(each.sk)}")
            elif each.sk is not None:
                wakers += _writers(session, user, each.sk)
            else:
                wakers += _names(ends_of(session, each.file, write=True), "a write to")
    return wakers


def _sleep(session: Session, user: UserTask, local: Locals) -> Explained:
    return "time to pass", "", []


def _signal(session: Session, user: UserTask, local: Locals) -> Explained:
    return "a signal that has a handler", "", []


def _counter(session: Session, user: UserTask, local: Locals) -> Explained:
    return "the eventfd's counter", "ctx->wqh", ["a write() to (or a read() from) the same eventfd"]


def _timer(session: Session, user: UserTask, local: Locals) -> Explained:
    return "the timer to expire", "ctx->wqh", ["time, if timerfd_settime() has started it"]


def _queued_signal(session: Session, user: UserTask, local: Locals) -> Explained:
    return "a signal of the signalfd's mask", "current->sighand->signalfd_wqh", []


def _lock(session: Session, user: UserTask, local: Locals) -> Explained:
    return "a lock that another holds", "flc->flc_wait", ["the holder's unlock, close() or exit()"]


def _terminal(session: Session, user: UserTask, local: Locals) -> Explained:
    return "a line typed at the machine's terminal, where nobody sits", "tty->read_wait", []


def _vfork(session: Session, user: UserTask, local: Locals) -> Explained:
    child = local.get("child")
    pid = getattr(child, "pid", "?")
    return f"its vfork() child, pid {pid}, to exit or to run another program", "", [f"exit() or execve() of pid {pid}"]


WAITS: Final[dict[str, Callable[[Session, UserTask, Locals], Explained]]] = {
    "inet_csk_wait_for_connect": _accept, "__skb_wait_for_more_packets": _datagram, "sk_wait_data": _data,
    "unix_stream_data_wait": _data, "sk_stream_wait_memory": _send_room, "sock_wait_for_wmem": _send_room,
    "sock_alloc_send_pskb": _send_room, "unix_wait_for_peer": _peer_room, "inet_wait_for_connect": _connecting,
    "sk_stream_wait_connect": _connecting, "pipe_read": _pipe_read, "pipe_write": _pipe_write,
    "splice_from_pipe_next": _pipe_moves, "wait_for_space": _pipe_moves, "opipe_prep": _pipe_moves,
    "ipipe_prep": _pipe_moves, "wait_for_partner": _partner, "do_wait": _child, "do_poll": _polling,
    "do_select": _selecting, "ep_poll": _epoll, "do_nanosleep": _sleep, "sys_pause": _signal,
    "sys_rt_sigsuspend": _signal, "sys_rt_sigtimedwait": _signal, "eventfd_read": _counter, "eventfd_write": _counter,
    "timerfd_read": _timer, "signalfd_dequeue": _queued_signal, "locks_lock_inode_wait": _lock,
    "wait_for_vfork_done": _vfork, "tty_read": _terminal, "n_tty_read": _terminal,
}  # fmt: skip
"""The kernel's functions that sleep, and what they wait for; the innermost one in a chain counts."""

