"""The process that a recorded case runs in: one mapping, three descriptors, an empty directory."""

import gc

from kshell.abi.constants import AT_FDCWD, O_CREAT, O_RDWR
from kshell.session.records import Call, Header, Memory, Outcome
from kshell.world.machine import Machine, SyscallInProgress

WINDOW = 0x20000000
WINDOW_SIZE = 0x200000
SCRATCH = WINDOW + WINDOW_SIZE - 4096
NS = 1_000_000_000

SYS_OPEN, SYS_MKDIR, SYS_CHDIR, SYS_FORK, SYS_DUP = 2, 83, 80, 57, 32
SYS_SETUID, SYS_SETGID, SYS_CHOWN = 105, 106, 92

class Sandbox:
    """A machine with the process that a recorded case runs in."""

    def __init__(self, header: Header) -> None:
        self.machine = Machine(seed=0)
        self.block_ns = int(header.block_s * NS)
        self._signals: list[str] = []
