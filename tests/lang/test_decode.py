"""Made calls to strace's lines."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.abi import structs
from kshell.lang import text
from kshell.lang.ast import CallStatement
from kshell.lang.decode import Decoding, decode
from kshell.lang.lexer import Source, unescape
from kshell.lang.marshal import Marshalled, marshal
from kshell.lang.statements import parse_line

LINES = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("strace_lines.tsv").read_text().splitlines()
    if not line.startswith("#")
]


def made(source: str, memory, **options) -> Marshalled:
    statement = parse_line(source)
    assert isinstance(statement, CallStatement)
    return marshal(statement.call, Source(source), memory, **options)


@pytest.mark.parametrize(("typed", "result", "line"), LINES, ids=[line[0] for line in LINES])
def test_lines_equal_those_of_strace(typed: str, result: str, line: str, memory) -> None:
    assert decode(made(typed, memory), memory, int(result), string_limit=256) == line


@pytest.mark.parametrize(("typed", "result", "line"), LINES, ids=[line[0] for line in LINES])
def test_straces_lines_read_back(typed: str, result: str, line: str, memory) -> None:
    assert decode(made(line, memory), memory, int(result), string_limit=256) == line


@pytest.mark.parametrize(
    ("source", "result", "line"),
    [
        ("socket(AF_INET, SOCK_STREAM, 0)", 3, "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3"),
        ("exit_group(0)", None, "exit_group(0) = ?"),
        ("getpid()", 1, "getpid() = 1"),
        ("accept(3, NULL, NULL)", -512, "accept(3, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)"),
        ("fcntl(3, F_GETFL)", 0o4002, "fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)"),
        ("fcntl(3, F_GETFD)", 1, "fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)"),
        ("umask(022)", 0o77, "umask(022) = 077"),
        ("poll([{fd=3, events=POLLIN}], 1, 5)", 0, "poll([{fd=3, events=POLLIN}], 1, 5) = 0 (Timeout)"),
        ("mmap(NULL, 4096, 3, 0x22, -1, 0)", 0x7F0000000000,
         "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000"),
        ("syscall(41, 2, 1, 0)", 3, "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3"),
        ("syscall(9999, 5)", -38, "syscall_0x270f(0x5, 0, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)"),
        ("socketcall(SYS_SOCKET, [2, 1, 0])", 3,
         "socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, IPPROTO_IP]) = 3"),
        ("socketcall(99, NULL)", -22, "socketcall(0x63 /* SYS_??? */, NULL) = -1 EINVAL (Invalid argument)"),
        ("clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f00)", 9,
         "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f00) = 9"),
        ("write(1, \"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\", 40)", 40,
         'write(1, "aaaaaaaaaabbbbbbbbbbccccccccccdd"..., 40) = 40'),
        ("read(3, 0x1, 5)", -14, "read(3, 0x1, 5) = -1 EFAULT (Bad address)"),
    ],
)  # fmt: skip
def test_lines(source: str, result: int | None, line: str, memory) -> None:
    assert decode(made(source, memory), memory, result) == line


def test_what_the_kernel_fills_is_shown_as_it_is_after_the_call(memory) -> None:
    call = made("accept(3, ..., [128])", memory)
    decoding = Decoding(call, memory)
    assert decoding.entry() == "accept(3,  <unfinished ...>"
    memory.write(call.registers[1], b"\2\0\0\x50\x7f\0\0\1" + bytes(8))
    memory.write(call.registers[2], struct.pack("<i", 16))
    tail = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, [128 => 16]) = 4'
    assert decoding.line(4) == f"accept(3, {tail}"
    assert decoding.resumed(4) == f"<... accept resumed>{tail}"


def test_reads_show_as_many_bytes_as_came(memory) -> None:
    call = made("read(3, ..., 64)", memory)
    memory.write(call.registers[1], b"hello\n")
    assert decode(call, memory, 6) == 'read(3, "hello\\n", 64) = 6'
    assert decode(call, memory, 0) == 'read(3, "", 64) = 0'


def test_select_shows_what_is_ready(memory) -> None:
    call = made("pselect6(5, [3 4], [4], NULL, {5, 0}, NULL)", memory)
    decoding = Decoding(call, memory)
    memory.write(call.registers[1], b"\x08" + bytes(7))
    memory.write(call.registers[2], bytes(8))
    memory.write(call.registers[4], struct.pack("<qq", 4, 9))
    assert decoding.line(1) == (
        "pselect6(5, [3 4], [4], NULL, {tv_sec=5, tv_nsec=0}, NULL) = 1 (in [3], left {tv_sec=4, tv_nsec=9})"
    )


def test_poll_shows_revents(memory) -> None:
    call = made("poll([{3, POLLIN}, {4, POLLOUT}], 2, -1)", memory)
    decoding = Decoding(call, memory)
    memory.write(call.registers[0], struct.pack("<ihhihh", 3, 1, 1, 4, 4, 0))
    assert decoding.line(1) == (
        "poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, -1) = 1 ([{fd=3, revents=POLLIN}])"
    )


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (0, "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]"),
        (0x300, "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]"),
        (15, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}]"),
        (0x8B, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]"),
        (0x137F, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}]"),
        (0xFFFF, "[{WIFCONTINUED(s)}]"),
    ],
)
def test_wait_statuses(status: int, shown: str, memory) -> None:
    call = made("wait4(-1, ..., 0, NULL)", memory)
    memory.write(call.registers[1], struct.pack("<I", status))
    assert decode(call, memory, 9) == f"wait4(-1, {shown}, 0, NULL) = 9"


def test_a_message_is_shown_when_it_is_there(memory) -> None:
    for call in ("recvmsg(3, {msg_iov=[{..., 8}]}, 0)", "recvmmsg(3, [{msg_hdr={msg_iov=[{..., 8}]}}], 1, 0, NULL)"):
        assert Decoding(made(call, memory), memory).entry() == f"{call.split('(')[0]}(3,  <unfinished ...>"


def test_stat_and_device_files(memory) -> None:
    call = made('stat("/x", ...)', memory)
    layout = structs.layout("stat")
    memory.write(call.registers[1], layout.pack({"st_mode": 0o100644, "st_size": 5}))
    assert decode(call, memory, 0) == 'stat("/x", {st_mode=S_IFREG|0644, st_size=5, ...}) = 0'
    memory.write(call.registers[1], layout.pack({"st_mode": 0o20666, "st_rdev": 0x103}))
    assert decode(call, memory, 0) == 'stat("/x", {st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}) = 0'


def test_recvmsg_with_a_descriptor(memory) -> None:
    source = "recvmsg(3, {msg_name=..., msg_namelen=110, msg_iov=[{..., 8}], msg_control=..., msg_controllen=64}, 0)"
    call = made(source, memory)
    decoding = Decoding(call, memory)
    header = bytearray(memory.read(call.registers[1], 56))
    iov, control = (int.from_bytes(header[o : o + 8], "little") for o in (16, 32))
    header[8:12], header[40:48] = bytes(4), (20).to_bytes(8, "little")
    memory.write(call.registers[1], bytes(header))
    memory.write(int.from_bytes(memory.read(iov, 8), "little"), b"ab")
    memory.write(control, struct.pack("<Qiii", 20, 1, 1, 5))
    assert decoding.line(2) == (
        'recvmsg(3, {msg_name=0x200001f0, msg_namelen=110 => 0, msg_iov=[{iov_base="ab", iov_len=8}], msg_iovlen=1,'
        " msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5]}], msg_controllen=20,"
        " msg_flags=0}, 0) = 2"
    ).replace("0x200001f0", hex(int.from_bytes(header[0:8], "little")))


def test_arguments_with_their_names(memory) -> None:
    decoding = Decoding(made("socket(2, 1, 0)", memory), memory)
    assert decoding.named_arguments(3) == [("family", "AF_INET"), ("type", "SOCK_STREAM"), ("protocol", "IPPROTO_IP")]


@given(st.binary(max_size=80))
def test_quoted_strings_read_back(data: bytes) -> None:
    assert unescape(text.quote(data)[1:-1]) == data


@given(st.integers(0, 2**64 - 1))
def test_signal_sets_name_every_signal_once(mask: int) -> None:
    shown = text.signal_set(mask)
    count = len(shown.strip("~[]").split())
    assert count == (64 - mask.bit_count() if shown.startswith("~") else mask.bit_count())
