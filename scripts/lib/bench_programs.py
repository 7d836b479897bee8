"""What scripts/bench runs, each in a fresh interpreter: Python text that prints numbers."""

_START = """
import gc, time
from kshell.world.machine import Machine
machine = Machine(seed=0)
init, call = machine.init, machine.syscall
gc.collect(); gc.freeze(); gc.disable()
SOCKET, CLOSE, BIND, LISTEN, CONNECT, ACCEPT, READ, WRITE, PRLIMIT = 41, 3, 49, 50, 42, 43, 0, 1, 302

def pair(count):
    start = time.perf_counter()
    for _ in range(count):
        call(init, CLOSE, (call(init, SOCKET, (2, 1, 0)),))
    return (time.perf_counter() - start) / count * 1e6
"""

_SOCKET_CLOSE = (
    _START
    + """
import socket

def host(count):
    start = time.perf_counter()
    for _ in range(count):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0).close()
    return (time.perf_counter() - start) / count * 1e6

pair(2000), host(2000)
rows = [(pair(500), host(500)) for _ in range(15)]
print(*(sorted(column)[7] for column in zip(*rows)))
"""
)

_TRACING = (
    _START
    + """
import sys
mode = sys.argv[1]
pair(2000)
if mode != "without":
    from kshell.lens.trace import Tracer
    tracer = Tracer()
    with tracer:
        pair(200)
    tracer.clear()
    pair(2000)
if mode == "on":
    samples = []
    for _ in range(15):
        with tracer:
            pair(20)
            samples.append(pair(100))
        tracer.clear()
else:
    samples = [pair(500) for _ in range(15)]
print(sorted(samples)[7])
"""
)

_MANY = (
    _START
    + """
import struct
init.mm.map(0x20000000, 4096)
init.mm.write(0x20000000, struct.pack("<QQ", 1 << 20, 1 << 20))
assert call(init, PRLIMIT, (0, 7, 0x20000000, 0)) == 0

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def make(count):
    start = time.perf_counter()
    for _ in range(count):
        assert call(init, SOCKET, (2, 1, 0)) > 0
    return (time.perf_counter() - start) / count * 1e6

def drop(first, count):
    for fd in range(first, first + count):
        call(init, CLOSE, (fd,))

first = call(init, SOCKET, (2, 1, 0))
call(init, CLOSE, (first,))
few = []
for _ in range(30):
    few.append(make(100))
    drop(first, 100)
before = resident()
many = make(100_000)
print(sorted(few)[15], many, (resident() - before) / 100_000)
"""
)

_ECHO = (
    _START
    + """
import struct, sys
size = int(sys.argv[1])
mm = init.mm
mm.map(0x20000000, 0x40000)
address = 0x20000000
mm.write(address, struct.pack("<HHI8x", 2, 0x901F, 0x0100007F))
buffer = 0x20010000
s, c = call(init, SOCKET, (2, 1, 0)), call(init, SOCKET, (2, 1, 0))
assert call(init, BIND, (s, address, 16)) == 0
assert call(init, LISTEN, (s, 5)) == 0
assert call(init, CONNECT, (c, address, 16)) == 0
d = call(init, ACCEPT, (s, 0, 0))

def transfer(source, target):
    sent = got = 0
    while got < size:
        if sent < size:
            sent += call(init, WRITE, (source, buffer, size - sent))
        got += call(init, READ, (target, buffer, size - got))

def echo(count):
    start = time.perf_counter()
    for _ in range(count):
        transfer(c, d)
        transfer(d, c)
    return count / (time.perf_counter() - start)

count = 500 if size == 1 else 50
echo(count)
print(sorted(echo(count) for _ in range(9))[4])
"""
)

_BOOT = """
import time
start = time.perf_counter()
from kshell.world.machine import Machine
imported = time.perf_counter() - start
Machine(seed=0)
samples = []
for _ in range(9):
    start = time.perf_counter()
    Machine(seed=0)
    samples.append(time.perf_counter() - start)
print(sorted(samples)[4] * 1000, imported * 1000)
"""

PROGRAMS = {
    "socket_close": _SOCKET_CLOSE,
    "tracing": _TRACING,
    "many": _MANY,
    "echo": _ECHO,
    "boot": _BOOT,
}
