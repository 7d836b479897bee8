"""The first files (init/initramfs.c).

Linux unpacks an archive here. This kernel's archive is the table below; the mounts that an init program
would make come with it, so that the first prompt finds /proc and /tmp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.stat import MS_NODEV, MS_NOEXEC, MS_NOSUID, S_IFCHR
from kshell.linux.fs.init import init_chmod, init_mkdir, init_mknod, init_mount, init_symlink
from kshell.linux.include.linux.cdev import MKDEV
from kshell.linux.include.linux.module import _module_file
from kshell.linux.net.x25.af_x25 import X25_MODULE

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

DIRECTORIES = (
    (b"/dev", 0o755), (b"/etc", 0o755), (b"/home", 0o755), (b"/proc", 0o555), (b"/root", 0o700), (b"/run", 0o755),
    (b"/srv", 0o755), (b"/sys", 0o555), (b"/tmp", 0o1777), (b"/usr", 0o755), (b"/var", 0o755), (b"/var/tmp", 0o1777),
    (b"/dev/net", 0o755), (b"/usr/bin", 0o755), (b"/usr/lib", 0o755), (b"/usr/sbin", 0o755), (b"/usr/lib64", 0o755),
)  # fmt: skip
DEVICES = (
    (b"/dev/console", 0o600, 5, 1), (b"/dev/full", 0o666, 1, 7), (b"/dev/kmsg", 0o644, 1, 11),
    (b"/dev/net/tun", 0o666, 10, 200), (b"/dev/null", 0o666, 1, 3), (b"/dev/random", 0o666, 1, 8), (b"/dev/tty", 0o666, 5, 0),
    (b"/dev/urandom", 0o666, 1, 9), (b"/dev/zero", 0o666, 1, 5),
)  # fmt: skip
_DIAG = "net-pf-16-proto-4-type"  # what sock_diag asks for
_IPV4 = "kshell.linux.net.ipv4"
_NET = "kshell.linux.drivers.net"
MODULES = (  # what /lib/modules holds
    X25_MODULE,
    _module_file(
        name="e1000", aliases=("pci:v00008086d0000100E",), size=159744,
        code=f"{_NET}.ethernet.intel.e1000.e1000_main:e1000_init_module:e1000_exit_module",
    ),
    _module_file(
        name="inet_diag", aliases=(f"{_DIAG}-2", f"{_DIAG}-10"), size=24576,
        code=f"{_IPV4}.inet_diag:inet_diag_init:inet_diag_exit",
    ),
    _module_file(
        name="tcp_diag", aliases=(f"{_DIAG}-2-6", f"{_DIAG}-10-6"), size=16384,
        code=f"{_IPV4}.tcp_diag:tcp_diag_init:tcp_diag_exit",
    ),
    _module_file(
        name="udp_diag", aliases=(f"{_DIAG}-2-17", f"{_DIAG}-2-136"), size=16384,
        code=f"{_IPV4}.tcp_diag:udp_diag_init:udp_diag_exit",
    ),
    _module_file(
        name="raw_diag", aliases=(f"{_DIAG}-2-255",), size=16384,
        code=f"{_IPV4}.tcp_diag:raw_diag_init:raw_diag_exit",
    ),
    _module_file(
        name="unix_diag", aliases=(f"{_DIAG}-1",), size=16384,
        code="kshell.linux.net.unix.diag:unix_diag_init:unix_diag_exit",
    ),
    _module_file(
        name="netlink_diag", aliases=(f"{_DIAG}-16",), size=16384,
        code="kshell.linux.net.netlink.diag:netlink_diag_init:netlink_diag_exit",
    ),
    _module_file(
        name="af_packet_diag", aliases=(f"{_DIAG}-17",), size=16384,
        code="kshell.linux.net.packet.diag:packet_diag_init:packet_diag_exit",
    ),
    _module_file(
        name="veth", aliases=("rtnl-link-veth",), size=36864, code=f"{_NET}.veth:veth_init:veth_exit",
    ),
    _module_file(
        name="dummy", aliases=("rtnl-link-dummy",), size=16384,
        code=f"{_NET}.dummy:dummy_init_module:dummy_cleanup_module",
    ),
    _module_file(
        name="tun", aliases=("rtnl-link-tun", "char-major-10-200"), size=61440, code=f"{_NET}.tun:tun_init:tun_cleanup",
    ),
    _module_file(
        name="bridge", aliases=("rtnl-link-bridge",), size=315392,
        code="kshell.linux.net.bridge.br:br_init:br_deinit",
    ),
)  # fmt: skip
LINKS = (
    (b"usr/bin", b"/bin"), (b"usr/lib", b"/lib"), (b"usr/lib64", b"/lib64"), (b"usr/sbin", b"/sbin"),
    (b"/run", b"/var/run"), (b"/proc/self/fd", b"/dev/fd"), (b"/proc/self/fd/0", b"/dev/stdin"),
    (b"/proc/self/fd/1", b"/dev/stdout"), (b"/proc/self/fd/2", b"/dev/stderr"),
)  # fmt: skip


def populate_rootfs(kernel: Kernel) -> None:
    """Make the first files."""
    do_populate_rootfs(kernel)


def do_populate_rootfs(kernel: Kernel) -> None:
    """As populate_rootfs(): nothing is gained by doing it in the background."""
    current = kernel.current
    umask, current.fs.umask = current.fs.umask, 0
    init_chmod(current, b"/", 0o755)
    for name, mode in DIRECTORIES:
        init_mkdir(current, name, mode & 0o777)
        init_chmod(current, name, mode)
    for name, mode, major, minor in DEVICES:
        init_mknod(current, name, S_IFCHR | mode, MKDEV(major, minor))
    for text, name in LINKS:
        init_symlink(current, text, name)
    current.fs.umask = umask
    kernel.module_files = MODULES
    init_mount(current, b"proc", b"/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "")
    init_mount(current, b"sysfs", b"/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "")
    init_mount(current, b"tmpfs", b"/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "")
