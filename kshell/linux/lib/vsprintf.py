"""lib/vsprintf.c: how the kernel writes addresses: of objects (%p, %pK) and of hosts (%pI4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYSLOG
from kshell.linux.kernel.capability import has_capability_noaudit

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


def ip4_addr_string(addr: int) -> str:
    """%pI4: 127.0.0.1."""
    return ".".join(str(byte) for byte in addr.to_bytes(4, "big"))


def pointer_string(ptr: int) -> str:
    """An address as it is."""
    return f"{ptr:016x}"


def default_pointer(ptr: int) -> str:
    """%p: an address made unusable. Linux hashes it, here it loses its upper half."""
    return pointer_string(ptr & 0xFFFFFFFF)


def restricted_pointer(current: task_struct, ptr: int) -> str:
    """%pK: by kernel.kptr_restrict hashed for all (0), true for the privileged (1), hidden from all (2)."""
    if current.kernel.kptr_restrict == 0:
        return default_pointer(ptr)
    cred = current.cred
    itself = cred.euid == cred.uid and cred.egid == cred.gid  # not by a set-user-id program
    if current.kernel.kptr_restrict > 1 or not itself or not has_capability_noaudit(current, CAP_SYSLOG):
        ptr = 0
    return pointer_string(ptr)
