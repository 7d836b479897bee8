"""SYN cookies: connections that need no memory until they are there."""

import struct

import pytest

from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.include.linux import snmp
from tests.linux.net.ipv4.conftest import sin


def connected(host, backlog=5):
    """The two ends of a connection over lo."""
    listener = host("socket", 2, 1, 0)
    assert host("bind", listener, sin(80), 16) == 0
    assert host("listen", listener, backlog) == 0
    client = host("socket", 2, 1, 0)
    assert host("connect", client, sin(80), 16) == 0
    return client, host("accept", listener, 0, 0)


@pytest.mark.parametrize("timestamps", ["1", "0"])
def test_a_connection_is_made_by_cookie_alone(host, timestamps):
    _sysctl_set(host.kernel, "net/ipv4/tcp_syncookies", "2")
    _sysctl_set(host.kernel, "net/ipv4/tcp_timestamps", timestamps)
    client, server = connected(host)
    assert host.write(client, b"over") == 4
    assert host.read(server, 10) == b"over"
    counts = host.kernel.init_net.mib.net_statistics
    assert counts[snmp.LINUX_MIB_SYNCOOKIESSENT] == 1
    assert counts[snmp.LINUX_MIB_SYNCOOKIESRECV] == 1
    assert counts[snmp.LINUX_MIB_SYNCOOKIESFAILED] == 0


def test_the_window_scale_survives_in_the_timestamp(host):
    _sysctl_set(host.kernel, "net/ipv4/tcp_syncookies", "2")
    _, server = connected(host)
    where, length = host.room(232), host.put(struct.pack("<I", 232))
    assert host("getsockopt", server, 6, 11, where, length) == 0
    options = host.get(where, 8)[5]
    assert options & 7 == 7  # timestamps, SACK, window scaling
