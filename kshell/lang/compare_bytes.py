"""Whether recorded bytes are those that the model gave, where that can be known."""

import re
from typing import Final

from kshell.lang.encode import UNSEEN

#: as many bytes that a log does not show are told from the same bytes as data
_RUN: Final = 16

#: a line of /proc/net/tcp, udp or raw: up to the inode number, the references
_SOCKET_LINE: Final = re.compile(
    rb"^( *\d+: [\dA-F]+:[\dA-F]{4} [\dA-F]+:[\dA-F]{4} .. \S+ \S+ \S+ +\d+ +\d+) \d+ (\d+) [\da-f]{16}", re.MULTILINE
)


def same_bytes(left: bytes, right: bytes) -> bool:
    """Whether recorded bytes are the model's, where those are known; IP headers but for what the kernel picks."""
    if left == right:
        return True
    if len(left) != len(right):
        return False
    if UNSEEN in right and all(left[i] == right[i] or _is_unseen(right, i) for i in range(len(left))):
        return True
    one, other = _without_ident(left), _without_ident(right)
    return (one is not None and one == other) or _without_inodes(left) == _without_inodes(right)


def _without_inodes(text: bytes) -> bytes:
    """What proc lists of sockets, but for their inode numbers and addresses, and what fills lines up."""
    return b"\n".join(line.rstrip() for line in _SOCKET_LINE.sub(rb"\1 \2", text).split(b"\n"))


def _is_unseen(data: bytes, at: int) -> bool:
    """Whether the byte belongs to a run of what the log did not show, maybe cut off at an end."""
    first, last = at, at
    while first > 0 and at - first < _RUN and data[first - 1 : first] == UNSEEN:
        first -= 1
    while last < len(data) and last - at < _RUN and data[last : last + 1] == UNSEEN:
        last += 1
    return data[at : at + 1] == UNSEEN and (last - first >= _RUN or first == 0 or last == len(data))


def _without_ident(packet: bytes) -> bytes | None:
    """An IPv4 packet with a right checksum, but for its ident and that checksum; None for anything else."""
    size = 4 * (packet[0] & 15) if packet else 0
    if not packet or packet[0] >> 4 != 4 or not 20 <= size <= len(packet):
        return None
    if int.from_bytes(packet[:size], "big") % 65535:
        return None
    return packet[:4] + packet[6:10] + packet[12:]
