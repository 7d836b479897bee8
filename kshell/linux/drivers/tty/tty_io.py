"""The console terminal, /dev/console and /dev/tty (drivers/tty/tty_io.c, n_tty.c).

What tasks write goes out as ConsoleWrite events; what _tty_type() is given, they read, a line at a time.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EAGAIN, EFAULT, ENOTTY, ENXIO
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.ioctl import (
    FIONREAD,
    TCFLSH,
    TCGETS,
    TCSBRK,
    TCSETS,
    TCSETSF,
    TCSETSW,
    TIOCGPGRP,
    TIOCGWINSZ,
    TIOCOUTQ,
    TIOCSCTTY,
    TIOCSPGRP,
    TIOCSWINSZ,
)  # fmt: skip
from kshell.abi.poll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from kshell.linux.fs.char_dev import register_chrdev
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs_ops import file_operations
from kshell.linux.include.linux.poll import poll_wait
from kshell.linux.include.linux.sched import PIDTYPE_PGID
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, get_user, put_user
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.include.trace.events import ConsoleWrite
from kshell.linux.kernel.pid import pid_vnr
from kshell.linux.kernel.sched.wait import wait_event_interruptible
from kshell.linux.lib.iov_iter import copy_from_iter, copy_to_iter

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode, kiocb
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.init.kernel import Kernel

TTYAUX_MAJOR: Final = 5
DEV_TTY_MINOR: Final = 0
WRITE_CHUNK: Final = 2048  # do_tty_write()
WINSIZE: Final = struct.Struct("<HHHH")  # rows, columns, x and y pixels
# struct termios of a sane terminal: iflag ICRNL|IXON, oflag OPOST|ONLCR, cflag B38400|CS8|CREAD, lflag, line, c_cc[19]
SANE_TERMIOS: Final = struct.pack(
    "<IIIIB19s", 0x500, 0x5, 0xBF, 0x8A3B, 0, bytes.fromhex("031c7f150400010011131a00120f1716000000")
)


class tty_struct:
    """A terminal: the lines typed and not yet read, and its settings."""

    __slots__ = ("_typed", "read_wait", "termios", "winsize")

    def __init__(self) -> None:
        self._typed = b""
        self.read_wait = wait_queue_head()
        self.termios = SANE_TERMIOS
        self.winsize = WINSIZE.pack(24, 80, 0, 0)


def _tty(f: file) -> tty_struct:
    assert f.f_inode is not None
    tty: tty_struct = f.f_inode.i_sb.kernel.console_tty
    return tty


async def tty_open(node: inode, filp: file) -> None:
    """Any number of files may be open on the terminal. ENXIO: /dev/tty, for a process without a terminal of its own."""
    if node.i_rdev & 0xFFFFF == DEV_TTY_MINOR:
        raise KernelError(ENXIO)


def tty_release(node: inode, filp: file) -> None:
    """Nothing to give back."""


async def tty_read(iocb: kiocb, to: iov_iter) -> int:
    """Up to one line. EAGAIN, EFAULT (what was to be copied is lost), ERESTARTSYS."""
    tty = _tty(iocb.ki_filp)
    if not to.count:
        return 0
    if not tty._typed:
        if iocb.ki_filp.f_flags & O_NONBLOCK:
            raise KernelError(EAGAIN)
        kernel = iocb.ki_filp.f_inode.i_sb.kernel
        await wait_event_interruptible(kernel, tty.read_wait, lambda: bool(tty._typed))
    line, newline, _ = tty._typed.partition(b"\n")
    taken = (line + newline)[: to.count]
    tty._typed = tty._typed[len(taken) :]
    copied = copy_to_iter(taken, to)
    if not copied:
        raise KernelError(EFAULT)
    return copied


async def tty_write(iocb: kiocb, source: iov_iter) -> int:
    """Show bytes on the terminal, a chunk at a time. EFAULT: the first chunk cannot be read as a whole."""
    written = bytearray()
    size = source.count
    while len(written) < size:
        wanted = min(WRITE_CHUNK, size - len(written))
        chunk = copy_from_iter(source, wanted)
        if len(chunk) != wanted:
            break
        written += chunk
    if size and not written:
        raise KernelError(EFAULT)
    kernel = iocb.ki_filp.f_inode.i_sb.kernel
    if kernel.listening:
        kernel.emit(ConsoleWrite(kernel.current.pid, bytes(written)))
    return len(written)


def tty_poll(filp: file, wait: poll_table_struct | None) -> int:
    """Writable always, readable when something was typed."""
    tty = _tty(filp)
    poll_wait(filp, tty.read_wait, wait)
    return EPOLLOUT | EPOLLWRNORM | (EPOLLIN | EPOLLRDNORM if tty._typed else 0)


def tty_ioctl(filp: file, cmd: int, arg: int) -> int:
    """Settings, size, job control. ENOTTY: not for a terminal."""
    tty = _tty(filp)
    current = filp.f_inode.i_sb.kernel.current
    if cmd == TCGETS:
        copy_to_user(current, arg, tty.termios)
    elif cmd in (TCSETS, TCSETSW, TCSETSF):
        tty.termios = copy_from_user(current, arg, len(SANE_TERMIOS))
    elif cmd == TIOCGWINSZ:
        copy_to_user(current, arg, tty.winsize)
    elif cmd == TIOCSWINSZ:
        tty.winsize = copy_from_user(current, arg, WINSIZE.size)
    elif cmd == TIOCGPGRP:
        put_user(current, arg, pid_vnr(current.signal.pids[PIDTYPE_PGID]))
    elif cmd == TIOCSPGRP:
        get_user(current, arg)
    elif cmd == FIONREAD:
        put_user(current, arg, len(tty._typed))
    elif cmd == TIOCOUTQ:
        put_user(current, arg, 0)
    elif cmd not in (TIOCSCTTY, TCSBRK, TCFLSH):
        raise KernelError(ENOTTY)
    return 0


def tty_compat_ioctl(f: file, cmd: int, arg: int) -> int:
    """ioctl() by a 32-bit program: what is modelled looks the same."""
    return tty_ioctl(f, cmd, arg)


tty_fops = file_operations(
    read_iter=tty_read,
    write_iter=tty_write,
    poll=tty_poll,
    unlocked_ioctl=tty_ioctl,
    compat_ioctl=tty_compat_ioctl,
    open=tty_open,
    release=tty_release,
)


def tty_init(kernel: Kernel) -> None:
    """Register /dev/tty and /dev/console."""
    kernel.console_tty = tty_struct()
    register_chrdev(kernel, TTYAUX_MAJOR, "/dev/console", tty_fops)
