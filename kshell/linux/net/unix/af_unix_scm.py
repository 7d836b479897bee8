"""Descriptors and credentials that travel with AF_UNIX messages (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from kshell.abi.errno import ETOOMANYREFS
from kshell.abi.resource import RLIMIT_NOFILE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_PASSCRED
from kshell.linux.include.linux.sched import PIDTYPE_TGID
from kshell.linux.include.net.af_unix import UNIXCB, unix_skb_parms
from kshell.linux.include.net.scm import scm_cookie, scm_destroy
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.pid import get_pid
from kshell.linux.net.core.scm import scm_fp_dup
from kshell.linux.net.core.sock_mem import sock_wfree
from kshell.linux.net.unix.garbage import unix_add_edges, unix_del_edges, unix_destroy_fpl, unix_prepare_fpl

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.af_unix import unix_sock


def too_many_unix_fds(p: task_struct) -> bool:
    """Whether the user has more descriptors in flight than it may have open."""
    user = p.cred.user
    if user.unix_inflight <= p.signal.rlim[RLIMIT_NOFILE][0]:
        return False
    return not capable(p, CAP_SYS_RESOURCE) and not capable(p, CAP_SYS_ADMIN)


def unix_attach_fds(scm: scm_cookie, skb: sk_buff) -> None:
    """Let a message carry the cookie's files. ETOOMANYREFS."""
    kernel = scm._kernel
    if too_many_unix_fds(kernel.current):
        raise KernelError(ETOOMANYREFS)
    fpl = UNIXCB(skb).fp = scm_fp_dup(kernel, scm.fp)
    assert fpl is not None
    unix_prepare_fpl(kernel, fpl)


def unix_detach_fds(scm: scm_cookie, skb: sk_buff) -> None:
    """Take the files out of a message."""
    cb = UNIXCB(skb)
    scm.fp = cb.fp
    cb.fp = None
    assert scm.fp is not None
    unix_destroy_fpl(scm._kernel, scm.fp)


def unix_peek_fds(scm: scm_cookie, skb: sk_buff) -> None:
    """MSG_PEEK: references of our own to the message's files."""
    scm.fp = scm_fp_dup(scm._kernel, UNIXCB(skb).fp)


def unix_destruct_scm(skb: sk_buff) -> None:
    """A message is freed: let go of what it carries."""
    assert skb.sk is not None
    scm = scm_cookie(skb.sk.skc_net.kernel)
    cb = UNIXCB(skb)
    scm.pid = cb.pid
    cb.pid = None
    if cb.fp is not None:
        unix_detach_fds(scm, skb)
    scm_destroy(scm)


def unix_wfree(skb: sk_buff) -> None:
    """Destructor of messages."""
    unix_destruct_scm(skb)
    sock_wfree(skb)


def unix_scm_to_skb(scm: scm_cookie, skb: sk_buff, send_fds: bool) -> None:
    """Let a message carry what the cookie holds. ETOOMANYREFS."""
    cb = skb.cb = unix_skb_parms()
    if scm.pid is not None:
        cb.pid = get_pid(scm.pid)
    cb.uid = scm.creds.uid
    cb.gid = scm.creds.gid
    cb.secid = scm.secid
    skb.destructor = unix_wfree
    if scm.fp is not None and send_fds:
        unix_attach_fds(scm, skb)


def unix_passcred_enabled(sock: socket, other: unix_sock) -> bool:
    """Whether one of the ends wants credentials (SO_PASSCRED), or will be accepted only later."""
    if sock.flags >> SOCK_PASSCRED & 1 or other.sk_socket is None:
        return True
    return bool(other.sk_socket.flags >> SOCK_PASSCRED & 1)


def maybe_add_creds(skb: sk_buff, sock: socket, other: unix_sock) -> None:
    """Add current's credentials unless the sender gave some."""
    cb = UNIXCB(skb)
    if cb.pid is not None:
        return
    if unix_passcred_enabled(sock, other):
        current = other.skc_net.kernel.current
        tgid = current.signal.pids[PIDTYPE_TGID]
        cb.pid = get_pid(tgid) if tgid is not None else None
        cb.uid = current.cred.uid
        cb.gid = current.cred.gid


def maybe_init_creds(scm: scm_cookie, sock: socket, other: unix_sock) -> None:
    """maybe_add_creds() for data without a message."""
    if unix_passcred_enabled(sock, other):
        current = scm._kernel.current
        tgid = current.signal.pids[PIDTYPE_TGID]
        scm.pid = get_pid(tgid) if tgid is not None else None
        scm.creds.uid = current.cred.uid
        scm.creds.gid = current.cred.gid


def unix_skb_scm_eq(skb: sk_buff, scm: scm_cookie) -> bool:
    """Whether a message comes from the same writer."""
    cb = UNIXCB(skb)
    return cb.pid is scm.pid and cb.uid == scm.creds.uid and cb.gid == scm.creds.gid and cb.secid == scm.secid


def scm_stat_add(sk: unix_sock, skb: sk_buff) -> None:
    """Count the files of a message put into sk's queue."""
    fp = UNIXCB(skb).fp
    if fp is not None and fp.count:
        sk.scm_stat.nr_fds += fp.count
        unix_add_edges(fp, sk)


def scm_stat_del(sk: unix_sock, skb: sk_buff) -> None:
    """Count the files of a message taken out of sk's queue."""
    fp = UNIXCB(skb).fp
    if fp is not None and fp.count:
        sk.scm_stat.nr_fds -= fp.count
        unix_del_edges(fp)
