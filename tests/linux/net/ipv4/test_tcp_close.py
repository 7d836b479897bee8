"""The end of TCP connections over loopback: close in every order, linger, orphans, TIME_WAIT."""

import struct

import pytest

from kshell.linux.kernel.stacktrace import stack_trace_save_tsk
from tests.linux.net.ipv4.tcp_sockets import (
    CLOSE,
    CLOSE_WAIT,
    DONTWAIT,
    EAGAIN,
    ECONNRESET,
    EPIPE,
    FIN_WAIT1,
    FIN_WAIT2,
    LINGER,
    NOSIGNAL,
    POLLERR,
    POLLHUP,
    SHUT_WR,
    TIME_WAIT,
)


@pytest.mark.parametrize("first", ["client", "server"])
def test_close_goes_through_time_wait_for_a_minute(tcp, first):
    ends = dict(zip(("client", "server"), tcp.established(), strict=True))
    tcp.host("close", ends.pop(first))
    (other,) = ends.values()
    assert tcp.state(other) == CLOSE_WAIT
    assert tcp.recv(other) == b""
    tcp.host("close", other)
    assert tcp.states() == [TIME_WAIT]
    tcp.wait(59)
    assert tcp.states() == [TIME_WAIT]
    tcp.wait(2)
    assert tcp.states() == []


def test_half_close(tcp):
    client, server = tcp.established()
    assert tcp.host("shutdown", client, SHUT_WR) == 0
    assert tcp.state(client) == FIN_WAIT1  # the ACK of the FIN is put off
    tcp.wait(0.05)
    assert tcp.state(client) == FIN_WAIT2
    assert tcp.recv(server) == b""
    assert tcp.send(server, b"late") == 4
    assert tcp.recv(client) == b"late"
    assert tcp.send(client, b"x", NOSIGNAL) == EPIPE
    tcp.host("close", server)
    assert tcp.states() == [TIME_WAIT]
    assert tcp.recv(client) == b""


def test_close_with_unread_data_resets(tcp):
    client, server = tcp.established()
    tcp.send(client, b"unread")
    tcp.host("close", server)
    assert tcp.recv(client) == ECONNRESET
    assert tcp.send(client, b"x", NOSIGNAL) == EPIPE
    assert tcp.states() == []


def test_linger_zero_resets(tcp):
    client, server = tcp.established()
    assert tcp.host("setsockopt", client, 1, LINGER, struct.pack("<ii", 1, 0), 8) == 0
    tcp.host("close", client)
    assert tcp.poll(server) & (POLLERR | POLLHUP) == POLLERR | POLLHUP
    assert tcp.error(server) == 104
    assert tcp.states() == []


def lingering(tcp, seconds):
    """(call, server): a close that waits with SO_LINGER, more being sent than the peer takes."""
    client, server = tcp.established()
    thread = tcp.host.thread()
    assert tcp.host("setsockopt", client, 1, LINGER, struct.pack("<ii", 1, seconds), 8) == 0
    data = tcp.host.room(60000)
    while tcp.host("sendto", client, data, 60000, DONTWAIT, 0, 0) != EAGAIN:
        pass
    return tcp.host("close", client, task=thread), server


def test_linger_waits_until_all_is_acknowledged(tcp):
    call, server = lingering(tcp, 5)
    assert stack_trace_save_tsk(call.task)[:9] == [
        "wait_woken", "sk_stream_wait_close", "__tcp_close", "tcp_close", "inet_release", "__sock_release",
        "sock_close", "__fput", "task_work_run",
    ]  # fmt: skip
    assert not call.done
    room = tcp.host.room(60000)
    while tcp.host("recvfrom", server, room, 60000, DONTWAIT, 0, 0):
        tcp.wait(0.1)
    assert (call.done, call.result) == (True, 0)
    tcp.host("close", server)


def test_linger_ends_when_time_is_up(tcp):
    caches = [cache for cache in tcp.host.kernel.slab_caches if cache.name in ("TCP", "sock_inode_cache", "filp")]
    before = [cache._inuse for cache in caches]
    call, server = lingering(tcp, 5)
    tcp.wait(4.9)
    assert not call.done
    tcp.wait(0.2)
    assert (call.done, call.result) == (True, 0)
    tcp.host("close", server)
    tcp.wait(70)
    assert [cache._inuse for cache in caches] == before


def test_writing_after_the_peer_closed_gets_reset_then_epipe(tcp):
    client, server = tcp.established()
    tcp.host("close", server)
    assert tcp.send(client, b"x", NOSIGNAL) == 1
    assert tcp.send(client, b"y", NOSIGNAL) in (EPIPE, ECONNRESET)


def test_disconnect_by_af_unspec(tcp):
    client, server = tcp.established()
    assert tcp.host("connect", client, bytes(16), 16) == 0
    assert tcp.state(client) == CLOSE
    assert tcp.recv(server) == ECONNRESET
    tcp.listener()
    assert tcp.connect(client) == 0


def test_orphan_in_fin_wait2_ends_after_tcp_fin_timeout(tcp):
    client, _server = tcp.established()
    tcp.host("close", client)
    assert tcp.states() == [FIN_WAIT1, CLOSE_WAIT]
    tcp.wait(0.05)
    assert tcp.states() == [TIME_WAIT, CLOSE_WAIT]  # a timewait sock with substate FIN_WAIT2
    tcp.wait(61)
    assert tcp.states() == [CLOSE_WAIT]


def test_data_after_fin_wait2_orphan_is_reset(tcp):
    client, server = tcp.established()
    tcp.host("close", client)
    assert tcp.send(server, b"late", NOSIGNAL) == 4
    assert tcp.error(server) in (32, 104)


def test_time_wait_ports_are_reused_for_connect(tcp):
    tcp.time_wait()
    listener = tcp.listener()
    assert listener > 0
    assert tcp.connect(tcp.socket()) == 0


def test_listener_closed_resets_waiting_connections(tcp):
    listener = tcp.listener()
    client = tcp.socket()
    assert tcp.connect(client) == 0
    tcp.host("close", listener)
    assert tcp.recv(client) == ECONNRESET
