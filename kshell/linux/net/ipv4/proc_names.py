"""The names that /proc/net/snmp and netstat give to the counters of netns_mib (net/ipv4/proc.c).

A list is text, a line of names for each run of consecutive counters, after the number of the first of them.
"""

from __future__ import annotations

from typing import Final


def _list(text: str) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    number = 0
    for word in text.split():
        if word.isdigit():
            number = int(word)
        else:
            found.append((word, number))
            number += 1
    return tuple(found)


snmp4_ipstats_list: Final = _list(
    """
    1 InReceives 7 InHdrErrors 10 InAddrErrors 4 ForwDatagrams 11 InUnknownProtos 13 InDiscards 3 InDelivers
    5 OutRequests 14 OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails
    FragCreates
    """
)

snmp4_ipextstats_list: Final = _list(
    """
    9 InNoRoutes 12 InTruncatedPkts 23 InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts 2 InOctets 6
    OutOctets 27 InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts
    InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps
    """
)

snmp4_tcp_list: Final = _list(
    """
    1 RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs
    OutSegs RetransSegs InErrs OutRsts InCsumErrors
    """
)

snmp4_udp_list: Final = _list(
    """
    1 InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti
    MemErrors
    """
)

snmp4_net_list: Final = _list(
    """
    1 SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned
    OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab DelayedACKs
    DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits TCPPureAcks TCPHPAcks
    TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPSACKReorder TCPRenoReorder TCPTSReorder TCPFullUndo
    TCPPartialUndo TCPDSACKUndo TCPLossUndo TCPLostRetransmit TCPRenoFailures TCPSackFailures
    TCPLossFailures TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPLossProbeRecovery
    TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed 78 TCPBacklogCoalesce 46 TCPDSACKOldSent
    TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory
    TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed TCPMemoryPressures TCPMemoryPressuresChrono
    TCPSACKDiscard TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected
    TCPMD5Failure TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop
    TCPMinTTLDrop TCPDeferAcceptDrop IPReversePathFilter TCPTimeWaitOverflow TCPReqQFullDoCookies
    TCPReqQFullDrop TCPRetransFail TCPRcvCoalesce 79 TCPOFOQueue TCPOFODrop TCPOFOMerge TCPChallengeACK
    TCPSYNChallenge TCPFastOpenActive TCPFastOpenActiveFail TCPFastOpenPassive TCPFastOpenPassiveFail
    TCPFastOpenListenOverflow TCPFastOpenCookieReqd TCPFastOpenBlackhole TCPSpuriousRtxHostQueues
    BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv TCPToZeroWindowAdv TCPWantZeroWindowAdv
    TCPSynRetrans TCPOrigDataSent TCPHystartTrainDetect TCPHystartTrainCwnd TCPHystartDelayDetect
    TCPHystartDelayCwnd TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2
    TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe TCPKeepAlive TCPMTUPFail TCPMTUPSuccess
    TCPDelivered TCPDeliveredCE TCPAckCompressed TCPZeroWindowDrop TCPRcvQDrop TCPWqueueTooBig
    TCPFastOpenPassiveAltKey TcpTimeoutRehash TcpDuplicateDataRehash TCPDSACKRecvSegs TCPDSACKIgnoredDubious
    TCPMigrateReqSuccess TCPMigrateReqFailure
    """
)
