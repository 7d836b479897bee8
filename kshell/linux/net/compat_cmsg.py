"""Control messages for 32-bit receivers (net/compat.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.linux.net.compat_msghdr import COMPAT_CMSG_HDRLEN
from kshell.linux.net.core import scm as scm_c

if TYPE_CHECKING:
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.scm import scm_cookie

_CMSGHDR = struct.Struct("<Iii")


def put_cmsg_compat(msg: msghdr, level: int, type: int, length: int, data: bytes) -> None:
    """put_cmsg() with struct compat_cmsghdr (12 bytes, aligned to 4). EFAULT."""
    scm_c._put_cmsg(msg, scm_c.cmsg_layout(_CMSGHDR, 4), level, type, length, data)


def scm_max_fds_compat(msg: msghdr) -> int:
    """How many descriptors the receiver has room for."""
    return max(msg.msg_controllen - COMPAT_CMSG_HDRLEN, 0) // 4


def scm_detach_fds_compat(msg: msghdr, scm: scm_cookie) -> None:
    """scm_detach_fds() for a 32-bit receiver."""
    scm_c._detach_fds(msg, scm_c.cmsg_layout(_CMSGHDR, 4), scm, scm_max_fds_compat(msg))
