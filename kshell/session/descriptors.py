"""What an open descriptor is, in a few words: `TCP listening 127.0.0.1:80`, `pipe, read end`, `/dev/null`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.fcntl import O_ACCMODE, O_WRONLY
from kshell.abi.socket import SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM
from kshell.abi.tcp import TCP_CLOSE, TCP_ESTABLISHED, TCP_LISTEN
from kshell.lens import names
from kshell.lens.open_files import open_file
from kshell.session.commands import CommandError

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.session.session import Session

_TYPES = {SOCK_STREAM: "stream", SOCK_DGRAM: "dgram", SOCK_RAW: "raw", SOCK_SEQPACKET: "seqpacket"}


def descriptor_of(session: Session, word: str) -> tuple[int, file]:
    """The number that a command's word means, and the current task's file. CommandError: it is not open."""
    number = session.number(word)
    found = open_file(session.task.files, number)
    if found is None:
        raise CommandError(f"descriptor {number} is not open in {session.task_name}", "fds lists the open ones")
    return number, found


def described(file: object) -> str:
    """What the struct file of a descriptor is."""
    private = getattr(file, "private_data", None)
    sk = getattr(private, "sk", None)
    if sk is not None:
        return _socket(sk)
    if type(private).__name__ == "pipe_inode_info":
        return "pipe, write end" if getattr(file, "f_flags", 0) & O_ACCMODE == O_WRONLY else "pipe, read end"
    return names.path_of(file)


def _socket(sk: object) -> str:
    protocol = str(getattr(getattr(sk, "sk_prot", None), "name", "socket"))
    if protocol.startswith("UNIX"):
        return _unix(sk)
    local, peer = _end(sk, "inet_rcv_saddr", "inet_num"), _end(sk, "inet_daddr", "inet_dport")
    state = getattr(sk, "sk_state", TCP_CLOSE)
    if peer:
        return f"{protocol} {_state(state)} {local} - {peer}"
    if protocol == "TCP" and state == TCP_CLOSE and not local:
        return "TCP unconnected"
    word = "listening" if state == TCP_LISTEN else "bound to" if local else "unbound"
    return f"{protocol} {word} {local}".rstrip()


def _state(state: int) -> str:
    return "connected" if state == TCP_ESTABLISHED else names.constant("sk_state", state).removeprefix("TCP_").lower()


def _end(sk: object, address: str, port: str) -> str:
    number, where = getattr(sk, port, 0) or 0, getattr(sk, address, 0) or 0
    return f"{names.ipv4(where)}:{number}" if number else ""


def _unix(sk: object) -> str:
    kind = _TYPES.get(getattr(sk, "sk_type", 0), "")
    address = names.unix_address(getattr(sk, "addr", None)) if getattr(sk, "addr", None) is not None else ""
    listening = getattr(sk, "sk_state", 0) == TCP_LISTEN
    peer = "connected" if getattr(sk, "peer", None) is not None else ""
    return " ".join(filter(None, ("UNIX", kind, "listening" if listening else peer, address)))
