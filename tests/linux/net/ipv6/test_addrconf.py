"""The settings of IPv6 below /proc/sys: they come and go with devices and namespaces, and nothing follows them."""

import pytest

from kshell import Session
from kshell.linux.kernel.sysctl_inert import _why_inert


@pytest.fixture
def session() -> Session:
    return Session()


def told(session: Session, text: str) -> str:
    lines = [event.to_json() for event in session.execute(text)]
    assert not [line for line in lines if line["event"] in ("error", "oops")], lines
    return "".join(str(line["text"]) + "\n" for line in lines if line["event"] == "output")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("conf/all/accept_dad", "0"), ("conf/default/accept_dad", "1"), ("conf/lo/accept_dad", "-1"),
        ("conf/lo/use_tempaddr", "-1"), ("conf/lo/mtu", "65536"), ("conf/default/mtu", "1280"),
        ("conf/default/router_solicitation_interval", "4"), ("conf/default/mldv1_unsolicited_report_interval", "10000"),
        ("neigh/default/gc_thresh3", "1024"), ("neigh/lo/retrans_time", "250"), ("neigh/lo/locktime", "0"),
        ("neigh/lo/base_reachable_time_ms", "30000"), ("icmp/ratemask", "0-1,3-127"), ("route/gc_min_interval_ms", "500"),
        ("bindv6only", "0"), ("ioam6_id_wide", "72057594037927935"), ("ip6frag_time", "60"),
    ],
)  # fmt: skip
def test_first_values(session: Session, path: str, value: str) -> None:
    assert told(session, f"cat /proc/sys/net/ipv6/{path}").strip() == value
    assert _why_inert(f"net/ipv6/{path}")


def test_ipv6_is_disabled_as_its_setting_says(session: Session) -> None:
    assert told(session, "cat /proc/sys/net/ipv6/conf/lo/disable_ipv6").strip() == "1"
    loopback = '{AF_INET6, 80, "::1"}'
    told(session, f"fd = socket(AF_INET6, SOCK_STREAM, 0)\nbind(fd, {loopback}, 28) = -1 EADDRNOTAVAIL")
    assert session.failed == 0


def directories(session: Session, kind: str = "conf") -> list[str]:
    return told(session, f"ls /proc/sys/net/ipv6/{kind}").split()


def test_a_device_brings_its_directories_and_takes_them_along(session: Session) -> None:
    told(session, "modprobe dummy")
    told(session, "ip link add dummy7 type dummy")
    assert "dummy7" in directories(session)
    assert "dummy7" in directories(session, "neigh")
    told(session, "ip link set dummy7 name other")
    assert "other" in directories(session)
    assert "dummy7" not in directories(session, "neigh")
    told(session, "ip link del other")
    assert "other" not in directories(session) + directories(session, "neigh")


@pytest.mark.parametrize(("mtu", "there"), [(1280, True), (1279, False)])
def test_a_device_whose_packets_are_too_small_has_no_settings(session: Session, mtu: int, there: bool) -> None:
    told(session, f"modprobe dummy\nip link add dummy7 type dummy\nip link set dummy7 mtu {mtu}")
    assert ("dummy7" in directories(session)) is there
    told(session, "ip link set dummy7 mtu 1500")
    assert told(session, "cat /proc/sys/net/ipv6/conf/dummy7/mtu").strip() == "1500"


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("conf/lo/hop_limit", "0", "-1 EINVAL"), ("conf/lo/hop_limit", "255", "255"), ("conf/lo/hop_limit", "256", "-1 EINVAL"),
        ("conf/lo/mtu", "1279", "-1 EINVAL"), ("conf/lo/rpl_seg_enabled", "2", "-1 EINVAL"),
        ("conf/default/forwarding", "1", "1"), ("flowlabel_reflect", "8", "-1 EINVAL"), ("icmp/ratemask", "1,5-7", "1,5-7"),
        ("neigh/lo/mcast_solicit", "-1", "-1 EINVAL"), ("conf/lo/stable_secret", "x", "-1 EIO"),
    ],
)  # fmt: skip
def test_values_are_bounded_and_kept(session: Session, path: str, value: str, read: str) -> None:
    expected = read if read.startswith("-1") else str(len(value))
    told(session, f'fd = open("/proc/sys/net/ipv6/{path}", O_WRONLY)\nwrite(fd, "{value}", {len(value)}) = {expected}')
    assert session.failed == 0
    if not read.startswith("-1"):
        assert told(session, f"cat /proc/sys/net/ipv6/{path}").strip() == read


def test_devices_follow_the_default_of_neighbours(session: Session) -> None:
    told(session, "sysctl -w net.ipv6.neigh.default.ucast_solicit=5")
    assert told(session, "cat /proc/sys/net/ipv6/neigh/lo/ucast_solicit").strip() == "5"


def test_a_namespace_has_settings_of_its_own(session: Session) -> None:
    told(session, "@other unshare(CLONE_NEWNET) = 0")
    told(session, "@other sysctl -w net.ipv6.conf.all.forwarding=1")
    told(session, "@other sysctl -w net.mptcp.enabled=0")
    assert told(session, "@other cat /proc/sys/net/ipv6/conf/all/forwarding").strip() == "1"
    assert told(session, "cat /proc/sys/net/ipv6/conf/all/forwarding").strip() == "0"
    assert told(session, "cat /proc/sys/net/mptcp/enabled").strip() == "1"
    told(session, "@other exit_group(0)")
    assert session.oopses == 0


@pytest.mark.parametrize(("name", "result"), [("NONE", "4"), ("nf_log_ipv4", "-1 ENOENT")])
def test_no_logger_of_netfilter_can_be_chosen(session: Session, name: str, result: str) -> None:
    path = "/proc/sys/net/netfilter/nf_log/2"
    assert told(session, f"cat {path}").strip() == "NONE"
    told(session, f'fd = open("{path}", O_WRONLY)\nwrite(fd, "{name}", {len(name)}) = {result}')
    assert session.failed == 0
