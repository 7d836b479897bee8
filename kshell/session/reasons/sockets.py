"""What a session's tasks have open: descriptors by kind, ports, listeners, who is at the other end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_LISTEN
from kshell.lens.open_files import open_files, sock_of

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask


class Open:
    """An open descriptor of a task."""

    __slots__ = ("fd", "file", "user")

    def __init__(self, user: UserTask, fd: int, file: object) -> None:
        self.user = user
        self.fd = fd
        self.file = file

    @property
    def sk(self) -> object | None:
        """Its struct sock, if it is a socket."""
        sk: object | None = sock_of(self.file)
        return sk

    @property
    def port(self) -> int:
        """The local port of an AF_INET socket; 0 if it has none."""
        return getattr(self.sk, "inet_num", 0) or 0

    @property
    def listens(self) -> bool:
        """Whether connections can be made to it."""
        return getattr(self.sk, "sk_state", 0) == TCP_LISTEN

    @property
    def family(self) -> int:
        """AF_… of a socket, 0 otherwise."""
        return getattr(self.sk, "sk_family", 0) or 0

    def __str__(self) -> str:
        return f"fd {self.fd} of task {self.user.name}"


def opened(user: UserTask) -> list[Open]:
    """What a task has open."""
    files = user.task.files
    return [Open(user, fd, file) for fd, file in open_files(files)] if files is not None else []


def everything(session: Session) -> Iterator[Open]:
    """What all tasks have open, one after another."""
    for host in session.hosts:
        for user in host.tasks:
            if not user.dead:
                yield from opened(user)


def free_port(session: Session, wanted: int) -> int:
    """A port that no socket of the session has, another than `wanted`."""
    taken = {found.port for found in everything(session)} | {wanted}
    return next(port for port in range(8080, 65536) if port not in taken)


def ends_of(session: Session, file: object, write: bool) -> list[Open]:
    """The descriptors through which the other end of a pipe or a connection is written (or read)."""
    others = other_ends(file)
    found = [o for o in everything(session) if any(o.file is e or o.sk is e for e in others)]
    pipe = getattr(file, "private_data", None)
    if pipe is not None and getattr(file, "sk", None) is None and hasattr(pipe, "ring_size"):
        mode = 2 if write else 1
        found = [o for o in everything(session) if getattr(o.file, "private_data", None) is pipe and _mode(o) & mode]
    return found


def other_ends(file: object) -> list[object]:
    """The struct sock at the other end of a socket."""
    sk = sock_of(file)
    peer = getattr(sk, "peer", None)
    return [peer] if peer is not None else []


def tcp_peer(session: Session, sk: object) -> Open | None:
    """The descriptor of the other end of a TCP connection within the session."""
    ends = (getattr(sk, "inet_num", 0), getattr(sk, "inet_dport", 0))
    for found in everything(session):
        other = found.sk
        its = (getattr(other, "inet_dport", 0), getattr(other, "inet_num", 0))
        if other is not None and other is not sk and all(ends) and its == ends:
            return found
    return None


def _mode(found: Open) -> int:
    """FMODE_READ 1 and FMODE_WRITE 2 of a file."""
    return int(getattr(found.file, "f_mode", 0)) & 3
