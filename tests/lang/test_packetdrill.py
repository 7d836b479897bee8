"""packetdrill scripts to events."""

import pytest

from kshell.lang.errors import LangError
from kshell.lang.packetdrill import parse
from kshell.lang.packetdrill_script import Action, Code, Event, Packet, Shell, SystemCall, TcpOption, When

SCRIPT = """// a server
--tolerance_usecs=10000
--local_ip=192.168.0.1
`./defaults.sh`

    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +.1 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
   +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 8>
   +.1 < . 1:1(0) ack 1 win 257
   +0 accept(3, ..., ...) = 4
   +.3~+.310 > P. 1:1001(1000) ack 1
   +.1...0.200 read(4, ..., 1000) = -1 EAGAIN (Resource temporarily unavailable)
   * > R. 1:1(0) ack 1
   +0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%
`restore`
"""


def event(text: str) -> Event:
    (found,) = parse(text).events
    return found


def action(text: str) -> Action:
    return event(f"0 {text}").action


def test_a_whole_script() -> None:
    script = parse(SCRIPT, "x.pkt")
    assert dict(script.options) == {"tolerance_usecs": "10000", "local_ip": "192.168.0.1"}
    assert (script.setup, script.cleanup) == ("./defaults.sh", "restore")
    assert [type(e.action).__name__ for e in script.events] == [
        *["SystemCall"] * 4, *["Packet"] * 3, "SystemCall", "Packet", "SystemCall", "Packet", "Code",
    ]  # fmt: skip
    assert script.events[0].line == 6


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("0 `x`", When(False, False, 0)),
        ("+0 `x`", When(True, False, 0)),
        ("+.1 `x`", When(True, False, 100_000_000)),
        ("1.000001 `x`", When(False, False, 1_000_001_000)),
        ("* `x`", When(False, True, 0)),
        ("+.3~+.310 `x`", When(True, False, 300_000_000, 310_000_000)),
    ],
)
def test_times(text: str, when: When) -> None:
    # a lone `command` behind a time is an event
    assert event(text).when == when


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("< S 0:0(0) win 5", Packet(True, "tcp", "S", (0, 0, 0), None, 5)),
        ("> . 1:1(0) ack 2", Packet(False, "tcp", ".", (1, 1, 0), 2)),
        ("> P. 1:11(10) ack 2 <...>", Packet(False, "tcp", "P.", (1, 11, 10), 2, options=None)),
        ("> - 1:1(0)", Packet(False, "tcp", "", (1, 1, 0))),
        ("> [ect0] . 1:1(0) ack 1", Packet(False, "tcp", ".", (1, 1, 0), 1, ip=("ect0",))),
        ("> P.5 1:1(0) ack 1", Packet(False, "tcp", "P.5", (1, 1, 0), 1)),
        ("> FP. 4294967295:0(1) ack 1", Packet(False, "tcp", "FP.", (4294967295, 0, 1), 1)),
        ("< icmp unreachable frag_needed mtu 1400 [1:1001(1000)]",
         Packet(True, "icmp", seq=(1, 1001, 1000), icmp=("unreachable", "frag_needed", 1400))),
        ("> udp (7)", Packet(False, "udp", seq=(0, 7, 7))),
        ("< 80 > 1234 R 1:1(0) win 0", Packet(True, "tcp", "R", (1, 1, 0), None, 0, ports=(80, 1234))),
        ("< U. 1:2(1) ack 1 win 5 urg 1", Packet(True, "tcp", "U.", (1, 2, 1), 1, 5, 1)),
    ],
)  # fmt: skip
def test_packets(text: str, packet: Packet) -> None:
    assert action(text) == packet


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("mss 1460,nop,wscale 8", [("mss", (1460,)), ("nop", ()), ("wscale", (8,))]),
        ("sackOK,TS val 100 ecr 0", [("sackOK", ()), ("TS", (100, 0))]),
        ("nop,nop,sack 1:1001 2001:3001", [("nop", ()), ("nop", ()), ("sack", (1, 1001, 2001, 3001))]),
        ("FO 3021b9d889017eeb,nop,nop", [("FO", ("3021b9d889017eeb",)), ("nop", ()), ("nop", ())]),
        ("FO", [("FO", ())]),
        ("md5 00ab12", [("md5", ("00ab12",))]),
    ],
)
def test_tcp_options(text: str, options: list[tuple[str, tuple[int | str, ...]]]) -> None:
    packet = action(f"> S 0:0(0) <{text}>")
    assert isinstance(packet, Packet)
    assert packet.options == tuple(TcpOption(kind, values) for kind, values in options)


@pytest.mark.parametrize(
    ("text", "name", "count", "errno", "until"),
    [
        ("close(3) = 0", "close", 1, "", None),
        ("...0.200 read(4, ..., 5) = 5", "read", 3, "", 200_000_000),
        ("write(4, ..., 5) = -1 EPIPE (Broken Pipe)", "write", 3, "EPIPE", None),
        ("connect(3, ..., ...) = -1 (Invalid Argument)", "connect", 3, "", None),
        ("fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)", "fcntl", 2, "", None),
        ("sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 5}], msg_flags=0}, A|B) = 5", "sendmsg", 3, "", None),
        ('setsockopt(3, SOL_TCP, TCP_CONGESTION, "cu" "bic", 5) = 0', "setsockopt", 5, "", None),
        ("poll([{fd=3, events=POLLIN, revents=0}], 1, 0) = 0", "poll", 3, "", None),
        ("bind(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0", "bind", 3, "", None),
    ],
)
def test_calls(text: str, name: str, count: int, errno: str, until: int | None) -> None:
    call = action(text)
    assert isinstance(call, SystemCall)
    assert (call.name, len(call.args), call.errno, call.until) == (name, count, errno, until)


def test_commands_and_code() -> None:
    script = parse("0 `tc\nqdisc`\n+0 %{ a\nb }%\n+0 close(3) = 0")
    assert [e.action for e in script.events[:2]] == [Shell("tc\nqdisc"), Code("a\nb")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the script ends too early"),
        ("0 close(3 = 0", 1, "unexpected '='"),
        ("0 < S 0:0(0)", 1, "the script ends too early"),
        ("0 > S 0:5(1)", 1, "the range is not as long as it says"),
        ("0 > X 0:0(0)", 1, "unexpected 'X'"),
        ("0 > S 0:0(0) <mmm 5>", 1, "unknown TCP option mmm"),
        ("0 close(3) = 0\nbanana", 2, "unexpected 'banana'"),
        ("0 \x01", 1, "unexpected character \\x01"),
        ("0 close(3) = -1 EBADF (never closed", 1, "the script ends too early"),
        ("0 close(" + "[" * 100, 1, "unexpected '['"),
        ("0 > [foo] . 0:0(0)", 1, "unexpected 'foo'"),
    ],
)
def test_errors(text: str, line: int, message: str) -> None:
    with pytest.raises(LangError) as caught:
        parse(text)
    assert (caught.value.place.line, caught.value.message) == (line, message)
