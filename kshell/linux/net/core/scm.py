"""Control messages of sendmsg() and recvmsg() (net/core/scm.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from kshell.abi.capability import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
from kshell.abi.errno import EBADF, EINVAL, EPERM, ESRCH
from kshell.abi.fcntl import O_CLOEXEC
from kshell.abi.socket import (
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    PF_UNIX,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SOL_SOCKET,
)
from kshell.linux.fs.file import fget_raw, receive_fd_user
from kshell.linux.fs.file_table import fput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.socket import (
    CMSG_HDRLEN,
    CMSG_LEN,
    MSG_CMSG_COMPAT,
    cmsghdr,
    for_each_cmsghdr,
)
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.include.net import scm as scm_h
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.pid import find_vpid, get_pid, pid_vnr, put_pid
from kshell.linux.kernel.user import _current_user, free_uid, get_uid
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net import compat_cmsg
from kshell.linux.net.unix import garbage

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.scm import scm_cookie, scm_fp_list
    from kshell.linux.init.kernel import Kernel

FPL_HEAD: Final = 40  # offsetof(struct scm_fp_list, fp)
SIZEOF_UCRED: Final = 12


def scm_check_creds(current: task_struct, pid: int, uid: int, gid: int) -> None:
    """EPERM: current may not pass for this process; EINVAL: no such ids."""
    cred = current.cred
    if uid == scm_h.INVALID_ID or gid == scm_h.INVALID_ID:
        raise KernelError(EINVAL)
    ns = cred.user_ns
    if (
        (pid == current.tgid or ns_capable(current, ns, CAP_SYS_ADMIN))
        and (uid in (cred.uid, cred.euid, cred.suid) or ns_capable(current, ns, CAP_SETUID))
        and (gid in (cred.gid, cred.egid, cred.sgid) or ns_capable(current, ns, CAP_SETGID))
    ):
        return
    raise KernelError(EPERM)


def _alloc_fpl(kernel: Kernel, slots: int) -> scm_fp_list:
    size = FPL_HEAD + 8 * slots
    fpl = kzalloc(kernel, scm_h.scm_fp_list, size)
    fpl._size = size
    return fpl


def scm_fp_copy(current: task_struct, cmsg: cmsghdr, p: scm_cookie) -> None:
    """SCM_RIGHTS: take references to the files named. EBADF, EINVAL: more than 253."""
    num = (cmsg.cmsg_len - CMSG_HDRLEN) // 4
    if num <= 0:
        return
    if num > scm_h.SCM_MAX_FD:
        raise KernelError(EINVAL)
    fpl = p.fp
    if fpl is None:
        fpl = p.fp = _alloc_fpl(current.kernel, scm_h.SCM_MAX_FD)
    if fpl.count + num > fpl.max:
        raise KernelError(EINVAL)
    for (fd,) in struct.iter_unpack("<i", cmsg._data[: num * 4]):
        filp = fget_raw(current, fd) if fd >= 0 else None
        if filp is None:
            raise KernelError(EBADF)
        if garbage.unix_get_socket(filp) is not None:
            fpl.count_unix += 1
        fpl.fp.append(filp)
    if fpl.user is None:
        fpl.user = _current_user(current)


def __scm_destroy(scm: scm_cookie) -> None:
    """Drop the files."""
    fpl = scm.fp
    if fpl is None:
        return
    scm.fp = None
    for filp in reversed(fpl.fp):
        fput(filp)
    free_uid(fpl.user)
    kfree(scm._kernel, fpl, fpl._size)


def _scm_credentials(current: task_struct, cmsg: cmsghdr, p: scm_cookie) -> None:
    """SCM_CREDENTIALS: EINVAL, EPERM, ESRCH."""
    if cmsg.cmsg_len != CMSG_LEN(SIZEOF_UCRED):
        raise KernelError(EINVAL)
    pid, uid, gid = struct.unpack("<iII", cmsg._data[:SIZEOF_UCRED])
    scm_check_creds(current, pid, uid, gid)
    p.creds.pid = pid
    if p.pid is None or pid_vnr(p.pid) != pid:
        found = find_vpid(current, pid)
        if found is None:
            raise KernelError(ESRCH)
        put_pid(current.kernel, p.pid)
        p.pid = get_pid(found)
    p.creds.uid = uid
    p.creds.gid = gid


def __scm_send(sock: socket, msg: msghdr, p: scm_cookie) -> None:
    current = msg._current
    try:
        for cmsg in for_each_cmsghdr(msg):
            if cmsg is None:
                raise KernelError(EINVAL)
            if cmsg.cmsg_level != SOL_SOCKET:
                continue
            if cmsg.cmsg_type == SCM_RIGHTS:
                if sock.ops is None or sock.ops.family != PF_UNIX:
                    raise KernelError(EINVAL)
                scm_fp_copy(current, cmsg, p)
            elif cmsg.cmsg_type == SCM_CREDENTIALS:
                _scm_credentials(current, cmsg, p)
            else:
                raise KernelError(EINVAL)
    except KernelError:
        scm_h.scm_destroy(p)
        raise


class cmsg_layout(NamedTuple):
    """struct cmsghdr as a receiver has it, and the size of the words that messages are aligned to."""

    header: struct.Struct
    word: int


NATIVE: Final = cmsg_layout(struct.Struct("<Qii"), 8)


def _take_room(msg: msghdr, layout: cmsg_layout, length: int) -> None:
    taken = min(layout.header.size + (length + layout.word - 1 & -layout.word), msg.msg_controllen)
    msg.msg_control_user += taken
    msg.msg_controllen -= taken


def _put_cmsg(msg: msghdr, layout: cmsg_layout, level: int, type: int, length: int, data: bytes) -> None:
    hdrlen = layout.header.size
    if not msg.msg_control_user or msg.msg_controllen < hdrlen:
        msg.msg_flags |= MSG_CTRUNC
        return
    cmlen = hdrlen + length
    if msg.msg_controllen < cmlen:
        msg.msg_flags |= MSG_CTRUNC
        cmlen = msg.msg_controllen
    header = layout.header.pack(cmlen, level, type)
    copy_to_user(msg._current, msg.msg_control_user, header + data[: cmlen - hdrlen])
    _take_room(msg, layout, length)


def put_cmsg(msg: msghdr, level: int, type: int, length: int, data: bytes) -> None:
    """Give the receiver a control message, cut to the room there is (MSG_CTRUNC). EFAULT."""
    if msg.msg_flags & MSG_CMSG_COMPAT:
        compat_cmsg.put_cmsg_compat(msg, level, type, length, data)
    else:
        _put_cmsg(msg, NATIVE, level, type, length, data)


def scm_max_fds(msg: msghdr) -> int:
    """How many descriptors the receiver has room for."""
    return max(msg.msg_controllen - CMSG_HDRLEN, 0) // 4


def _receive_fds(msg: msghdr, scm: scm_cookie, fdmax: int, data: int) -> int:
    """Install the first fdmax files, their numbers going to data; how many it were."""
    fpl = scm.fp
    assert fpl is not None
    o_flags = O_CLOEXEC if msg.msg_flags & MSG_CMSG_CLOEXEC else 0
    done = 0
    for filp in fpl.fp[:fdmax]:
        try:
            receive_fd_user(msg._current, filp, data + 4 * done, o_flags)
        except KernelError:
            break
        done += 1
    return done


def _detach_fds(msg: msghdr, layout: cmsg_layout, scm: scm_cookie, room: int) -> None:
    assert scm.fp is not None
    count = scm.fp.count
    fdmax = min(room, count)
    control, hdrlen = msg.msg_control_user, layout.header.size
    done = _receive_fds(msg, scm, fdmax, control + hdrlen)
    if done:
        try:
            copy_to_user(msg._current, control, layout.header.pack(hdrlen + 4 * done, SOL_SOCKET, SCM_RIGHTS))
            _take_room(msg, layout, 4 * done)
        except KernelError:
            pass  # the descriptors stay open, as in Linux
    if done < count or (count and fdmax <= 0):
        msg.msg_flags |= MSG_CTRUNC
    __scm_destroy(scm)


def scm_detach_fds(msg: msghdr, scm: scm_cookie) -> None:
    """Give the receiver descriptors for the files; those without room are closed (MSG_CTRUNC)."""
    if msg.msg_flags & MSG_CMSG_COMPAT:
        compat_cmsg.scm_detach_fds_compat(msg, scm)
    else:
        _detach_fds(msg, NATIVE, scm, scm_max_fds(msg))


def scm_fp_dup(kernel: Kernel, fpl: scm_fp_list | None) -> scm_fp_list | None:
    """The same files again, with references of their own."""
    if fpl is None:
        return None
    new = _alloc_fpl(kernel, fpl.count)
    new.fp = list(fpl.fp)
    for filp in new.fp:
        filp.f_count += 1
    new.count_unix = fpl.count_unix
    new.max = new.count
    new.user = get_uid(fpl.user) if fpl.user is not None else None
    return new
