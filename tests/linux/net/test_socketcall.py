"""socketcall(): the multiplexer, on x86-64 for the kernel's own table and on i386 with 32-bit words."""

import struct

import pytest

from kshell.linux.net.socket_socketcall import NARGS, sys_socketcall

EINVAL, EFAULT = -22, -14
SOCKETCALL = 102


def i386(host, *args):
    words = tuple(host.put(a) if isinstance(a, bytes) else a for a in args)
    return host.machine.syscall(host.init, SOCKETCALL, words, compat=True)


def words(*values):
    return struct.pack(f"<{len(values)}I", *(value & 0xFFFFFFFF for value in values))


def test_the_table_of_argument_counts():
    assert NARGS == (0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4)


@pytest.mark.parametrize("call", [0, 21, 99, -1 & 0xFFFFFFFF])
def test_unknown_sub_calls(host, call):
    assert i386(host, call, 0x1000) == EINVAL


def test_arguments_are_fetched(host):
    assert i386(host, 1, 0x1000) == EFAULT


def test_a_talk_by_32_bit_words(host):
    pair = host.room(8)
    assert i386(host, 8, words(1, 1, 0, pair)) == 0
    a, b = struct.unpack("<ii", host.get(pair, 8))
    text, room = host.put(b"hello"), host.room(8)
    assert i386(host, 9, words(a, text, 5, 0)) == 5
    assert i386(host, 10, words(b, room, 8, 0)) == 5
    assert host.get(room, 5) == b"hello"
    iov = host.put(words(text, 5))
    message = host.put(words(0, 0, iov, 1, 0, 0, 0))
    assert i386(host, 16, words(a, message, 0)) == 5
    iov = host.put(words(room, 8))
    message = host.put(words(0, 0, iov, 1, 0, 0, 0xFF))
    assert i386(host, 17, words(b, message, 0)) == 5
    assert host.word(message + 24) == 0  # msg_flags


def test_options_with_32_bit_timeval(host):
    assert i386(host, 1, words(2, 1, 0)) == 3
    assert i386(host, 14, words(3, 1, 20, host.put(struct.pack("<ii", 2, 500000)), 8)) == 0
    value, length = host.room(16), host.put(words(16))
    assert i386(host, 15, words(3, 1, 20, value, length)) == 0
    assert host.word(length) == 8
    assert struct.unpack("<ii", host.get(value, 8)) == (2, 500000)


def test_the_64_bit_table_reads_64_bit_words(host):
    args = host.put(struct.pack("<QQQ", 2, 1, 0))
    assert sys_socketcall(host.init, 1, args) == 3
