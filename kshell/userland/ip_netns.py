"""ip netns: namespaces by the names that their files are bound to in /run/netns."""

from __future__ import annotations

import struct
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi import rtnetlink as r
from kshell.abi.errno import EINVAL
from kshell.abi.fcntl import O_CLOEXEC, O_CREAT, O_EXCL, O_RDONLY
from kshell.abi.sched import CLONE_NEWNET, CLONE_NEWNS, PR_SET_NAME
from kshell.abi.stat import MNT_DETACH, MS_BIND, MS_REC, MS_SHARED, MS_SLAVE
from kshell.userland.coreutils import entries
from kshell.userland.iproute import EXIT_MINUS_ONE, Options, command, integer
from kshell.userland.programs import PROGRAMS, main_of
from kshell.userland.rtnl import Netlink, NetlinkError, attribute, number
from kshell.userland.running import status_of
from kshell.userland.runtime import AT_FDCWD, ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

NETNS_RUN_DIR: Final = "/run/netns"
SELF: Final = "/proc/self/ns/net"
_STAT: Final = struct.Struct("<QQ")
NO_ID: Final = 0xFFFFFFFF
_VERBS: Final = ("list", "add", "attach", "delete", "exec", "identify", "pids", "set", "list-id")


async def run(p: Process, options: Options, words: list[str]) -> int:
    """ip netns ..."""
    if words[:1] == ["list-id"]:
        return await _list_id(p)
    verb, rest = command(words, _VERBS, "netns")
    if verb == "show":
        return await _list(p)
    does = {
        "add": _add,
        "attach": _add,
        "delete": _delete,
        "exec": _exec,
        "identify": _identify,
        "pids": _pids,
        "set": _set,
    }
    if not rest and verb != "identify":
        raise ProgramError("No netns name specified")
    return await does[verb](p, rest)


# ---- what is there


async def names(p: Process) -> list[str]:
    """The names in /run/netns."""
    try:
        return [name async for name in entries(p, NETNS_RUN_DIR) if name not in (".", "..")]
    except SystemCallError:
        return []


async def _open(p: Process, name: str, status: int = 1) -> int:
    """A descriptor of a namespace. ProgramError."""
    fd = await p.try_call("openat", AT_FDCWD, f"{NETNS_RUN_DIR}/{name}", O_RDONLY | O_CLOEXEC, 0)
    if fd < 0:
        raise ProgramError(f'Cannot open network namespace "{name}": {strerror(-fd)}', status)
    return fd


async def _id_of(net: Netlink, name: str) -> int:
    """The number that this namespace knows another by, NO_ID: none."""
    fd = await net.p.try_call("openat", AT_FDCWD, f"{NETNS_RUN_DIR}/{name}", O_RDONLY | O_CLOEXEC, 0)
    if fd < 0:
        return NO_ID
    try:
        answer = await net.get(r.RTM_GETNSID, bytes(4) + attribute(r.NETNSA_FD, fd))
        return number(answer.attrs(1).get(r.NETNSA_NSID))
    except NetlinkError:
        return NO_ID
    finally:
        await net.p.call("close", fd)


async def by_id(net: Netlink) -> dict[int, str]:
    """The names of namespaces by the numbers they have here."""
    return {await _id_of(net, name): name for name in reversed(await names(net.p))}


async def _list(p: Process) -> int:
    net = await Netlink.open(p)
    for name in await names(p):
        number_ = await _id_of(net, name)
        p.print(name if number_ == NO_ID else f"{name} (id: {number_})")
    await net.close()
    return 0


async def _list_id(p: Process) -> int:
    net = await Netlink.open(p)
    called = await by_id(net)
    for message in await net.dump(r.RTM_GETNSID, bytes(4)):
        number_ = number(message.attrs(1).get(r.NETNSA_NSID))
        p.print(f"nsid {number_} " + (f"(iproute2 netns name: {called[number_]})" if number_ in called else ""))
    await net.close()
    return 0


async def _same(p: Process, path: str) -> tuple[int, int]:
    """Device and inode: the same for the same namespace."""
    buffer = p.scratch(144)
    await p.call("newfstatat", AT_FDCWD, path, buffer, 0)
    device, inode = _STAT.unpack(p.memory(buffer, _STAT.size))
    return device, inode


async def _identify(p: Process, rest: list[str]) -> int:
    if len(rest) > 1:
        raise ProgramError("extra arguments specified")
    if rest and not rest[0].isdigit():
        raise ProgramError(f"Specified string '{rest[0]}' is not a pid")
    path = f"/proc/{rest[0]}/ns/net" if rest else SELF
    try:
        wanted = await _same(p, path)
    except SystemCallError as error:
        raise ProgramError(f"Cannot open network namespace: {strerror(error.errno)}") from None
    found = [name for name in await names(p) if await _same(p, f"{NETNS_RUN_DIR}/{name}") == wanted]
    p.print("\n".join(found))
    return 0


async def _pids(p: Process, rest: list[str]) -> int:
    await p.call("close", await _open(p, rest[0]))
    wanted = await _same(p, f"{NETNS_RUN_DIR}/{rest[0]}")
    for name in [name async for name in entries(p, "/proc") if name.isdigit()]:
        try:
            if await _same(p, f"/proc/{name}/ns/net") == wanted:
                p.print(name)
        except SystemCallError:
            continue
    return 0


# ---- names come and go


async def _create_run_dir(p: Process) -> None:
    """/run/netns, a mount of its own, so that what is mounted there is seen by all."""
    await p.try_call("mkdirat", AT_FDCWD, NETNS_RUN_DIR, 0o755)
    if await p.try_call("mount", "", NETNS_RUN_DIR, "none", MS_SHARED | MS_REC, 0) != -EINVAL:
        return
    result = await p.try_call("mount", NETNS_RUN_DIR, NETNS_RUN_DIR, "none", MS_BIND | MS_REC, 0)
    if result < 0:
        raise ProgramError(f"mount --bind {NETNS_RUN_DIR} {NETNS_RUN_DIR} failed: {strerror(-result)}")
    await p.call("mount", "", NETNS_RUN_DIR, "none", MS_SHARED | MS_REC, 0)


async def _add(p: Process, rest: list[str]) -> int:
    """A new namespace, or that of a task (`attach NAME PID`), gets a name."""
    name = _checked(rest[0])
    await _create_run_dir(p)
    path = f"{NETNS_RUN_DIR}/{name}"
    fd = await p.try_call("openat", AT_FDCWD, path, O_RDONLY | O_CREAT | O_EXCL, 0)
    if fd < 0:
        raise ProgramError(f'Cannot create namespace file "{path}": {strerror(-fd)}')
    await p.call("close", fd)
    if len(rest) > 1:
        await _bind(p, f"/proc/{rest[1]}/ns/net", path)
        return 0
    saved = await p.call("openat", AT_FDCWD, SELF, O_RDONLY | O_CLOEXEC, 0)
    try:
        result = await p.try_call("unshare", CLONE_NEWNET)
        if result < 0:
            await _delete(p, [name])
            raise ProgramError(f'Failed to create a new network namespace "{name}": {strerror(-result)}')
        await _bind(p, SELF, path)
        await p.call("setns", saved, CLONE_NEWNET)
    finally:
        await p.call("close", saved)
    return 0


async def _bind(p: Process, source: str, path: str) -> None:
    result = await p.try_call("mount", source, path, "none", MS_BIND, 0)
    if result < 0:
        await _delete(p, [path.rpartition("/")[2]])
        raise ProgramError(f"Bind {source} -> {path} failed: {strerror(-result)}")


def _checked(name: str) -> str:
    if not name or "/" in name or name in (".", ".."):
        raise ProgramError(f'Invalid netns name "{name}"', EXIT_MINUS_ONE)
    return name


async def _delete(p: Process, rest: list[str]) -> int:
    path = f"{NETNS_RUN_DIR}/{_checked(rest[0])}"
    await p.try_call("umount2", path, MNT_DETACH)
    result = await p.try_call("unlinkat", AT_FDCWD, path, 0)
    if result < 0:
        raise ProgramError(f'Cannot remove namespace file "{path}": {strerror(-result)}')
    return 0


async def _set(p: Process, rest: list[str]) -> int:
    """`set NAME NETNSID`: give a namespace a number here; `auto`: the lowest free one."""
    if len(rest) < 2:
        raise ProgramError("No netnsid specified")
    wanted = -1 if rest[1] == "auto" else integer(rest[1], 'Invalid "netnsid" value\n')
    fd = await _open(p, rest[0])
    net = await Netlink.open(p)
    await net.change(r.RTM_NEWNSID, bytes(4) + attribute(r.NETNSA_FD, fd) + attribute(r.NETNSA_NSID, wanted))
    return 0


# ---- inside


async def switch(p: Process, name: str) -> None:
    """Go into a namespace; /sys shows its devices then. ProgramError."""
    fd = await _open(p, name, EXIT_MINUS_ONE)
    result = await p.try_call("setns", fd, CLONE_NEWNET)
    await p.call("close", fd)
    if result < 0:
        raise ProgramError(f'setting the network namespace "{name}" failed: {strerror(-result)}')
    await p.call("unshare", CLONE_NEWNS, what="unshare failed")
    await p.call("mount", "", "/", "none", MS_SLAVE | MS_REC, 0, what='"mount --make-rslave /" failed')
    await p.try_call("umount2", "/sys", MNT_DETACH)
    await p.call("mount", name, "/sys", "sysfs", 0, 0, what="mount of /sys failed")


async def _exec(p: Process, rest: list[str]) -> int:
    """`exec NAME PROGRAM ...`: the program takes this one's place."""
    name, *argv = rest
    if not argv:
        raise ProgramError("No command specified")
    await switch(p, _checked(name))
    if argv[0] not in PROGRAMS:
        raise ProgramError(f'exec of "{argv[0]}" failed: {strerror(2)}')
    await p.call("prctl", PR_SET_NAME, argv[0])
    return await status_of(main_of(argv[0]), p, argv)
