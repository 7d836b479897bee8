"""What the proc handlers make of text, one row a case: handler, value before, text, value or errno after, text read."""

from types import SimpleNamespace

import pytest

from kshell.abi.errno import EINVAL, ERANGE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sysctl import ctl_table, data_local
from kshell.linux.kernel import sysctl as s
from kshell.linux.kernel.sysctl_text import proc_do_large_bitmap

WRITES_STRICT = 1


def table(handler, value, maxlen=4, least=None, most=None, strict=WRITES_STRICT):
    made = ctl_table("x", data_local(value), maxlen, 0o644, handler, least, most)
    made._kernel = SimpleNamespace(sysctl_writes_strict=strict)
    return made


def write(row, text, pos=0):
    lenp, ppos = [len(text)], [pos]
    row.proc_handler(row, 1, bytearray(text), lenp, ppos)
    return lenp[0]


def read(row, size=100, pos=0):
    text = bytearray()
    lenp, ppos = [size], [pos]
    row.proc_handler(row, 0, text, lenp, ppos)
    assert len(text) == lenp[0]
    assert ppos[0] == pos + lenp[0]
    return bytes(text)


WRITES = [
    (s.proc_dointvec, 0, b"1\n", 1, b"1\n"),
    (s.proc_dointvec, 0, b"-7", -7, b"-7\n"),
    (s.proc_dointvec, 0, b"0x10", 16, b"16\n"),
    (s.proc_dointvec, 0, b"010", 8, b"8\n"),
    (s.proc_dointvec, 5, b"2147483647", 2147483647, b"2147483647\n"),
    (s.proc_dointvec, 5, b"2147483648", EINVAL, b"5\n"),
    (s.proc_dointvec, 5, b"-2147483648", -2147483648, b"-2147483648\n"),
    (s.proc_dointvec, 5, b"12x", EINVAL, b"5\n"),
    (s.proc_dointvec, 5, b"x", EINVAL, b"5\n"),
    (s.proc_dointvec, 5, b" \n", EINVAL, b"5\n"),
    (s.proc_dointvec, [1, 2, 3], b"4 5", [4, 5, 3], b"4\t5\t3\n"),
    (s.proc_dointvec, [1, 2, 3], b"4 x 6", [4, 2, 3], b"4\t2\t3\n"),
    (s.proc_douintvec, 5, b"4294967295", 4294967295, b"4294967295\n"),
    (s.proc_douintvec, 5, b"-1", EINVAL, b"5\n"),
    (s.proc_doulongvec_minmax, 5, b"18446744073709551615", (1 << 64) - 1, b"18446744073709551615\n"),
    (s.proc_doulongvec_minmax, 5, b"-1", EINVAL, b"5\n"),
    (s.proc_dointvec_jiffies, 250, b"3", 750, b"3\n"),
    (s.proc_dointvec_jiffies, 250, b"-1", -250, b"-1\n"),
    (s.proc_dointvec_jiffies, 250, b"8589935", EINVAL, b"1\n"),
    (s.proc_dointvec_userhz_jiffies, 250, b"50", 125, b"50\n"),
    (s.proc_dointvec_ms_jiffies, 250, b"9", 3, b"12\n"),
    (s.proc_dostring, "abc", b"xy\nz", "xy", b"xy\n"),
]


@pytest.mark.parametrize(("handler", "before", "text", "after", "shown"), WRITES)
def test_writing_and_reading_back(handler, before, text, after, shown):
    size = {s.proc_doulongvec_minmax: 8, s.proc_dostring: 16}.get(handler, 4)
    row = table(handler, before, size * len(before) if isinstance(before, list) else size)
    if after == EINVAL and isinstance(before, int):
        with pytest.raises(KernelError) as error:
            write(row, text)
        assert error.value.errno == EINVAL
        assert row.data.value == before
    elif isinstance(before, list) and b"x" in text:
        with pytest.raises(KernelError):
            write(row, text)
        assert row.data.value == after  # what stood before the mistake is taken
    else:
        assert write(row, text) == len(text)
        assert row.data.value == after
    assert read(row) == shown


@pytest.mark.parametrize(
    ("handler", "least", "most", "text", "errno"),
    [
        (s.proc_dointvec_minmax, 0, 2, b"2", 0),
        (s.proc_dointvec_minmax, 0, 2, b"3", EINVAL),
        (s.proc_dointvec_minmax, 0, 2, b"-1", EINVAL),
        (s.proc_dointvec_minmax, 0, data_local(9), b"9", 0),
        (s.proc_dointvec_minmax, 0, data_local(9), b"10", EINVAL),
        (s.proc_douintvec_minmax, 10, 20, b"20", 0),
        (s.proc_douintvec_minmax, 10, 20, b"21", EINVAL),
        (s.proc_dou8vec_minmax, None, None, b"255", 0),
        (s.proc_dou8vec_minmax, None, None, b"256", EINVAL),
        (s.proc_dou8vec_minmax, 1, 3, b"0", EINVAL),
        (s.proc_doulongvec_minmax, 5, 7, b"8", EINVAL),
        (s.proc_doulongvec_minmax, 5, 7, b"7", 0),
    ],
)
def test_bounds(handler, least, most, text, errno):
    row = table(handler, 1, 8 if handler is s.proc_doulongvec_minmax else 4, least, most)
    if errno:
        with pytest.raises(KernelError) as error:
            write(row, text)
        assert error.value.errno == errno
        assert row.data.value == 1
    else:
        write(row, text)
        assert row.data.value == int(text)
    assert errno != ERANGE  # a range error of the number is EINVAL to the user


def test_a_number_is_written_at_the_beginning_only():
    row = table(s.proc_dointvec, 1)
    assert write(row, b"2", pos=3) == 1
    assert row.data.value == 1
    loose = table(s.proc_dointvec, 1, strict=-1)
    write(loose, b"2", pos=3)
    assert loose.data.value == 2


def test_a_string_is_written_piece_by_piece():
    row = table(s.proc_dostring, "", 8)
    assert write(row, b"abc") == 3
    assert write(row, b"defghij", pos=3) == 7
    assert row.data.value == "abcdefg"
    assert read(row, 4) == b"abcd"
    assert read(row, 9, pos=4) == b"efg\n"


def test_reading_on_gives_the_end():
    assert read(table(s.proc_dointvec, 12), pos=3) == b""
    assert read(table(s.proc_dointvec, 12), size=1) == b"1"


@pytest.mark.parametrize(
    ("text", "numbers", "shown"),
    [
        (b"1,3-5\n", {1, 3, 4, 5}, b"1,3-5\n"),
        (b"\n", set(), b"\n"),
        (b"7-9,8", {7, 8, 9}, b"7-9\n"),
        (b"70000", EINVAL, b"\n"),
        (b"5-3", EINVAL, b"\n"),
        (b"5;6", EINVAL, b"\n"),
    ],
)
def test_sets_of_numbers(text, numbers, shown):
    row = table(proc_do_large_bitmap, set(), 65536)
    if numbers == EINVAL:
        with pytest.raises(KernelError):
            write(row, text)
    else:
        write(row, text)
        assert row.data.value == numbers
    assert read(row) == shown
