"""Who a task is (include/linux/cred.h, include/linux/capability.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.user import user_struct

CAP_CHOWN: Final = 0
CAP_DAC_OVERRIDE: Final = 1
CAP_DAC_READ_SEARCH: Final = 2
CAP_FOWNER: Final = 3
CAP_FSETID: Final = 4
CAP_KILL: Final = 5
CAP_SETGID: Final = 6
CAP_SETUID: Final = 7
CAP_SETPCAP: Final = 8
CAP_LINUX_IMMUTABLE: Final = 9
CAP_NET_BIND_SERVICE: Final = 10
CAP_NET_BROADCAST: Final = 11
CAP_NET_ADMIN: Final = 12
CAP_NET_RAW: Final = 13
CAP_IPC_LOCK: Final = 14
CAP_SYS_MODULE: Final = 16
CAP_SYS_CHROOT: Final = 18
CAP_SYS_ADMIN: Final = 21
CAP_SYS_BOOT: Final = 22
CAP_SYS_NICE: Final = 23
CAP_SYS_RESOURCE: Final = 24
CAP_SYS_TIME: Final = 25
CAP_MKNOD: Final = 27
CAP_LEASE: Final = 28
CAP_BPF: Final = 39
CAP_LAST_CAP: Final = 40
CAP_FULL_SET: Final = (1 << (CAP_LAST_CAP + 1)) - 1

ROOT_UID: Final = 0
ROOT_GID: Final = 0


class cred:
    """Credentials, shared and never changed in place: prepare_creds() copies, commit_creds() installs.

    uids and gids are numbers of the initial user namespace; the cap_* sets are bit masks.
    """

    __slots__ = (
        "_addr", "cap_ambient", "cap_bset", "cap_effective", "cap_inheritable", "cap_permitted", "egid", "euid",
        "fsgid", "fsuid", "gid", "group_info", "securebits", "sgid", "suid", "uid", "usage", "user", "user_ns",
    )  # fmt: skip
    _addr: int
    user_ns: user_namespace
    user: user_struct
    group_info: tuple[int, ...]

    def __init__(self) -> None:
        self.usage = 1
        self.uid = self.suid = self.euid = self.fsuid = ROOT_UID
        self.gid = self.sgid = self.egid = self.fsgid = ROOT_GID
        self.securebits = 0
        self.cap_inheritable = self.cap_ambient = 0
        self.cap_permitted = self.cap_effective = self.cap_bset = CAP_FULL_SET
        self.group_info = ()
