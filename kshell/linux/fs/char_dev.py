"""Character devices: from number to driver (fs/char_dev.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, ENXIO
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.include.linux.cdev import MAJOR, MINOR, MKDEV, cdev
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_operations
from kshell.linux.kernel.kmod import request_module

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.init.kernel import Kernel

MINORS = 256


def chrdev_init(kernel: Kernel) -> None:
    """Begin with no drivers."""
    kernel.cdev_map = {}


def cdev_add(kernel: Kernel, p: cdev, dev: int, count: int) -> None:
    """Let a driver have count device numbers from dev on. EBUSY."""
    numbers = range(dev, dev + count)
    if not kernel.cdev_map.keys().isdisjoint(numbers):
        raise KernelError(EBUSY)
    p.dev, p.count = dev, count
    kernel.cdev_map.update(dict.fromkeys(numbers, p))


def register_chrdev(kernel: Kernel, major: int, name: str, fops: file_operations) -> None:
    """Let a driver have the numbers of a major. EBUSY."""
    cdev_add(kernel, cdev(fops), MKDEV(major, 0), MINORS)
    kernel.chrdevs[major] = name


async def chrdev_open(inode: inode, filp: file) -> None:
    """open() of a device node: that of its driver. ENXIO: no driver has the number."""
    kernel = inode.i_sb.kernel
    driver = kernel.cdev_map.get(inode.i_rdev)
    if driver is None:
        request_module(kernel, f"char-major-{MAJOR(inode.i_rdev)}-{MINOR(inode.i_rdev)}")
        driver = kernel.cdev_map.get(inode.i_rdev)
    if driver is None:
        raise KernelError(ENXIO)
    filp.f_op = driver.ops
    if filp.f_op.open:
        await filp.f_op.open(inode, filp)


def_chr_fops = file_operations(open=chrdev_open, llseek=noop_llseek)
