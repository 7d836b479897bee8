"""Calls to numbers, registers and user memory."""

import struct

import pytest

from kshell.lang.ast import CallStatement
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source
from kshell.lang.marshal import Marshalled, marshal
from kshell.lang.numbers import Buffer, NoVariables
from kshell.lang.statements import parse_line


class Variables(NoVariables):
    """``fd`` is 7, ``buf`` a buffer, and what calls name is remembered."""

    def __init__(self) -> None:
        self.buffers: dict[str, Buffer] = {"buf": Buffer(0x20080000, 64)}

    def number(self, name: str) -> int | None:
        return 7 if name == "fd" else None

    def buffer(self, name: str) -> Buffer | None:
        return self.buffers.get(name)

    def remember(self, name: str, buffer: Buffer) -> None:
        self.buffers[name] = buffer


def run(text: str, memory, variables=None, **options) -> Marshalled:
    statement = parse_line(text)
    assert isinstance(statement, CallStatement)
    return marshal(statement.call, Source(text), memory, variables, **options)


@pytest.mark.parametrize(
    ("text", "number", "registers"),
    [
        ("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0)", 41, (2, 0o2000001, 0)),
        ("close(-1)", 3, ((1 << 64) - 1,)),
        ("syscall(41, 2, 1, 0)", 41, (2, 1, 0)),
        ("syscall(__NR_getpid)", 39, ()),
        ("syscall(9999, 1)", 9999, (1,)),
        ("kill(1, SIGTERM)", 62, (1, 15)),
        ("read(3, NULL, 0x4000000000000000)", 0, (3, 0, 1 << 62)),
        ("read(3, 0x1, 5)", 0, (3, 1, 5)),
        ("lseek(3, -5, SEEK_END)", 8, (3, (1 << 64) - 5, 2)),
        ("open(NULL, O_RDONLY)", 2, (0, 0, 0)),
        ("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK)", 72, (3, 4, 0o4002)),
        ("fcntl(3, F_GETFL)", 72, (3, 3, 0)),
        ("clone(child_stack=NULL, flags=CLONE_VM|SIGCHLD)", 56, (0x111, 0)),
        ("close(1 + 2 * 3)", 3, (7,)),
        ("mknod(NULL, S_IFCHR|0644, makedev(1, 3))", 133, (0, 0o020644, 0x103)),
        ("socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))", 41, (17, 3, 0x300)),
        ("close(3<socket:[4]>)", 3, (3,)),
        ("getpid()", 39, ()),
        ("wait4(-1, NULL, WNOHANG, NULL)", 61, ((1 << 64) - 1, 0, 1, 0)),
        ("ioctl(3, FIOCLEX)", 16, (3, 0x5451, 0)),
        ("syscall(SYS_close, 3)", 3, (3,)),
        ("ioctl(3, _IOR(84, 215, int), NULL)", 16, (3, 0x800454D7, 0)),
    ],
)
def test_registers(text: str, number: int, registers: tuple[int, ...], memory) -> None:
    made = run(text, memory)
    assert made.number == number
    assert made.registers[: len(registers)] == registers
    assert made.registers[len(registers) :] == (0,) * (6 - len(registers))


SIN = b"\2\0\0\x50\x7f\0\0\1" + bytes(8)


@pytest.mark.parametrize(
    ("text", "register", "expected"),
    [
        ('write(1, "hi\\n", 3)', 1, b"hi\n\0"),
        ('open("/tmp/x", 0)', 0, b"/tmp/x\0"),
        ('bind(3, {AF_INET, 80, "127.0.0.1"}, 16)', 1, SIN),
        (
            'bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16)',
            1,
            SIN,
        ),
        ("bind(3, {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {INADDR_LOOPBACK}}, 16)", 1, SIN),
        ('bind(3, {AF_UNIX, "/s"}, 5)', 1, b"\1\0/s\0"),
        ('bind(3, {AF_UNIX, @"ab"}, 5)', 1, b"\1\0\0ab"),
        ("bind(3, {AF_NETLINK, 5, 1}, 12)", 1, struct.pack("<HHII", 16, 0, 5, 1)),
        ('bind(3, {AF_INET6, 80, "::1"}, 28)', 1, b"\n\0\0\x50" + bytes(4) + bytes(15) + b"\1"),
        ('bind(3, "\\2\\0", 2)', 1, b"\2\0"),
        ("poll([{fd=3, events=POLLIN|POLLHUP}], 1, 0)", 0, struct.pack("<ihh", 3, 0x11, 0)),
        ("poll([{3, POLLIN}], 1, 0)", 0, struct.pack("<ihh", 3, 1, 0)),
        ("setsockopt(3, SOL_SOCKET, SO_LINGER, {1, 5}, 8)", 3, struct.pack("<ii", 1, 5)),
        ("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)", 3, struct.pack("<i", 1)),
        ("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, &1, 4)", 3, struct.pack("<i", 1)),
        ("setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {1, 5}, 16)", 3, struct.pack("<qq", 1, 5)),
        ('setsockopt(3, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)', 3, b"lo\0"),
        ("select(4, [0 3], NULL, NULL, {1, 5})", 1, b"\x09" + bytes(127)),
        ("rt_sigprocmask(SIG_BLOCK, [INT TERM], NULL, 8)", 1, struct.pack("<Q", 1 << 1 | 1 << 14)),
        ("rt_sigprocmask(SIG_BLOCK, ~[KILL], NULL, 8)", 1, struct.pack("<Q", ~(1 << 8) & (1 << 64) - 1)),
        ("epoll_ctl(3, EPOLL_CTL_ADD, 4, {EPOLLIN, {u64=9}})", 3, struct.pack("<IQ", 1, 9)),
        ("nanosleep({1, 500}, NULL)", 0, struct.pack("<qq", 1, 500)),
        ("getsockname(3, ..., [16])", 2, struct.pack("<i", 16)),
        ("sendfile(1, 3, [5], 10)", 2, struct.pack("<q", 5)),
        ("fcntl(3, F_SETLK, {F_WRLCK, SEEK_SET, 0, 10})", 2, struct.pack("<hhxxxxqqi", 1, 0, 0, 10, 0)),
        ('ioctl(3, SIOCSIFMTU, {ifr_name="eth0", ifr_mtu=1250})', 2, b"eth0" + bytes(12) + struct.pack("<i", 1250)),
        ("ioctl(3, FIONBIO, [1])", 2, struct.pack("<i", 1)),
        ('setsockopt(3, SOL_IP, IP_ADD_MEMBERSHIP, {"224.0.0.1", "1.2.3.4"}, 8)', 3, b"\xe0\0\0\1\1\2\3\4"),
        ("syscall(1, 1, \"hey\", 3)", 1, b"hey\0"),
        ("writev(1, [{\"ab\", 2}], 1)", 1, None),
    ],
)
def test_bytes_in_memory(text: str, register: int, expected: bytes | None, memory) -> None:
    address = run(text, memory).registers[register]
    if expected is None:
        base, length = struct.unpack("<QQ", memory.read(address, 16))
        assert memory.read(base, length) == b"ab"
    else:
        assert memory.read(address, len(expected)) == expected


def test_lengths_that_are_missing_or_dots_are_those_of_what_is_there(memory) -> None:
    assert run('write(1, "abc", ...)', memory).registers[2] == 3
    assert run('connect(3, {AF_UNIX, "/s"})', memory).registers[2] == 5
    assert run('bind(3, {AF_INET, 80, "0.0.0.0"}, ...)', memory).registers[2] == 16


def test_sendmsg_with_control(memory) -> None:
    text = (
        'sendmsg(3, {msg_iov=[{"ab", 2}], msg_control=[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS,'
        " cmsg_data=[4, 5]}]}, MSG_NOSIGNAL)"
    )
    header = memory.read(run(text, memory).registers[1], 56)
    name, namelen, iov, iovlen, control, controllen, flags = struct.unpack("<QIxxxxQQQQI4x", header)
    assert (name, namelen, iovlen, controllen, flags) == (0, 0, 1, 24, 0)
    assert memory.read(control, 24) == struct.pack("<QiiII", 24, 1, 1, 4, 5)
    assert memory.read(struct.unpack("<Q", memory.read(iov, 8))[0], 2) == b"ab"


@pytest.mark.parametrize(("given", "room"), [("", 256), (", msg_controllen=64", 64), (", msg_controllen=0", 0)])
def test_room_for_control_messages_is_as_large_as_it_is_said_to_be(given: str, room: int, memory) -> None:
    call = run(f"recvmsg(3, {{msg_name=..., msg_iov=[{{..., 10}}], msg_control=...{given}}}, 0)", memory)
    control, length = struct.unpack("<QQ", memory.read(call.registers[1] + 32, 16))
    assert length == room
    assert not control < call.registers[1] < control + room


def test_socket_calls_through_socketcall(memory) -> None:
    made = run('connect(3, {AF_INET, 80, "127.0.0.1"}, 16)', memory, abi="socketcall")
    assert (made.number, made.compat, made.registers[0]) == (102, True, 3)
    fd, address, length = struct.unpack("<III", memory.read(made.registers[1], 12))
    assert (fd, memory.read(address, 16), length) == (3, SIN, 16)


def test_only_socket_calls_go_through_socketcall(memory) -> None:
    made = run('write(1, "a", 1)', memory, abi="socketcall")
    assert (made.number, made.compat) == (1, False)


def test_send_and_recv_exist_only_under_socketcall(memory) -> None:
    assert run('send(3, "a", 1, 0)', memory).registers[0] == 9
    assert run("recv(3, ..., 1, 0)", memory).number == 102


def test_socketcall_spelled_out(memory) -> None:
    made = run("socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0])", memory)
    assert made.registers[0] == 1
    assert struct.unpack("<III", memory.read(made.registers[1], 12)) == (2, 1, 0)
    assert run("socketcall(99, NULL)", memory).registers[:2] == (99, 0)
    assert run("socketcall(SYS_BIND, 0x1)", memory).registers[:2] == (2, 1)


def test_32_bit_layouts_under_socketcall(memory) -> None:
    made = run('sendmsg(3, {msg_iov=[{"ab", 2}]}, 0)', memory, abi="socketcall")
    _, header, _ = struct.unpack("<III", memory.read(made.registers[1], 12))
    iov, count = struct.unpack("<8xII", memory.read(header, 16))
    assert (count, struct.unpack("<II", memory.read(iov, 8))[1]) == (1, 2)


def test_variables_and_named_buffers(memory) -> None:
    variables = Variables()
    made = run("read(fd, buf, 64)", memory, variables)
    assert made.registers[:3] == (7, 0x20080000, 64)
    made = run("read(fd, fresh, 32)", memory, variables)
    assert variables.buffers["fresh"] == Buffer(made.registers[1], 32)
    assert run("write(fd, fresh, 5)", memory, variables).registers[1] == made.registers[1]
    made = run("fstat(fd, &st)", memory, variables)
    assert variables.buffers["st"] == Buffer(made.registers[1], 144)


def test_buffers_have_room_for_what_the_kernel_writes(memory) -> None:
    made = run("read(3, ..., 1000)", memory)
    assert memory.used >= made.registers[1] - memory.base + 1000
    run("read(3, ..., 4611686018427387904)", memory.__class__(1 << 25))


def test_addresses_in_logs_mean_buffers(memory) -> None:
    made = run("read(3, 0x7ffd1234, 16) = -1 EAGAIN", memory, replay=True)
    assert memory.read(made.registers[1], 16) == bytes(16)
    assert run("read(3, NULL, 16)", memory, replay=True).registers[1] == 0


@pytest.mark.parametrize(
    ("text", "message", "nearest"),
    [
        ("sokcet(1, 2, 3)", "unknown system call sokcet", "socket"),
        ("socket(AF_INTE, 1, 0)", "unknown name AF_INTE", "AF_INET"),
        ("socket(AF_INET, 1)", "missing argument protocol", ""),
        ("close(1, 2)", "too many arguments", ""),
        ('bind(3, {AF_INET, 80, "1.2.3"}, 16)', "'1.2.3' is no IPv4 address", ""),
        ("bind(3, {80}, 16)", "", ""),
        ("bind(3, {sin_port=80}, 16)", "an address begins with its family", ""),
        ("bind(3, {AF_INET, sin_prt=80}, 16)", "struct sockaddr_in has no field sin_prt", ""),
        ("poll({fd=3}, 1, 0)", "not a list", ""),
        ("poll([{fdd=3}], 1, 0)", "struct pollfd has no field fdd", ""),
        ("close(1/0)", "division by zero", ""),
        ("close(1 << 64)", "shift out of range", ""),
        ('close("a")', "not a number", ""),
        ("write(1, 2 3, 4)", "", ""),
        ("syscall()", "missing the number of the call", ""),
        ("syscall(1, 2, 3, 4, 5, 6, 7, 8)", "too many arguments", ""),
        ("rt_sigprocmask(0, [FOO], NULL, 8)", "not a signal", ""),
        ("select(1, [99999999], NULL, NULL, NULL)", "not a descriptor", ""),
        ("write(1, nothing, 4)", "unknown name nothing", ""),
        ("socketcall(1)", "socketcall takes two arguments", ""),
    ],
)
def test_errors(text: str, message: str, nearest: str, memory) -> None:
    try:
        run(text, memory)
    except LangError as error:
        caught = error
    else:
        assert not message
        return
    if message:
        assert caught.message == message
        assert nearest in caught.nearest
