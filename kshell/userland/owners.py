"""Which programs have which sockets open: what ss -p and netstat -p find in /proc/PID/fd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.userland.coreutils import entries
from kshell.userland.files import read_file
from kshell.userland.runtime import AT_FDCWD, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process


class Owners:
    """Inode of a socket → (name, pid, descriptor) of those that have it open."""

    def __init__(self) -> None:
        self.by_inode: dict[int, list[tuple[str, int, int]]] = {}
        self.names: dict[int, str] = {}

    @classmethod
    async def read(cls, p: Process) -> Owners:
        """Look through /proc."""
        owners = cls()
        for pid in [name async for name in entries(p, "/proc") if name.isdecimal()]:
            try:
                await owners._task(p, int(pid))
            except SystemCallError:  # it has ended, or is not ours
                continue
        return owners

    async def _task(self, p: Process, pid: int) -> None:
        name = (await read_file(p, f"/proc/{pid}/comm")).decode().strip()
        self.names[pid] = name
        link = p.scratch(64)
        for fd in [each async for each in entries(p, f"/proc/{pid}/fd") if each.isdecimal()]:
            length = await p.try_call("readlinkat", AT_FDCWD, f"/proc/{pid}/fd/{fd}", link, 64)
            target = p.memory(link, length) if length > 0 else b""
            if target.startswith(b"socket:["):
                self.by_inode.setdefault(int(target[8:-1]), []).append((name, pid, int(fd)))

    def name(self, pid: int) -> str:
        """The name of a task."""
        return self.names.get(pid, "")

    def of(self, inode: int) -> str:
        """As ss -p prints them."""
        found = self.by_inode.get(inode, [])
        return (
            f" users:({','.join(f'({chr(34)}{n}{chr(34)},pid={pid},fd={fd})' for n, pid, fd in found)})"
            if found
            else ""
        )

    def first(self, inode: int) -> str:
        """As netstat -p prints the first of them."""
        found = self.by_inode.get(inode)
        return f"{found[0][1]}/{found[0][0]}" if found else "-"
