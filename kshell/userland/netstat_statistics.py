"""netstat -s: what net-tools calls the counters of /proc/net/snmp and /proc/net/netstat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kshell.userland.files import read_lines
from kshell.userland.runtime import SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

#: protocol -> counter -> its line; with ! in front it stands there even when it is zero
TITLES: Final[dict[str, dict[str, str]]] = {
    "Ip": {
        "InReceives": "!{} total packets received",
        "InHdrErrors": "{} with invalid headers",
        "InAddrErrors": "{} with invalid addresses",
        "ForwDatagrams": "!{} forwarded",
        "InUnknownProtos": "{} with unknown protocol",
        "InDiscards": "!{} incoming packets discarded",
        "InDelivers": "!{} incoming packets delivered",
        "OutRequests": "!{} requests sent out",
        "OutDiscards": "{} outgoing packets dropped",
        "OutNoRoutes": "{} dropped because of missing route",
        "ReasmTimeout": "{} fragments dropped after timeout",
        "ReasmReqds": "{} reassemblies required",
        "ReasmOKs": "{} packets reassembled ok",
        "ReasmFails": "{} packet reassemblies failed",
        "FragOKs": "{} outgoing packets fragmented ok",
        "FragFails": "{} outgoing packets failed fragmentation",
        "FragCreates": "{} fragments created",
    },
    "Icmp": {
        "InMsgs": "!{} ICMP messages received",
        "InErrors": "!{} input ICMP message failed",
        "InDestUnreachs": "destination unreachable: {}",
        "InTimeExcds": "timeout in transit: {}",
        "InParmProbs": "wrong parameters: {}",
        "InSrcQuenchs": "source quenches: {}",
        "InRedirects": "redirects: {}",
        "InEchos": "echo requests: {}",
        "InEchoReps": "echo replies: {}",
        "InTimestamps": "timestamp request: {}",
        "InTimestampReps": "timestamp reply: {}",
        "InAddrMasks": "address mask request: {}",
        "InAddrMaskReps": "address mask replies: {}",
        "OutMsgs": "!{} ICMP messages sent",
        "OutErrors": "!{} ICMP messages failed",
        "OutDestUnreachs": "destination unreachable: {}",
        "OutTimeExcds": "time exceeded: {}",
        "OutParmProbs": "wrong parameters: {}",
        "OutSrcQuenchs": "source quench: {}",
        "OutRedirects": "redirect: {}",
        "OutEchos": "echo requests: {}",
        "OutEchoReps": "echo replies: {}",
        "OutTimestamps": "timestamp requests: {}",
        "OutTimestampReps": "timestamp replies: {}",
        "OutAddrMasks": "address mask requests: {}",
        "OutAddrMaskReps": "address mask replies: {}",
    },
    "Tcp": {
        "ActiveOpens": "!{} active connection openings",
        "PassiveOpens": "!{} passive connection openings",
        "AttemptFails": "!{} failed connection attempts",
        "EstabResets": "!{} connection resets received",
        "CurrEstab": "!{} connections established",
        "InSegs": "!{} segments received",
        "OutSegs": "!{} segments sent out",
        "RetransSegs": "!{} segments retransmitted",
        "InErrs": "!{} bad segments received",
        "OutRsts": "!{} resets sent",
    },
    "Udp": {
        "InDatagrams": "!{} packets received",
        "NoPorts": "!{} packets to unknown port received",
        "InErrors": "!{} packet receive errors",
        "OutDatagrams": "!{} packets sent",
        "RcvbufErrors": "!{} receive buffer errors",
        "SndbufErrors": "!{} send buffer errors",
    },
    "TcpExt": {
        "SyncookiesSent": "{} SYN cookies sent",
        "SyncookiesRecv": "{} SYN cookies received",
        "SyncookiesFailed": "{} invalid SYN cookies received",
        "EmbryonicRsts": "{} resets received for embryonic SYN_RECV sockets",
        "PruneCalled": "{} packets pruned from receive queue because of socket buffer overrun",
        "RcvPruned": "{} packets pruned from receive queue",
        "OfoPruned": "{} packets dropped from out-of-order queue because of socket buffer overrun",
        "OutOfWindowIcmps": "{} ICMP packets dropped because they were out-of-window",
        "LockDroppedIcmps": "{} ICMP packets dropped because socket was locked",
        "TW": "{} TCP sockets finished time wait in fast timer",
        "TWRecycled": "{} time wait sockets recycled by time stamp",
        "PAWSActive": "{} active connections rejected because of time stamp",
        "PAWSEstab": "{} packets rejected in established connections because of timestamp",
        "DelayedACKs": "{} delayed acks sent",
        "DelayedACKLocked": "{} delayed acks further delayed because of locked socket",
        "DelayedACKLost": "Quick ack mode was activated {} times",
        "ListenOverflows": "{} times the listen queue of a socket overflowed",
        "ListenDrops": "{} SYNs to LISTEN sockets dropped",
        "TCPHPHits": "!{} packet headers predicted",
        "TCPPureAcks": "{} acknowledgments not containing data payload received",
        "TCPHPAcks": "{} predicted acknowledgments",
        "TCPRenoRecovery": "{} times recovered from packet loss due to fast retransmit",
        "TCPSACKReorder": "Detected reordering {} times using SACK",
        "TCPRenoReorder": "Detected reordering {} times using reno fast retransmit",
        "TCPTSReorder": "Detected reordering {} times using time stamp",
        "TCPFullUndo": "{} congestion windows fully recovered without slow start",
        "TCPPartialUndo": "{} congestion windows partially recovered using Hoe heuristic",
        "TCPLossUndo": "{} congestion windows recovered without slow start after partial ack",
        "TCPRenoFailures": "{} timeouts after reno fast retransmit",
        "TCPLossFailures": "{} timeouts in loss state",
        "TCPFastRetrans": "{} fast retransmits",
        "TCPSlowStartRetrans": "{} retransmits in slow start",
        "TCPRcvCollapsed": "{} packets collapsed in receive queue due to low socket buffer",
        "TCPAbortOnData": "{} connections reset due to unexpected data",
        "TCPAbortOnClose": "{} connections reset due to early user close",
        "TCPAbortOnMemory": "{} connections aborted due to memory pressure",
        "TCPAbortOnTimeout": "{} connections aborted due to timeout",
        "TCPAbortOnLinger": "{} connections aborted after user close in linger timeout",
        "TCPAbortFailed": "{} times unable to send RST due to no memory",
        "TCPMemoryPressures": "TCP ran low on memory {} times",
    },
}
UNSEEN: Final = frozenset({"DefaultTTL", "RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn"})
HISTOGRAMS: Final = {"InDestUnreachs": "ICMP input histogram:", "OutDestUnreachs": "ICMP output histogram:"}
#: which letters ask for a protocol; those that no letter is for are always told
LETTERS: Final = {"Ip": "w", "Icmp": "w", "Tcp": "t", "TcpExt": "t", "Udp": "u"}


async def show_statistics(p: Process, letters: str) -> None:
    """The counters of the protocols asked for by -t, -u, -w; of all without these."""
    asked = set(letters) & set("tuw")
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        try:
            lines = await read_lines(p, path)
        except SystemCallError:
            continue
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            protocol = names.partition(":")[0]
            if asked and not asked & set(LETTERS.get(protocol, "tuw")):
                continue
            p.print(f"{protocol}:")
            for line in _counters(protocol, names.split()[1:], values.split()[1:]):
                p.print(line)


def _counters(protocol: str, names: list[str], values: list[str]) -> Iterator[str]:
    titles = TITLES.get(protocol, {})
    histogram = protocol == "IcmpMsg"
    for name, value in zip(names, values, strict=False):
        if protocol == "Icmp" and name in HISTOGRAMS:
            yield f"    {HISTOGRAMS[name]}"
        title = titles.get(name, f"{name}: {{}}")
        if name in UNSEEN or (value == "0" and not title.startswith("!")):
            continue
        indent = " " * (8 if histogram or (protocol == "Icmp" and ": {}" in title and name in titles) else 4)
        yield indent + title.removeprefix("!").format(value)
