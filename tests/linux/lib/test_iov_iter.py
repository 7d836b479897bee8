"""Moving data through iterators over user and kernel memory."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.abi.errno import EFAULT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import VM_READ, mm_struct
from kshell.linux.include.linux.uio import READ, WRITE, _kvec_iter, iov_iter
from kshell.linux.lib.iov_iter import (
    copy_from_iter,
    copy_from_iter_full,
    copy_to_iter,
    iov_iter_advance,
    iov_iter_revert,
)

BASE = 0x20000000


def task() -> SimpleNamespace:
    mm = mm_struct()
    mm.map(BASE, 8192)
    mm.write(BASE, bytes(i % 251 for i in range(8192)))
    return SimpleNamespace(mm=mm)


def over(current: SimpleNamespace, direction: int, segments: list[tuple[int, int]]) -> iov_iter:
    return iov_iter(direction, current, tuple(segments), sum(n for _, n in segments))


segments = st.lists(st.tuples(st.integers(0, 4000).map(lambda o: BASE + o), st.integers(0, 300)), min_size=1, max_size=6)


@given(segments, st.lists(st.integers(0, 200), max_size=12))
def test_reading_in_any_portions_gives_the_segments_in_order(
    places: list[tuple[int, int]], portions: list[int]
) -> None:
    current = task()
    i = over(current, WRITE, places)
    whole = b"".join(current.mm.read(base, n) for base, n in places)
    got = b"".join(copy_from_iter(i, n) for n in [*portions, len(whole)])
    assert got == whole
    assert i.count == 0


@given(segments, st.integers(0, 500), st.integers(0, 500))
def test_reverting_gives_the_same_bytes_again(places: list[tuple[int, int]], skip: int, take: int) -> None:
    i = over(task(), WRITE, places)
    iov_iter_advance(i, skip)
    first = copy_from_iter(i, take)
    iov_iter_revert(i, len(first))
    assert copy_from_iter(i, take) == first


def test_a_copy_stops_at_the_first_bad_page() -> None:
    current = task()
    i = over(current, WRITE, [(BASE + 8000, 400)])
    assert len(copy_from_iter(i, 400)) == 192
    o = over(current, READ, [(BASE + 8190, 10)])
    assert copy_to_iter(b"abcdef", o) == 2
    assert current.mm.read(BASE + 8190, 2) == b"ab"


def test_a_full_copy_that_faults_leaves_the_iterator_where_it_was() -> None:
    i = over(task(), WRITE, [(BASE, 4), (0x1000, 4)])
    with pytest.raises(KernelError) as caught:
        copy_from_iter_full(i, 8)
    assert caught.value.errno == EFAULT
    assert i.count == 8


def test_kernel_memory_is_a_source_and_a_destination() -> None:
    assert copy_from_iter(_kvec_iter(b"hello"), 3) == b"hel"
    sink = _kvec_iter(None, 4)
    assert copy_to_iter(b"hello", sink) == 4
    assert sink.bytes() == b"hell"


def test_mappings_that_touch_read_as_one_and_a_read_only_one_refuses_writes() -> None:
    mm = mm_struct()
    mm.map(BASE, 4096)
    mm.map(BASE + 4096, 4096, VM_READ)
    assert mm.read(BASE + 4090, 12) == bytes(12)
    assert mm.write_short(BASE + 4090, b"x" * 12) == 6
    with pytest.raises(ValueError, match="overlaps"):
        mm.map(BASE + 8000, 10)
