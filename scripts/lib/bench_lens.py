"""Figures of scripts/bench about the session and the lens: a command's cost, tracing, why, going back."""

import statistics

from lib.bench import PROGRAMS, Figure, program

LENGTHS = (100, 1_000, 2_000, 10_000)
GOTO_MS = 300
"""What `goto` may take in a session of 2,000 commands, or half of a full replay if that is more."""

_LINES = """
import gc, time
from kshell.session.session import Session
gc.set_threshold(100_000, 20, 100)

BLOCK = [
    'fd = socket(AF_INET, SOCK_STREAM, 0)', 'bind(fd, {AF_INET, 8080, "127.0.0.1"}, 16)', 'listen(fd, 5)',
    '@c c = socket(AF_INET, SOCK_STREAM, 0)', '@c connect(c, {AF_INET, 8080, "127.0.0.1"}, 16)',
    'a = accept(fd, NULL, NULL)', '@c write(c, "hello", 5)', 'read(a, ..., 10)', '@r read(a, ..., 10)',
    '@c write(c, "again", 5)', 'close(a)', 'close(fd)', '@c close(c)', 'kill(-1, SIGKILL)', 'sleep 70s',
    'wait4(-1, NULL, 0, NULL)', 'wait4(-1, NULL, 0, NULL)', 'pipe(p)',
    'write(4, "hello", 5)', 'read(3, ..., 10)', 'close(3)', 'close(4)',
    'open("/tmp/x", O_RDWR|O_CREAT, 0644)', 'write(3, "data", 4)', 'fstat(3, st)', 'close(3)',
    'socketpair(AF_UNIX, SOCK_STREAM, 0, sv)', 'send(3, "abc", 3, 0)', 'recv(4, ..., 3, 0)', 'close(3)', 'close(4)',
    'cat /proc/net/unix', 'echo hi > /tmp/y', 'getpid()',
]

def lines(count):
    whole = (BLOCK * (count // len(BLOCK) + 1))[:count]
    return [f"{line}  # {n}" if line.endswith(")") else line for n, line in enumerate(whole)]  # no call a second time

def played(count):
    session = Session()
    start = time.perf_counter()
    for line in lines(count):
        session.run(line)
    return session, (time.perf_counter() - start) * 1e3
"""

PROGRAMS["goto"] = (
    _LINES
    + """
import sys
count = int(sys.argv[1])
played(200)
session, full = played(count)
took = []
for n in (count - 1, count // 2, 1, count, count * 3 // 4):
    session.timeline.spares.clear()
    gc.collect()
    if n > session.timeline.here:
        session.tape.write(3, "")  # the present is not at hand either: every goto starts from the boot
    start = time.perf_counter()
    session.goto(n)
    took.append((time.perf_counter() - start) * 1e3)
start = time.perf_counter()
session.goto(count)
session.goto(count * 3 // 4)
back = (time.perf_counter() - start) * 1e3
print(full, max(took), sorted(took)[2], back)
"""
)

PROGRAMS["session"] = (
    _LINES
    + """
CALLS = ["fd = socket(AF_INET, SOCK_STREAM, 0)", "close(3)"]
session = Session(); session.run("set abi x86_64")
machine = Session().machine

made = 0

def command(count):
    global made
    new = []
    for _ in range(count):
        made += 1
        new += [f"{line}  # {made}" for line in CALLS]
    start = time.perf_counter()
    for line in new:
        session.run(line)
    return (time.perf_counter() - start) / count / 2 * 1e6

def again(count):
    start = time.perf_counter()
    for _ in range(count):
        for line in CALLS:
            session.run(line)
    return (time.perf_counter() - start) / count / 2 * 1e6

def bare(count):
    start = time.perf_counter()
    for _ in range(count):
        machine.syscall(machine.init, 3, (machine.syscall(machine.init, 41, (2, 1, 0)),))
    return (time.perf_counter() - start) / count / 2 * 1e6

command(300), again(300), bare(300)
rows = [(command(100), again(100), bare(100)) for _ in range(9)]
print(*(sorted(column)[4] for column in zip(*rows)))
"""
)

PROGRAMS["why"] = (
    _LINES
    + """
session = Session()
session.run("s = socket(AF_INET, SOCK_STREAM, 0)\\nwrite(s, NULL, 5)")
session.run("why")
samples = []
for _ in range(9):
    start = time.perf_counter()
    session.run("why")
    samples.append((time.perf_counter() - start) * 1e3)
print(sorted(samples)[4])
"""
)

PROGRAMS["diff"] = (
    _LINES
    + """
session, _ = played(200)
samples = []
for _ in range(5):
    start = time.perf_counter()
    session.run("diff 90 190")
    samples.append((time.perf_counter() - start) * 1e3)
print(sorted(samples)[2])
"""
)


def lens(rounds: int) -> list[Figure]:
    """Tracing, why, diff, and goto in sessions of several lengths."""
    from lib.bench import tracing

    return [*tracing(rounds), *_single("why", rounds), *_single("diff", rounds), *(_goto(n, rounds) for n in LENGTHS)]


def _single(name: str, rounds: int) -> list[Figure]:
    value = statistics.median(program(name)[0] for _ in range(max(1, rounds // 3)))
    return [Figure(name, value, "ms", None, "the command, from the line to its events")]


def _goto(count: int, rounds: int) -> Figure:
    rows = [program("goto", str(count)) for _ in range(max(1, rounds // 3))]
    full, worst, usual, back = (statistics.median(column) for column in zip(*rows, strict=True))
    limit = max(GOTO_MS, full / 2) if count <= 2_000 else None
    detail = f"the slowest of five without spare machines; median {usual:.0f}, a full replay {full:.0f} ms; to and fro {back:.1f}"
    return Figure(f"goto among {count}", worst, "ms", limit, detail)


def session(rounds: int) -> list[Figure]:
    """What a session command costs beside the call it makes."""
    rows = [program("session") for _ in range(max(1, rounds // 2))]
    command, again, bare = (statistics.median(column) for column in zip(*rows, strict=True))
    return [
        Figure("session command", command / bare, "x the bare call", None, f"{command:.0f} µs against {bare:.1f} µs"),
        Figure("the same line again", again / bare, "x the bare call", None, f"{again:.0f} µs: it is not parsed again"),
    ]
