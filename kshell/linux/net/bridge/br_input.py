"""net/bridge/br_input.c: frames that come in by ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.netdevice import IFF_PROMISC
from kshell.abi.packet import PACKET_HOST
from kshell.linux.include.linux.if_ether import eth_hdr, is_multicast_ether_addr, is_valid_ether_addr
from kshell.linux.net.bridge.br_fdb import br_fdb_find_rcu, br_fdb_update
from kshell.linux.net.bridge.br_forward import br_flood, br_forward
from kshell.linux.net.bridge.br_private import (
    BR_STATE_DISABLED,
    BR_STATE_FORWARDING,
    BR_STATE_LEARNING,
    _kernel,
    br_port_get_rcu,
    net_bridge,
    net_bridge_port,
)
from kshell.linux.net.core.dev_receive import netif_receive_skb
from kshell.linux.net.core.skbuff import kfree_skb, skb_share_check

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

LINK_LOCAL: Final = b"\x01\x80\xc2\x00\x00"


def br_netif_receive_skb(skb: sk_buff) -> int:
    """Hand a frame to the protocols of the bridge's device."""
    return netif_receive_skb(skb)


def br_pass_frame_up(skb: sk_buff, br: net_bridge) -> int:
    """A frame is for this machine."""
    stats = br.dev.stats
    stats.rx_packets += 1
    stats.rx_bytes += skb.len
    skb.dev = br.dev
    return br_netif_receive_skb(skb)


def br_handle_frame_finish(skb: sk_buff, p: net_bridge_port) -> int:
    """Learn the sender; forward, flood, or take the frame."""
    br = p.br
    dest = eth_hdr(skb).h_dest
    br_fdb_update(br, p, eth_hdr(skb).h_source)
    if p.state == BR_STATE_LEARNING:
        kfree_skb(skb)
        return 0
    local_rcv = bool(br.dev.flags & IFF_PROMISC)
    if is_multicast_ether_addr(dest):
        local_rcv = True
        br_flood(br, skb, True, False)
    else:
        dst = br_fdb_find_rcu(br, dest)
        if dst is not None and dst.is_local:
            return br_pass_frame_up(skb, br)
        if dst is not None and dst.dst is not None:
            dst.used = _kernel(br).jiffies
            br_forward(dst.dst, skb, local_rcv, False)
        else:
            br_flood(br, skb, local_rcv, False)
    return br_pass_frame_up(skb, br) if local_rcv else 0


def br_handle_frame(skb: sk_buff) -> sk_buff | None:
    """rx_handler of ports: take the frame (None), or let it pass to the port's own protocols."""
    assert skb.dev is not None
    p = br_port_get_rcu(skb.dev)
    eth = eth_hdr(skb)
    if not is_valid_ether_addr(eth.h_source) or p.state == BR_STATE_DISABLED:
        kfree_skb(skb)
        return None
    skb = skb_share_check(skb)
    dest = eth.h_dest
    if dest.startswith(LINK_LOCAL) and dest[5] < 0x10 and not p.br.group_fwd_mask >> dest[5] & 1:
        if dest[5] in (0x00, 0x01):  # STP, PAUSE: the bridge runs no STP
            kfree_skb(skb)
            return None
        return skb
    if p.state not in (BR_STATE_FORWARDING, BR_STATE_LEARNING):
        kfree_skb(skb)
        return None
    if dest == p.br.dev.dev_addr:
        skb.pkt_type = PACKET_HOST
    br_handle_frame_finish(skb, p)
    return None
