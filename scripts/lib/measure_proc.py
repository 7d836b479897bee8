"""Files of /proc against those of a real Linux in the same situation.

DIR holds net/NAME and pid/kp/NAME as recorded; a script of the same name in tests/conformance/proc (procfs.ks,
procfs_eth0.ks) builds the situation. What must differ is made equal first, in both: addresses of objects, numbers of
inodes, ports that the kernel chose, times that run or were measured. Lines of what the model lacks, and counters, are
listed here with the reason. Tables without an order of their own (hashes) are compared sorted.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kshell.session.pieces import pieces
from kshell.session.session import Session
from kshell.world.machine import Machine
from lib.report import ROOT, Groups, score, write_json

NAME = "proc"
SCRIPTS = ROOT / "tests" / "conformance" / "proc"
WANTED = (
    "net/arp", "net/connector", "net/dev", "net/dev_mcast", "net/fib_trie", "net/fib_triestat", "net/icmp", "net/igmp",
    "net/mcfilter", "net/netlink", "net/netstat", "net/packet", "net/protocols", "net/psched", "net/ptype", "net/raw",
    "net/route", "net/rt_cache", "net/snmp", "net/sockstat", "net/softnet_stat", "net/tcp", "net/udp", "net/udplite",
    "net/unix", "net/wireless", "pid/kp/comm", "pid/kp/limits", "pid/kp/status",
)  # fmt: skip

# What is made equal, by file: (pattern, what stands for it).
ADDRESS = (r"\b0000[0-9a-f]{12}\b", "ADDRESS")
INODES = (r"(?<= )\d+(?= \d+ ADDRESS)", "INODE")
BUCKET = (r"^ *\d+:", "N:")
PORTS = (r"(?<=0100007F:)(?!1F9|14E)[0-9A-F]{4}", "PORT")
ROUND_TRIP = (r"(?<=ADDRESS )2[0-3](?= \d+ \d+ \d+ -)", "RTO")
CLOCKS = (r" (0[1-4]):[0-9A-F]{8}(?= )", r" \1:TIME")
EQUALISED = {
    "net/tcp": (ADDRESS, INODES, BUCKET, PORTS, CLOCKS, ROUND_TRIP, (r" +$", "")),
    "net/udp": (ADDRESS, INODES, BUCKET, PORTS, (r" +$", "")), "net/raw": (ADDRESS, INODES, BUCKET),
    "net/unix": (ADDRESS, (r"[0-9a-f]{16}: ", "ADDRESS: "), (r"(0[0-9]) +\d+", r"\1 INODE")),
    "net/netlink": (ADDRESS, (r"\d+ +$", "INODE"), (r"(?<=ADDRESS 0   )[1-9]\d* +", "PID ")),
    "net/packet": (ADDRESS, (r"\d+ +$", "INODE"), (r"1 \d+ +0", "1 RMEM 0")),
    "pid/kp/limits": ((r"\b11(552|840)\b", "HALF-OF-THREADS-MAX"), (r" +", " ")),
    "net/arp": ((r"52:5[45]:[0-9a-f:]+(?<!:77)", "HARDWARE"), (r"02:[0-9a-f:]{14}", "HARDWARE"), (r" +", " ")),
    "pid/kp/status": ((r"^((?:Tgid|Pid|PPid|NStgid|NSpid):\t)\d+", r"\1PID"),),
}  # fmt: skip
SORTED = ("net/tcp", "net/udp", "net/netlink", "net/unix", "net/dev_mcast", "net/arp", "net/protocols")

# Lines of either side that are left out, by file: (pattern, why).
LEFT_OUT = {
    "net/tcp": (
        (r"0026[EF]146", "a writer that was blocked for minutes: the amounts depend on its history"),
        (r"00012680", "the reader of that"),
    ),
    "net/protocols": (
        (r"^(MPTCP|MPTCPv6|XDP) ", "not modelled"),
        (r"^(PINGv6|RAWv6|UDPLITEv6|UDPv6|TCPv6) ", "IPv6 carries no packets: some operations are absent"),
    ),
    "net/dev_mcast": ((r" 3333", "IPv6 carries no packets"),),
    "net/ptype": ((r"ipv6_rcv", "IPv6 carries no packets"),),
    "net/netstat": ((r"^MPTcpExt", "no MPTCP"),),
    "net/snmp": ((r"^IcmpMsg", "pings of the recording programs"),),
    "net/fib_triestat": (
        (r"^(gets|backtracks|semantic match|null node hit|skipped)", "lookups are not counted"),
    ),
    "pid/kp/status": (
        (r"^(Vm|Rss|Hugetlb|CoreDumping|THP)", "the program's memory is not modelled"),
        (r"^(Seccomp|NoNewPrivs|Speculation|Cpus|Mems)", "no seccomp, one processor, one memory"),
        (r"^(non)?voluntary", "a count"), (r"^(SigBlk|SigIgn|SigCgt)", "the recording program's own signals"),
        (r"^(NSpgid|NSsid|State)", "the recording program had no session"), (r"^SigQ", "signals are not counted by user"),
    ),
}  # fmt: skip
# Numbers that count what happened before and beside the situation.
COUNTERS = {
    "net/dev": "packets of the programs that made the recording", "net/snmp": "as net/dev", "net/netstat": "as net/dev",
    "net/softnet_stat": "as net/dev", "net/sockstat": "sockets of the recording programs, and memory a writer filled",
    "net/protocols": "the same: sockets and pages", "net/fib_triestat": "as lookups are not counted",
}  # fmt: skip


SYSFS = {
    r"statistics/[rt]x_(bytes|packets)": "packets of the programs that made the recording",
    "eth0/(address|carrier_|flags|byte_queue)": "another adapter, and how often its cable was plugged in",
    "eth0/queues/tx-0/byte_queue_limits/limit$": "the limit adapts itself",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("--diff", action="store_true", help="show the lines that differ")


def run(options: argparse.Namespace) -> int:
    script = SCRIPTS / f"{options.dir.name}.ks"
    if not script.exists():
        print(f"{script}: no such script", file=sys.stderr)
        return 2
    machine = build(script)
    groups, listing = Groups(), []
    for name in WANTED:
        path = options.dir / name
        if not path.exists():
            continue
        wanted = comparable(name, path.read_text(errors="replace"))
        got = comparable(name, read_file(machine, f"/proc/{name.replace('pid/kp', 'self')}"))
        groups.add(name, wanted == got)
        listing.append({"id": name, "equal": wanted == got, "expected": wanted, "got": got, "reason": ""})
        if options.diff and wanted != got:
            _show(wanted, got)
    _sysfs(machine, options, groups, listing)
    groups.print()
    write_json(options.json, listing)
    sysfs = groups.tallies.pop("sys/class/net")
    score(f"proc/{options.dir.name}", groups.sum())
    score(f"sysfs/{options.dir.name}", sysfs)
    return 0


def _sysfs(machine: Machine, options: argparse.Namespace, groups: Groups, listing: list) -> None:
    path = options.dir / "sys_class_net.tsv"
    for name, wanted, got, reason in sysfs_cases(machine, path.read_text() if path.exists() else ""):
        groups.add("sys/class/net", wanted == got, bool(reason))
        listing.append({"id": name, "equal": wanted == got, "expected": wanted, "got": got, "reason": reason})
        if options.diff and wanted != got and not reason:
            print(f"  {name}: {wanted} here {got}")


def sysfs_cases(machine: Machine, recorded: str) -> Iterator[tuple[str, tuple, tuple, str]]:
    """Path, (mode, value) as recorded and here, and why they may differ."""
    for line in recorded.splitlines():
        name, mode, value = line.split("\t")
        wanted = int(mode, 8), value.replace("|", "\n").rstrip("\n")
        got = _mode(machine, name), read_file(machine, name).rstrip("\n")
        reason = next((text for pattern, text in SYSFS.items() if re.search(pattern, name)), "")
        if reason and wanted[0] != got[0]:
            reason = ""
        yield name, wanted, got, reason if wanted != got else ""


def _mode(machine: Machine, name: str) -> int:
    arena = 0x70000000
    if machine.init.mm.find_vma(arena) is None:
        machine.init.mm.map(arena, 1 << 16)
    machine.init.mm.write(arena, name.encode() + b"\0")
    if machine.syscall(machine.init, 4, (arena, arena + 4096)) != 0:
        return 0
    return int.from_bytes(machine.init.mm.read(arena + 4096 + 24, 4), "little") & 0o777


def build(script: Path) -> Machine:
    """A machine in the situation that the script makes."""
    session = Session(Machine(seed=0))
    for piece in pieces(script.read_text()):
        if not piece.comment:
            session.run(piece.text, str(script))
    return session.machine


def read_file(machine: Machine, name: str) -> str:
    """A file, read by pid 1 in pieces that split records."""
    arena = 0x70000000
    if machine.init.mm.find_vma(arena) is None:
        machine.init.mm.map(arena, 1 << 16)
    machine.init.mm.write(arena, name.encode() + b"\0")
    fd = machine.syscall(machine.init, 2, (arena, 0, 0))
    if not isinstance(fd, int) or fd < 0:
        return f"(cannot be opened: {fd})"
    parts = []
    while (size := machine.syscall(machine.init, 0, (fd, arena + 4096, 1000))) > 0:
        parts.append(machine.init.mm.read(arena + 4096, size))
    machine.syscall(machine.init, 3, (fd,))
    return b"".join(parts).decode("latin-1")


def comparable(name: str, text: str) -> list[str]:
    """The lines of a file with what must differ made equal."""
    lines = []
    for line in text.splitlines():
        if any(re.search(pattern, line) for pattern, _ in LEFT_OUT.get(name, ())):
            continue
        for pattern, instead in EQUALISED.get(name, ()):
            line = re.sub(pattern, instead, line)
        if name in COUNTERS:
            line = _without_numbers(name, line)
        lines.append(line)
    return sorted(lines) if name in SORTED else lines


def _without_numbers(name: str, line: str) -> str:
    if name == "net/protocols":
        return re.sub(r"^(\S+ +\d+) +\d+ +(-1|\d+)", lambda m: f"{m[1]} N {'-1' if m[2] == '-1' else 'N'}", line)
    if name == "net/softnet_stat":
        return re.sub(r"[0-9a-f]{8}", "N", line)
    return re.sub(r"(?<=[ :])\d+\b", "N", re.sub(r" +", " ", line)) if name != "net/fib_triestat" else line


def _show(wanted: list[str], got: list[str]) -> None:
    missing, extra = Counter(wanted) - Counter(got), Counter(got) - Counter(wanted)
    for sign, lines in (("-", missing), ("+", extra)):
        for line, count in lines.items():
            print(f"  {sign} {line}" + (f"  (x{count})" if count > 1 else ""))
    if not missing and not extra:
        print("  the same lines in another order")
