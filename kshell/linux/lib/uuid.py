"""Unique identifiers of RFC 4122 (lib/uuid.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.random import get_random_bytes

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def generate_random_uuid(kernel: Kernel) -> bytes:
    """16 random bytes but for the version, 4, and the variant (RFC 4122, section 4.4)."""
    uuid = bytearray(get_random_bytes(kernel, 16))
    uuid[6] = uuid[6] & 0x0F | 0x40
    uuid[8] = uuid[8] & 0x3F | 0x80
    return bytes(uuid)


def _uuid_string(uuid: bytes) -> str:
    """As printk's %pU writes it."""
    digits = uuid.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
