"""Files whose text is made as it is read (fs/seq_file.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT, EINVAL
from kshell.abi.fcntl import SEEK_CUR, SEEK_SET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_PWRITE, kiocb
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_has_overflowed, seq_operations
from kshell.linux.include.linux.uio import READ, iov_iter
from kshell.linux.lib.iov_iter import copy_to_iter
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.init.kernel import Kernel

SEQ_FILE_SIZE = 120
Show = Callable[[seq_file, object], "int | None"]


def seq_file_init(kernel: Kernel) -> None:
    """Set up the cache of readers' states."""
    kernel.seq_file_cache = kmem_cache_create(kernel, "seq_file", SEQ_FILE_SIZE)


def seq_open(file: file, op: seq_operations) -> seq_file:
    """The open() of a file with an iteration; the reader's state becomes private_data."""
    m = kmem_cache_alloc(file._kernel.seq_file_cache, seq_file)
    file.private_data = m
    m.op = op
    m.file = file
    file.f_mode &= ~FMODE_PWRITE
    return m


def seq_release(inode: inode, file: file) -> None:
    """The release() of such a file."""
    m = _of(file)
    m.buf = None
    file.private_data = None
    kmem_cache_free(file._kernel.seq_file_cache, m)


def _of(file: file) -> seq_file:
    m = file.private_data
    assert isinstance(m, seq_file)
    return m


def seq_buf_alloc(m: seq_file, size: int) -> None:
    """An empty buffer of so many bytes."""
    m.buf = bytearray()
    m.size = size
    m.count = 0


def _start(m: seq_file) -> object:
    pos = [m.index]
    v = m.op.start(m, pos)
    m.index = pos[0]
    return v


def _next(m: seq_file, v: object) -> object:
    pos = [m.index]
    v = m.op.next(m, v, pos)
    m.index = pos[0] if pos[0] != m.index else m.index + 1
    return v


def _truncate(m: seq_file, count: int) -> None:
    assert m.buf is not None
    del m.buf[count:]
    m.count = count


def traverse(m: seq_file, offset: int) -> bool:
    """Go on to a place in the text; False: a record did not fit, try again with the larger buffer."""
    m.index = 0
    m._from = 0
    if m.buf is None:
        seq_buf_alloc(m, PAGE_SIZE)
    _truncate(m, 0)
    if not offset:
        return True
    pos = 0
    p = _start(m)
    while p is not None:
        if m.op.show(m, p):
            _truncate(m, 0)
        if seq_has_overflowed(m):
            m.op.stop(m, p)
            seq_buf_alloc(m, m.size * 2)
            return False
        p = _next(m, p)
        if pos + m.count > offset:
            m._from = offset - pos
            m.count -= m._from
            break
        pos += m.count
        _truncate(m, 0)
        if pos == offset:
            break
    m.op.stop(m, p)
    return True


async def seq_read_iter(iocb: kiocb, iter: iov_iter) -> int:
    """Read: what is left in the buffer, then as many whole records as are wanted. EFAULT."""
    m = _of(iocb.ki_filp)
    if not iter.count:
        return 0
    if iocb.ki_pos == 0:
        m.index = 0
        m.count = 0
    if iocb.ki_pos != m.read_pos:
        while not traverse(m, iocb.ki_pos):
            pass
        m.read_pos = iocb.ki_pos
    if m.buf is None:
        seq_buf_alloc(m, PAGE_SIZE)
    copied = _copy_left(m, iter)
    if not m.count:
        m._from = 0
        _truncate(m, 0)
        if _first_record(m, iter):
            copied += _copy_left(m, iter)
    if not copied and m.count:
        raise KernelError(EFAULT)
    iocb.ki_pos += copied
    m.read_pos += copied
    return copied


def _copy_left(m: seq_file, iter: iov_iter) -> int:
    if not m.count:
        return 0
    assert m.buf is not None
    n = copy_to_iter(bytes(m.buf[m._from : m._from + m.count]), iter)
    m.count -= n
    m._from += n
    return n


def _first_record(m: seq_file, iter: iov_iter) -> bool:
    p = _start(m)
    while p is not None:
        if m.op.show(m, p):
            _truncate(m, 0)
        if not m.count:
            p = _next(m, p)
        elif seq_has_overflowed(m):
            m.op.stop(m, p)
            seq_buf_alloc(m, m.size * 2)
            p = _start(m)
        else:
            _more_records(m, p, iter.count)
            return True
    m.op.stop(m, p)
    _truncate(m, 0)
    return False


def _more_records(m: seq_file, p: object, wanted: int) -> None:
    while True:
        offs = m.count
        p = _next(m, p)
        if p is None or m.count >= wanted:
            break
        skip = m.op.show(m, p)
        if skip or seq_has_overflowed(m):
            _truncate(m, offs)
            if not skip:
                break
    m.op.stop(m, p)


async def seq_read(file: file, buf: int, size: int, ppos: Ppos) -> int:
    """read() of such a file."""
    iocb = kiocb(file, ppos[0], 0)
    ret = await seq_read_iter(iocb, iov_iter(READ, file._kernel.current, ((buf, size),), size))
    ppos[0] = iocb.ki_pos
    return ret


def seq_lseek(file: file, offset: int, whence: int) -> int:
    """lseek() of such a file: the text up to there is made. EINVAL."""
    m = _of(file)
    if whence == SEEK_CUR:
        offset += file.f_pos
    elif whence != SEEK_SET:
        raise KernelError(EINVAL)
    if offset < 0:
        raise KernelError(EINVAL)
    if offset != m.read_pos:
        while not traverse(m, offset):
            pass
        m.read_pos = offset
    file.f_pos = offset
    return offset


def seq_write(m: seq_file, data: bytes) -> None:
    """Add bytes to the record."""
    assert m.buf is not None
    if m.count + len(data) < m.size:
        m.buf += data
        m.count += len(data)
    else:
        m.count = m.size


def seq_puts(m: seq_file, s: str) -> None:
    """Add text to the record."""
    seq_write(m, s.encode("latin-1"))


def seq_putc(m: seq_file, c: str) -> None:
    """Add a character to the record."""
    seq_write(m, c.encode("latin-1"))


def seq_put_decimal_ull(m: seq_file, delimiter: str, num: int) -> None:
    """Add a number after a delimiter."""
    seq_write(m, f"{delimiter}{num}".encode())


def seq_put_decimal_ll(m: seq_file, delimiter: str, num: int) -> None:
    """Add a number that may be negative after a delimiter."""
    seq_write(m, f"{delimiter}{num}".encode())


def seq_printf(m: seq_file, text: str) -> None:
    """Add formatted text to the record (the f-string is the format)."""
    seq_write(m, text.encode("latin-1"))


def seq_setwidth(m: seq_file, size: int) -> None:
    """The text from here on is to be filled up to so many characters by seq_pad()."""
    m.pad_until = m.count + size


def seq_pad(m: seq_file, c: str) -> None:
    """Fill up with blanks, then add c."""
    if m.pad_until > m.count:
        seq_write(m, b" " * (m.pad_until - m.count))
    if c:
        seq_write(m, c.encode())


def seq_path(m: seq_file, name: bytes, esc: bytes = b" \t\n\\") -> None:
    """Add a path, odd characters in octal."""
    seq_write(m, b"".join(b"\\%03o" % c if c in esc else bytes((c,)) for c in name))


def seq_list_start(head: Sequence[object], pos: int) -> object:
    """The entry of a list at a position."""
    return head[pos] if pos < len(head) else None


def seq_list_start_head(head: Sequence[object], pos: int) -> object:
    """As seq_list_start(), with SEQ_START_TOKEN (a line of titles) at position 0."""
    return seq_list_start(head, pos - 1) if pos else SEQ_START_TOKEN


def seq_list_next(v: object, head: Sequence[object], ppos: list[int]) -> object:
    """The entry after the one at ppos, which goes on."""
    ppos[0] += 1
    return seq_list_start(head, ppos[0])


def _seq_list_next_head(v: object, head: Sequence[object], ppos: list[int]) -> object:
    """As seq_list_next() in an iteration that began with seq_list_start_head()."""
    ppos[0] += 1
    return seq_list_start(head, ppos[0] - 1)


SINGLE = object()


def single_start(p: seq_file, pos: list[int]) -> object:
    """The only record."""
    return SINGLE if pos[0] == 0 else None


def single_next(p: seq_file, v: object, pos: list[int]) -> object:
    """There is no other."""
    pos[0] += 1
    return None


def single_stop(p: seq_file, v: object) -> None:
    """Nothing to undo."""


def single_open(file: file, show: Show, data: object) -> None:
    """The open() of a file that is one record."""
    op = seq_operations(start=single_start, next=single_next, stop=single_stop, show=show)
    seq_open(file, op).private = data


def single_release(inode: inode, file: file) -> None:
    """The release() of such a file."""
    seq_release(inode, file)


def __seq_open_private(file: file, ops: seq_operations, make: Callable[[], object]) -> object:
    """seq_open(), with a private part made by make()."""
    private = make()
    seq_open(file, ops).private = private
    return private
