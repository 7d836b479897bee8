"""/dev/null, /dev/zero, /dev/full, /dev/kmsg; the random devices (drivers/char/mem.c, random.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EFAULT, EINVAL, ENOSPC, ENXIO
from kshell.abi.ioctl import RNDGETENTCNT
from kshell.linux.drivers.tty.tty_io import tty_init
from kshell.linux.fs.char_dev import register_chrdev
from kshell.linux.fs.ioctl import compat_ptr_ioctl
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.include.linux.cdev import MINOR
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_NOWAIT, file_operations
from kshell.linux.include.linux.random import get_random_bytes
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.include.linux.uio import READ, iov_iter
from kshell.linux.kernel.printk import printk
from kshell.linux.lib.iov_iter import copy_from_iter, copy_to_iter, import_single_range, iov_iter_advance

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode, kiocb
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

MEM_MAJOR = 1
CHUNK = 65536
ENTROPY_BITS = 256
GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE = 1, 2, 4
LOG_LINE_MAX = 1024 - 32


def null_lseek(file: file, offset: int, orig: int) -> int:
    """The position is always 0."""
    file.f_pos = 0
    return 0


async def read_null(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """End of file."""
    return 0


async def write_null(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """All is taken and forgotten."""
    return count


async def read_iter_null(iocb: kiocb, to: iov_iter) -> int:
    """End of file."""
    return 0


async def write_iter_null(iocb: kiocb, from_: iov_iter) -> int:
    """All is taken and forgotten."""
    count = from_.count
    iov_iter_advance(from_, count)
    return count


async def splice_write_null(pipe: pipe_inode_info, out: file, ppos: Ppos, length: int, flags: int) -> int:
    """All is taken and forgotten."""
    raise KernelError(EINVAL)


def _fill(to: iov_iter, make: Callable[[int], bytes]) -> int:
    done = 0
    while to.count:
        chunk = min(to.count, CHUNK)
        copied = copy_to_iter(make(chunk), to)
        done += copied
        if copied < chunk:
            if not done:
                raise KernelError(EFAULT)
            break
    return done


async def read_iter_zero(iocb: kiocb, iter: iov_iter) -> int:
    """Zeros without end. EFAULT."""
    return _fill(iter, bytes)


async def read_zero(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """Zeros without end. EFAULT."""
    return _fill(iov_iter(READ, file._kernel.current, ((buf, count),), count), bytes)


async def write_full(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """Always full. ENOSPC."""
    raise KernelError(ENOSPC)


async def urandom_read_iter(kiocb: kiocb, iter: iov_iter) -> int:
    """Random bytes without end. EFAULT."""
    kernel = kiocb.ki_filp._kernel
    return _fill(iter, lambda n: get_random_bytes(kernel, n))


async def random_write_iter(kiocb: kiocb, iter: iov_iter) -> int:
    """Bytes to mix in; the generator stays as the seed made it. EFAULT."""
    done = 0
    while iter.count:
        data = copy_from_iter(iter, CHUNK)
        if not data:
            break
        done += len(data)
    if not done and iter.count:
        raise KernelError(EFAULT)
    return done


def random_ioctl(f: file, cmd: int, arg: int) -> int:
    """RNDGETENTCNT. EINVAL."""
    if cmd != RNDGETENTCNT:
        raise KernelError(EINVAL)
    put_user(f._kernel.current, arg, ENTROPY_BITS)
    return 0


async def devkmsg_write(iocb: kiocb, from_: iov_iter) -> int:
    """A line for the kernel log, `<level>` before it if wanted. EINVAL: too long; EFAULT."""
    count = from_.count
    if count > LOG_LINE_MAX:
        raise KernelError(EINVAL)
    data = copy_from_iter(from_, count)
    if len(data) < count:
        raise KernelError(EFAULT)
    level, text = 4, data.decode("latin-1").rstrip("\n")
    if text.startswith("<") and ">" in text[:5] and text[1 : text.index(">")].isdigit():
        level, text = int(text[1 : text.index(">")]) & 7, text[text.index(">") + 1 :]
    printk(iocb.ki_filp._kernel, text, level)
    return count


async def devkmsg_read(file: file, buf: int, count: int, ppos: Ppos) -> int:
    """The log is read by syslog(). EAGAIN: nothing new."""
    raise KernelError(EAGAIN)


null_fops = file_operations(
    llseek=null_lseek,
    read=read_null,
    write=write_null,
    read_iter=read_iter_null,
    write_iter=write_iter_null,
    splice_write=splice_write_null,
)
zero_fops = file_operations(
    llseek=null_lseek, read=read_zero, write=write_null, read_iter=read_iter_zero, write_iter=write_iter_null
)
full_fops = file_operations(llseek=null_lseek, read_iter=read_iter_zero, write=write_full)
random_fops = file_operations(
    read_iter=urandom_read_iter,
    write_iter=random_write_iter,
    unlocked_ioctl=random_ioctl,
    compat_ioctl=compat_ptr_ioctl,
    llseek=noop_llseek,
)
urandom_fops = file_operations(
    read_iter=urandom_read_iter,
    write_iter=random_write_iter,
    unlocked_ioctl=random_ioctl,
    compat_ioctl=compat_ptr_ioctl,
    llseek=noop_llseek,
)
kmsg_fops = file_operations(read=devkmsg_read, write_iter=devkmsg_write)
devlist = {
    3: ("null", null_fops, FMODE_NOWAIT),
    5: ("zero", zero_fops, FMODE_NOWAIT),
    7: ("full", full_fops, 0),
    8: ("random", random_fops, FMODE_NOWAIT),
    9: ("urandom", urandom_fops, FMODE_NOWAIT),
    11: ("kmsg", kmsg_fops, 0),
}


async def memory_open(inode: inode, filp: file) -> None:
    """open(): the minor number says which device. ENXIO."""
    device = devlist.get(MINOR(inode.i_rdev))
    if device is None:
        raise KernelError(ENXIO)
    _, filp.f_op, mode = device
    filp.f_mode |= mode


memory_fops = file_operations(open=memory_open, llseek=noop_llseek)


def chr_dev_init(kernel: Kernel) -> None:
    """Register the memory devices."""
    register_chrdev(kernel, MEM_MAJOR, "mem", memory_fops)
    tty_init(kernel)


@SYSCALL_DEFINE
def sys_getrandom(current: task_struct, ubuf: int, length: int, flags: int) -> int:
    """getrandom(ubuf, len, flags). EINVAL, EFAULT (drivers/char/random.c)."""
    if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE):
        raise KernelError(EINVAL)
    if flags & (GRND_INSECURE | GRND_RANDOM) == GRND_INSECURE | GRND_RANDOM:
        raise KernelError(EINVAL)
    to = import_single_range(current, READ, ubuf, length)
    return _fill(to, lambda n: get_random_bytes(current.kernel, n))
