"""include/net/scm.h: descriptors and credentials on their way between processes."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from kshell.abi.socket import MSG_CTRUNC, SCM_CREDENTIALS, SOL_SOCKET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_PASSCRED
from kshell.linux.include.linux.sched import PIDTYPE_TGID, pid
from kshell.linux.kernel.pid import get_pid, pid_vnr, put_pid
from kshell.linux.net.core import scm as scm_c
from kshell.linux.security.security import security_socket_getpeersec_dgram

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.user import user_struct
    from kshell.linux.include.net.af_unix import unix_edge, unix_vertex
    from kshell.linux.init.kernel import Kernel

SCM_MAX_FD: Final = 253
INVALID_ID: Final = 0xFFFFFFFF
OVERFLOW_ID: Final = 65534


class scm_creds:
    """pid, uid and gid as the receiver will see them."""

    __slots__ = ("gid", "pid", "uid")

    def __init__(self) -> None:
        self.pid = 0
        self.uid = self.gid = INVALID_ID


class scm_fp_list:
    """Files that travel with a message; count_unix of them are AF_UNIX sockets.

    dead: the garbage collector throws it away; vertices: nodes of its graph that are not in use.
    """

    __slots__ = ("_addr", "_size", "count_unix", "dead", "edges", "fp", "inflight", "max", "user", "vertices")
    _addr: int
    _size: int  # bytes kmalloc gave

    def __init__(self) -> None:
        self.fp: list[file] = []
        self.count_unix = 0
        self.max = SCM_MAX_FD
        self.inflight = self.dead = False
        self.vertices: list[unix_vertex] = []
        self.edges: list[unix_edge] = []
        self.user: user_struct | None = None

    @property
    def count(self) -> int:
        """How many files."""
        return len(self.fp)


class scm_cookie:
    """What goes with the message at hand, on the sending or the receiving side."""

    __slots__ = ("_kernel", "creds", "fp", "pid", "secid")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.pid: pid | None = None
        self.fp: scm_fp_list | None = None
        self.creds = scm_creds()
        self.secid = 0


def scm_set_cred(scm: scm_cookie, struct_pid: pid | None, uid: int, gid: int) -> None:
    """Set the credentials, with a reference to the pid."""
    if struct_pid is not None:
        get_pid(struct_pid)
    scm.pid = struct_pid
    scm.creds.pid = pid_vnr(struct_pid)
    scm.creds.uid = uid
    scm.creds.gid = gid


def scm_destroy_cred(scm: scm_cookie) -> None:
    """Drop the reference to the pid."""
    put_pid(scm._kernel, scm.pid)
    scm.pid = None


def scm_destroy(scm: scm_cookie) -> None:
    """Drop all that the cookie holds."""
    scm_destroy_cred(scm)
    if scm.fp is not None:
        scm_c.__scm_destroy(scm)


def unix_get_peersec_dgram(sock: socket, scm: scm_cookie) -> None:
    """Ask the security module for the sender's label."""
    security_socket_getpeersec_dgram(sock, None, scm)


def scm_send(sock: socket, msg: msghdr, scm: scm_cookie, forcecreds: bool) -> None:
    """Take over what the sender's control messages say. EINVAL, EBADF, EPERM, ESRCH."""
    if forcecreds:
        current = msg._current
        scm_set_cred(scm, current.signal.pids[PIDTYPE_TGID], current.cred.uid, current.cred.gid)
    unix_get_peersec_dgram(sock, scm)
    if msg.msg_controllen <= 0:
        return
    scm_c.__scm_send(sock, msg, scm)


def from_kuid_munged(uid: int) -> int:
    """A uid to show; the overflow uid for none."""
    return OVERFLOW_ID if uid == INVALID_ID else uid


def scm_recv(sock: socket, msg: msghdr, scm: scm_cookie, flags: int) -> None:
    """Hand the receiver what came with a message; what it has no room for is lost (MSG_CTRUNC)."""
    if not msg.msg_control_user:
        if sock.flags >> SOCK_PASSCRED & 1 or scm.fp is not None:
            msg.msg_flags |= MSG_CTRUNC
        scm_destroy(scm)
        return
    if sock.flags >> SOCK_PASSCRED & 1:
        creds = scm.creds
        ucred = struct.pack("<iII", creds.pid, from_kuid_munged(creds.uid), from_kuid_munged(creds.gid))
        with suppress(KernelError):  # Linux doesn't look at the result either
            scm_c.put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, len(ucred), ucred)
    scm_destroy_cred(scm)
    if scm.fp is not None:
        scm_c.scm_detach_fds(msg, scm)
