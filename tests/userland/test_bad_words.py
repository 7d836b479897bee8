"""Words that no program expects are errors of the program, never of ours."""

import pytest

from kshell.session.session import Session

LONG = "9" * 5000
LINES = [
    f"nc 127.0.0.1 {LONG}", f"ss -tan sport = :{LONG}", "ss -tan fwmark = x", "ss -tan sport = :70000",
    f"ifconfig lo mtu {LONG}", f"ifconfig lo 10.0.0.1/{LONG}", f"route add -net 10.0.0.0/{LONG} dev lo",
    f"route add default gw 10.0.0.1 metric {LONG}", "route add default gw 10.0.0.1 metric 99999 irtt 99999",
    f"ip route add 10.0.0.0/{LONG} dev lo", "ip route add 10.0.0.0/8 dev lo proto 300", "ip route show tos 1000",
    "ip route add 10.0.0.0/8 dev lo scope 300", "ip route add 10.0.0.0/8 nexthop dev lo weight 0",
    "ip addr add 10.0.0.1/8 dev lo scope 300", "ip neigh add 10.0.0.1 dev lo nud 70000", f"ip link set lo mtu {LONG}",
    "sysctl -a -r (", f"tcpdump -i lo port {LONG}", f"tcpdump -c {LONG} -i lo", "ping -c 1 -m 4294967295 127.0.0.1",
    f"ping -c {LONG} 127.0.0.1",
    "ping -c 1 -e 70000 127.0.0.1", "ping -c 1 -p xyz 127.0.0.1", f"arp -s 10.0.0.{LONG} 2:2:2:2:2:2",
    "netstat -A", "ss -f", "ls --sort", "cat -", "mount -t", "ip", "ip -f", "ip route add", "ip link set lo mtu",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=[line[:50] for line in LINES])
def test_no_word_is_an_oops(line: str) -> None:
    session = Session()
    session.run(line)
    assert session.oopses == 0
