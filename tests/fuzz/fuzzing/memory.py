"""User memory for the arguments of one step."""

from kshell.linux.include.linux.mm_types import VM_READ

ARENA, SIZE = 0x20000000, 1 << 18
READ_ONLY, NOTHING = 0x30000000, 0x30001000
BAD = (
    0, 0, 1, 0x1000, NOTHING, READ_ONLY, (1 << 47) - 4096, (1 << 47) - 1, 1 << 47, 1 << 63, (1 << 64) - 1,
    (1 << 64) - 4096,
)
STRIDE = 0x3000


class Memory:
    """put() and room() give addresses; few of them are bad, or good in their first bytes only."""

    def __init__(self, task, r):
        self.mm, self.r = task.mm, r
        self.used = r.randrange(8) * 0x4000

    @staticmethod
    def prepare(mm):
        mm.map(ARENA, SIZE)
        mm.map(READ_ONLY, 4096, VM_READ)

    def put(self, raw):
        """The address of the bytes."""
        kind = self.r.randrange(60)
        if kind == 0:
            return self.r.choice(BAD)
        if kind == 1:
            address = ARENA + SIZE - self.r.randrange(len(raw) + 1)
        else:
            address = self._next(len(raw))
        if self.mm is not None:
            self.mm.write_short(address, raw)
        return address

    def room(self, n):
        """The address of n bytes."""
        return self.put(bytes(min(n, 0x8000)))

    def sure(self, raw):
        """The address of the bytes, surely."""
        address = self._next(len(raw))
        if self.mm is not None:
            self.mm.write_short(address, raw)
        return address

    def _next(self, n):
        if self.used + n > SIZE:
            self.used = 0
        address = ARENA + self.used
        self.used += (n + 15) & ~15
        return address
