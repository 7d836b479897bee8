"""Sending what was appended, and answers from outside a connection (part of net/ipv4/ip_output.c)."""

from __future__ import annotations

from kshell.abi.inet import IPPROTO_ICMP
from kshell.abi.rtnetlink import RTN_MULTICAST
from kshell.abi.socket import MSG_DONTWAIT, MSG_PROBE, SOCK_RAW
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import IP_DF, iphdr
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, __skb_dequeue, sk_buff, sk_buff_head
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.flow import FLOWI_FLAG_ANYSRC, FLOWI_FLAG_KNOWN_NH, flowi4
from kshell.linux.include.net.inet_sock import IPCORK_OPT, _cork_of, inet_cork, inet_sk, ip_options, ip_options_rcu
from kshell.linux.include.net.ip import (
    IP_REPLY_ARG_NOSRCCHECK,
    getfrag_t,
    ip_dont_fragment,
    ip_reply_arg,
    ip_sk_ignore_df,
    ipcm_cookie,
)
from kshell.linux.include.net.rtable import rtable
from kshell.linux.include.net.sock import sock
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.ipv4 import icmp, ip_output, route_output
from kshell.linux.net.ipv4.ip_options import ip_options_build
from kshell.linux.net.ipv4.ip_options_echo import __ip_options_echo
from kshell.linux.net.ipv4.ip_output_append import __ip_append_data, ip_append_data, ip_cork_release, ip_setup_cork
from kshell.linux.security.security import security_skb_classify_flow


def _merge_queue(queue: sk_buff_head) -> sk_buff | None:
    """Take all packets off the queue, as one."""
    skb = __skb_dequeue(queue)
    if skb is None or queue.next is None:
        return skb
    parts = [skb.data]
    while (tmp := __skb_dequeue(queue)) is not None:
        parts.append(tmp.data)
        skb.len += len(tmp.data)
        skb.truesize += tmp.truesize
        tmp.destructor = None
        tmp.sk = None
        kfree_skb(tmp)
    skb.data = b"".join(parts)
    return skb


def __ip_make_skb(sk: sock, fl4: flowi4, queue: sk_buff_head, cork: inet_cork) -> sk_buff | None:
    """Make one packet with IP header of all that was appended; None if nothing was."""
    skb = _merge_queue(queue)
    if skb is None:
        return None
    inet = inet_sk(sk)
    net = sk.skc_net
    rt = cork.dst
    assert isinstance(rt, rtable)
    ignore_df = ip_sk_ignore_df(sk)
    if ignore_df:
        skb.ignore_df = 1
    pmtudisc = inet.pmtudisc
    df = 0
    if pmtudisc in (2, 3) or (skb.len <= rt.ops.mtu(rt) and ip_dont_fragment(sk, rt)):
        df = IP_DF
    if cork.ttl:
        ttl = cork.ttl
    elif rt.rt_type == RTN_MULTICAST:
        ttl = inet.mc_ttl
    else:
        ttl = ip_output.ip_select_ttl(inet, rt)
    iph = iphdr(cork.tos if cork.tos != -1 else inet.tos, 0, 0, df, ttl, sk.sk_protocol, fl4.saddr, fl4.daddr)
    skb.network_header = iph
    ip_output._ip_select_ident_segs(net, skb, sk, 1)
    if cork.flags & IPCORK_OPT and cork.opt is not None:
        ip_options_build(skb, cork.opt, cork.addr, rt)
    priority = cork.priority if cork.tos != -1 else sk.sk_priority
    if priority:
        skb.priority = priority
    if cork.mark:
        skb.mark = cork.mark
    skb.tstamp = cork.transmit_time
    cork.dst = None
    skb._skb_refdst = rt
    if iph.protocol == IPPROTO_ICMP:
        if sk.sk_type == SOCK_RAW and not fl4.flowi4_flags & FLOWI_FLAG_KNOWN_NH:
            icmp_type = fl4.fl4_icmp_type
        else:
            header = skb.transport_header
            icmp_type = header.type if header is not None else (skb.data[0] if skb.data else 0)  # type: ignore[attr-defined]
        icmp.icmp_out_count(net, icmp_type)
    ip_cork_release(cork)
    return skb


def __ip_flush_pending_frames(sk: sock, queue: sk_buff_head, cork: inet_cork) -> None:
    """Throw away what was appended."""
    while (skb := __skb_dequeue(queue)) is not None:
        kfree_skb(skb)
    ip_cork_release(cork)


def ip_flush_pending_frames(sk: sock) -> None:
    """The same for a socket's own queue."""
    __ip_flush_pending_frames(sk, sk.sk_write_queue, _cork_of(inet_sk(sk)).base)


def ip_make_skb(
    sk: sock, fl4: flowi4, getfrag: getfrag_t, from_: object, length: int, transhdrlen: int, ipc: ipcm_cookie,
    rt: rtable, cork: inet_cork, flags: int,
) -> sk_buff | None:  # fmt: skip
    """A whole packet in one go, without the socket's cork; takes over the reference to rt."""
    if flags & MSG_PROBE:
        dst_release(rt)
        return None
    queue = sk_buff_head()
    ip_setup_cork(sk, cork, ipc, rt)
    try:
        __ip_append_data(sk, fl4, queue, cork, getfrag, from_, length, transhdrlen, flags)
    except KernelError:
        __ip_flush_pending_frames(sk, queue, cork)
        raise
    return __ip_make_skb(sk, fl4, queue, cork)


def ip_finish_skb(sk: sock, fl4: flowi4) -> sk_buff | None:
    """One packet of all that the socket was given."""
    return __ip_make_skb(sk, fl4, sk.sk_write_queue, _cork_of(inet_sk(sk)).base)


def ip_push_pending_frames(sk: sock, fl4: flowi4) -> int:
    """Finish and send the packet that the socket is building."""
    skb = ip_finish_skb(sk, fl4)
    if skb is None:
        return 0
    return ip_output.ip_send_skb(sk.skc_net, skb)


def ip_reply_glue_bits(dptr: object, offset: int, length: int, skb: sk_buff) -> bytes:
    """getfrag of ip_send_unicast_reply()."""
    assert isinstance(dptr, bytes)
    return dptr[offset : offset + length]


def _flow_of_reply(sk: sock, skb: sk_buff, arg: ip_reply_arg, daddr: int, saddr: int) -> flowi4:
    iph, th = skb.network_header, skb.transport_header
    assert isinstance(iph, iphdr)
    assert isinstance(th, tcphdr)
    return flowi4(
        arg.bound_dev_if, 1, (skb.mark if sk.skc_net.ipv4.sysctl_fwmark_reflect else 0) or sk.sk_mark, arg.tos & 0x1E,
        0, iph.protocol, FLOWI_FLAG_ANYSRC if arg.flags & IP_REPLY_ARG_NOSRCCHECK else 0, daddr, saddr, th.source,
        th.dest, arg.uid,
    )  # fmt: skip


def ip_send_unicast_reply(
    sk: sock, skb: sk_buff, sopt: ip_options | None, daddr: int, saddr: int, arg: ip_reply_arg, length: int,
    transmit_time: int, txhash: int,
) -> None:  # fmt: skip
    """Answer a TCP packet from outside a connection (RST, ACK of a TIME_WAIT socket).

    The answer's TCP header object is arg.iov; it becomes the packet's transport_header.
    """
    net = sk.skc_net
    replyopts = ip_options()
    if not __ip_options_echo(net, replyopts, skb, sopt):
        return
    ipc = ipcm_cookie()
    ipc.addr = daddr
    ipc.sockc.transmit_time = transmit_time
    if replyopts.optlen:
        ipc.opt = ip_options_rcu(replyopts)
        if replyopts.srr:
            daddr = replyopts.faddr
    fl4 = _flow_of_reply(sk, skb, arg, daddr, saddr)
    security_skb_classify_flow(skb, fl4)
    try:
        rt = route_output.ip_route_output_flow(net, fl4, sk)
    except KernelError:
        return
    inet_sk(sk).tos = arg.tos & ~3
    sk.sk_protocol = fl4.flowi4_proto
    sk.sk_bound_dev_if = arg.bound_dev_if
    sk.sk_sndbuf = net.kernel.sysctl_wmem_default
    ipc.sockc.mark = fl4.flowi4_mark
    header: object = arg.iov
    try:
        ip_append_data(sk, fl4, ip_reply_glue_bits, bytes(length), length, 0, ipc, rt, MSG_DONTWAIT)
    except KernelError:
        ip_flush_pending_frames(sk)
        return
    nskb = sk.sk_write_queue.next
    if nskb is not None:
        nskb.ip_summed = CHECKSUM_NONE
        nskb.data = b""
        nskb.transport_header = header
        if txhash:
            nskb.hash = txhash
        try:
            ip_push_pending_frames(sk, fl4)
        except KernelError:
            pass
