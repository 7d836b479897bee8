"""User and group ids, groups, capabilities (kernel/sys.c, groups.c, capability.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_SETGID, CAP_SETUID
from kshell.abi.errno import EINVAL, EPERM, ESRCH
from kshell.abi.resource import NGROUPS_MAX
from kshell.linux.include.linux.cred import CAP_FULL_SET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, put_user
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.cred import commit_creds, prepare_creds
from kshell.linux.kernel.pid import find_task_by_vpid
from kshell.linux.kernel.user import alloc_uid, free_uid

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.sched import task_struct

KEEP: Final = 0xFFFFFFFF  # (uid_t)-1


def cap_task_fix_setuid(new: cred, old: cred) -> None:
    """Root's capabilities go and come with the user ids."""
    was_root = 0 in (old.uid, old.euid, old.suid)
    is_root = 0 in (new.uid, new.euid, new.suid)
    if was_root and not is_root:
        new.cap_permitted = new.cap_effective = new.cap_ambient = 0
    if old.euid == 0 and new.euid != 0:
        new.cap_effective = 0
    if old.euid != 0 and new.euid == 0:
        new.cap_effective = new.cap_permitted


def _commit_uids(current: task_struct, new: cred) -> int:
    old = current.cred
    if new.uid != old.uid:
        free_uid(new.user)
        new.user = alloc_uid(current.kernel, new.uid)
    cap_task_fix_setuid(new, old)
    commit_creds(current, new)
    return 0


def _check_id(privileged: bool, wanted: int, allowed: tuple[int, ...]) -> None:
    if wanted not in (KEEP, *allowed) and not privileged:
        raise KernelError(EPERM)


@SYSCALL_DEFINE
def sys_setuid(current: task_struct, uid: int) -> int:
    """All three user ids for the privileged, else the effective one. EINVAL, EPERM."""
    if uid == KEEP:
        raise KernelError(EINVAL)
    old = current.cred
    privileged = ns_capable(current, old.user_ns, CAP_SETUID)
    _check_id(privileged, uid, (old.uid, old.suid))
    new = prepare_creds(current)
    if privileged:
        new.uid = new.suid = uid
    new.euid = new.fsuid = uid
    return _commit_uids(current, new)


@SYSCALL_DEFINE
def sys_setgid(current: task_struct, gid: int) -> int:
    """All three group ids for the privileged, else the effective one. EINVAL, EPERM."""
    if gid == KEEP:
        raise KernelError(EINVAL)
    old = current.cred
    privileged = ns_capable(current, old.user_ns, CAP_SETGID)
    _check_id(privileged, gid, (old.gid, old.sgid))
    new = prepare_creds(current)
    if privileged:
        new.gid = new.sgid = gid
    new.egid = new.fsgid = gid
    commit_creds(current, new)
    return 0


@SYSCALL_DEFINE
def sys_setreuid(current: task_struct, ruid: int, euid: int) -> int:
    """Real and effective user id, 0xffffffff keeps one. EPERM."""
    old = current.cred
    privileged = ns_capable(current, old.user_ns, CAP_SETUID)
    _check_id(privileged, ruid, (old.uid, old.euid))
    _check_id(privileged, euid, (old.uid, old.euid, old.suid))
    new = prepare_creds(current)
    new.uid = old.uid if ruid == KEEP else ruid
    new.euid = new.fsuid = old.euid if euid == KEEP else euid
    if ruid != KEEP or (euid != KEEP and euid != old.uid):
        new.suid = new.euid
    return _commit_uids(current, new)


@SYSCALL_DEFINE
def sys_setregid(current: task_struct, rgid: int, egid: int) -> int:
    """Real and effective group id, 0xffffffff keeps one. EPERM."""
    old = current.cred
    privileged = ns_capable(current, old.user_ns, CAP_SETGID)
    _check_id(privileged, rgid, (old.gid, old.egid))
    _check_id(privileged, egid, (old.gid, old.egid, old.sgid))
    new = prepare_creds(current)
    new.gid = old.gid if rgid == KEEP else rgid
    new.egid = new.fsgid = old.egid if egid == KEEP else egid
    if rgid != KEEP or (egid != KEEP and egid != old.gid):
        new.sgid = new.egid
    commit_creds(current, new)
    return 0


@SYSCALL_DEFINE
def sys_setresuid(current: task_struct, ruid: int, euid: int, suid: int) -> int:
    """Real, effective and saved user id. EPERM."""
    old = current.cred
    privileged = ns_capable(current, old.user_ns, CAP_SETUID)
    for wanted in (ruid, euid, suid):
        _check_id(privileged, wanted, (old.uid, old.euid, old.suid))
    new = prepare_creds(current)
    new.uid = old.uid if ruid == KEEP else ruid
    new.euid = new.fsuid = old.euid if euid == KEEP else euid
    new.suid = old.suid if suid == KEEP else suid
    return _commit_uids(current, new)


@SYSCALL_DEFINE
def sys_setresgid(current: task_struct, rgid: int, egid: int, sgid: int) -> int:
    """Real, effective and saved group id. EPERM."""
    old = current.cred
    privileged = ns_capable(current, old.user_ns, CAP_SETGID)
    for wanted in (rgid, egid, sgid):
        _check_id(privileged, wanted, (old.gid, old.egid, old.sgid))
    new = prepare_creds(current)
    new.gid = old.gid if rgid == KEEP else rgid
    new.egid = new.fsgid = old.egid if egid == KEEP else egid
    new.sgid = old.sgid if sgid == KEEP else sgid
    commit_creds(current, new)
    return 0


def _put_ids(current: task_struct, addresses: tuple[int, int, int], ids: tuple[int, int, int]) -> int:
    for address, value in zip(addresses, ids, strict=True):
        put_user(current, address, value)
    return 0


@SYSCALL_DEFINE
def sys_getresuid(current: task_struct, ruid: int, euid: int, suid: int) -> int:
    """The three user ids."""
    return _put_ids(current, (ruid, euid, suid), (current.cred.uid, current.cred.euid, current.cred.suid))


@SYSCALL_DEFINE
def sys_getresgid(current: task_struct, rgid: int, egid: int, sgid: int) -> int:
    """The three group ids."""
    return _put_ids(current, (rgid, egid, sgid), (current.cred.gid, current.cred.egid, current.cred.sgid))


@SYSCALL_DEFINE
def sys_getgroups(current: task_struct, gidsetsize: int, grouplist: int) -> int:
    """The supplementary groups; their number alone with size 0."""
    groups = current.cred.group_info
    if gidsetsize < 0:
        raise KernelError(EINVAL)
    if gidsetsize:
        if len(groups) > gidsetsize:
            raise KernelError(EINVAL)
        copy_to_user(current, grouplist, struct.pack(f"<{len(groups)}I", *groups))
    return len(groups)


@SYSCALL_DEFINE
def sys_setgroups(current: task_struct, gidsetsize: int, grouplist: int) -> int:
    """Set the supplementary groups. EPERM, EINVAL."""
    if not ns_capable(current, current.cred.user_ns, CAP_SETGID):
        raise KernelError(EPERM)
    if not 0 <= gidsetsize <= NGROUPS_MAX:
        raise KernelError(EINVAL)
    new = prepare_creds(current)
    new.group_info = tuple(sorted(struct.unpack(f"<{gidsetsize}I", copy_from_user(current, grouplist, 4 * gidsetsize))))
    commit_creds(current, new)
    return 0


@SYSCALL_DEFINE
def sys_capget(current: task_struct, header: int, dataptr: int) -> int:
    """The capability sets of a task (version 3)."""
    version, nr = struct.unpack("<Ii", copy_from_user(current, header, 8))
    if version != 0x20080522:
        put_user(current, header, 0x20080522)
        if dataptr:
            raise KernelError(EINVAL)
        return 0
    task = find_task_by_vpid(current, nr) if nr else current
    if task is None:
        raise KernelError(ESRCH)
    c = task.cred
    sets = (c.cap_effective, c.cap_permitted, c.cap_inheritable)
    words = [capabilities >> shift & 0xFFFFFFFF for shift in (0, 32) for capabilities in sets]
    if dataptr:
        copy_to_user(current, dataptr, struct.pack("<6I", *words))
    return 0


@SYSCALL_DEFINE
def sys_capset(current: task_struct, header: int, data: int) -> int:
    """Give capabilities up, or take effective ones among the permitted. EPERM."""
    version, nr = struct.unpack("<Ii", copy_from_user(current, header, 8))
    if version != 0x20080522 or nr not in (0, current.pid):
        raise KernelError(EINVAL if nr in (0, current.pid) else EPERM)
    e0, p0, i0, e1, p1, i1 = struct.unpack("<6I", copy_from_user(current, data, 24))
    effective, permitted, inheritable = ((hi << 32 | lo) & CAP_FULL_SET for lo, hi in ((e0, e1), (p0, p1), (i0, i1)))
    if permitted & ~current.cred.cap_permitted or effective & ~permitted:
        raise KernelError(EPERM)
    new = prepare_creds(current)
    new.cap_effective, new.cap_permitted, new.cap_inheritable = effective, permitted, inheritable
    commit_creds(current, new)
    return 0
