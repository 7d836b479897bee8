"""Reading from AF_UNIX streams (net/unix/af_unix.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, ECONNRESET, EFAULT, EINVAL, ESPIPE
from kshell.abi.fcntl import O_NONBLOCK, SPLICE_F_NONBLOCK
from kshell.abi.socket import MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_WAITALL
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.fs.splice_to_pipe import skb_splice_bits
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_PASSCRED
from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.skbuff import __skb_unlink, skb_get
from kshell.linux.include.net.af_unix import UNIXCB, unix_sk
from kshell.linux.include.net.scm import scm_cookie, scm_destroy, scm_recv, scm_set_cred
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SOCK_DEAD, SOCK_URGINLINE, sock_error, sock_flag
from kshell.linux.include.net.sock_peek import sk_peek_offset, sk_peek_offset_bwd, sk_peek_offset_fwd
from kshell.linux.include.net.sock_wait import sk_sleep, sock_intr_errno, sock_rcvlowat, sock_rcvtimeo
from kshell.linux.kernel.sched.wait import finish_wait, init_wait, prepare_to_wait
from kshell.linux.kernel.time.timer import schedule_timeout
from kshell.linux.net.core.datagram import skb_copy_datagram_msg
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb, skb_unlink
from kshell.linux.net.unix.af_unix_dgram import unix_copy_addr
from kshell.linux.net.unix.af_unix_peer import unix_skb_len
from kshell.linux.net.unix.af_unix_scm import scm_stat_del, unix_detach_fds, unix_peek_fds, unix_skb_scm_eq

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.af_unix import unix_sock


class unix_stream_read_state:
    """One read: where to, how much, and how far it has come.

    recv_actor(skb, skip, chunk, state) hands out bytes. The second row are local variables of
    unix_stream_read_generic() in Linux; errors are positive there.
    """

    __slots__ = (
        "check_creds",
        "copied",
        "err",
        "flags",
        "last",
        "last_len",
        "msg",
        "pipe",
        "recv_actor",
        "scm",
        "size",
        "skip",
        "socket",
        "splice_flags",
        "target",
        "timeo",
    )  # fmt: skip
    timeo: int
    target: int

    def __init__(
        self,
        recv_actor: Callable[[sk_buff, int, int, unix_stream_read_state], int],
        sock: socket,
        size: int,
        flags: int,
        msg: msghdr | None = None,
        pipe: pipe_inode_info | None = None,
        splice_flags: int = 0,
    ) -> None:
        self.recv_actor = recv_actor
        self.socket = sock
        self.msg = msg
        self.pipe = pipe
        self.size = size
        self.flags = flags
        self.splice_flags = splice_flags
        self.check_creds = False
        self.copied = self.err = self.skip = self.last_len = 0
        self.last: sk_buff | None = None
        assert sock.sk is not None
        self.scm = scm_cookie(sock.sk.skc_net.kernel)
        self.scm.creds.uid = self.scm.creds.gid = 0


async def unix_stream_data_wait(sk: unix_sock, timeo: int, last: sk_buff | None, last_len: int) -> int:
    """Sleep until the end of the queue changes; the jiffies left."""
    kernel = sk.skc_net.kernel
    current = kernel.current
    entry = init_wait(current)
    queue = sk.sk_receive_queue
    wq = sk_sleep(sk)
    while True:
        prepare_to_wait(wq, entry, TASK_INTERRUPTIBLE)
        tail = queue.prev
        if (
            tail is not last
            or (tail is not None and tail.len != last_len)
            or sk.sk_err
            or sk.sk_shutdown & RCV_SHUTDOWN
            or signal_pending(current)
            or not timeo
        ):
            break
        timeo = await schedule_timeout(kernel, timeo)
        if sock_flag(sk, SOCK_DEAD):
            break
    finish_wait(wq, entry)
    return timeo


def unix_stream_recv_urg(state: unix_stream_read_state) -> int:
    """MSG_OOB: the byte that was sent out of band. EINVAL: there is none; EFAULT."""
    assert state.socket.sk is not None
    assert state.msg is not None
    sk = unix_sk(state.socket.sk)
    oob_skb = sk.oob_skb
    if sock_flag(sk, SOCK_URGINLINE) or oob_skb is None:
        raise KernelError(EINVAL)
    read_skb = None
    peek = state.flags & MSG_PEEK
    if not peek:
        sk.oob_skb = None
        before = oob_skb.prev
        if before is not None and not unix_skb_len(before):
            read_skb = before
            __skb_unlink(read_skb, sk.sk_receive_queue)
    try:
        state.recv_actor(oob_skb, 0, 1, state)
    except KernelError:
        raise KernelError(EFAULT) from None
    finally:
        if not peek:
            UNIXCB(oob_skb).consumed += 1
        consume_skb(read_skb)
    state.msg.msg_flags |= MSG_OOB
    return 1


def manage_oob(skb: sk_buff, sk: unix_sock, flags: int, copied: int) -> sk_buff | None:
    """What a normal read does at skb: it stops before the out-of-band byte, or passes over it."""
    unlinked_skb = None
    following: sk_buff | None = skb
    if not flags & MSG_PEEK and not unix_skb_len(skb):
        skb_unlink(skb, sk.sk_receive_queue)
        consume_skb(skb)
        return None
    if skb is sk.oob_skb:
        if copied:
            following = None
        elif not flags & MSG_PEEK:
            sk.oob_skb = None
            if not sock_flag(sk, SOCK_URGINLINE):
                __skb_unlink(skb, sk.sk_receive_queue)
                unlinked_skb = skb
                following = sk.sk_receive_queue.next
        elif not sock_flag(sk, SOCK_URGINLINE):
            following = skb.next
    kfree_skb(unlinked_skb)
    return following


def _find_skb(sk: unix_sock, state: unix_stream_read_state, skb: sk_buff | None) -> sk_buff | None:
    """From skb on, the message to read from, past the bytes that a peek offset skips."""
    while skb is not None:
        skb = manage_oob(skb, sk, state.flags, state.copied)
        if skb is None:
            return None
        while skb is not None and state.skip >= unix_skb_len(skb):
            state.skip -= unix_skb_len(skb)
            state.last = skb
            state.last_len = skb.len
            skb = skb.next
        if skb is not None:
            return skb
    return None


async def _wait_for_skb(sk: unix_sock, state: unix_stream_read_state) -> sk_buff | None:
    """The message to read from; None: state.err, end of file, or enough was read."""
    kernel = sk.skc_net.kernel
    while True:
        if sock_flag(sk, SOCK_DEAD):
            state.err = ECONNRESET
            return None
        first = sk.sk_receive_queue.next
        state.last = first
        state.last_len = first.len if first is not None else 0
        skb = _find_skb(sk, state, first)
        if skb is not None:
            return skb
        if (first is not None and state.copied) or state.copied >= state.target:
            return None
        state.err = sock_error(sk)
        if state.err or sk.sk_shutdown & RCV_SHUTDOWN:
            return None
        if not state.timeo:
            state.err = EAGAIN
            return None
        state.timeo = await unix_stream_data_wait(sk, state.timeo, state.last, state.last_len)
        if signal_pending(kernel.current):
            scm_destroy(state.scm)
            if state.copied:
                state.msg = None
                return None
            raise KernelError(sock_intr_errno(state.timeo))


def _read_chunk(sk: unix_sock, state: unix_stream_read_state, skb: sk_buff) -> bool:
    """Hand out bytes of one message; whether to go on to the next one."""
    cb = UNIXCB(skb)
    if state.check_creds:
        if not unix_skb_scm_eq(skb, state.scm):
            return False
    elif state.socket.flags >> SOCK_PASSCRED & 1:
        scm_set_cred(state.scm, cb.pid, cb.uid, cb.gid)
        state.scm.secid = cb.secid
        state.check_creds = True
    if state.msg is not None and state.msg._want_name:
        assert skb.sk is not None
        unix_copy_addr(state.msg, skb.sk)
    chunk = min(unix_skb_len(skb) - state.skip, state.size)
    skb_get(skb)
    try:
        chunk = state.recv_actor(skb, state.skip, chunk, state)
    except KernelError:
        chunk = -1
    consume_skb(skb)
    if chunk < 0:
        if not state.copied:
            state.copied = -EFAULT
        return False
    state.copied += chunk
    state.size -= chunk
    if state.flags & MSG_PEEK:
        return _peeked(sk, state, skb, chunk)
    cb.consumed += chunk
    sk_peek_offset_bwd(sk, chunk)
    if cb.fp is not None:
        scm_stat_del(sk, skb)
        unix_detach_fds(state.scm, skb)
    if unix_skb_len(skb):
        return False
    skb_unlink(skb, sk.sk_receive_queue)
    consume_skb(skb)
    return state.scm.fp is None


def _peeked(sk: unix_sock, state: unix_stream_read_state, skb: sk_buff, chunk: int) -> bool:
    """Leave the message where it is; whether another one follows that can be looked at too."""
    cb = UNIXCB(skb)
    if cb.fp is not None:
        unix_peek_fds(state.scm, skb)
    sk_peek_offset_fwd(sk, chunk)
    if cb.fp is not None:
        return False
    state.skip = 0
    state.last = skb
    state.last_len = skb.len
    return skb.next is not None


async def _read_all(sk: unix_sock, state: unix_stream_read_state) -> None:
    following: sk_buff | None = None
    while True:
        skb = _find_skb(sk, state, following) if following is not None else None
        if skb is None:
            if following is not None and state.copied:
                return
            skb = await _wait_for_skb(sk, state)
            if skb is None:
                return
        following = skb.next if state.flags & MSG_PEEK else None
        if not _read_chunk(sk, state, skb):
            return
        if following is None and not state.size:
            return


async def unix_stream_read_generic(state: unix_stream_read_state, freezable: bool) -> int:
    """Read from the queue as recv() and splice() want it. EINVAL: not connected; EAGAIN, ECONNRESET, EFAULT."""
    sock = state.socket
    assert sock.sk is not None
    sk = unix_sk(sock.sk)
    if sk.skc_state != TCP_ESTABLISHED:
        raise KernelError(EINVAL)
    flags = state.flags
    if flags & MSG_OOB:
        return unix_stream_recv_urg(state)
    state.target = sock_rcvlowat(sk, flags & MSG_WAITALL, state.size)
    state.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT)
    state.skip = max(sk_peek_offset(sk, flags), 0)
    await _read_all(sk, state)
    state.last = None
    if state.msg is not None:
        scm_recv(sock, state.msg, state.scm, flags)
    else:
        scm_destroy(state.scm)
    if state.copied < 0:
        raise KernelError(-state.copied)
    if not state.copied and state.err:
        raise KernelError(state.err)
    return state.copied


def unix_stream_read_actor(skb: sk_buff, skip: int, chunk: int, state: unix_stream_read_state) -> int:
    """Copy bytes to the reader. EFAULT."""
    assert state.msg is not None
    skb_copy_datagram_msg(skb, UNIXCB(skb).consumed + skip, state.msg, chunk)
    return chunk


async def unix_stream_recvmsg(sock: socket, msg: msghdr, size: int, flags: int) -> int:
    """Receive bytes; at the end of file 0. EINVAL, EAGAIN, ECONNRESET, EFAULT."""
    state = unix_stream_read_state(unix_stream_read_actor, sock, size, flags, msg=msg)
    return await unix_stream_read_generic(state, True)


def unix_stream_splice_actor(skb: sk_buff, skip: int, chunk: int, state: unix_stream_read_state) -> int:
    """Move bytes into a pipe. EAGAIN: it is full."""
    assert state.socket.sk is not None
    assert state.pipe is not None
    offset = UNIXCB(skb).consumed + skip
    return skb_splice_bits(skb, state.socket.sk, offset, state.pipe, chunk, state.splice_flags)


async def unix_stream_splice_read(
    sock: socket, ppos: Ppos, pipe: pipe_inode_info, size: int, flags: int
) -> int:
    """splice() from the socket into a pipe. ESPIPE: with an offset."""
    if ppos[0]:
        raise KernelError(ESPIPE)
    state = unix_stream_read_state(
        unix_stream_splice_actor, sock, size, 0, pipe=pipe, splice_flags=flags
    )
    assert sock.file is not None
    if sock.file.f_flags & O_NONBLOCK or flags & SPLICE_F_NONBLOCK:
        state.flags = MSG_DONTWAIT
    return await unix_stream_read_generic(state, False)
