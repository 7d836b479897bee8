"""Descriptor tables: finding, allocating and closing descriptors (fs/file.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EMFILE
from kshell.abi.fcntl import O_CLOEXEC
from kshell.abi.resource import RLIMIT_NOFILE
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.open_file import filp_close
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fdtable import BITS_PER_LONG, fd_is_open, fdtable, files_struct
from kshell.linux.include.linux.fs import FMODE_PATH, file
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.security.security import security_file_receive

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

WORD_FULL = (1 << BITS_PER_LONG) - 1
FDPUT_FPUT = 1

fd = tuple[file | None, int]
"""`struct fd`: the file, and whether fdput() has a reference to drop."""


def rlimit(current: task_struct, limit: int) -> int:
    """The soft limit of the process."""
    return current.signal.rlim[limit][0]


def alloc_fdtable(slots_wanted: int, nr_open: int) -> fdtable:
    """A table with room for so many descriptors, a power of two. EMFILE: above fs.nr_open."""
    size = 1 << (slots_wanted - 1).bit_length()
    if size > nr_open:
        size = ((nr_open - 1) | (BITS_PER_LONG - 1)) + 1
        if size < slots_wanted:
            raise KernelError(EMFILE)
    return fdtable(size)


def copy_fdtable(nfdt: fdtable, ofdt: fdtable) -> None:
    """Copy the files and bits of a smaller table."""
    nfdt.fd[: ofdt.max_fds] = ofdt.fd
    for new, old in (
        (nfdt.open_fds, ofdt.open_fds),
        (nfdt.close_on_exec, ofdt.close_on_exec),
        (nfdt.full_fds_bits, ofdt.full_fds_bits),
    ):
        new[: len(old)] = old


def expand_files(current: task_struct, files: files_struct, nr: int) -> int:
    """See that the table has room for descriptor nr; 1 when it had to grow. EMFILE."""
    if nr < files.fdt.max_fds:
        return 0
    nr_open = current.kernel.sysctl_nr_open
    if nr >= nr_open:
        raise KernelError(EMFILE)
    expand_fdtable(files, nr, nr_open)
    return 1


def expand_fdtable(files: files_struct, nr: int, nr_open: int) -> None:
    """Move to a larger table."""
    new = alloc_fdtable(nr + 1, nr_open)
    copy_fdtable(new, files.fdt)
    files.fdt = new


def find_next_fd(fdt: fdtable, start: int) -> int:
    """The lowest free descriptor from start on; max_fds when there is none."""
    open_fds = fdt.open_fds
    word = start >> 6
    bits = ~open_fds[word] & WORD_FULL & -1 << (start & 63)
    if bits:
        return (word << 6) + (bits & -bits).bit_length() - 1
    word += 1
    for group in range(word >> 6, len(fdt.full_fds_bits)):
        bits = ~fdt.full_fds_bits[group] & WORD_FULL
        if group == word >> 6:
            bits &= -1 << (word & 63)
        if bits:
            found = (group << 6) + (bits & -bits).bit_length() - 1
            if found >= len(open_fds):
                break
            free = ~open_fds[found] & WORD_FULL
            return (found << 6) + (free & -free).bit_length() - 1
    return fdt.max_fds


def alloc_fd(current: task_struct, start: int, end: int, flags: int) -> int:
    """Reserve the lowest free descriptor of [start, end). flags: O_CLOEXEC. EMFILE."""
    files = current.files
    fdt = files.fdt
    nr = files.next_fd
    if nr < start:
        nr = start
    word, bit = nr >> 6, 1 << (nr & 63)
    if nr < fdt.max_fds and fdt.open_fds[word] & bit:
        nr = find_next_fd(fdt, nr)
        word, bit = nr >> 6, 1 << (nr & 63)
    if nr >= end:
        raise KernelError(EMFILE)
    if expand_files(current, files, nr):
        fdt = files.fdt
    if start <= files.next_fd:
        files.next_fd = nr + 1
    bits = fdt.open_fds[word] = fdt.open_fds[word] | bit
    if bits == WORD_FULL:
        fdt.full_fds_bits[word >> 6] |= 1 << (word & 63)
    if flags & O_CLOEXEC:
        fdt.close_on_exec[word] |= bit
    elif fdt.close_on_exec[word] & bit:
        fdt.close_on_exec[word] -= bit
    return nr


def __set_open_fd(nr: int, fdt: fdtable) -> None:
    word = nr >> 6
    bits = fdt.open_fds[word] | 1 << (nr & 63)
    fdt.open_fds[word] = bits
    if bits == WORD_FULL:
        fdt.full_fds_bits[word >> 6] |= 1 << (word & 63)


def get_unused_fd_flags(current: task_struct, flags: int) -> int:
    """Reserve the lowest free descriptor; fd_install() or put_unused_fd() must follow. EMFILE."""
    return alloc_fd(current, 0, current.signal.rlim[RLIMIT_NOFILE][0], flags)


def __put_unused_fd(files: files_struct, nr: int) -> None:
    fdt = files.fdt
    word = nr >> 6
    bits = fdt.open_fds[word]
    if bits == WORD_FULL:
        fdt.full_fds_bits[word >> 6] &= ~(1 << (word & 63))
    fdt.open_fds[word] = bits - (1 << (nr & 63))
    if nr < files.next_fd:
        files.next_fd = nr


def put_unused_fd(current: task_struct, nr: int) -> None:
    """Give a reserved descriptor back."""
    __put_unused_fd(current.files, nr)


def fd_install(current: task_struct, nr: int, f: file) -> None:
    """Let a reserved descriptor stand for the file; takes over the caller's reference."""
    current.files.fdt.fd[nr] = f


def __receive_fd(current: task_struct, f: file, ufd: int, o_flags: int) -> int:
    """A new descriptor for a file that came by message; its number is stored at ufd. EMFILE, EFAULT."""
    security_file_receive(f)
    new_fd = get_unused_fd_flags(current, o_flags)
    if ufd:
        try:
            put_user(current, ufd, new_fd)
        except KernelError:
            put_unused_fd(current, new_fd)
            raise
    f.f_count += 1
    fd_install(current, new_fd, f)
    return new_fd


def receive_fd_user(current: task_struct, f: file, ufd: int, o_flags: int) -> int:
    """As __receive_fd(); EFAULT also when ufd is NULL."""
    return __receive_fd(current, f, ufd, o_flags)


def pick_file(files: files_struct, nr: int) -> file | None:
    """Take the file out of the table; None: no such descriptor."""
    fdt = files.fdt
    if not 0 <= nr < fdt.max_fds:
        return None
    f = fdt.fd[nr]
    if f is not None:
        fdt.fd[nr] = None
        word = nr >> 6
        bits = fdt.open_fds[word]
        if bits == WORD_FULL:
            fdt.full_fds_bits[word >> 6] &= ~(1 << (word & 63))
        fdt.open_fds[word] = bits - (1 << (nr & 63))
        if nr < files.next_fd:
            files.next_fd = nr
    return f


def close_fd(current: task_struct, nr: int) -> None:
    """Close a descriptor. EBADF."""
    files = current.files
    f = pick_file(files, nr)
    if f is None:
        raise KernelError(EBADF)
    filp_close(f, files)


def last_fd(fdt: fdtable) -> int:
    """The highest descriptor the table has room for."""
    return fdt.max_fds - 1


def dup_fd(kernel: Kernel, oldf: files_struct, punch_hole: tuple[int, int] | None = None) -> files_struct:
    """A copy of the table, for fork() and unshare(): every file gets one more reference.

    punch_hole: first and last descriptor to leave out when nothing is open above them.
    """
    newf = kmem_cache_alloc(kernel.files_cachep, files_struct)
    open_files = sane_fdtable_size(oldf.fdt, punch_hole)
    fdt = newf.fdt
    if open_files > fdt.max_fds:
        fdt = newf.fdt = alloc_fdtable(open_files, kernel.sysctl_nr_open)
    old = oldf.fdt
    copy_fd_bitmaps(fdt, old, open_files)
    for nr in range(open_files):
        f = old.fd[nr]
        if f is not None:
            f.f_count += 1
            fdt.fd[nr] = f
        elif fd_is_open(nr, fdt):
            __put_unused_fd(newf, nr)
    newf.next_fd = oldf.next_fd if oldf.next_fd < open_files else 0
    return newf


def sane_fdtable_size(fdt: fdtable, punch_hole: tuple[int, int] | None) -> int:
    """Descriptors to copy: up to the highest open one, in whole words (at least 64)."""
    word = len(fdt.open_fds) - 1
    while word > 0 and not fdt.open_fds[word]:
        word -= 1
    last = (word << 6) + fdt.open_fds[word].bit_length() - 1
    if punch_hole and punch_hole[0] <= last <= punch_hole[1]:
        last = punch_hole[0] - 1
        while last >= 0 and not fd_is_open(last, fdt):
            last -= 1
    return max(last // BITS_PER_LONG + 1, 1) * BITS_PER_LONG


def copy_fd_bitmaps(nfdt: fdtable, ofdt: fdtable, count: int) -> None:
    """Copy the bits of the first count descriptors."""
    words = count // BITS_PER_LONG
    nfdt.open_fds[:words] = ofdt.open_fds[:words]
    nfdt.close_on_exec[:words] = ofdt.close_on_exec[:words]
    for word, bits in enumerate(nfdt.open_fds):
        if bits == WORD_FULL:
            nfdt.full_fds_bits[word >> 6] |= 1 << (word & 63)


def _init_files(kernel: Kernel) -> files_struct:
    """The table of the first task, with nothing open."""
    return kmem_cache_alloc(kernel.files_cachep, files_struct)


def close_files(files: files_struct) -> fdtable:
    """Close all, lowest first."""
    fdt = files.fdt
    for word in range(len(fdt.open_fds)):
        bits = fdt.open_fds[word]
        while bits:
            low = bits & -bits
            bits ^= low
            nr = (word << 6) + low.bit_length() - 1
            f, fdt.fd[nr] = fdt.fd[nr], None
            if f is not None:
                filp_close(f, files)
        fdt.open_fds[word] = 0
    return fdt


def put_files_struct(kernel: Kernel, files: files_struct) -> None:
    """Drop a reference; the last one closes every descriptor."""
    files.count -= 1
    if not files.count:
        close_files(files)
        kmem_cache_free(kernel.files_cachep, files)


def exit_files(tsk: task_struct) -> None:
    """A task ends: it lets go of its descriptors."""
    files = tsk.files
    if files is not None:
        tsk.files = None  # type: ignore[assignment]
        put_files_struct(tsk.kernel, files)


def __fget(current: task_struct, nr: int, mask: int) -> file | None:
    """The file with a reference taken; None: no such descriptor, or its f_mode meets the mask."""
    fdt = current.files.fdt
    if 0 <= nr < fdt.max_fds:
        f = fdt.fd[nr]
        if f is not None and not f.f_mode & mask:
            f.f_count += 1
            return f
    return None


def fget(current: task_struct, nr: int) -> file | None:
    """The open file of a descriptor, with a reference; not one opened with O_PATH."""
    return __fget(current, nr, FMODE_PATH)


def fget_raw(current: task_struct, nr: int) -> file | None:
    """As fget(), O_PATH files included."""
    return __fget(current, nr, 0)


def fget_task(task: task_struct, nr: int) -> file | None:
    """The file of a descriptor of another task, with a reference."""
    return __fget(task, nr, 0) if task.files is not None else None


def __fget_light(current: task_struct, nr: int, mask: int) -> fd:
    """The file of a descriptor; takes a reference only when another thread could close it."""
    files = current.files
    if files.count == 1:
        fdt = files.fdt
        if 0 <= nr < fdt.max_fds:
            f = fdt.fd[nr]
            if f is not None and not f.f_mode & mask:
                return f, 0
        return None, 0
    f = __fget(current, nr, mask)
    return f, FDPUT_FPUT if f is not None else 0


def __fdget(current: task_struct, nr: int) -> fd:
    """The file of a descriptor, for the length of one call; fdput() ends it."""
    return __fget_light(current, nr, FMODE_PATH)


fdget = __fdget


def __fdget_raw(current: task_struct, nr: int) -> fd:
    """As fdget(), O_PATH files included."""
    return __fget_light(current, nr, 0)


def __fdget_pos(current: task_struct, nr: int) -> fd:
    """As fdget(), for calls that use the file position (there is no lock to take: one CPU)."""
    return __fdget(current, nr)


def fdput(f: file | None, flags: int) -> None:
    """End what fdget() began."""
    if flags & FDPUT_FPUT:
        assert f is not None
        fput(f)


def set_close_on_exec(current: task_struct, nr: int, flag: int) -> None:
    """Set or clear FD_CLOEXEC."""
    fdt = current.files.fdt
    if flag:
        fdt.close_on_exec[nr >> 6] |= 1 << (nr & 63)
    else:
        fdt.close_on_exec[nr >> 6] &= ~(1 << (nr & 63))


def get_close_on_exec(current: task_struct, nr: int) -> bool:
    """Whether FD_CLOEXEC is set."""
    return bool(current.files.fdt.close_on_exec[nr >> 6] >> (nr & 63) & 1)


def do_close_on_exec(files: files_struct) -> None:
    """execve(): close the descriptors that have FD_CLOEXEC."""
    fdt = files.fdt
    for word in range(len(fdt.close_on_exec)):
        bits, fdt.close_on_exec[word] = fdt.close_on_exec[word], 0
        while bits:
            low = bits & -bits
            bits ^= low
            f = pick_file(files, (word << 6) + low.bit_length() - 1)
            if f is not None:
                filp_close(f, files)
