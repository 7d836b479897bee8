"""What the model did, held to what a log says."""

import pytest

from kshell.lang.ast import CallStatement
from kshell.lang.ast_text import show
from kshell.lang.compare import compare, compare_decoded, compare_result
from kshell.lang.decode import Decoding
from kshell.lang.lexer import Source
from kshell.lang.marshal import marshal
from kshell.lang.parser import parse_expression
from kshell.lang.statements import parse_line

SAME = [
    ("close(3) = 0", "close(3) = 0"),
    ("close(9) = -1 EBADF (Bad file descriptor)", "close(9) = -1 EBADF (Bad file descriptor)"),
    ("read(3) = -1 EWOULDBLOCK", "read(3) = -1 EAGAIN (Resource temporarily unavailable)"),
    ("fork() = 4711", "fork() = 2"),
    ("mmap(NULL) = 0x7fe84c3e3000", "mmap(NULL) = 0x10000"),
    ('read(3, "abc"..., 4096) = 4096', 'read(3, "abcdef", 4096) = 4096'),
    ("read(3, 0x7ffd1234, 5) = -1 EAGAIN", "read(3, 0x1000, 5) = -1 EAGAIN"),
    ("accept(3, {sa_family=AF_INET, sin_port=htons(80)}, [128 => 16]) = 4",
     "accept(3, {sa_family=AF_INET, sin_port=htons(80)}, [16]) = 4"),
    ("fstat(3, {st_mode=S_IFREG|0644, st_size=5, ...}) = 0", "fstat(3, {st_mode=S_IFREG|0644, st_size=9, ...}) = 0"),
    ("poll([{fd=3, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLIN}])",
     "poll([{fd=3, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLIN}])"),
    ("select(4, [3], NULL, NULL, {5, 0}) = 1 (in [3], left {tv_sec=4, tv_usec=9})",
     "select(4, [3], NULL, NULL, {5, 0}) = 1 (in [3], left {tv_sec=1, tv_usec=0})"),
    ("accept(3, NULL, NULL) = ? ERESTARTSYS (To be restarted)", "accept(3, NULL, NULL) = ? ERESTARTSYS (x)"),
    ("exit_group(0) = ?", "exit_group(0) = ?"),
    ("pipe([3, 4]) = 0", "pipe([3, 4]) = 0"),
    ("getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
     "getsockopt(3, SOL_SOCKET, SO_ERROR, [111], [4]) = 0"),
]  # fmt: skip

DIFFERENT = [
    ("close(3) = 0", "close(3) = 1", "result: expected 0, got 1"),
    ("close(3) = -1 EBADF", "close(3) = -1 EIO (I/O error)", "result: expected -1 EBADF, got -1 EIO"),
    ("close(3) = 0", "close(3) = -1 EBADF (x)", "result: expected 0, got -1 EBADF"),
    ("fork() = 4711", "fork() = 0", "result: expected 4711, got 0"),
    ('read(3, "abc", 5) = 3', 'read(3, "abd", 5) = 3', 'buf: expected "abc", got "abd"'),
    ('read(3, "abc"..., 5) = 5', 'read(3, "abdee", 5) = 5', 'buf: expected "abc"..., got "abdee"'),
    ("pipe([3, 4]) = 0", "pipe([4, 5]) = 0", "fildes[0]: expected 3, got 4"),
    ("accept(3, {sa_family=AF_INET, sin_port=htons(80)}, [16]) = 4",
     "accept(3, {sa_family=AF_INET, sin_port=htons(81)}, [16]) = 4",
     "upeer_sockaddr.sin_port: expected htons(80), got htons(81)"),
    ("poll([{fd=3, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLIN}])",
     "poll([{fd=3, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLHUP}])",
     "result.revents: expected POLLIN, got POLLHUP"),
    ("select(4, [3], NULL, NULL, NULL) = 1 (in [3])", "select(4, [3], NULL, NULL, NULL) = 1 (out [3])",
     "result in: expected [3], got nothing"),
    ("fstat(3, {st_mode=S_IFREG|0644, ...}) = 0", "fstat(3, {st_mode=S_IFREG|0600, ...}) = 0",
     "statbuf.st_mode: expected S_IFREG|0644, got S_IFREG|0600"),
]  # fmt: skip


def statement(text: str) -> CallStatement:
    parsed = parse_line(text)
    assert isinstance(parsed, CallStatement)
    assert parsed.expected is not None
    return parsed


@pytest.mark.parametrize(("log", "line"), SAME)
def test_equal_as_far_as_it_matters(log: str, line: str) -> None:
    expected = statement(log)
    assert expected.expected is not None
    assert compare(expected.call, expected.expected, line) == []


@pytest.mark.parametrize(("log", "line", "difference"), DIFFERENT)
def test_differences(log: str, line: str, difference: str) -> None:
    expected = statement(log)
    assert expected.expected is not None
    assert [str(d) for d in compare(expected.call, expected.expected, line)][:1] == [difference]


@pytest.mark.parametrize(
    ("text", "result", "same"),
    [
        ("x() = 3", 3, True),
        ("x() = 3", 4, False),
        ("x() = -1 EBADF", -9, True),
        ("x() = EBADF", -9, True),
        ("x() = -1 EBADF", -22, False),
        ("x() = -1 EBADF", 0, False),
        ("x() = ?", 5, True),
    ],
)
def test_bare_results(text: str, result: int, same: bool) -> None:
    expected = statement(text)
    assert expected.expected is not None
    assert (compare_result(expected.call, expected.expected, result) == []) is same


def test_compared_from_the_decoding(memory) -> None:
    text = 'read(3, "hello", 64) = 5'
    expected = statement(text)
    assert expected.expected is not None
    call = marshal(expected.call, Source(text), memory, replay=True)
    decoding = Decoding(call, memory, string_limit=None)
    memory.write(call.registers[1], b"hello")
    assert compare_decoded(expected.call, expected.expected, decoding, 5) == []
    memory.write(call.registers[1], b"jello")
    assert [d.where for d in compare_decoded(expected.call, expected.expected, decoding, 5)] == ["buf"]


@pytest.mark.parametrize(
    "text",
    ["{a=1, b=[2, 3], ...}", "[3 4]", "~[KILL]", "128 => 16", "A|B|0x40", 'htons(80)', '@"x"', '"a\\n"...', "a == b"],
)
def test_nodes_are_shown_as_they_were_written(text: str) -> None:
    assert show(parse_expression(text)) == text
