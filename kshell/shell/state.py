"""A session as completion sees it; reads only, so that typing never changes the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kshell.abi.names import enumeration
from kshell.lens.expr import members
from kshell.lens.names import describe
from kshell.lens.open_files import open_file, open_files, sock_of
from kshell.session import settings
from kshell.session.commands import CommandError
from kshell.session.descriptors import described
from kshell.shell.virtual_paths import names_below
from kshell.world.machine import LOCALHOST

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.session.hosts import Host
    from kshell.session.session import Session

HELPERS = (
    ("current", "struct task_struct *"), ("fd(", "the file of a descriptor"), ("task(", "a task by its pid"),
    ("sizeof(", "bytes of a struct or type"), ("offsetof(", "bytes before a field"),
    ("container_of(", "the struct around a field"), ("SOCKET_I(", "the socket of an inode"),
    ("SOCK_INODE(", "the inode of a socket"), ("inet_sk(", "struct inet_sock *"), ("tcp_sk(", "struct tcp_sock *"),
    ("udp_sk(", "struct udp_sock *"), ("unix_sk(", "struct unix_sock *"), ("htons(", "network order of 16 bits"),
    ("inet_addr(", "an IPv4 address"), ("len(", "how many things a list has"),
)  # fmt: skip
_OTHER_FAMILIES = {
    "AF_UNIX": ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"),
    "AF_NETLINK": ("SOCK_RAW", "SOCK_DGRAM"),
    "AF_PACKET": ("SOCK_RAW", "SOCK_DGRAM"),
}
_SWITCHES = {"AF_INET": "inetsw", "AF_INET6": "inetsw6"}


_USUAL = ("AF_INET", "AF_UNIX")


class SessionState:
    """Implements completion.State over a session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def calls(self) -> Iterable[str]:
        """The system calls that the kernel has."""
        return sorted(self.session.implemented() & self.session.calls().keys())

    def commands(self) -> Iterable[tuple[str, str]]:
        """Every command with its summary."""
        return [(entry.name, entry.summary) for entry in self.session.registry]

    def argument_of(self, command: str) -> str | None:
        """What the argument of a command is; None if there is no such command."""
        entry = self.session.registry.get(command)
        return entry.completion if entry is not None else None

    def descriptors(self) -> Iterable[tuple[str, str]]:
        """The open descriptors of the current task."""
        return [(str(fd), described(file)) for fd, file in open_files(self.session.task.files)]

    def variables(self) -> Iterable[tuple[str, str]]:
        """The session's variables, and the current task's buffers."""
        values = [(name, describe(value)) for name, value in self.session.calls_of_tasks.variables.items()]
        buffers = self.session.current.buffers.items()
        return [*values, *((name, f"{buffer.size} bytes at {buffer.address:#x}") for name, buffer in buffers)]

    def tasks(self) -> Iterable[tuple[str, str]]:
        """The session's tasks."""
        session = self.session
        return [(user.name, _doing(user.task.pid, session.sleeping_call(user))) for user in session.tasks]

    def pids(self) -> Iterable[tuple[str, str]]:
        """The processes of the machine."""
        return [(str(task.pid), task.comm) for task in self.session.kernel.tasklist]

    def paths(self, directory: str) -> Iterable[str]:
        """Names below a directory, by the dentries that are known, or what /proc and /sys are made of: no call is made."""
        found_there = names_below(self.session.kernel, directory)
        if found_there is not None:
            return found_there
        fs = self.session.task.fs
        dentry: object = fs.root.dentry if directory.startswith("/") else fs.pwd.dentry
        for name in directory.split("/"):
            if name and name != ".":
                found = [child for child in _children(dentry) if _name(child) == name]
                if not found:
                    return []
                dentry = found[0]
        return sorted(_name(child) + ("/" if _is_directory(child) else "") for child in _children(dentry))

    def fields(self, expression: str) -> Iterable[tuple[str, str]]:
        """The fields of the object that an expression gives: its own before those of structs it begins with."""
        try:
            value = self.session.evaluate(expression)
        except Exception:
            return []
        return [(name, describe(getattr(value, name))) for name in members(value) if hasattr(value, name)]

    def roots(self) -> Iterator[tuple[str, str]]:
        """`current`, helpers, Linux's globals."""
        yield from HELPERS
        kernel = self.session.kernel
        yield from ((name, "global of the kernel") for name in vars(kernel) if not name.startswith("_"))

    def families(self) -> Iterator[tuple[str, str]]:
        """The families that have registered with sock_register(), those first that most programs use."""
        by_value = enumeration("af").by_value
        have = [by_value[n] for n, ops in enumerate(self.session.kernel.net_families) if ops is not None and n in by_value]
        for name in sorted(have, key=lambda name: _USUAL.index(name) if name in _USUAL else len(_USUAL)):
            yield name, "a family that this kernel has"

    def types(self, family: str) -> Iterator[tuple[str, str]]:
        """The types that `inetsw` has for AF_INET; other families know theirs."""
        switch = getattr(self.session.kernel, _SWITCHES.get(family, ""), None)
        if switch is None:
            yield from ((name, f"a type of {family}") for name in _OTHER_FAMILIES.get(family, ()))
            return
        by_value = enumeration("sock_type").by_value
        for number, entries in enumerate(switch):
            if entries:
                yield by_value[number], f"inetsw: {', '.join(entry.prot.name for entry in entries)}"

    def protocols(self, family: str, socktype: str) -> Iterator[tuple[str, str]]:
        """The protocols that `inetsw` has for a type; all for raw sockets; NETLINK_* for netlink."""
        by_value = enumeration("ipproto").by_value
        switch = getattr(self.session.kernel, _SWITCHES.get(family, ""), None)
        if switch is not None:
            for number, entries in enumerate(switch):
                if enumeration("sock_type").by_value.get(number) == socktype:
                    yield from ((by_value[e.protocol], e.prot.name) for e in entries if e.protocol in by_value)
            if socktype == "SOCK_RAW":
                yield from ((by_value[number], "raw") for number in sorted(by_value) if number)
        elif family == "AF_NETLINK":
            yield from ((name, "netlink family") for name in enumeration("netlink_family").names())
        elif family == "AF_PACKET":
            yield from (("htons(ETH_P_ALL)", "every packet"), ("htons(ETH_P_IP)", "IPv4"))

    def family_of(self, fd: str) -> str:
        """The family of the socket behind a descriptor or variable; "" if it is none."""
        try:
            number = self.session.number(fd.strip())
        except CommandError:
            return ""
        sk = sock_of(open_file(self.session.task.files, number))
        return enumeration("af").by_value.get(getattr(sk, "sk_family", -1), "")

    def settings(self) -> Iterable[tuple[str, str]]:
        """Every setting and what it does."""
        return [(setting.name, setting.summary) for setting in settings.TABLE]

    def values(self, setting: str) -> Iterable[str]:
        """What a setting may be."""
        return settings.BY_NAME[setting].values if setting in settings.BY_NAME else ()

    def functions(self) -> Iterable[str]:
        """The kernel's functions, as the debugger knows them."""
        from kshell.session.commands.debugging import functions_by_name

        return sorted(functions_by_name())

    def modules(self) -> Iterable[tuple[str, str]]:
        """The modules that there are."""
        kernel = self.session.kernel
        loaded = set(_module_names(kernel))
        files = (file.name for file in kernel.module_files)
        return [(name, "loaded" if name in loaded else "") for name in dict.fromkeys([*sorted(loaded), *files])]

    def devices(self) -> Iterable[tuple[str, str]]:
        """The devices of the current host, then of the others."""
        here = self.session.host
        hosts = [here, *(host for host in self.session.hosts if host is not here)]
        return [(dev.name, "" if host is here else f"of {host.name or LOCALHOST}") for host in hosts for dev in _devices(host)]

    def ends(self) -> Iterable[tuple[str, str]]:
        """Devices with their host, switches."""
        world = self.session.machine.world
        switches = [(name, "switch") for name in world.switches] if world is not None else []
        named = [host for host in self.session.hosts if host.name]
        devices = [f"{host.name}.{dev.name}" for host in named for dev in _devices(host) if dev.name != "lo"]
        return [*((name, "") for name in devices or (f"{host.name}.eth0" for host in named)), *switches]

    def sysctls(self) -> Iterable[str]:
        """The kernel's settings."""
        from kshell.session.manual.sysctls import sysctl_names

        return sysctl_names(self.session.kernel)

    def breakpoints(self) -> Iterable[tuple[str, str]]:
        """What `delete` can delete."""
        instruments = self.session.instruments
        points = instruments.debugging().points.all if instruments is not None else {}
        return [(str(number), point.text) for number, point in points.items()]

    def topics(self) -> Iterable[tuple[str, str]]:
        """Topics of the manual."""
        from kshell.session.commands.helping import TOPICS

        return [(name, "topic") for name in TOPICS]


def _doing(pid: int, call: str) -> str:
    return f"pid {pid}" + (f", asleep in {call}" if call else "")


def _children(dentry: object) -> list[object]:
    children = getattr(dentry, "d_subdirs", None) or ()
    return [c for c in children if getattr(c, "d_inode", None) is not None]


def _is_directory(dentry: object) -> bool:
    return getattr(getattr(dentry, "d_inode", None), "i_mode", 0) >> 12 == 4


def _name(dentry: object) -> str:
    raw = getattr(getattr(dentry, "d_name", None), "name", b"")
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _devices(host: Host) -> Iterable[net_device]:
    return host.machine.kernel.init_net.dev_base_head


def _module_names(kernel: object) -> list[str]:
    return [str(getattr(module, "name", module)) for module in getattr(kernel, "modules", ())]
