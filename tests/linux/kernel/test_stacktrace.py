"""Where sleeping tasks are, as /proc/PID/stack, wchan and syscall of a real 6.1 say."""

import pytest

from kshell.session.session import Session

TCP = (
    "s = socket(AF_INET, SOCK_STREAM, 0)", 'bind(s, {AF_INET, 80, "127.0.0.1"}, 16)', "listen(s, 5)",
    "c = socket(AF_INET, SOCK_STREAM, 0)", 'connect(c, {AF_INET, 80, "127.0.0.1"}, 16)', "a = accept(s, NULL, NULL)",
)  # fmt: skip
FULL = ("fcntl(a, F_SETFL, O_RDWR|O_NONBLOCK)", *["write(a, ..., 65536)"] * 80, "fcntl(a, F_SETFL, O_RDWR)")
ENTRY = ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
RECV = ("__sys_recvfrom", "__x64_sys_recvfrom")
READ = ("vfs_read", "ksys_read")
DATAGRAM = ("__skb_wait_for_more_packets", "__skb_recv_datagram", "skb_recv_datagram")
TCP_RECV = ("wait_woken", "sk_wait_data", "tcp_recvmsg_locked", "tcp_recvmsg", "inet_recvmsg")

RECORDED = {
    "accept": ((*TCP[:3],), "accept(s, NULL, NULL)",
               ("inet_csk_accept", "inet_accept", "do_accept", "__sys_accept4", "__x64_sys_accept")),
    "epoll": (("e = epoll_create1(0)",), "epoll_wait(e, ..., 2, -1)", ("do_epoll_wait", "__x64_sys_epoll_wait")),
    "eventfd": (("e = eventfd2(0, 0)",), "read(e, ..., 8)", ("eventfd_read", *READ)),
    "netlink": (("n = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)",), "recvfrom(n, ..., 100, 0, NULL, NULL)",
                (*DATAGRAM, "netlink_recvmsg", *RECV)),
    "pause": ((), "pause()", ("__do_sys_pause",)),
    "pipe": (("pipe(p)",), "read(3, ..., 10)", ("pipe_read", *READ)),
    "pipe_full": (("pipe(p)", "fcntl(4, F_SETPIPE_SZ, 4096)", "write(4, ..., 4096)"), "write(4, ..., 4096)",
                  ("pipe_write", "vfs_write", "ksys_write")),
    "poll": (("pipe(p)",), "poll([{fd=3, events=POLLIN}], 1, -1)", ("do_sys_poll", "__x64_sys_poll")),
    "raw": (("r = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)",), "recvfrom(r, ..., 100, 0, NULL, NULL)",
            (*DATAGRAM, "raw_recvmsg", "inet_recvmsg", *RECV)),
    "read_tcp": (TCP, "read(a, ..., 10)", (*TCP_RECV, "sock_read_iter", *READ)),
    "recv_tcp": (TCP, "recvfrom(a, ..., 10, 0, NULL, NULL)", (*TCP_RECV, *RECV)),
    "recv_udp": (("u = socket(AF_INET, SOCK_DGRAM, 0)",), "recvfrom(u, ..., 10, 0, NULL, NULL)",
                 ("__skb_wait_for_more_packets", "__skb_recv_udp", "udp_recvmsg", "inet_recvmsg", *RECV)),
    "select": (("pipe(p)",), "pselect6(32, [3], NULL, NULL, NULL, NULL)",
               ("do_select", "core_sys_select", "do_pselect", "__x64_sys_pselect6")),
    "send_tcp": ((*TCP, *FULL), "write(a, ..., 4096)",
                 ("wait_woken", "sk_stream_wait_memory", "tcp_sendmsg_locked", "tcp_sendmsg", "__sock_sendmsg",
                  "sock_write_iter", "vfs_write", "ksys_write")),
    "unix_accept": (("s = socket(AF_UNIX, SOCK_STREAM, 0)", 'bind(s, {AF_UNIX, "/tmp/s"}, 10)', "listen(s, 5)"),
                    "accept(s, NULL, NULL)", (*DATAGRAM, "unix_accept", "do_accept", "__sys_accept4", "__x64_sys_accept")),
    "unix_recv": (("socketpair(AF_UNIX, SOCK_STREAM, 0, p)",), "recvfrom(3, ..., 10, 0, NULL, NULL)",
                  ("unix_stream_read_generic", "unix_stream_recvmsg", *RECV)),
    "wait4": (("@t fork()",), "wait4(-1, NULL, 0, NULL)", ("do_wait", "kernel_wait4", "__do_sys_wait4")),
}  # fmt: skip
"""Set-up, the call that sleeps, and the recorded stack without its offsets (/work/shared/linux61/procfs/pid)."""


def asleep(setup: tuple[str, ...], call: str) -> tuple[Session, int]:
    session = Session()
    session.run("set abi x86_64\n" + "\n".join(setup))
    session.run(f"@t {call}")
    task = session.find_task("t")
    assert task._stack is not None, f"{call} does not sleep"
    return session, task.pid


def proc(session: Session, pid: int, name: str) -> str:
    events = session.run(f"cat /proc/{pid}/{name}")
    assert session.errors == 0, events
    return next((event.text for event in events if event.kind == "output"), "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", RECORDED)
def test_the_stack_is_as_recorded(case: str) -> None:
    setup, call, recorded = RECORDED[case]
    session, pid = asleep(setup, call)
    assert proc(session, pid, "stack").split("\n") == [f"[<0>] {name}" for name in (*recorded, *ENTRY)]
    assert proc(session, pid, "wchan") == recorded[0]
    assert session.wchan(session.find_task("t")) == recorded[0]


def test_a_nanosleep_waits_in_hrtimer_nanosleep() -> None:
    session = Session()
    task, machine = session.user("t").task, session.machine
    address = session.user("t").arena.put((1000).to_bytes(8, "little") + bytes(8))
    machine.syscall(task, 230, (0, 0, address, 0))
    names = ["hrtimer_nanosleep", "common_nsleep", "__x64_sys_clock_nanosleep", *ENTRY]
    assert proc(session, task.pid, "stack").split("\n") == [f"[<0>] {name}" for name in names]


def test_the_call_and_its_registers() -> None:
    session, pid = asleep(("pipe(p)",), "read(3, ..., 10)")
    number, fd, buffer, count, *rest = proc(session, pid, "syscall").split()
    assert (number, fd, count, rest) == ("0", "0x3", "0xa", ["0x0"] * 5)
    assert int(buffer, 16) > 0x1000


@pytest.mark.parametrize(("name", "text"), [("stack", ""), ("wchan", "0"), ("syscall", "running")])
def test_a_task_in_user_space(name: str, text: str) -> None:
    assert proc(Session(), 1, name) == text


@pytest.mark.parametrize(("name", "text"), [("stack", ""), ("wchan", "0"), ("syscall", "-1 0x0 0x0")])
def test_a_zombie(name: str, text: str) -> None:
    session = Session()
    session.run("@z getpid()\nkill(4, SIGKILL)")
    assert proc(session, 4, name) == text


def test_kernel_threads_begin_in_ret_from_fork() -> None:
    session = Session()
    assert proc(session, 2, "stack").split("\n") == ["[<0>] kthreadd", "[<0>] ret_from_fork"]
    assert proc(session, 3, "stack").split("\n") == ["[<0>] worker_thread", "[<0>] kthread", "[<0>] ret_from_fork"]


def test_a_call_by_int_0x80_came_through_socketcall() -> None:
    session = Session()
    session.run("s = socket(AF_INET, SOCK_STREAM, 0)\nlisten(s, 5)\n@t accept(s, NULL, NULL)")
    lines = proc(session, session.find_task("t").pid, "stack").split("\n")
    assert lines[-3:] == [f"[<0>] {n}" for n in ("__ia32_compat_sys_socketcall", "do_int80_emulation", "asm_int80_emulation")]


REFUSED = [
    (("f = open(\"/proc/1/stack\", O_RDONLY)", "setresuid(1000, 1000, 1000)"), "EPERM"),
    (("f = open(\"/proc/1/syscall\", O_RDONLY)", "setresuid(1000, 1000, 1000)"), "EPERM"),
    (("setresuid(1000, 1000, 1000)", "f = open(\"/proc/self/stack\", O_RDONLY)"), "EACCES"),
]


@pytest.mark.parametrize(("setup", "errno"), REFUSED)
def test_others_may_not_look(setup: tuple[str, ...], errno: str) -> None:
    """Who has the file open, but no right to trace the task, or no CAP_SYS_ADMIN when he opened it, is refused."""
    session = Session()
    session.run("\n".join(f"@u {line}" for line in setup))
    events = session.run("@u read(f, ..., 100)")
    assert [event.errno for event in events if event.kind == "call"] == [errno]  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", ["stack t", "stack 4", "bt t", "bt task 4", "stack t @3"])
def test_the_command_shows_the_stack_with_linuxs_files(command: str) -> None:
    session, _ = asleep(("pipe(p)",), "read(3, ..., 10)")
    session.run("close(4)")
    text = next(event.text for event in session.run(command) if event.kind == "output")  # type: ignore[attr-defined]
    assert text.split("\n")[:2] == ["task 4 (t)", "  #0  pipe_read                       fs/pipe.c"]
