"""The paths that steps open."""

import struct
from functools import cache

from fuzzing.memory import ARENA, Memory
from kshell.abi.syscalls import BY_NAME
from kshell.world.machine import Machine


@cache
def all_paths():
    """Every path of a new machine's /proc and /sys."""
    machine = Machine()
    task, mm = machine.init, machine.init.mm
    Memory.prepare(mm)
    found, waiting = [], [b"/proc", b"/sys", b"/dev"]

    def call(name, *args):
        return machine.syscall(task, BY_NAME[name].number, args)

    while waiting:
        path = waiting.pop()
        found.append(path)
        mm.write(ARENA, path + b"\0")
        fd = call("open", ARENA, 0o200000)
        if not isinstance(fd, int) or fd < 0:
            continue
        while (n := call("getdents64", fd, ARENA, 30000)) > 0:
            raw = mm.read(ARENA, n)
            while raw:
                length, kind = struct.unpack_from("<HB", raw, 16)
                name = raw[19:length].split(b"\0")[0]
                raw = raw[length:]
                if name not in (b".", b".."):
                    (waiting if kind == 4 and path.count(b"/") < 8 else found).append(path + b"/" + name)
        call("close", fd)
    return tuple(found)


@cache
def settings():
    """Every path of /proc/sys and the writable ones of /sys."""
    return tuple(
        p
        for p in all_paths()
        if p.startswith((b"/proc/sys/", b"/sys/class", b"/sys/devices", b"/proc/self/", b"/proc/1/"))
    )
