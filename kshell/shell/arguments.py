"""One line about an argument of a system call, for the signature under the prompt."""

from __future__ import annotations

from typing import Final

from kshell.abi.syscalls import Param

BY_NAME: Final = {
    "addrlen": "bytes of the address: 16 for AF_INET, 28 for AF_INET6, 2 + the path's length for AF_UNIX",
    "addr_len": "bytes of the address: 16 for AF_INET, 28 for AF_INET6, 2 + the path's length for AF_UNIX",
    "backlog": "connections that may wait for accept()",
    "count": "how many bytes",
    "len": "how many bytes",
    "size": "how many bytes",
    "vlen": "how many pieces the vector has",
    "nfds": "how many descriptors to look at",
    "n": "the highest descriptor, plus 1",
    "timeout": "milliseconds; -1: for ever, 0: do not wait",
    "timeout_msecs": "milliseconds; -1: for ever, 0: do not wait",
    "maxevents": "how many events there is room for",
    "pid": "a process; 0: the caller, -1: all",
    "upid": "a child; -1: any, 0: any of the group",
    "error_code": "what the parent sees: the low 8 bits",
    "offset": "bytes from where `whence` says",
    "length": "how many bytes",
    "seconds": "seconds; 0: none",
    "newfd": "the number it gets; what is open there is closed",
    "optlen": "bytes of the option's value: 4 for an int",
}
"""By the parameter's name, where that tells more than its kind."""

BY_KIND: Final = {
    "fd": "an open descriptor",
    "dirfd": "a directory's descriptor, or AT_FDCWD",
    "path": 'a path, "/tmp/x"',
    "socktype": "SOCK_STREAM, SOCK_DGRAM, …; SOCK_NONBLOCK and SOCK_CLOEXEC may be or-ed",
    "protocol": "0: the usual one of family and type",
    "sockaddr": 'an address, {AF_INET, 80, "127.0.0.1"}; … or NULL: not wanted',
    "socklen": "[16]: the room there is; the kernel writes the length",
    "bytes": '"bytes", or ... for a buffer that kshell supplies',
    "optname": "an option of the level",
    "optval": "[1]: a pointer to the value",
    "iovec": '[{iov_base="hi", iov_len=2}]',
    "msghdr": '{msg_iov=[{"hi", 2}]}: address, pieces, control data',
    "mmsghdr": "[{msg_hdr={…}}]",
    "fdpair": "[...]: the two descriptors come back here",
    "signal": "a signal, SIGTERM; 0: only look whether it could be sent",
    "sigset": "a set of signals, [SIGINT SIGTERM]",
    "octal": "permissions, 0644",
    "open_mode": "permissions of a new file, 0644",
    "file_mode": "type and permissions, S_IFIFO|0644",
    "pollfds": "[{fd=3, events=POLLIN}]",
    "fdset": "a set of descriptors, [3 4]",
    "pointer": "an address, or NULL",
    "wstatus": "...: how the child ended comes back here",
    "id": "a user or group; -1: as it is",
    "offset": "[0]: where to begin, moved on; NULL: the file's own position",
    "fcntl": "what the command wants",
    "ioctl": "what the command wants",
    "dirents": "...: the entries come back here",
    "strings": '["name", "argument"]',
    "remaining": "...: the time that was left, if a signal ends the sleep; or NULL",
    "clone_flags": "SIGCHLD, CLONE_FILES|CLONE_VM|…",
}
"""By the parameter's kind (kshell.abi.syscalls.Kind.style)."""

_ENUM: Final = {"af": "the address family", "shutdown": "which direction", "whence": "from where the offset counts",
                "fcntl": "the command", "epoll_op": "add, change or remove", "clock": "which clock",
                "sockopt_level": "whose option: the socket's, IP's, TCP's"}  # fmt: skip


def about(param: Param) -> str:
    """What the argument is, in a line; "" where its type says all."""
    style, args = param.kind.style, param.kind.args
    if style == "flags" and args:
        return "flags, or-ed; 0: none"
    if style == "enum" and args:
        return _ENUM.get(args[0], "one of the names that Tab shows")
    if style == "struct" and args:
        return f"{{…}}: a struct {args[0]}" if param.kind.direction == "in" else f"...: a struct {args[0]} comes back"
    if param.name in BY_NAME and style in ("int", "uint", "hex", "fd"):
        return BY_NAME[param.name]
    return BY_KIND.get(style) or BY_NAME.get(param.name, "")
