"""Lines for a session: those of the lessons and manuals, calls, commands, and all of them broken."""

import re
from functools import cache
from pathlib import Path

import kshell
from fuzzing import programs
from kshell.abi.syscalls import BY_NAME
from kshell.session.commands import Registry

ROOT = Path(kshell.__file__).parent
TESTS = Path(__file__).parents[2]
WORDS = (
    "fd",
    "3",
    "4",
    "0",
    "-1",
    "1 << 40",
    "0x1",
    "NULL",
    "AF_INET",
    "AF_UNIX",
    "SOCK_STREAM",
    '"hi"',
    '"\\x1b[2J\\377"',
    "...",
    "buf",
    '{AF_INET, 80, "127.0.0.1"}',
    "[x, y]",
    "current",
    "current->files->fdt->fd[3]",
    "fd(3)",
    "fd(3)->private_data->sk",
    "@a",
    "@b",
    "*",
    "&",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    "=",
    "==",
    "->",
    ".",
    "..",
    "|",
    "<<",
    "?",
    ":",
    "!",
    "'",
    '"',
    "\\",
    "/*",
    "*/",
    "//",
    "#",
    "$",
    "%",
    "`",
    "\t",
    "\x1b[2J",
    "\x07",
    "\u202e",
    "é",
    "漢",
    "\x00",
    "\udcff",
    "99999999999999999999",
    "1e9",
    "0x",
    "08",
    "1s",
    "10ms",
    "-5s",
    "all",
    "last",
    "on",
    "off",
    "lo",
    "eth0",
    "127.0.0.1",
    "task",
    "new",
    "sizeof(struct sock)",
    "container_of(current, struct task_struct, files)",
    "(struct sock *)0",
    "*0",
    "kernel",
    "init_net",
    "tcp_hashinfo",
    "-a",
    "-n",
    "-x",
    "--",
    "-c",
    "1",
    "2",
    "7",
    "&",
    ">",
    "/dev/null",
    "/tmp/a",
    "if",
    "= -1 EBADF",
    "= 0",
    "=> [1]",
    "<unfinished ...>",
    "<... resumed>",
    "a" * 300,
)
#: their arguments name files of the real world
OUTSIDE = re.compile(r"\s*(save|capture|graph|trace|set)\b")
SAFE = ("x.pcapng", "x.svg", "x.ks", "/dev/full", "/nix/x")


@cache
def corpus():
    """Lines that make sense."""
    found = []
    for path in [*sorted(ROOT.glob("lessons/*.ks")), *sorted(TESTS.glob("conformance/**/*.ks"))[:60]]:
        found += [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    for entry in Registry():
        found.append(entry.usage)
        found += [
            line.split("  ")[0] for line in map(str.strip, entry.help.splitlines()) if line.startswith(entry.name)
        ]
    found += [f"{name}({', '.join(['0'] * len(call.params))})" for name, call in BY_NAME.items() if call.known]
    return tuple(dict.fromkeys(found))


TRAVEL = (
    "undo", "undo 2", "undo 100", "redo", "redo 3", "goto 0", "goto 3", "goto 5", "goto 7.1", "goto -1", "back",
    "forward", "branch", "branch x", "branch y", "diff", "diff 1", "diff 1 3 all", "diff 0 99", "history",
    "history all", "show fd 3 @1", "trace last", "trace 2", "trace -a last", "why", "why init", "print current @2",
)
WORLD = (
    "host server", "host client", "link client.eth0 server.eth0 delay=10ms", "link eth0 server.eth1 loss=50%",
    "switch s", "link s.p1 client.eth1", "@client: ifconfig eth0 10.0.0.1", "@server: ifconfig eth0 10.0.0.2",
    "@client ping -c 2 10.0.0.2", "@server: nc -l 80 &", "@client: nc 10.0.0.2 80 <<< hi &",
    "ping -c 1 127.0.0.1 &", "tcpdump -i lo -c 3 &", "sleep 1s", "wait", "interrupt", "unlink client.eth0",
    "capture lo x.pcapng", "capture any /dev/full", "capture", "graph net", "graph tcp", "packets", "packets -x",
    "ss -tanpemio", "ip addr", "ip -d link", "ip route", "netstat -tan", "arp -a", "route", "lsmod",
    "modprobe dummy", "rmmod dummy", "ip link add d type dummy", "ip link add v type veth peer name w",
    "ip link del v", "ip addr add 10.1.1.1/24 dev d", "ip link set d up", "ip route add 10.9.0.0/16 via 10.1.1.2",
    "sysctl -a", "cat /proc/net/tcp", "ls -l /proc/self/fd", "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "cat /proc/1/stack",
)


def line(r):
    """A line, whole or broken."""
    kind = r.randrange(26)
    if kind > 19:
        text = programs.line(r)
    elif kind < 3:
        text = r.choice(TRAVEL)
    elif kind < 7:
        text = r.choice(WORLD)
    elif kind < 16:
        text = r.choice(corpus())
    elif kind < 18:
        text = " ".join(r.choice(WORDS) for _ in range(r.randrange(1, 9)))
    else:
        text = r.choice(
            (
                "print ", "show ", "graph ", "hexdump ", "ptype ", "list ", "break ", "watch ", "assert ", "run ",
                "help ", "man ", "trace ", "why ", "hash ", "set ",
            )
        ) + " ".join(r.choice(WORDS) for _ in range(r.randrange(3)))
    for _ in range(r.choice((0, 0, 0, 1, 1, 2, 4))):
        text = broken(r, text)
    if OUTSIDE.match(text) and "/" in text and not text.endswith(SAFE):
        return "show"
    return text


def broken(r, text):
    """One thing wrong."""
    parts = re.findall(r"\w+|\s+|.", text, re.S)
    at = r.randrange(len(parts) + 1)
    kind = r.randrange(7)
    if kind == 0 and parts:
        del parts[at - 1]
    elif kind == 1:
        parts.insert(at, r.choice(WORDS))
    elif kind == 2 and parts:
        parts[at - 1] = r.choice(WORDS)
    elif kind == 3 and parts:
        parts.insert(at, parts[r.randrange(len(parts))])
    elif kind == 4:
        parts = parts[:at]
    elif kind == 5 and parts:
        parts[at - 1] = r.choice(corpus())
    else:
        parts.insert(at, chr(r.choice((0, 7, 27, 127, 155, 0x2028, 0x200B, 0xFEFF, 0x1F600, r.randrange(32, 0x250)))))
    return "".join(parts)
