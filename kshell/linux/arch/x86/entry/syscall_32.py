"""Which i386 system calls the kernel serves (arch/x86/entry/syscalls/syscall_32.tbl).

A call with 32-bit structs has a body `compat_sys_NAME`; the others share the 64-bit body.
"""

from __future__ import annotations

from typing import Final

from kshell.linux.arch.x86.entry.syscall_64 import MODULES, Bodies, _places

COMPAT_MODULES: Final = {
    "fs.ioctl": "ioctl",
    "net.compat": "recvmsg sendmmsg sendmsg socketcall",
}

IA32_CALLS: Final = Bodies({
    **_places(MODULES, "sys_"),
    **_places(COMPAT_MODULES, "compat_sys_"),
    "recvmmsg": ("net.compat", "compat_sys_recvmmsg_time32"),  # its timeout has 32-bit seconds
})  # fmt: skip
