"""What ss shows of a TCP socket with -i, of its memory with -m and of its timer with -o."""

from __future__ import annotations

import struct
from typing import Final

TIMERS: Final = ("off", "on", "keepalive", "timewait", "persist", "unknown")
_TCP_INFO: Final = struct.Struct("<8B24I4Q6I4Q2I2Q4I")
_NAMES: Final = (
    "state", "ca_state", "retransmits", "probes", "backoff", "options", "wscale", "limits", "rto", "ato", "snd_mss",
    "rcv_mss", "unacked", "sacked", "lost", "retrans", "fackets", "last_data_sent", "last_ack_sent", "last_data_recv",
    "last_ack_recv", "pmtu", "rcv_ssthresh", "rtt", "rttvar", "snd_ssthresh", "snd_cwnd", "advmss", "reordering",
    "rcv_rtt", "rcv_space", "total_retrans", "pacing_rate", "max_pacing_rate", "bytes_acked", "bytes_received",
    "segs_out", "segs_in", "notsent_bytes", "min_rtt", "data_segs_in", "data_segs_out", "delivery_rate", "busy_time",
    "rwnd_limited", "sndbuf_limited", "delivered", "delivered_ce", "bytes_sent", "bytes_retrans", "dsack_dups",
    "reord_seen", "rcv_ooopack", "snd_wnd",
)  # fmt: skip
_OPTIONS: Final = ((1, "ts"), (2, "sack"), (8, "ecn"), (16, "ecnseen"), (32, "fastopen"))
TCPI_OPT_WSCALE: Final = 4
TCP_TIMEOUT_INIT_US: Final = 3_000_000
TCP_INFINITE_SSTHRESH: Final = 0xFFFF
UNKNOWN_32, UNKNOWN_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
TCP_LISTEN: Final = 10
USUAL_REORDERING: Final = 3


def skmem(data: bytes) -> str:
    """The memory of a socket."""
    v = struct.unpack_from("<9I", data.ljust(36, b"\0"))
    return f" skmem:(r{v[0]},rb{v[1]},t{v[2]},tb{v[3]},f{v[4]},w{v[5]},o{v[6]},bl{v[7]},d{v[8]})"


def duration(ms: int) -> str:
    """1.234ms, 12sec, 1min3sec, 119min"""
    minutes, seconds, rest = ms // 60_000, ms // 1000 % 60, ms % 1000
    text = f"{minutes}min" if minutes else ""
    seconds, rest = 0 if minutes > 9 else seconds, 0 if minutes else rest
    if seconds:
        rest = 0 if seconds > 9 else rest
        text += f"{seconds}{'.' if rest else 'sec'}"
    return text + (f"{rest:03d}ms" if rest else "")


def timer(kind: int, expires: int, retrans: int) -> str:
    """The timer that runs."""
    return f" timer:({TIMERS[min(kind, 5)]},{duration(expires)},{retrans})" if kind else ""


class TcpInfo:
    """struct tcp_info by the names of its members, without their tcpi_."""

    def __init__(self, data: bytes) -> None:
        values = _TCP_INFO.unpack(data.ljust(_TCP_INFO.size, b"\0")[: _TCP_INFO.size])
        self.of = dict(zip(_NAMES, values, strict=True))

    def words(self, congestion: str, options: bool, numeric: bool) -> list[str]:
        """The words of -i in their order; options: those negotiated too."""
        i = self.of
        words = [name for bit, name in _OPTIONS if options and i["options"] & bit]
        words += [congestion] if congestion else []
        if i["options"] & TCPI_OPT_WSCALE:
            words.append(f"wscale:{i['wscale'] & 15},{i['wscale'] >> 4}")
        return words + self._path() + self._traffic(numeric) + self._window()

    def _counts(self, *names: tuple[str, str]) -> list[str]:
        return [f"{word}:{self.of[name]}" for word, name in names if self.of[name]]

    def _path(self) -> list[str]:
        i = self.of
        words = [f"rto:{i['rto'] / 1000:g}"] if i["rto"] and i["rto"] != TCP_TIMEOUT_INIT_US else []
        words += self._counts(("backoff", "backoff"))
        words += [f"rtt:{i['rtt'] / 1000:g}/{i['rttvar'] / 1000:g}"] if i["rtt"] else []
        words += [f"ato:{i['ato'] / 1000:g}"] if i["ato"] else []
        words += self._counts(
            ("mss", "snd_mss"), ("pmtu", "pmtu"), ("rcvmss", "rcv_mss"), ("advmss", "advmss"), ("cwnd", "snd_cwnd")
        )
        return words + ([f"ssthresh:{i['snd_ssthresh']}"] if 0 < i["snd_ssthresh"] < TCP_INFINITE_SSTHRESH else [])

    def _traffic(self, numeric: bool) -> list[str]:
        i = self.of
        words = self._counts(
            ("bytes_sent", "bytes_sent"), ("bytes_retrans", "bytes_retrans"), ("bytes_acked", "bytes_acked"),
            ("bytes_received", "bytes_received"), ("segs_out", "segs_out"), ("segs_in", "segs_in"),
            ("data_segs_out", "data_segs_out"), ("data_segs_in", "data_segs_in"),
        )  # fmt: skip
        if i["rtt"] and i["snd_mss"] and i["snd_cwnd"]:
            words.append(f"send {_bandwidth(i['snd_cwnd'] * i['snd_mss'] * 8_000_000 / i['rtt'], numeric)}bps")
        words += self._counts(
            ("lastsnd", "last_data_sent"), ("lastrcv", "last_data_recv"), ("lastack", "last_ack_recv")
        )
        if i["pacing_rate"] not in (0, UNKNOWN_64):
            most = i["max_pacing_rate"]
            behind = f"/{_bandwidth(most * 8, numeric)}bps" if most not in (0, UNKNOWN_64) else ""
            words.append(f"pacing_rate {_bandwidth(i['pacing_rate'] * 8, numeric)}bps{behind}")
        if i["delivery_rate"]:
            words.append(f"delivery_rate {_bandwidth(i['delivery_rate'] * 8, numeric)}bps")
        words += self._counts(("delivered", "delivered"), ("delivered_ce", "delivered_ce"))
        return words + (["app_limited"] if i["limits"] & 1 else []) + self._busy()

    def _busy(self) -> list[str]:
        i = self.of
        if not i["busy_time"]:
            return []
        words = [f"busy:{i['busy_time'] // 1000}ms"]
        for name in ("rwnd_limited", "sndbuf_limited"):
            if i[name]:
                words.append(f"{name}:{i[name] // 1000}ms({100 * i[name] / i['busy_time']:.1f}%)")
        return words

    def _window(self) -> list[str]:
        i = self.of
        words = self._counts(("unacked", "unacked"))
        if i["retrans"] or i["total_retrans"]:
            words.append(f"retrans:{i['retrans']}/{i['total_retrans']}")
        words += self._counts(("lost", "lost"))
        words += self._counts(("sacked", "sacked")) if i["state"] != TCP_LISTEN else []
        words += self._counts(("dsack_dups", "dsack_dups"), ("fackets", "fackets"))
        words += [f"reordering:{i['reordering']}"] if i["reordering"] != USUAL_REORDERING else []
        words += self._counts(("reord_seen", "reord_seen"))
        words += [f"rcv_rtt:{i['rcv_rtt'] / 1000:g}"] if i["rcv_rtt"] else []
        words += self._counts(
            ("rcv_space", "rcv_space"), ("rcv_ssthresh", "rcv_ssthresh"), ("notsent", "notsent_bytes")
        )
        words += [f"minrtt:{i['min_rtt'] / 1000:g}"] if i["min_rtt"] not in (0, UNKNOWN_32) else []
        return words + self._counts(("rcv_ooopack", "rcv_ooopack"), ("snd_wnd", "snd_wnd"))


def _bandwidth(bits: float, numeric: bool) -> str:
    if numeric:
        return f"{bits:.0f}"
    for least, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if bits > least:
            return f"{bits / least:.1f}{unit}"
    return f"{bits:g}"
