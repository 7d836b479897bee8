"""Excerpts of logs that once came out otherwise: each is what strace showed of real programs, and has no difference."""

import pytest

from kshell.session.strace.interleavings import replay_log

CLONE_THREAD = "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD"
LOOPBACK = 'sin_addr=inet_addr("127.0.0.1")'

TWO_CLIENTS_OF_ONE_LISTENER = f"""\
5 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
5 bind(3, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = 0
5 listen(3, 5) = 0
5 socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP) = 4
5 connect(4, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = -1 EINPROGRESS (Operation now in progress)
5 socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP) = 5
5 connect(5, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = -1 EINPROGRESS (Operation now in progress)
5 accept4(3, {{sa_family=AF_INET, sin_port=htons(45470), {LOOPBACK}}}, [16], SOCK_CLOEXEC) = 6
5 getpeername(6, {{sa_family=AF_INET, sin_port=htons(45470), {LOOPBACK}}}, [16]) = 0
5 accept4(3, {{sa_family=AF_INET, sin_port=htons(45482), {LOOPBACK}}}, [16], SOCK_CLOEXEC) = 7
"""

A_SENDER_KEEPS_ITS_PORT = f"""\
5 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3
5 bind(3, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = 0
5 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 4
5 sendto(4, "a", 1, 0, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = 1
5 sendto(4, "b", 1, 0, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = 1
5 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 5
5 sendto(5, "c", 1, 0, {{sa_family=AF_INET, sin_port=htons(7003), {LOOPBACK}}}, 16) = 1
5 recvfrom(3, "a", 10, 0, {{sa_family=AF_INET, sin_port=htons(40001), {LOOPBACK}}}, [16]) = 1
5 recvfrom(3, "b", 10, 0, {{sa_family=AF_INET, sin_port=htons(40001), {LOOPBACK}}}, [16]) = 1
5 recvfrom(3, "c", 10, 0, {{sa_family=AF_INET, sin_port=htons(40002), {LOOPBACK}}}, [16]) = 1
"""

ACCEPT_TAKES_ITS_NUMBER_FIRST = f"""\
5 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
5 bind(3, {{sa_family=AF_INET, sin_port=htons(7100), {LOOPBACK}}}, 16) = 0
5 listen(3, 128) = 0
5 clone(child_stack=0x7f5ad90b9f70, flags={CLONE_THREAD}) = 6
6 accept4(3,  <unfinished ...>
5 openat(AT_FDCWD, "/tmp/x", O_RDONLY|O_CLOEXEC) = 5
5 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 6
5 connect(6, {{sa_family=AF_INET, sin_port=htons(7100), {LOOPBACK}}}, 16) = 0
6 <... accept4 resumed>{{sa_family=AF_INET, sin_port=htons(40564), {LOOPBACK}}}, [16], SOCK_CLOEXEC) = 4
6 getsockname(4, {{sa_family=AF_INET, sin_port=htons(7100), {LOOPBACK}}}, [128 => 16]) = 0
"""

DESCRIPTORS_IN_A_MESSAGE = """\
5 socketpair(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0, [3, 4]) = 0
5 pipe2([5, 6], O_CLOEXEC) = 0
5 sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="f", iov_len=1}], msg_iovlen=1,\
 msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5, 6]}], msg_controllen=24,\
 msg_flags=0}, 0) = 1
5 recvmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="f", iov_len=100}], msg_iovlen=1,\
 msg_control=[{cmsg_len=24, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[7, 8]}], msg_controllen=24,\
 msg_flags=0}, 0) = 1
5 socket(AF_UNIX, SOCK_STREAM, 0) = 9
"""

A_HANDLER_INTERRUPTED_BY_ANOTHER = """\
6 1000.000000 rt_sigaction(SIGALRM, {sa_handler=0x55e3b07b7dd0, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0
6 1000.000001 rt_sigaction(SIGCHLD, {sa_handler=0x55e3b07b7dd0, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0
6 1000.000002 rt_sigprocmask(SIG_BLOCK, [ALRM CHLD], [], 8) = 0
6 1000.000003 setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=500000}}, NULL) = 0
6 1000.000004 fork() = 8
8 1000.000005 poll(NULL, 0, -1 <unfinished ...>
6 1000.000006 rt_sigsuspend([], 8) = ? ERESTARTNOHAND (To be restarted if no handler)
6 1000.500100 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
6 1000.500200 rt_sigprocmask(SIG_BLOCK, NULL, [ALRM], 8) = 0
6 1000.500300 kill(8, SIGTERM) = 0
8 1000.500400 <... poll resumed>) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)
8 1000.500500 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=6, si_uid=0} ---
8 1000.500600 +++ killed by SIGTERM +++
6 1000.500700 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=8, si_uid=0, si_status=SIGTERM} ---
6 1000.500800 rt_sigprocmask(SIG_BLOCK, NULL, [ALRM CHLD], 8) = 0
6 1000.500900 rt_sigreturn({mask=[ALRM]}) = 0
6 1000.501000 rt_sigreturn({mask=[ALRM CHLD]}) = -1 EINTR (Interrupted system call)
6 1000.501100 wait4(8, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], WNOHANG, NULL) = 8
6 1000.501200 rt_sigprocmask(SIG_BLOCK, NULL, [ALRM CHLD], 8) = 0
"""

A_SLEEP_UNTIL_A_MOMENT_INTERRUPTED = """\
5 1000.000000 rt_sigaction(SIGALRM, {sa_handler=0x678ec0, sa_mask=[], sa_flags=0}, NULL, 8) = 0
5 1000.000001 setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=100000}}, NULL) = 0
5 1000.000002 clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {tv_sec=23580, tv_nsec=300000000}, NULL) = ? ERESTARTNOHAND (x)
5 1000.100100 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
5 1000.100200 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)
5 1000.100300 clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, {tv_sec=23580, tv_nsec=300000000}, NULL) = 0
5 1000.300400 getppid() = 1
"""

MORE_WRITTEN_THAN_SHOWN = """\
5 openat(AT_FDCWD, "/tmp/big", O_RDWR|O_CREAT|O_TRUNC, 0666) = 3
5 write(3, "0123"..., 1000) = 1000
5 pread64(3, "abcd"..., 500, 500) = 500
5 socketpair(AF_UNIX, SOCK_STREAM, 0, [4, 5]) = 0
5 sendfile(4, 3, [0] => [1000], 1000) = 1000
5 read(5, "01", 2) = 2
5 read(5, "23zz", 4) = 4
5 read(5, "xyz"..., 994) = 994
"""

DIRECTORIES_BY_DESCRIPTOR = """\
5 mkdir("/tmp/a", 0777) = 0
5 openat(AT_FDCWD, "/tmp/a", O_RDONLY|O_DIRECTORY) = 3
5 fchdir(3) = 0
5 mkdir("b", 0777) = 0
5 close(3) = 0
5 openat(AT_FDCWD, "/tmp", O_RDONLY|O_DIRECTORY) = 3
5 fchdir(3) = 0
5 newfstatat(AT_FDCWD, "a/b", {st_mode=S_IFDIR|0755, st_size=40, ...}, 0) = 0
"""

WHAT_A_LOCK_TEST_FOUND = """\
5 openat(AT_FDCWD, "/tmp/db", O_RDWR|O_CREAT, 0644) = 3
5 fcntl(3, F_GETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=128, l_len=1, l_pid=0}) = 0
"""

TO_STANDARD_OUTPUT = """\
5 fstat(1, {st_mode=S_IFREG|0644, st_size=0, ...}) = 0
5 fcntl(1, F_GETFL) = 0x8001 (flags O_WRONLY|O_LARGEFILE)
5 openat(AT_FDCWD, "got", O_RDWR|O_CREAT, 0644) = 3
5 write(3, "hi\\n", 3) = 3
5 lseek(3, 0, SEEK_SET) = 0
5 copy_file_range(3, NULL, 1, NULL, 9223372035781033984, 0) = 3
"""

TIMES_LEFT_ALONE = """\
5 openat(AT_FDCWD, "/tmp/a", O_WRONLY|O_CREAT, 0666) = 3
5 utimensat(3, NULL, [UTIME_OMIT, {tv_sec=1795343739, tv_nsec=0} /* 2026-11-22T10:35:39+0000 */], 0) = 0
5 utimensat(3, NULL, [{tv_sec=1, tv_nsec=0}, UTIME_NOW], 0) = 0
"""

INHERITED_AND_ASKED_OF = """\
5 fcntl(10, F_GETFD) = 0
5 fcntl(10, F_GETFD) = 0
"""

GONE_BEFORE_IT_CAME_BACK = """\
5 epoll_create1(0) = 3
5 fork() = 6
6 epoll_wait(3,  <unfinished ...>
5 kill(6, SIGKILL) = 0
6 <... epoll_wait resumed> <unfinished ...>) = ?
6 +++ killed by SIGKILL +++
5 wait4(6, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 6
"""

IDENT_OF_AN_IP_PACKET = """\
5 socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = 3
5 sendto(3, "\\10\\0\\367\\376\\0\\0\\0\\1", 8, 0,\
 {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 8
5 recvfrom(3, "E\\0\\0\\34\\367\\326@\\0@\\1E\\10\\177\\0\\0\\1\\177\\0\\0\\1\\10\\0\\367\\376\\0\\0\\0\\1",\
 99, 0, NULL, NULL) = 28
"""

WHAT_ONLY_THE_LOG_KNOWS_OF_A_PROCESS = """\
5 openat(AT_FDCWD, "/proc/self/stat", O_RDONLY) = 3
5 read(3, "6 (redis-server) R 5\\n", 4096) = 21
5 close(3) = 0
5 openat(AT_FDCWD, "/proc/self/stat", O_RDONLY) = 3
5 read(3, "6 (redis-server) S 5 0 0\\n", 4096) = 25
5 close(3) = 0
5 openat(AT_FDCWD, "/proc/self/maps", O_RDONLY|O_CLOEXEC) = 3
5 read(3, "00400000-00405000 r--p\\n7f2400000-7f2405000 r--p\\n", 8192) = 48
5 lseek(3, 0, SEEK_SET) = 0
5 read(3, "00400000-00405000 r--p\\n7f2300000-7f2405000 r--p\\n", 8192) = 48
5 read(3, "", 8192) = 0
"""

FILES_OF_SYSFS = """\
5 openat(AT_FDCWD, "/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY) = 3
5 newfstatat(3, "", {st_mode=S_IFREG|0644, st_size=4096, ...}, AT_EMPTY_PATH) = 0
5 read(3, "always [madvise] never\\n", 4096) = 23
5 openat(AT_FDCWD, "/sys/devices/system/cpu/online", O_RDONLY|O_CLOEXEC) = 4
5 read(4, "0-1\\n", 1024) = 4
"""

KILLED_BY_WHAT_IT_WROTE = """\
5 pipe2([3, 4], 0) = 0
5 fork() = 6
5 close(3) = 0
6 close(3) = 0
5 close(4) = 0
5 wait4(6,  <unfinished ...>
6 write(4, "y\\n", 2) = -1 EPIPE (Broken pipe)
6 --- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=6, si_uid=0} ---
6 +++ killed by SIGPIPE +++
5 <... wait4 resumed>[{WIFSIGNALED(s) && WTERMSIG(s) == SIGPIPE}], 0, NULL) = 6
"""

KILLING_ITS_GROUP = """\
5 fork() = 6
6 rt_sigaction(SIGTERM, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}, NULL, 8) = 0
6 fork() = 7
7 rt_sigaction(SIGTERM, {sa_handler=0x55e3b07b7dd0, sa_mask=[], sa_flags=0}, NULL, 8) = 0
7 poll(NULL, 0, -1 <unfinished ...>
6 kill(0, SIGTERM) = 0
7 <... poll resumed>) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)
7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=6, si_uid=0} ---
7 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)
7 exit_group(0) = ?
7 +++ exited with 0 +++
6 exit_group(0) = ?
6 +++ exited with 0 +++
5 wait4(6, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 6
"""

TIME_WAIT_OF_AN_IPV6_SOCKET = f"""\
5 socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = 3
5 bind(3, {{sa_family=AF_INET6, sin6_port=htons(7030), sin6_flowinfo=htonl(0),\
 inet_pton(AF_INET6, "::", &sin6_addr), sin6_scope_id=0}}, 28) = 0
5 listen(3, 1) = 0
5 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4
5 connect(4, {{sa_family=AF_INET, sin_port=htons(7030), {LOOPBACK}}}, 16) = 0
5 accept(3, {{sa_family=AF_INET6, sin6_port=htons(34648), sin6_flowinfo=htonl(0),\
 inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr), sin6_scope_id=0}}, [128 => 28]) = 5
5 getsockname(5, {{sa_family=AF_INET6, sin6_port=htons(7030), sin6_flowinfo=htonl(0),\
 inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr), sin6_scope_id=0}}, [128 => 28]) = 0
5 getpeername(3, 0x7ffcc3a0, [128]) = -1 ENOTCONN (Transport endpoint is not connected)
5 close(5) = 0
5 read(4, "", 10) = 0
5 close(4) = 0
"""

A_CHILD_HAS_WHAT_ITS_PARENT_HAD = """\
5 pipe2([3, 4], 0) = 0
5 fork( <unfinished ...>
5 <... fork resumed>) = 6
5 close(3) = 0
5 close(4) = 0
6 fcntl(4, F_GETFD) = 0
6 socket(AF_UNIX, SOCK_STREAM, 0) = 5
5 socket(AF_UNIX, SOCK_STREAM, 0) = 3
5 socket(AF_UNIX, SOCK_STREAM, 0) = 4
"""

EACH_FAMILY_INHERITED_ITS_OWN = """\
5 socket(AF_UNIX, SOCK_STREAM, 0) = 5
5 socket(AF_UNIX, SOCK_STREAM, 0) = 6
9 socket(AF_UNIX, SOCK_STREAM, 0) = 3
"""

DESCRIPTORS_WITH_THEIR_FILES = """\
5 pipe2([3<pipe:[1893597]>, 4<pipe:[1893597]>], 0) = 0
5 write(4<pipe:[1893597]>, "a", 1) = 1
5 pselect6(5, [3<pipe:[1893597]>], [4<pipe:[1893597]>], NULL, NULL, NULL) = 2 (in [3<pipe:[1893597]>], out [4<pipe:[1893597]>])
5 openat(AT_FDCWD</srv/talk>, "/dev/null", O_RDONLY) = 5</dev/null<char 1:3>>
"""

WHOLE_SECONDS = """\
5 10:20:30 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=200000000}, NULL) = 0
5 10:20:30 getppid() = 1
"""

CLOSED_WITHOUT_A_LINE = """\
5 socket(AF_UNIX, SOCK_STREAM, 0) = 3
5 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)
5 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)
5 socket(AF_INET, SOCK_DGRAM, 0) = 3
5 shutdown(3, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)
"""

SOCKETS_IN_PROC = f"""\
5 socket(AF_INET, SOCK_STREAM, 0) = 3
5 bind(3, {{sa_family=AF_INET, sin_port=htons(7000), {LOOPBACK}}}, 16) = 0
5 listen(3, 5) = 0
5 openat(AT_FDCWD, "/proc/net/tcp", O_RDONLY) = 4
5 read(4, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode{' ' * 53}\\n\
   0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10608894 1 000000009c84a023\
 100 0 0 10 0{' ' * 18}\\n", 4096) = 300
"""

IN_THE_MIDST_OF_A_WRITE = """\
5 pipe2([3, 4], 0) = 0
5 fork() = 6
5 write(4, "a", 1 <unfinished ...>
6 poll([{fd=3, events=POLLIN}], 1, 0) = 0 (Timeout)
6 poll([{fd=3, events=POLLIN}], 1, 0 <unfinished ...>
5 <... write resumed>) = 1
6 <... poll resumed>) = 1 ([{fd=3, revents=POLLIN}])
"""

LISTED_AND_COPIED = """\
5 openat(AT_FDCWD, "/tmp/a", O_RDWR|O_CREAT, 0644) = 3
5 getxattr("/tmp/a", "system.posix_acl_access", NULL, 0) = -1 ENODATA (No data available)
5 fgetxattr(3, "system.posix_acl_default", 0x7ffed5ab0780, 132) = -1 ENODATA (No data available)
5 getxattr("/dev", "system.posix_acl", NULL, 0) = -1 EOPNOTSUPP (Operation not supported)
5 openat(AT_FDCWD, "/tmp/b", O_WRONLY|O_CREAT, 0644) = 4
5 ioctl(4, BTRFS_IOC_CLONE or FICLONE, 3) = -1 EOPNOTSUPP (Operation not supported)
5 ioctl(3, BTRFS_IOC_CLONE or FICLONE, 4) = -1 EBADF (Bad file descriptor)
5 ioctl(4, BTRFS_IOC_CLONE or FICLONE, 99) = -1 EBADF (Bad file descriptor)
5 fstatfs(3, {f_type=EXT2_SUPER_MAGIC, f_bsize=4096, f_blocks=66053021, f_bfree=59358149, f_namelen=255, f_frsize=4096,\
 f_flags=ST_VALID|ST_RELATIME}) = 0
"""

ADDRESSES_WITHOUT_A_PORT = f"""\
5 socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = 3
5 sendto(3, "\\10\\0\\367\\377\\0\\0\\0\\0", 8, 0, {{sa_family=AF_INET, sin_port=htons(1), {LOOPBACK}}}, 16) = 8
5 recvfrom(3, "E"..., 100, 0, {{sa_family=AF_INET, sin_port=htons(0), {LOOPBACK}}}, [16]) = 28
"""

TWO_CHILDREN_AND_ONE_SIGNAL = """\
5 rt_sigaction(SIGCHLD, {sa_handler=0x5624bbdac0b0, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0
5 fork() = 6
5 fork() = 7
6 exit_group(0) = ?
6 +++ exited with 0 +++
5 getppid() = 1
7 exit_group(0) = ?
7 +++ exited with 0 +++
5 getppid() = 1
5 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=6, si_uid=0, si_status=0} ---
5 rt_sigprocmask(SIG_BLOCK, NULL, [CHLD], 8) = 0
5 rt_sigreturn({mask=[]}) = 0
5 rt_sigprocmask(SIG_BLOCK, NULL, [], 8) = 0
"""


@pytest.mark.parametrize(
    ("name", "log"), [(name, text) for name, text in globals().items() if name.isupper() and "\n" in text]
)
def test_the_excerpt_comes_out_as_recorded(name: str, log: str) -> None:
    report = replay_log(name, log)
    assert [(call.line, call.text, call.expected, call.got, call.reason) for call in report.wrong] == []
    assert report.oops == ""
    assert [bad.message for bad in report.unreadable] == []
    assert report.notes == []


def test_bytes_that_the_log_shows_are_held() -> None:
    log = MORE_WRITTEN_THAN_SHOWN.replace('"23zz"', '"24zz"')
    assert [call.line for call in replay_log("x", log).wrong] == [7]


def test_a_fork_of_itself_does_no_harm() -> None:
    log = f"5 fork() = 6\n6 fork() = 5\n5 clone(flags={CLONE_THREAD}) = 5\n6 connect(3, {{sa_family=AF_INET}}, 16) = 0\n"
    assert replay_log("x", log).oops == ""


def test_a_difference_that_stays_hides_no_other() -> None:
    log = "5 gettid() = -1 EPERM (x)\n" + IN_THE_MIDST_OF_A_WRITE
    assert [call.line for call in replay_log("x", log).wrong] == [1]
