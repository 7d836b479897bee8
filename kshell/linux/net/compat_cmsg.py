"""Control messages for 32-bit receivers (net/compat.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.socket import MSG_CTRUNC, SCM_RIGHTS, SOL_SOCKET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.net.compat_msghdr import COMPAT_CMSG_HDRLEN
from kshell.linux.net.core import scm as scm_c

if TYPE_CHECKING:
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.scm import scm_cookie


def _space(length: int) -> int:
    return COMPAT_CMSG_HDRLEN + (length + 3 & ~3)


def put_cmsg_compat(msg: msghdr, level: int, type: int, length: int, data: bytes) -> None:
    """put_cmsg() with struct compat_cmsghdr (12 bytes, aligned to 4). EFAULT."""
    if not msg.msg_control_user or msg.msg_controllen < COMPAT_CMSG_HDRLEN:
        msg.msg_flags |= MSG_CTRUNC
        return
    cmlen = COMPAT_CMSG_HDRLEN + length
    if msg.msg_controllen < cmlen:
        msg.msg_flags |= MSG_CTRUNC
        cmlen = msg.msg_controllen
    header = struct.pack("<Iii", cmlen, level, type)
    copy_to_user(msg._current, msg.msg_control_user, header + data[: cmlen - COMPAT_CMSG_HDRLEN])
    taken = min(_space(length), msg.msg_controllen)
    msg.msg_control_user += taken
    msg.msg_controllen -= taken


def scm_max_fds_compat(msg: msghdr) -> int:
    """How many descriptors the receiver has room for."""
    return max(msg.msg_controllen - COMPAT_CMSG_HDRLEN, 0) // 4


def scm_detach_fds_compat(msg: msghdr, scm: scm_cookie) -> None:
    """scm_detach_fds() for a 32-bit receiver."""
    assert scm.fp is not None
    count = scm.fp.count
    fdmax = min(scm_max_fds_compat(msg), count)
    control = msg.msg_control_user
    done = scm_c._receive_fds(msg, scm, fdmax, control + COMPAT_CMSG_HDRLEN)
    if done:
        try:
            header = struct.pack("<Iii", COMPAT_CMSG_HDRLEN + 4 * done, SOL_SOCKET, SCM_RIGHTS)
            copy_to_user(msg._current, control, header)
            taken = min(_space(4 * done), msg.msg_controllen)
            msg.msg_control_user += taken
            msg.msg_controllen -= taken
        except KernelError:
            pass  # the descriptors stay open, as in Linux
    if done < count or (count and fdmax <= 0):
        msg.msg_flags |= MSG_CTRUNC
    scm_c.__scm_destroy(scm)
