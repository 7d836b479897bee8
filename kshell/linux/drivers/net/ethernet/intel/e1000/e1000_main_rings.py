"""drivers/net/ethernet/intel/e1000/e1000_main.c: packets into the transmit ring, and out of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.netdevice import ETH_HLEN, ETH_ZLEN
from kshell.linux.drivers.net.ethernet.intel.e1000.e1000 import (
    E1000_DESC_UNUSED,
    E1000_ICR_LSC,
    E1000_ICR_RXT0,
    E1000_ICR_TXDW,
    TX_WAKE_THRESHOLD,
    _adapter,
    e1000_adapter,
    e1000_tx_buffer,
    e1000_tx_ring,
)
from kshell.linux.drivers.net.frame import Frame, _frames_of, _skb_of
from kshell.linux.include.linux.netdevice import NETDEV_TX_BUSY, NETDEV_TX_OK, netif_carrier_ok, netif_running
from kshell.linux.include.linux.netdevice_xmit import netif_queue_stopped, netif_start_queue, netif_stop_queue
from kshell.linux.include.linux.skbuff import CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY, MAX_SKB_FRAGS
from kshell.linux.kernel.irq.manage import handle_irq_event, irq_exit
from kshell.linux.net.core.dev_receive import napi_complete_done, napi_gro_receive
from kshell.linux.net.core.dev_xmit import netif_wake_queue
from kshell.linux.net.core.skbuff import dev_kfree_skb_any, napi_consume_skb
from kshell.linux.net.core.timestamping import skb_clone_tx_timestamp
from kshell.linux.net.ethernet.eth import eth_type_trans

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import napi_struct, net_device
    from kshell.linux.include.linux.skbuff import sk_buff

TX_NEEDED: Final = MAX_SKB_FRAGS + 3
BULK_LATENCY: Final = 2


# ---- sending


def __skb_pad(skb: sk_buff, pad: int) -> None:
    """Lengthen a packet by zeros."""
    if pad > 0:
        skb.data += bytes(pad)
        skb.len += pad


def __e1000_maybe_stop_tx(netdev: net_device, size: int) -> bool:
    """The ring is full: stop the queue, unless it was cleaned meanwhile."""
    adapter = _adapter(netdev)
    netif_stop_queue(netdev)
    if E1000_DESC_UNUSED(adapter.tx_ring) < size:
        return True
    netif_start_queue(netdev)
    return False


def e1000_maybe_stop_tx(netdev: net_device, tx_ring: e1000_tx_ring, size: int) -> bool:
    """True if there is no room for `size` descriptors, and the queue stopped."""
    return E1000_DESC_UNUSED(tx_ring) < size and __e1000_maybe_stop_tx(netdev, size)


def e1000_tso(adapter: e1000_adapter, skb: sk_buff) -> bool:
    """A context descriptor: the hardware cuts the packet."""
    if skb._shinfo is None or not skb._shinfo.gso_size:
        return False
    adapter.tx_ring.buffer_info.append(e1000_tx_buffer(None, 0, 0))
    return True


def e1000_tx_csum(adapter: e1000_adapter, skb: sk_buff) -> bool:
    """A context descriptor: the hardware makes the checksum."""
    if skb.ip_summed != CHECKSUM_PARTIAL:
        return False
    adapter.tx_ring.buffer_info.append(e1000_tx_buffer(None, 0, 0))
    return True


def dma_map_page_attrs(adapter: e1000_adapter, skb: sk_buff) -> list[Frame]:
    """Let the hardware read a packet: the frames it will send."""
    return _frames_of(skb)


def dma_unmap_page_attrs(adapter: e1000_adapter, buffer_info: e1000_tx_buffer) -> None:
    """The hardware has read it."""


def e1000_tx_map(adapter: e1000_adapter, skb: sk_buff) -> list[Frame]:
    """Describe the packet's memory."""
    return dma_map_page_attrs(adapter, skb)


def e1000_tx_queue(adapter: e1000_adapter, skb: sk_buff, frames: list[Frame]) -> None:
    """Hand the descriptors to the hardware, which sends."""
    transmit = adapter.hw._phy.transmit
    busy = 0
    for frame in frames:
        busy = transmit(frame)
    kernel = adapter.netdev.nd_net.kernel
    adapter.tx_ring.buffer_info.append(e1000_tx_buffer(skb, skb.len, kernel.clock.now + busy))
    _when_sent(adapter, busy)


def e1000_xmit_frame(skb: sk_buff, netdev: net_device) -> int:
    """Send a packet; NETDEV_TX_BUSY when the ring is full."""
    adapter = _adapter(netdev)
    tx_ring = adapter.tx_ring
    __skb_pad(skb, ETH_ZLEN - skb.len)
    if e1000_maybe_stop_tx(netdev, tx_ring, 3):
        return NETDEV_TX_BUSY
    if not e1000_tso(adapter, skb):
        e1000_tx_csum(adapter, skb)
    frames = e1000_tx_map(adapter, skb)
    skb_clone_tx_timestamp(skb)
    e1000_tx_queue(adapter, skb, frames)
    e1000_maybe_stop_tx(netdev, tx_ring, TX_NEEDED)
    return NETDEV_TX_OK


def _when_sent(adapter: e1000_adapter, busy: int) -> None:
    """The hardware interrupts when the wire is done with what it has."""
    if not busy:
        _interrupt(adapter, E1000_ICR_TXDW)
    elif not adapter._wakes:
        adapter._wakes = True
        clock = adapter.netdev.nd_net.kernel.clock
        clock.call_at(clock.now + busy, lambda: _sent(adapter))


def _sent(adapter: e1000_adapter) -> None:
    adapter._wakes = False
    if not netif_running(adapter.netdev):
        return
    kernel = adapter.netdev.nd_net.kernel
    _interrupt(adapter, E1000_ICR_TXDW)
    irq_exit(kernel)
    ring = adapter.tx_ring.buffer_info
    if ring and not adapter._wakes:
        adapter._wakes = True
        kernel.clock.call_at(ring[-1].due, lambda: _sent(adapter))


def _interrupt(adapter: e1000_adapter, cause: int) -> None:
    hw = adapter.hw
    hw.icr |= cause
    if hw.ims & cause:
        handle_irq_event(adapter.netdev.nd_net.kernel, adapter.pdev.irq)


def _cable(adapter: e1000_adapter) -> None:
    """The cable came or went: the adapter interrupts."""
    _interrupt(adapter, E1000_ICR_LSC)
    irq_exit(adapter.netdev.nd_net.kernel)


# ---- receiving


def _arrive(adapter: e1000_adapter, frame: Frame) -> None:
    """A frame came in by the wire: the hardware keeps it if it is for this station and there is room."""
    hw, netdev = adapter.hw, adapter.netdev
    if not hw.ims:
        return
    dest = frame.h_dest
    if dest != hw.mac_addr and not hw.promisc and dest not in hw.mta:
        group = dest == netdev.broadcast or (dest[0] & 1 and b"\xff" in hw.mta)
        if not group:
            return
    ring = adapter.rx_ring
    if frame.len > netdev.mtu + ETH_HLEN + 4:
        netdev.stats.rx_length_errors += 1
        netdev.stats.rx_errors += 1
    elif len(ring.buffer_info) >= ring.count:
        netdev.stats.rx_missed_errors += 1
    else:
        ring.buffer_info.append(frame)
        _interrupt(adapter, E1000_ICR_RXT0)
        irq_exit(netdev.nd_net.kernel)


def e1000_rx_checksum(adapter: e1000_adapter, skb: sk_buff) -> None:
    """The hardware has looked at the checksum; what holds a literal one is looked at again by the protocol."""
    skb.ip_summed = CHECKSUM_UNNECESSARY


def e1000_receive_skb(adapter: e1000_adapter, skb: sk_buff) -> None:
    """Hand a packet to the protocols."""
    skb.protocol = eth_type_trans(skb, adapter.netdev)
    napi_gro_receive(adapter.napi, skb)


def e1000_clean_rx_irq(adapter: e1000_adapter, work_to_do: int) -> int:
    """Take packets out of the receive ring; how many."""
    ring = adapter.rx_ring.buffer_info
    netdev = adapter.netdev
    kernel = netdev.nd_net.kernel
    stats = netdev.stats
    done = 0
    while ring and done < work_to_do:
        frame = ring.popleft()
        done += 1
        stats.rx_packets += 1
        stats.rx_bytes += frame.len
        if frame.h_dest[0] & 1 and frame.h_dest != netdev.broadcast:
            stats.multicast += 1
        skb = _skb_of(kernel, frame)
        e1000_rx_checksum(adapter, skb)
        e1000_receive_skb(adapter, skb)
    adapter.total_rx_packets += done
    return done


# ---- cleaning up


def e1000_unmap_and_free_tx_resource(adapter: e1000_adapter, buffer_info: e1000_tx_buffer, budget: int) -> None:
    """The hardware is done with a descriptor: free its packet."""
    skb = buffer_info.skb
    if skb is None:
        return
    dma_unmap_page_attrs(adapter, buffer_info)
    buffer_info.skb = None
    napi_consume_skb(skb, budget)


def e1000_clean_tx_irq(adapter: e1000_adapter, tx_ring: e1000_tx_ring, budget: int) -> bool:
    """Free what the wire is done with; False if there is more to do."""
    netdev = adapter.netdev
    now = netdev.nd_net.kernel.clock.now
    ring = tx_ring.buffer_info
    while ring and ring[0].due <= now:
        buffer_info = ring.popleft()
        if buffer_info.skb is not None:
            shinfo = buffer_info.skb._shinfo
            netdev.stats.tx_packets += shinfo.gso_segs if shinfo is not None and shinfo.gso_size else 1
            netdev.stats.tx_bytes += buffer_info.length
            adapter.total_tx_packets += 1
        e1000_unmap_and_free_tx_resource(adapter, buffer_info, budget)
    if netif_queue_stopped(netdev) and netif_carrier_ok(netdev) and E1000_DESC_UNUSED(tx_ring) >= TX_WAKE_THRESHOLD:
        netif_wake_queue(netdev)
    return True


def e1000_update_itr(adapter: e1000_adapter, itr_setting: int, packets: int, bytes: int) -> int:
    """How often to interrupt by what there was: the model's device interrupts at once."""
    return itr_setting


def e1000_set_itr(adapter: e1000_adapter) -> None:
    """Adapt the rate of interrupts."""
    e1000_update_itr(adapter, BULK_LATENCY, adapter.total_tx_packets, adapter.total_tx_bytes)
    e1000_update_itr(adapter, BULK_LATENCY, adapter.total_rx_packets, adapter.total_rx_bytes)


def e1000_clean(napi: napi_struct, budget: int) -> int:
    """Poll: clean the transmit ring, receive; how many packets came."""
    adapter = napi._owner
    assert isinstance(adapter, e1000_adapter)
    tx_clean_complete = e1000_clean_tx_irq(adapter, adapter.tx_ring, budget)
    work_done = e1000_clean_rx_irq(adapter, budget)
    if not tx_clean_complete or work_done == budget:
        return budget
    if napi_complete_done(napi, work_done):
        e1000_set_itr(adapter)
    return work_done


def e1000_clean_tx_ring(adapter: e1000_adapter) -> None:
    """The device stops: drop what was to be sent."""
    while adapter.tx_ring.buffer_info:
        skb = adapter.tx_ring.buffer_info.popleft().skb
        if skb is not None:
            dev_kfree_skb_any(skb)


def e1000_clean_rx_ring(adapter: e1000_adapter) -> None:
    """The device stops: drop what came in."""
    adapter.rx_ring.buffer_info.clear()


