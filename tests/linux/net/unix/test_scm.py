"""Descriptors and credentials in messages, and the collection of those that nobody can receive."""

import struct

from kshell.abi.errno import EBADF, EINVAL, EPERM
from kshell.abi.socket import (
    AF_UNIX,
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_PEEK,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SO_PASSCRED,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
)


def cmsg(kind, data):
    body = struct.pack("<Qii", 16 + len(data), SOL_SOCKET, kind) + data
    return body.ljust((len(body) + 7) & ~7, b"\0")


def rights(*fds):
    return cmsg(SCM_RIGHTS, struct.pack(f"<{len(fds)}i", *fds))


def msghdr(host, data, control, room=0, task=None):
    buf = host.put(data, task)
    iov = host.put(struct.pack("<QQ", buf, len(data)), task)
    ctl = host.put(control, task) if control else (host.room(room) if room else 0)
    length = len(control) or room
    return host.put(struct.pack("<QIxxxxQQQQI", 0, 0, iov, 1, ctl, length, 0), task), ctl


def sendmsg(host, fd, control, data=b"x", task=None):
    return host("sendmsg", fd, msghdr(host, data, control, task=task)[0], 0, task=task)


def recvmsg(host, fd, room=100, flags=MSG_DONTWAIT, task=None):
    """The result, the control bytes, the message flags."""
    hdr, ctl = msghdr(host, b"\0" * 10, b"", room, task)
    got = host("recvmsg", fd, hdr, flags, task=task)
    if got < 0:
        return got, b"", 0
    length, msg_flags = struct.unpack_from("<QI", host.get(hdr, 56, task), 40)
    return got, host.get(ctl, length, task) if length else b"", msg_flags


def pair(host, kind=SOCK_STREAM):
    return host.pair("socketpair", AF_UNIX, kind, 0, ...)


def fds_of(control):
    length = struct.unpack_from("<Q", control)[0]
    return struct.unpack_from(f"<{(length - 16) // 4}i", control, 16)


def test_a_descriptor_arrives_under_another_number(host):
    a, b = pair(host)
    r, w = host.pipe()
    assert sendmsg(host, a, rights(w)) == 1
    host("close", w)
    _, control, _ = recvmsg(host, b)
    (there,) = fds_of(control)
    assert host.write(there, b"through") == 7
    assert host.read(r, 10) == b"through"


def test_a_message_that_is_not_received_closes_its_files(host):
    a, b = pair(host)
    r, w = host.pipe()
    sendmsg(host, a, rights(w))
    host("close", w)
    host("close", a)
    host("close", b)
    host.machine.run()
    assert host.read(r, 1) == b""


def test_too_little_room_loses_descriptors(host):
    a, b = pair(host)
    r, _ = host.pipe()
    sendmsg(host, a, rights(r, r, r))
    _, control, flags = recvmsg(host, b, room=24)
    assert len(fds_of(control)) == 2
    assert flags & MSG_CTRUNC
    sendmsg(host, a, rights(r))
    assert recvmsg(host, b, room=0)[2] & MSG_CTRUNC


def test_peeking_makes_descriptors_too(host):
    a, b = pair(host)
    r, _ = host.pipe()
    sendmsg(host, a, rights(r))
    (first,) = fds_of(recvmsg(host, b, flags=MSG_PEEK)[1])
    (second,) = fds_of(recvmsg(host, b, flags=MSG_CMSG_CLOEXEC)[1])
    assert first != second
    assert host("fcntl", second, 1, 0) == 1
    assert host("fcntl", first, 1, 0) == 0


def test_a_read_stops_at_descriptors(host):
    a, b = pair(host)
    r, _ = host.pipe()
    sendmsg(host, a, rights(r), b"one")
    sendmsg(host, a, rights(r), b"two")
    assert recvmsg(host, b)[0] == 3


def test_bad_control_messages(host):
    a, _ = pair(host)
    assert sendmsg(host, a, rights(99)) == -EBADF
    assert sendmsg(host, a, rights(-1)) == -EBADF
    assert sendmsg(host, a, rights(*([0] * 254))) in (-EINVAL, -EBADF)
    assert sendmsg(host, a, cmsg(77, b"")) == -EINVAL
    assert sendmsg(host, a, struct.pack("<Qii", 8, SOL_SOCKET, SCM_RIGHTS)) == -EINVAL
    assert sendmsg(host, a, struct.pack("<Qii", 16, 99, 99)) == 1


def test_credentials(host):
    a, b = pair(host, SOCK_DGRAM)
    host("setsockopt", b, SOL_SOCKET, SO_PASSCRED, (1).to_bytes(4, "little"), 4)
    sendmsg(host, a, b"")
    _, control, _ = recvmsg(host, b)
    assert control == cmsg(SCM_CREDENTIALS, struct.pack("<iII", 1, 0, 0))
    child = host.fork()
    host("setuid", 1000, task=child)
    theirs = struct.pack("<iII", child.pid, 1000, 0)
    assert sendmsg(host, a, cmsg(SCM_CREDENTIALS, theirs), task=child) == 1
    assert recvmsg(host, b)[1] == cmsg(SCM_CREDENTIALS, theirs)
    forged = struct.pack("<iII", 1, 0, 0)
    assert sendmsg(host, a, cmsg(SCM_CREDENTIALS, forged), task=child) == -EPERM


def sockets_left(host):
    return host.kernel.unix_nr_socks


def test_a_socket_in_its_own_queue_is_collected(host):
    a, b = pair(host)
    sendmsg(host, a, rights(b))
    host("close", a)
    host("close", b)
    host.machine.run()
    assert sockets_left(host) == 0
    assert host.kernel.unix_tot_inflight == 0


def test_a_ring_of_sockets_is_collected(host):
    pairs = [pair(host) for _ in range(3)]
    for i, (a, _) in enumerate(pairs):
        sendmsg(host, a, rights(pairs[(i + 1) % 3][1]))
    for a, b in pairs:
        host("close", a)
        host("close", b)
    host.machine.run()
    assert sockets_left(host) == 0


def test_what_can_still_be_received_is_kept(host):
    a, b = pair(host)
    c, d = pair(host)
    sendmsg(host, c, rights(d))  # d lies in its own queue, but c and d are open
    sendmsg(host, a, rights(c))
    host("close", c)
    host.machine.run()
    (again,) = fds_of(recvmsg(host, b)[1])
    assert sendmsg(host, again, b"") == 1
    assert sockets_left(host) == 4
