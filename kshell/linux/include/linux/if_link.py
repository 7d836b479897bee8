"""include/linux/if_link.h (its part for user space): what is counted of a device."""


class rtnl_link_stats64:
    """Counters of a device (also struct net_device_stats)."""

    __slots__ = (
        "collisions",
        "multicast",
        "rx_bytes",
        "rx_compressed",
        "rx_crc_errors",
        "rx_dropped",
        "rx_errors",
        "rx_fifo_errors",
        "rx_frame_errors",
        "rx_length_errors",
        "rx_missed_errors",
        "rx_nohandler",
        "rx_otherhost_dropped",
        "rx_over_errors",
        "rx_packets",
        "tx_aborted_errors",
        "tx_bytes",
        "tx_carrier_errors",
        "tx_compressed",
        "tx_dropped",
        "tx_errors",
        "tx_fifo_errors",
        "tx_heartbeat_errors",
        "tx_packets",
        "tx_window_errors",
    )  # fmt: skip
    rx_packets: int
    tx_packets: int
    rx_bytes: int
    tx_bytes: int
    rx_errors: int
    tx_errors: int
    rx_dropped: int
    tx_dropped: int
    multicast: int
    collisions: int
    rx_compressed: int
    rx_crc_errors: int
    rx_fifo_errors: int
    rx_frame_errors: int
    rx_nohandler: int
    rx_otherhost_dropped: int
    rx_over_errors: int
    tx_aborted_errors: int
    tx_carrier_errors: int
    tx_compressed: int
    tx_fifo_errors: int
    tx_heartbeat_errors: int
    tx_window_errors: int
    rx_length_errors: int
    rx_missed_errors: int

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)
