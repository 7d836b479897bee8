"""Resource limits and usage, system-wide limits (linux/resource.h, linux/limits.h)."""

from typing import Final

RUSAGE_SELF: Final = 0
RUSAGE_CHILDREN: Final = -1
RUSAGE_BOTH: Final = -2
RUSAGE_THREAD: Final = 1

RLIM64_INFINITY: Final = 0xffffffffffffffff

PRIO_MIN: Final = -20
PRIO_MAX: Final = 20
PRIO_PROCESS: Final = 0
PRIO_PGRP: Final = 1
PRIO_USER: Final = 2

_STK_LIM: Final = 8388608
MLOCK_LIMIT: Final = 8388608

NGROUPS_MAX: Final = 65536

ARG_MAX: Final = 131072

LINK_MAX: Final = 127

NAME_MAX: Final = 255

PATH_MAX: Final = 4096

PIPE_BUF: Final = 4096

XATTR_NAME_MAX: Final = 255
XATTR_SIZE_MAX: Final = 65536
XATTR_LIST_MAX: Final = 65536

UIO_FASTIOV: Final = 8
UIO_MAXIOV: Final = 1024

__NEW_UTS_LEN: Final = 64
RLIMIT_CPU: Final = 0
RLIMIT_FSIZE: Final = 1
RLIMIT_DATA: Final = 2
RLIMIT_STACK: Final = 3
RLIMIT_CORE: Final = 4
RLIMIT_RSS: Final = 5
RLIMIT_NPROC: Final = 6
RLIMIT_NOFILE: Final = 7
RLIMIT_MEMLOCK: Final = 8
RLIMIT_AS: Final = 9
RLIMIT_LOCKS: Final = 10
RLIMIT_SIGPENDING: Final = 11
RLIMIT_MSGQUEUE: Final = 12
RLIMIT_NICE: Final = 13
RLIMIT_RTPRIO: Final = 14
RLIMIT_RTTIME: Final = 15

RLIM_NLIMITS: Final = 16
RLIM_INFINITY: Final = 0xffffffffffffffff

IOV_MAX: Final = 1024

UNIX_PATH_MAX: Final = 108
