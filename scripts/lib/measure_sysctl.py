"""Settings below /proc/sys: names, modes and values after boot, and the rows of the tables.

DIR holds sysctl_tables.json and procfs/sysctl_net.tsv, procfs/sysctl_fs_kernel.tsv (path, mode, value, by tab). Names
of features that are left out, and values that depend on the machine, are listed below with the reason. Group names:
the directory for values, table:NAME for rows.
"""

import argparse
import fnmatch
import json
import sys
from pathlib import Path

from kshell.linux.fs.proc.proc_sysctl import _sysctl_get, _sysctl_rows
from kshell.linux.fs.proc.proc_sysctl_register import Table
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sysctl import ctl_table, initial
from kshell.world.machine import Machine
from lib.report import Groups, score, write_json

NAME = "sysctl"
FILES = ("procfs/sysctl_net.tsv", "procfs/sysctl_fs_kernel.tsv")
ALIASES = {"devinet_vars": "devinet_sysctl", "neigh_sysctl_template": "neigh_sysctl_template"}

LEFT_OUT = {
    "fs/aio-*": "no asynchronous I/O", "fs/dir-notify-enable": "no dnotify", "fs/fanotify/*": "no fanotify",
    "fs/inotify/*": "no inotify", "fs/mqueue/*": "no message queues", "fs/quota/*": "no quotas",
    "fs/verity/*": "no verity", "kernel/acct": "no process accounting", "kernel/acpi*": "no ACPI",
    "kernel/apparmor*": "no security modules", "kernel/unprivileged_userns_apparmor*": "no security modules",
    "kernel/yama/*": "no security modules", "kernel/*msg*": "no System V messages", "kernel/sem*": "no semaphores",
    "kernel/sh[m]*": "no shared memory segments", "kernel/bootloader*": "no boot loader", "kernel/*bpf*": "no BPF programs",
    "kernel/firmware*": "no firmware loader", "kernel/*ftrace*": "no ftrace", "kernel/*trace*": "no ftrace",
    "kernel/*lockup*": "no watchdogs", "kernel/hung_task*": "no watchdogs", "kernel/*watchdog*": "no watchdogs",
    "kernel/*nmi*": "no interrupts of hardware", "kernel/io_delay_type": "no ports", "kernel/kexec*": "no kexec",
    "kernel/keys/*": "no keyrings", "kernel/max_lock_depth": "no priority inheritance", "kernel/*rcu*": "no RCU stalls",
    "kernel/numa*": "one memory", "kernel/oops*": "an oops ends no machine", "kernel/warn_limit": "an oops ends no machine",
    "kernel/perf*": "no perf", "kernel/printk_*": "no console loggers", "kernel/pty/*": "no pseudo terminals",
    "kernel/real-root-dev": "no initrd", "kernel/sched*": "no processor to share", "kernel/seccomp/*": "no seccomp",
    "kernel/split_lock*": "no bus locks", "kernel/sysrq": "no keyboard", "kernel/task_delayacct": "no delay accounting",
    "kernel/timer_migration": "one processor", "kernel/usermodehelper/*": "helpers have all capabilities",
}  # fmt: skip
MACHINE = {
    "fs/dentry-state": "a count", "fs/file-nr": "a count", "fs/inode-nr": "a count", "fs/inode-state": "a count",
    "kernel/ns_last_pid": "a count", "kernel/random/boot_id": "random", "kernel/random/uuid": "random",
    "kernel/osrelease": "kshell's own name", "kernel/version": "kshell's own name",
    "net/ipv4/tcp_available_ulp": "no MPTCP", "net/ipv6/conf/*/disable_ipv6": "IPv6 is disabled here",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", type=Path, metavar="DIR")


def run(options: argparse.Namespace) -> int:
    try:
        tables = json.loads((options.dir / "sysctl_tables.json").read_text())
        rows = [line.split("\t") for name in FILES for line in (options.dir / name).read_text().splitlines()]
    except (OSError, ValueError) as error:
        print(f"{options.dir}: {error}", file=sys.stderr)
        return 2
    kernel = Machine(seed=0).kernel
    groups, listing = Groups(), []
    entries = dict([*_sysctl_rows(kernel.init_net.sysctls), *_sysctl_rows(kernel.sysctl_table_root.default_set)])
    for path, mode, value in rows:
        name = path.removeprefix("/proc/sys/")
        _compare(groups, listing, name, (int(mode, 8), _plain(value)), _got(kernel, entries, name))
    for name in sorted(set(entries) - {row[0].removeprefix("/proc/sys/") for row in rows}):
        if name.startswith(("net/", "fs/", "kernel/")):
            groups.add("not in Linux", False)
            listing.append({"id": name, "equal": False, "expected": None, "got": "registered", "reason": ""})
    _tables(groups, listing, tables)
    groups.print()
    for case in listing:
        if not case["equal"] and not case["reason"]:
            print(f"DIFFERS {case['id']}: expected {case['expected']}, got {case['got']}")
    write_json(options.json, listing)
    score("sysctl", groups.sum())
    return 0


def _plain(value: str) -> str:
    return " ".join(value.rstrip("|").split())


def _got(kernel: object, entries: dict[str, ctl_table], name: str) -> tuple[int, str] | None:
    if name not in entries:
        return None
    mode = entries[name].mode
    try:
        return mode, _plain(_sysctl_get(kernel, name)) if mode & 0o444 else ""
    except KernelError:
        return mode, ""


def _compare(groups: Groups, listing: list, name: str, wanted: tuple[int, str], got: tuple[int, str] | None) -> None:
    reason = ""
    if got is None:
        reason = _reason(LEFT_OUT, name)
    elif got[0] == wanted[0]:
        reason = _reason(MACHINE, name)
    groups.add("/".join(name.split("/")[:2]) if name.startswith("net/") else name.split("/")[0], got == wanted, bool(reason))
    listing.append({"id": name, "equal": got == wanted, "expected": wanted, "got": got, "reason": reason})


def _reason(reasons: dict[str, str], name: str) -> str:
    return next((text for glob, text in reasons.items() if fnmatch.fnmatchcase(name, glob)), "")


def model_tables() -> dict[str, Table]:
    """The constant tables of the model by Linux's name."""
    found: dict[str, Table] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("kshell.linux"):
            for key, value in vars(module).items():
                if isinstance(value, tuple) and value and all(isinstance(row, ctl_table) for row in value):
                    found[key] = value
    return found


def _tables(groups: Groups, listing: list, recorded: dict[str, list[dict]]) -> None:
    mine = model_tables()
    for table, rows in recorded.items():
        known = {row.procname: row for row in mine.get(table, ())}
        for row in rows:
            if row["procname"] not in known:
                continue
            wanted, got = _recorded_row(row), _row(known[row["procname"]])
            if wanted[3] is None or got[3] is None:  # what is inert has no variable; a column of tables has no name
                wanted, got = wanted[:3], got[:3]
            groups.add(f"table:{table}", wanted == got)
            if wanted != got:
                case = {"id": f"{table}.{row['procname']}", "equal": False, "expected": wanted, "got": got, "reason": ""}
                listing.append(case)


def _recorded_row(row: dict) -> tuple:
    data = row.get("data")
    return int(row["mode"], 8), row.get("maxlen") or 0, row.get("proc_handler"), None if data is None or "+" in data else data


def _row(row: ctl_table) -> tuple:
    handler = row.proc_handler.__name__ if row.proc_handler is not None else None
    data = row.data if isinstance(row.data, str) else None
    assert data is not None or row.data is None or isinstance(row.data, (int, initial))
    return row.mode, row.maxlen, handler, data
