"""The table of system calls that kshell knows the arguments of, as text.

An entry is ``name: parameters``, over more than one line where it is long. A parameter is written as in
Linux's SYSCALL_DEFINE, and where the C type alone does not say how a user writes the argument, ``@ kind``
follows (``kshell.abi.syscalls.Kind``). The last five are i386's own (``send`` and ``recv``: socketcall's).
"""

from typing import Final

SIGNATURES: Final = """
read: unsigned int fd @ fd, char *buf @ bytes_out(count), size_t count
write: unsigned int fd @ fd, const char *buf @ bytes_in(count), size_t count
open: const char *filename, int flags @ flags(open), umode_t mode @ open_mode(flags)
close: unsigned int fd @ fd
stat: const char *filename, struct stat *statbuf @ struct_out(stat)
fstat: unsigned int fd @ fd, struct stat *statbuf @ struct_out(stat)
lstat: const char *filename, struct stat *statbuf @ struct_out(stat)
poll: struct pollfd *ufds @ pollfds_inout(nfds), unsigned int nfds, int timeout_msecs
lseek: unsigned int fd @ fd, off_t offset, unsigned int whence @ enum(whence)
mmap: unsigned long addr @ pointer, unsigned long len, unsigned long prot @ flags(prot),
    unsigned long flags @ flags(map), unsigned long fd @ fd, unsigned long off @ offset_hex
mprotect: unsigned long start @ pointer, size_t len, unsigned long prot @ flags(prot)
munmap: unsigned long addr @ pointer, size_t len
brk: unsigned long brk @ pointer
rt_sigaction: int sig @ signal, const struct sigaction *act @ struct_in(sigaction),
    struct sigaction *oact @ struct_out(sigaction), size_t sigsetsize
rt_sigprocmask: int how @ enum(sigmask_how), sigset_t *nset @ sigset_in(sigsetsize),
    sigset_t *oset @ sigset_out(sigsetsize), size_t sigsetsize
rt_sigreturn:
ioctl: unsigned int fd @ fd, unsigned int cmd @ enum(ioctl), unsigned long arg @ ioctl_inout(cmd)
pread64: unsigned int fd @ fd, char *buf @ bytes_out(count), size_t count, loff_t pos
pwrite64: unsigned int fd @ fd, const char *buf @ bytes_in(count), size_t count, loff_t pos
readv: unsigned long fd @ fd, const struct iovec *vec @ iovec_out(vlen), unsigned long vlen
writev: unsigned long fd @ fd, const struct iovec *vec @ iovec_in(vlen), unsigned long vlen
access: const char *filename, int mode @ flags(access)
pipe: int *fildes @ fdpair_out
select: int n, fd_set *inp @ fdset_inout(n), fd_set *outp @ fdset_inout(n), fd_set *exp @ fdset_inout(n),
    struct __kernel_old_timeval *tvp @ struct_inout(timeval)
sched_yield:
mremap: unsigned long addr @ pointer, unsigned long old_len, unsigned long new_len,
    unsigned long flags @ flags(mremap), unsigned long new_addr @ pointer
madvise: unsigned long start @ pointer, size_t len_in, int behavior @ enum(madvise)
dup: unsigned int fildes @ fd
dup2: unsigned int oldfd @ fd, unsigned int newfd @ fd
pause:
nanosleep: struct __kernel_timespec *rqtp @ struct_in(timespec),
    struct __kernel_timespec *rmtp @ remaining_out(timespec)
getitimer: int which @ enum(itimer), struct __kernel_old_itimerval *value @ struct_out(itimerval)
alarm: unsigned int seconds
setitimer: int which @ enum(itimer), struct __kernel_old_itimerval *value @ struct_in(itimerval),
    struct __kernel_old_itimerval *ovalue @ struct_out(itimerval)
getpid:
sendfile: int out_fd @ fd, int in_fd @ fd, loff_t *offset @ offset_inout, size_t count
socket: int family @ enum(af), int type @ socktype, int protocol @ protocol(family)
connect: int fd @ fd, struct sockaddr *uservaddr @ sockaddr_in(addrlen), int addrlen
accept: int fd @ fd, struct sockaddr *upeer_sockaddr @ sockaddr_out(upeer_addrlen),
    int *upeer_addrlen @ socklen_inout
sendto: int fd @ fd, void *buff @ bytes_in(len), size_t len, unsigned int flags @ flags(msg),
    struct sockaddr *addr @ sockaddr_in(addr_len), int addr_len
recvfrom: int fd @ fd, void *ubuf @ bytes_out(size), size_t size, unsigned int flags @ flags(msg),
    struct sockaddr *addr @ sockaddr_out(addr_len), int *addr_len @ socklen_inout
sendmsg: int fd @ fd, struct user_msghdr *msg @ msghdr_in, unsigned int flags @ flags(msg)
recvmsg: int fd @ fd, struct user_msghdr *msg @ msghdr_inout, unsigned int flags @ flags(msg)
shutdown: int fd @ fd, int how @ enum(shutdown)
bind: int fd @ fd, struct sockaddr *umyaddr @ sockaddr_in(addrlen), int addrlen
listen: int fd @ fd, int backlog
getsockname: int fd @ fd, struct sockaddr *usockaddr @ sockaddr_out(usockaddr_len),
    int *usockaddr_len @ socklen_inout
getpeername: int fd @ fd, struct sockaddr *usockaddr @ sockaddr_out(usockaddr_len),
    int *usockaddr_len @ socklen_inout
socketpair: int family @ enum(af), int type @ socktype, int protocol @ protocol(family),
    int *usockvec @ fdpair_out
setsockopt: int fd @ fd, int level @ enum(sockopt_level), int optname @ optname(level),
    char *optval @ optval_in(level optname optlen), int optlen
getsockopt: int fd @ fd, int level @ enum(sockopt_level), int optname @ optname(level),
    char *optval @ optval_out(level optname optlen), int *optlen @ socklen_inout
clone: unsigned long clone_flags @ clone_flags, unsigned long newsp @ pointer,
    int *parent_tidptr @ ints_out(1), int *child_tidptr @ pointer, unsigned long tls @ pointer
fork:
vfork:
execve: const char *filename, const char *const *argv @ strings_in, const char *const *envp @ environment_in
execveat: int fd @ dirfd, const char *filename, const char *const *argv @ strings_in,
    const char *const *envp @ environment_in, int flags @ flags(at)
exit: int error_code
wait4: pid_t upid, int *stat_addr @ wstatus_out, int options @ flags(wait),
    struct rusage *ru @ struct_out(rusage)
kill: pid_t pid, int sig @ signal
uname: struct new_utsname *name @ struct_out(utsname)
fcntl: unsigned int fd @ fd, unsigned int cmd @ enum(fcntl), unsigned long arg @ fcntl_inout(cmd)
getxattr: const char *pathname, const char *name, void *value @ bytes_out(size), size_t size
lgetxattr: const char *pathname, const char *name, void *value @ bytes_out(size), size_t size
fgetxattr: int fd @ fd, const char *name, void *value @ bytes_out(size), size_t size
fsetxattr: int fd @ fd, const char *name, const void *value @ bytes_in(size), size_t size, int flags @ hex
flistxattr: int fd @ fd, char *list @ bytes_out(size), size_t size
flock: unsigned int fd @ fd, unsigned int cmd @ flags(flock)
fsync: unsigned int fd @ fd
syncfs: int fd @ fd
personality: unsigned int personality @ hex
restart_syscall:
fdatasync: unsigned int fd @ fd
truncate: const char *path, long length
ftruncate: unsigned int fd @ fd, off_t length
getdents: unsigned int fd @ fd, struct linux_dirent *dirent @ dirents_out(linux_dirent), unsigned int count
getcwd: char *buf @ bytes_out(size), unsigned long size
chdir: const char *filename
fchdir: unsigned int fd @ fd
rename: const char *oldname, const char *newname
mkdir: const char *pathname, umode_t mode
rmdir: const char *pathname
creat: const char *pathname, umode_t mode
link: const char *oldname, const char *newname
unlink: const char *pathname
symlink: const char *oldname, const char *newname
readlink: const char *path, char *buf @ bytes_out(bufsiz), int bufsiz
chmod: const char *filename, umode_t mode
fchmod: unsigned int fd @ fd, umode_t mode
chown: const char *filename, uid_t user, gid_t group
fchown: unsigned int fd @ fd, uid_t user, gid_t group
lchown: const char *filename, uid_t user, gid_t group
umask: int mask @ octal
gettimeofday: struct __kernel_old_timeval *tv @ struct_out(timeval),
    struct timezone *tz @ struct_out(timezone)
getrlimit: unsigned int resource @ enum(rlimit), struct rlimit *rlim @ struct_out(rlimit)
getrusage: int who @ enum(rusage_who), struct rusage *ru @ struct_out(rusage)
sysinfo: struct sysinfo *info @ struct_out(sysinfo)
times: struct tms *tbuf @ struct_out(tms)
getuid:
syslog: int type @ enum(syslog), char *buf @ bytes_out(len), int len
getgid:
setuid: uid_t uid
setgid: gid_t gid
geteuid:
getegid:
setpgid: pid_t pid, pid_t pgid
getppid:
getpgrp:
setsid:
setreuid: uid_t ruid, uid_t euid
setregid: gid_t rgid, gid_t egid
getgroups: int gidsetsize, gid_t *grouplist @ ints_out(return)
setgroups: int gidsetsize, gid_t *grouplist @ ints_in(gidsetsize)
setresuid: uid_t ruid, uid_t euid, uid_t suid
getresuid: uid_t *ruidp @ ints_out(1), uid_t *euidp @ ints_out(1), uid_t *suidp @ ints_out(1)
setresgid: gid_t rgid, gid_t egid, gid_t sgid
getresgid: gid_t *rgidp @ ints_out(1), gid_t *egidp @ ints_out(1), gid_t *sgidp @ ints_out(1)
getpgid: pid_t pid
setfsuid: uid_t uid
setfsgid: gid_t gid
getsid: pid_t pid
capget: cap_user_header_t header @ struct_in(cap_user_header),
    cap_user_data_t dataptr @ struct_out(cap_user_data)
capset: cap_user_header_t header @ struct_in(cap_user_header),
    const cap_user_data_t data @ struct_in(cap_user_data)
rt_sigpending: sigset_t *uset @ sigset_out(sigsetsize), size_t sigsetsize
rt_sigtimedwait: const sigset_t *uthese @ sigset_in(sigsetsize), siginfo_t *uinfo @ struct_out(siginfo),
    const struct __kernel_timespec *uts @ struct_in(timespec), size_t sigsetsize
rt_sigqueueinfo: pid_t pid, int sig @ signal, siginfo_t *uinfo @ struct_in(siginfo)
rt_sigsuspend: sigset_t *unewset @ sigset_in(sigsetsize), size_t sigsetsize
sigaltstack: const stack_t *uss @ struct_in(stack_t), stack_t *uoss @ struct_out(stack_t)
utime: char *filename @ path, struct utimbuf *times @ struct_in(utimbuf)
mknod: const char *filename, umode_t mode @ file_mode, unsigned int dev @ device
statfs: const char *pathname, struct statfs *buf @ struct_out(statfs)
fstatfs: unsigned int fd @ fd, struct statfs *buf @ struct_out(statfs)
prctl: int option @ enum(prctl), unsigned long arg2 @ prctl(option), unsigned long arg3 @ hex,
    unsigned long arg4 @ hex, unsigned long arg5 @ hex
arch_prctl: int option @ enum(arch_prctl), unsigned long arg2 @ pointer
setrlimit: unsigned int resource @ enum(rlimit), struct rlimit *rlim @ struct_in(rlimit)
chroot: const char *filename
sync:
mount: char *dev_name @ path, char *dir_name @ path, char *type @ path,
    unsigned long flags @ flags(mount), void *data @ pointer
umount2: char *name @ path, int flags @ flags(umount)
sethostname: char *name @ bytes_in(len), int len
setdomainname: char *name @ bytes_in(len), int len
init_module: void *umod @ pointer, unsigned long len, const char *uargs
delete_module: const char *name_user, unsigned int flags @ flags(open_only)
gettid:
tkill: pid_t pid, int sig @ signal
time: __kernel_old_time_t *tloc @ longs_out(1)
futex: u32 *uaddr @ pointer, int op @ enum(futex), u32 val,
    const struct __kernel_timespec *utime @ struct_in(timespec), u32 *uaddr2 @ pointer, u32 val3 @ hex
sched_setaffinity: pid_t pid, unsigned int len, unsigned long *user_mask_ptr @ pointer
sched_getaffinity: pid_t pid, unsigned int len, unsigned long *user_mask_ptr @ pointer
epoll_create: int size
getdents64: unsigned int fd @ fd, struct linux_dirent64 *dirent @ dirents_out(linux_dirent64),
    unsigned int count
set_tid_address: int *tidptr @ pointer
fadvise64: int fd @ fd, loff_t offset, size_t len, int advice @ enum(fadvise)
clock_settime: const clockid_t which_clock @ enum(clock),
    const struct __kernel_timespec *tp @ struct_in(timespec)
clock_gettime: const clockid_t which_clock @ enum(clock),
    struct __kernel_timespec *tp @ struct_out(timespec)
clock_getres: const clockid_t which_clock @ enum(clock), struct __kernel_timespec *tp @ struct_out(timespec)
clock_nanosleep: const clockid_t which_clock @ enum(clock), int flags @ flags(timer),
    const struct __kernel_timespec *rqtp @ struct_in(timespec),
    struct __kernel_timespec *rmtp @ remaining_out(timespec)
exit_group: int error_code
epoll_wait: int epfd @ fd, struct epoll_event *events @ array_out(epoll_event return), int maxevents,
    int timeout
epoll_ctl: int epfd @ fd, int op @ enum(epoll_op), int fd @ fd,
    struct epoll_event *event @ struct_in(epoll_event)
tgkill: pid_t tgid, pid_t pid, int sig @ signal
futimesat: int dfd @ dirfd, const char *filename, struct __kernel_old_timeval *utimes @ array_in(timeval 2)
utimes: char *filename @ path, struct __kernel_old_timeval *utimes @ array_in(timeval 2)
waitid: int which @ enum(waitid), pid_t upid, struct siginfo *infop @ struct_out(siginfo),
    int options @ flags(wait), struct rusage *ru @ struct_out(rusage)
inotify_init:
inotify_add_watch: int fd @ fd, const char *pathname, u32 mask @ flags(inotify)
inotify_rm_watch: int fd @ fd, __s32 wd
openat: int dfd @ dirfd, const char *filename, int flags @ flags(open), umode_t mode @ open_mode(flags)
mkdirat: int dfd @ dirfd, const char *pathname, umode_t mode
mknodat: int dfd @ dirfd, const char *filename, umode_t mode @ file_mode, unsigned int dev @ device
fchownat: int dfd @ dirfd, const char *filename, uid_t user, gid_t group, int flag @ flags(at)
newfstatat: int dfd @ dirfd, const char *filename, struct stat *statbuf @ struct_out(stat),
    int flag @ flags(at)
unlinkat: int dfd @ dirfd, const char *pathname, int flag @ flags(at)
renameat: int olddfd @ dirfd, const char *oldname, int newdfd @ dirfd, const char *newname
linkat: int olddfd @ dirfd, const char *oldname, int newdfd @ dirfd, const char *newname,
    int flags @ flags(at)
symlinkat: const char *oldname, int newdfd @ dirfd, const char *newname
readlinkat: int dfd @ dirfd, const char *pathname, char *buf @ bytes_out(bufsiz), int bufsiz
fchmodat: int dfd @ dirfd, const char *filename, umode_t mode
faccessat: int dfd @ dirfd, const char *filename, int mode @ flags(access)
pselect6: int n, fd_set *inp @ fdset_inout(n), fd_set *outp @ fdset_inout(n),
    fd_set *exp @ fdset_inout(n), struct __kernel_timespec *tsp @ struct_inout(timespec),
    void *sig @ sigset_argpack_in
ppoll: struct pollfd *ufds @ pollfds_inout(nfds), unsigned int nfds,
    struct __kernel_timespec *tsp @ struct_inout(timespec),
    const sigset_t *sigmask @ sigset_in(sigsetsize), size_t sigsetsize
unshare: unsigned long unshare_flags @ flags(clone)
set_robust_list: struct robust_list_head *head @ pointer, size_t len
splice: int fd_in @ fd, loff_t *off_in @ offset_inout, int fd_out @ fd, loff_t *off_out @ offset_inout,
    size_t len, unsigned int flags @ flags(splice)
tee: int fdin @ fd, int fdout @ fd, size_t len, unsigned int flags @ flags(splice)
sync_file_range: int fd @ fd, loff_t offset, loff_t nbytes, unsigned int flags @ flags(sync_file_range)
vmsplice: int fd @ fd, const struct iovec *uiov @ iovec_in(nr_segs), unsigned long nr_segs,
    unsigned int flags @ flags(splice)
utimensat: int dfd @ dirfd, const char *filename, struct __kernel_timespec *utimes @ array_in(timespec 2),
    int flags @ flags(at)
epoll_pwait: int epfd @ fd, struct epoll_event *events @ array_out(epoll_event return), int maxevents,
    int timeout, const sigset_t *sigmask @ sigset_in(sigsetsize), size_t sigsetsize
signalfd: int ufd @ fd, sigset_t *user_mask @ sigset_in(sizemask), size_t sizemask
timerfd_create: int clockid @ enum(clock), int flags @ flags(timerfd)
eventfd: unsigned int count
fallocate: int fd @ fd, int mode @ flags(fallocate), loff_t offset, loff_t len
timerfd_settime: int ufd @ fd, int flags @ flags(timerfd),
    const struct __kernel_itimerspec *utmr @ struct_in(itimerspec),
    struct __kernel_itimerspec *otmr @ struct_out(itimerspec)
timerfd_gettime: int ufd @ fd, struct __kernel_itimerspec *otmr @ struct_out(itimerspec)
accept4: int fd @ fd, struct sockaddr *upeer_sockaddr @ sockaddr_out(upeer_addrlen),
    int *upeer_addrlen @ socklen_inout, int flags @ flags(sock)
signalfd4: int ufd @ fd, sigset_t *user_mask @ sigset_in(sizemask), size_t sizemask,
    int flags @ flags(signalfd)
eventfd2: unsigned int count, int flags @ flags(eventfd)
epoll_create1: int flags @ flags(epoll_create)
dup3: unsigned int oldfd @ fd, unsigned int newfd @ fd, int flags @ flags(open_only)
pipe2: int *fildes @ fdpair_out, int flags @ flags(open_only)
inotify_init1: int flags @ flags(inotify_init)
preadv: unsigned long fd @ fd, const struct iovec *vec @ iovec_out(vlen), unsigned long vlen,
    unsigned long pos_l, unsigned long pos_h @ hidden
pwritev: unsigned long fd @ fd, const struct iovec *vec @ iovec_in(vlen), unsigned long vlen,
    unsigned long pos_l, unsigned long pos_h @ hidden
recvmmsg: int fd @ fd, struct mmsghdr *mmsg @ mmsghdr_inout(vlen), unsigned int vlen,
    unsigned int flags @ flags(msg), struct __kernel_timespec *timeout @ struct_inout(timespec)
prlimit64: pid_t pid, unsigned int resource @ enum(rlimit),
    const struct rlimit64 *new_rlim @ struct_in(rlimit64),
    struct rlimit64 *old_rlim @ struct_out(rlimit64)
sendmmsg: int fd @ fd, struct mmsghdr *mmsg @ mmsghdr_in(vlen), unsigned int vlen,
    unsigned int flags @ flags(msg)
setns: int fd @ fd, int flags @ flags(clone)
getcpu: unsigned *cpup @ ints_out(1), unsigned *nodep @ ints_out(1), struct getcpu_cache *unused @ pointer
finit_module: int fd @ fd, const char *uargs, int flags @ hex
renameat2: int olddfd @ dirfd, const char *oldname, int newdfd @ dirfd, const char *newname,
    unsigned int flags @ flags(rename)
getrandom: char *ubuf @ bytes_out(len), size_t len, unsigned int flags @ flags(getrandom)
memfd_create: const char *uname, unsigned int flags @ flags(memfd)
statx: int dfd @ dirfd, const char *filename, unsigned int flags @ flags(at_statx),
    unsigned int mask @ flags(statx), struct statx *buffer @ struct_out(statx)
preadv2: unsigned long fd @ fd, const struct iovec *vec @ iovec_out(vlen), unsigned long vlen,
    unsigned long pos_l, unsigned long pos_h @ hidden, rwf_t flags @ flags(rwf)
pwritev2: unsigned long fd @ fd, const struct iovec *vec @ iovec_in(vlen), unsigned long vlen,
    unsigned long pos_l, unsigned long pos_h @ hidden, rwf_t flags @ flags(rwf)
copy_file_range: int fd_in @ fd, loff_t *off_in @ offset_inout, int fd_out @ fd,
    loff_t *off_out @ offset_inout, size_t len, unsigned int flags @ hex
rseq: struct rseq *rseq @ pointer, u32 rseq_len, int flags @ hex, u32 sig @ hex
clone3: struct clone_args *uargs @ clone_args_inout(size), size_t size
close_range: unsigned int fd, unsigned int max_fd, unsigned int flags @ flags(close_range)
faccessat2: int dfd @ dirfd, const char *filename, int mode @ flags(access), int flags @ flags(at_access)
epoll_pwait2: int epfd @ fd, struct epoll_event *events @ array_out(epoll_event return), int maxevents,
    const struct __kernel_timespec *timeout @ struct_in(timespec),
    const sigset_t *sigmask @ sigset_in(sigsetsize), size_t sigsetsize
socketcall: int call @ enum(socketcall), unsigned long *args @ socketcall_in(call)
_llseek: unsigned int fd @ fd, unsigned long offset_high, unsigned long offset_low,
    loff_t *result @ offset_inout, unsigned int whence @ enum(whence)
waitpid: pid_t pid, int *stat_addr @ wstatus_out, int options @ flags(wait)
_newselect: int n, fd_set *inp @ fdset_inout(n), fd_set *outp @ fdset_inout(n),
    fd_set *exp @ fdset_inout(n), struct old_timeval32 *tvp @ struct_inout(timeval)
send: int fd @ fd, void *buff @ bytes_in(len), size_t len, unsigned int flags @ flags(msg)
recv: int fd @ fd, void *ubuf @ bytes_out(size), size_t size, unsigned int flags @ flags(msg)
"""

#: what of a call the model leaves out; a call that stands in SIGNATURES and not here is meant to be complete
PARTLY: Final = {
    "clone": "no new namespaces but CLONE_NEWNET and CLONE_NEWUTS; no ptrace, pidfd, I/O contexts",
    "clone3": "as clone; no cgroup",
    "execve": "renames the task and closes what is close-on-exec; no program is loaded",
    "fcntl": "no leases, no directory notification",
    "futex": "only FUTEX_WAIT and FUTEX_WAKE",
    "ioctl": "sockets, network devices, pipes, tty answers ENOTTY",
    "mmap": "anonymous memory; a file is copied when it is mapped",
    "mount": "MS_MOVE; sharing of mounts (MS_SHARED and its like are taken and do nothing); file systems on disks",
    "prctl": "PR_SET_NAME, PR_GET_NAME and a few flags",
    "setsockopt": "options of families the model has; filters are kept, not run",
    "clock_settime": "refused: time is virtual and the same for the whole world",
    "sigaltstack": "accepted and not used: handlers take no stack here",
    "unshare": "user, pid and time namespaces; IPC and cgroup namespaces hold nothing",
    "setns": "pidfd; there are only mount, network and UTS namespaces to go into",
    "splice": "pipes with files and sockets",
    "init_module": "modules the model has, by name",
    "finit_module": "modules the model has, by name",
}
