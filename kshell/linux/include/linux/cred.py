"""Who a task is (include/linux/cred.h, include/linux/capability.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_LAST_CAP

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.user import user_struct

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
