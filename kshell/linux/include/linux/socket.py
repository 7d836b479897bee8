"""include/linux/socket.h: messages on their way between user and socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.uio import iov_iter

SOCKADDR_STORAGE_SIZE = 128
MSG_SENDPAGE_NOTLAST = 0x20000  # more pages follow
MSG_CMSG_COMPAT = 0x80000000  # the caller runs in 32-bit mode


class user_msghdr:
    """struct msghdr as user space lays it out; pointers are user addresses (ints)."""

    __slots__ = ("msg_control", "msg_controllen", "msg_flags", "msg_iov", "msg_iovlen", "msg_name", "msg_namelen")

    def __init__(
        self, msg_name: int, msg_namelen: int, msg_iov: int, msg_iovlen: int, msg_control: int,
        msg_controllen: int, msg_flags: int,
    ) -> None:  # fmt: skip
        self.msg_name = msg_name
        self.msg_namelen = msg_namelen
        self.msg_iov = msg_iov
        self.msg_iovlen = msg_iovlen
        self.msg_control = msg_control
        self.msg_controllen = msg_controllen
        self.msg_flags = msg_flags


class msghdr:
    """A message inside the kernel.

    Sending: msg_name is the address given (bytes) or None, msg_control the ancillary bytes copied from user.
    Receiving: `if msg->msg_name` of Linux is `if msg._want_name`; the protocol then sets msg_name (bytes) and
    msg_namelen. put_cmsg() writes to msg_control_user and moves it on.
    """

    __slots__ = (
        "_current",
        "_want_name",
        "msg_control",
        "msg_control_user",
        "msg_controllen",
        "msg_flags",
        "msg_get_inq",
        "msg_inq",
        "msg_iocb",
        "msg_iter",
        "msg_name",
        "msg_namelen",
        "msg_ubuf",
    )  # fmt: skip
    msg_name: bytes | None
    msg_namelen: int
    msg_inq: int
    msg_iter: iov_iter
    msg_control: bytes  # sending: the control messages; b"" if none
    msg_control_user: int  # receiving: where put_cmsg() writes next, 0 if the caller takes none
    msg_get_inq: bool
    msg_flags: int
    msg_controllen: int
    msg_iocb: object | None
    msg_ubuf: object | None
    _want_name: bool  # receiving: Linux's msg_name != NULL
    _current: task_struct  # whose memory msg_control_user is in

    def __init__(self, current: task_struct, msg_iter: iov_iter, msg_flags: int = 0) -> None:
        self._current = current
        self.msg_iter = msg_iter
        self.msg_flags = msg_flags
        self.msg_name = self.msg_iocb = self.msg_ubuf = None
        self.msg_control = b""
        self.msg_namelen = self.msg_inq = self.msg_control_user = self.msg_controllen = 0
        self.msg_get_inq = self._want_name = False


class cmsghdr:
    """One control message taken from the bytes a sender gave."""

    __slots__ = ("_data", "cmsg_len", "cmsg_level", "cmsg_type")

    def __init__(self, cmsg_len: int, cmsg_level: int, cmsg_type: int, data: bytes) -> None:
        self.cmsg_len = cmsg_len
        self.cmsg_level = cmsg_level
        self.cmsg_type = cmsg_type
        self._data = data  # CMSG_DATA(cmsg), cmsg_len - sizeof(struct cmsghdr) bytes


CMSG_HDRLEN = 16


def CMSG_ALIGN(length: int) -> int:
    """Round a control message's length up to sizeof(long)."""
    return (length + 7) & ~7


def CMSG_LEN(length: int) -> int:
    """Value of cmsg_len for `length` bytes of data."""
    return CMSG_HDRLEN + length


def for_each_cmsghdr(msg: msghdr) -> list[cmsghdr | None]:
    """The control messages of a message to send; a malformed one (CMSG_OK fails) ends the list as None."""
    out: list[cmsghdr | None] = []
    control = msg.msg_control
    end = len(control)
    at = 0
    while at + CMSG_HDRLEN <= end:
        length = int.from_bytes(control[at : at + 8], "little")
        if length < CMSG_HDRLEN or length > end - at:
            out.append(None)
            break
        level = int.from_bytes(control[at + 8 : at + 12], "little", signed=True)
        kind = int.from_bytes(control[at + 12 : at + 16], "little", signed=True)
        out.append(cmsghdr(length, level, kind, control[at + 16 : at + length]))
        at += CMSG_ALIGN(length)
    return out
