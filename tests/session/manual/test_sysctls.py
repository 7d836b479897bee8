"""`help` on the kernel's settings: the value, the bounds, and whether anything follows it."""

import pytest

from kshell import Session
from kshell.linux.kernel.sysctl_inert import INERT
from kshell.session.commands.helping import help_text
from kshell.session.manual.sysctls import sysctl_help, sysctls_text

INERT_TEXT = "nothing follows it: "
LIVE_TEXT = "The kernel follows it."


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


@pytest.mark.parametrize(
    "topic",
    ["net.ipv4.ip_forward", "net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward", "ip_forward"],
)  # fmt: skip
def test_a_setting_is_found_by_each_of_its_names(session: Session, topic: str) -> None:
    assert help_text(session, topic).startswith("net.ipv4.ip_forward   a setting of the kernel")


@pytest.mark.parametrize(
    ("topic", "parts"),
    [
        ("net.ipv4.ip_forward", ["now 0", "mode 0644", LIVE_TEXT, "sysctl -w net.ipv4.ip_forward=VALUE"]),
        ("net.ipv4.tcp_fack", [INERT_TEXT + "unused since Linux 4.15."]),
        ("net.ipv6.bindv6only", [INERT_TEXT + "IPv6 carries no packets."]),
        ("net.ipv4.tcp_ecn", ["from 0 to 2", LIVE_TEXT]),
        ("net.ipv4.tcp_fin_timeout", ["now 60", "in seconds"]),
        ("net.ipv4.tcp_rmem", ["now 4096 131072 6291456", "from 4096"]),
        ("net.ipv4.tcp_congestion_control", ["now cubic"]),
        ("net.ipv4.route.flush", ["(cannot be read)", "mode 0200"]),
        ("net.ipv6.conf.lo.stable_secret", ["(not set)"]),
        ("kernel.ostype", ["now Linux", "mode 0444"]),
    ],
)
def test_what_is_said_of_a_setting(session: Session, topic: str, parts: list[str]) -> None:
    text = sysctl_help(session.kernel, topic)
    assert [part for part in parts if part not in text] == []


def test_a_setting_that_cannot_be_written_has_no_command_to_write_it(session: Session) -> None:
    assert "sysctl -w" not in sysctl_help(session.kernel, "kernel.ostype")


def test_values_are_those_of_now() -> None:
    session = Session()
    session.run("sysctl -w net.ipv4.tcp_fin_timeout=7")
    assert "now 7 " in sysctl_help(session.kernel, "tcp_fin_timeout")


def test_a_directory_is_listed(session: Session) -> None:
    lines = help_text(session, "net.ipv4.conf.lo").splitlines()
    assert lines[0] == "settings below net.ipv4.conf.lo:"
    assert "  net.ipv4.conf.lo.rp_filter" in lines
    assert "  net.ipv4.conf.lo.tag   (changes nothing here)" in lines


def test_settings_of_one_name_are_listed(session: Session) -> None:
    lines = sysctl_help(session.kernel, "rp_filter").splitlines()
    assert lines == ["settings named rp_filter:", "", *(f"  net.ipv4.conf.{name}.rp_filter" for name in ("all", "default", "lo"))]


@pytest.mark.parametrize("topic", ["", "3", "nonsense", "net.ipv4.nonsense", "..", "/", "net..ipv4"])
def test_what_is_no_setting_is_not_explained(session: Session, topic: str) -> None:
    assert sysctl_help(session.kernel, topic) == ""


def test_every_reason_is_told(session: Session) -> None:
    text = " ".join(sysctls_text(session.kernel).split())
    assert [reason for reason in INERT.values() if reason not in text] == []
