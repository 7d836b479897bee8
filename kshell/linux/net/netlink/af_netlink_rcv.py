"""Requests to the kernel: acknowledgements and dumps (net/netlink/af_netlink.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, ECONNREFUSED, EINTR, EINVAL, ENOBUFS
from kshell.abi.netlink import (
    NLM_F_ACK,
    NLM_F_ACK_TLVS,
    NLM_F_CAPPED,
    NLM_F_DUMP_INTR,
    NLM_F_MULTI,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_HDRLEN,
    NLMSG_MIN_TYPE,
    NLMSGERR_ATTR_COOKIE,
    NLMSGERR_ATTR_MISS_NEST,
    NLMSGERR_ATTR_MISS_TYPE,
    NLMSGERR_ATTR_MSG,
    NLMSGERR_ATTR_OFFS,
    NLMSGERR_ATTR_POLICY,
)  # fmt: skip
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    DUMP_RUNNING,
    NETLINK_CB,
    NETLINK_F_CAP_ACK,
    NETLINK_F_EXT_ACK,
    NETLINK_F_STRICT_CHK,
    NLMSG_GOODSIZE,
    netlink_callback,
    netlink_dump_control,
    netlink_ext_ack,
    netlink_sock,
    nlk_sk,
)
from kshell.linux.include.linux.skbuff import skb_tailroom
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    NLMSGHDR,
    nla_put_string,
    nla_put_u32,
    nlmsg_end,
    nlmsg_new,
    nlmsg_put,
    nlmsghdr,
)
from kshell.linux.include.net.netlink import nla_put as nla_put_bytes
from kshell.linux.include.net.nlattr import nla_total_size
from kshell.linux.kernel.module.main import module_put, try_module_get
from kshell.linux.net.core.filter import sk_filter
from kshell.linux.net.core.skbuff import __alloc_skb, consume_skb, kfree_skb, skb_pull
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.netlink.af_netlink_deliver import (
    __netlink_sendskb,
    netlink_lookup,
    netlink_skb_set_owner_r,
    nlmsg_unicast,
)
from kshell.linux.net.netlink.policy import (
    netlink_policy_dump_attr_size_estimate,
    netlink_policy_dump_write_attr,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock

DONE_SIZE = NLMSG_HDRLEN + 4


def netlink_rcv_skb(skb: sk_buff, cb: Callable[[sk_buff, nlmsghdr, netlink_ext_ack], None]) -> None:
    """Take the messages of a packet apart and have cb answer each; errors and wanted successes are acknowledged."""
    data = skb.data
    while len(data) >= NLMSG_HDRLEN:
        length = NLMSGHDR.unpack_from(data)[0]
        if length < NLMSG_HDRLEN or len(data) < length:
            return
        nlh = nlmsghdr(data)
        extack = netlink_ext_ack(skb.sk.sk_net.kernel.current if skb.sk is not None else None)
        error = _answer(skb, nlh, extack, cb)
        if error != EINTR and (nlh.nlmsg_flags & NLM_F_ACK or error):
            netlink_ack(skb, nlh, error, extack)
        skb_pull(skb, min(NLMSG_ALIGN(length), len(data)))
        data = data[NLMSG_ALIGN(length) :]


def _answer(
    skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack, cb: Callable[[sk_buff, nlmsghdr, netlink_ext_ack], None]
) -> int:
    """The errno of one request, 0 for none."""
    if not nlh.nlmsg_flags & NLM_F_REQUEST or nlh.nlmsg_type < NLMSG_MIN_TYPE:
        return 0
    try:
        cb(skb, nlh, extack)
    except KernelError as error:
        return error.errno
    return 0


def netlink_ack(in_skb: sk_buff, nlh: nlmsghdr, err: int, extack: netlink_ext_ack) -> None:
    """Send an NLMSG_ERROR: -err (0: done) and the request, in full after an error unless NETLINK_CAP_ACK."""
    requester = NETLINK_CB(in_skb).sk
    assert requester is not None
    in_full = err and not nlk_sk(requester).flags >> NETLINK_F_CAP_ACK & 1
    flags = 0 if in_full else NLM_F_CAPPED
    says_more = nlk_sk(requester).flags >> NETLINK_F_EXT_ACK & 1 and _has_tlvs(extack, err)
    if says_more:
        flags |= NLM_F_ACK_TLVS
    request = nlh._raw if in_full else nlh._raw[:NLMSG_HDRLEN]
    payload = struct.pack("<i", -err) + request
    skb = nlmsg_new(requester.sk_net.kernel, len(payload) + netlink_ack_tlv_len(err, extack))
    portid = NETLINK_CB(in_skb).portid
    start = nlmsg_put(skb, portid, nlh.nlmsg_seq, NLMSG_ERROR, payload, flags)
    if says_more:
        netlink_ack_tlv_fill(skb, err, extack)
    nlmsg_end(skb, start)
    assert in_skb.sk is not None
    try:
        nlmsg_unicast(in_skb.sk, skb, portid)
    except KernelError as error:
        if error.errno != ECONNREFUSED:
            nlk_sk(requester).sk_err = ENOBUFS


def _has_tlvs(extack: netlink_ext_ack, err: int) -> bool:
    where = extack._offset or extack.policy is not None or extack.miss_type or extack.miss_nest
    return bool(extack._msg or extack.cookie or (err and where))


def netlink_ack_tlv_len(err: int, extack: netlink_ext_ack) -> int:
    """Room that the attributes of an acknowledgement take."""
    size = nla_total_size(len(extack._msg) + 1) + nla_total_size(len(extack.cookie))
    if err and extack.policy is not None:
        size += netlink_policy_dump_attr_size_estimate(extack.policy)
    return size + 3 * nla_total_size(4)


def netlink_ack_tlv_fill(skb: sk_buff, err: int, extack: netlink_ext_ack) -> None:
    """Append what extack says."""
    if extack._msg:
        nla_put_string(skb, NLMSGERR_ATTR_MSG, extack._msg)
    if extack.cookie:
        nla_put_bytes(skb, NLMSGERR_ATTR_COOKIE, extack.cookie)
    if not err:
        return
    if extack._offset:
        nla_put_u32(skb, NLMSGERR_ATTR_OFFS, extack._offset)
    if extack.policy is not None:
        netlink_policy_dump_write_attr(skb, extack.policy, NLMSGERR_ATTR_POLICY)
    if extack.miss_type:
        nla_put_u32(skb, NLMSGERR_ATTR_MISS_TYPE, extack.miss_type)
    if extack.miss_nest:
        nla_put_u32(skb, NLMSGERR_ATTR_MISS_NEST, extack.miss_nest)


def netlink_dump_start(ssk: sock, skb: sk_buff, nlh: nlmsghdr, control: netlink_dump_control) -> None:
    """Begin a dump."""
    __netlink_dump_start(ssk, skb, nlh, control)


def __netlink_dump_start(ssk: sock, skb: sk_buff, nlh: nlmsghdr, control: netlink_dump_control) -> None:
    """Raises EINTR after a good start: no acknowledgement is to follow. ECONNREFUSED; EBUSY: one is running."""
    sk = netlink_lookup(ssk.sk_net, ssk.sk_protocol, NETLINK_CB(skb).portid)
    if sk is None:
        raise KernelError(ECONNREFUSED)
    skb.users += 1
    try:
        if sk.cb_running:
            raise KernelError(EBUSY)
        if control.module is not None:
            try_module_get(control.module)
        cb = sk.cb = netlink_callback(skb, nlh, control.dump)
        cb.done, cb.data, cb.module = control.done, control.data, control.module
        cb.min_dump_alloc = control.min_dump_alloc
        requester = NETLINK_CB(skb).sk
        cb.strict_check = requester is not None and bool(nlk_sk(requester).flags >> NETLINK_F_STRICT_CHK & 1)
        if control.start is not None:
            control.start(cb)
    except KernelError:
        sock_put(sk)
        kfree_skb(skb)
        raise
    sk.cb_running = True
    sk.dump_done_errno = DUMP_RUNNING
    try:
        netlink_dump(sk)
    finally:
        sock_put(sk)
    raise KernelError(EINTR)


def netlink_dump(sk: netlink_sock) -> None:
    """Make the next message of a running dump. EINVAL: none runs; ENOBUFS: the reader has no room."""
    cb = sk.cb
    if not sk.cb_running or cb is None:
        raise KernelError(EINVAL)
    size = max(cb.min_dump_alloc, NLMSG_GOODSIZE, sk.max_recvmsg_len)
    skb = __alloc_skb(sk.sk_net.kernel, size)
    skb._room = size
    if sk.sk_rmem_alloc and sk.sk_rmem_alloc + skb.truesize >= sk.sk_rcvbuf:
        kfree_skb(skb)
        raise KernelError(ENOBUFS)
    sk.sk_rmem_alloc += skb.truesize
    netlink_skb_set_owner_r(skb, sk)
    if sk.dump_done_errno > 0:
        cb.extack = netlink_ext_ack()
        try:
            sk.dump_done_errno = cb.dump(skb, cb)
        except KernelError as error:
            sk.dump_done_errno = -error.errno
    if sk.dump_done_errno > 0 or skb_tailroom(skb) < DONE_SIZE:
        _deliver(sk, skb)
        return
    netlink_dump_done(sk, skb, cb)
    _deliver(sk, skb)
    if cb.done is not None:
        cb.done(cb)
    sk.cb_running = False
    sk.cb = None
    module_put(cb.module)
    consume_skb(cb.skb)


def _deliver(sk: netlink_sock, skb: sk_buff) -> None:
    if sk_filter(sk, skb):
        kfree_skb(skb)
    else:
        __netlink_sendskb(sk, skb)


def netlink_dump_done(sk: netlink_sock, skb: sk_buff, cb: netlink_callback) -> None:
    """Append NLMSG_DONE with the dump's result, and what there is to say of it."""
    flags = NLM_F_MULTI | cb.answer_flags | (NLM_F_DUMP_INTR if cb.prev_seq and cb.seq != cb.prev_seq else 0)
    says = cb.extack is not None and cb.extack._msg and sk.flags >> NETLINK_F_EXT_ACK & 1
    if says:
        flags |= NLM_F_ACK_TLVS
    portid = NETLINK_CB(cb.skb).portid
    start = nlmsg_put(skb, portid, cb.nlh.nlmsg_seq, NLMSG_DONE, struct.pack("<i", sk.dump_done_errno), flags)
    if says and cb.extack is not None:
        nla_put_string(skb, NLMSGERR_ATTR_MSG, cb.extack._msg)
        nlmsg_end(skb, start)
