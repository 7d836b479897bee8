"""net/compat.c: message headers and control messages of 32-bit senders and receivers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENOBUFS
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.socket import CMSG_ALIGN, CMSG_HDRLEN, user_msghdr
from kshell.linux.include.linux.uaccess import copy_from_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.sock import sock

_MSGHDR = struct.Struct("<IiIIIII")
_CMSGHDR = struct.Struct("<Iii")
COMPAT_CMSG_HDRLEN = 12


def get_compat_msghdr(current: task_struct, umsg: int) -> user_msghdr:
    """A 32-bit struct msghdr from user memory. EFAULT."""
    return user_msghdr(*_MSGHDR.unpack(copy_from_user(current, umsg, _MSGHDR.size)))


def cmsghdr_from_user_compat_to_kern(kmsg: msghdr, sk: sock) -> None:
    """Fetch 32-bit control messages and lay them out as the kernel has them. EINVAL, ENOBUFS, EFAULT."""
    data = copy_from_user(kmsg._current, kmsg.msg_control_user, kmsg.msg_controllen)
    out = bytearray()
    at, end = 0, len(data)
    while at + COMPAT_CMSG_HDRLEN <= end:
        length, level, kind = _CMSGHDR.unpack_from(data, at)
        if length < COMPAT_CMSG_HDRLEN or length > end - at:
            raise KernelError(EINVAL)
        payload = data[at + COMPAT_CMSG_HDRLEN : at + length]
        out += struct.pack("<Qii", CMSG_HDRLEN + len(payload), level, kind) + payload
        out += bytes(CMSG_ALIGN(len(payload)) - len(payload))
        at += (length + 3) & ~3
    if not out:
        raise KernelError(EINVAL)
    if len(out) > sk.skc_net.kernel.sysctl_optmem_max:
        raise KernelError(ENOBUFS)
    kmsg.msg_control = bytes(out)
    kmsg.msg_controllen = len(out)
