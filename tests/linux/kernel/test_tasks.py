"""fork, exit, wait, signals and sleeping, through the system call door."""

import struct

import pytest

from kshell.abi.errno import EAGAIN, ECHILD, EFAULT, EINTR, EINVAL, ENOSYS, EPERM, ESRCH
from kshell.abi.signal import (
    SA_RESETHAND,
    SA_RESTART,
    SIGALRM,
    SIGCHLD,
    SIGCONT,
    SIGINT,
    SIGKILL,
    SIGSTOP,
    SIGTERM,
    SIGUSR1,
)
from kshell.abi.syscalls import BY_NAME
from kshell.linux.include.linux.sched import task_struct
from kshell.world.machine import Machine, MachinePanic, SyscallInProgress

BUF = 0x20000000
SECOND = 1_000_000_000


class Box:
    """A machine and its tasks by short calls: box(task, "kill", 1, 9)."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.init = self.machine.init
        assert self.init.mm is not None
        self.init.mm.map(BUF, 1 << 16)

    def __call__(self, task: task_struct, name: str, *args: int) -> int | SyscallInProgress:
        return self.machine.syscall(task, BY_NAME[name].number, args)

    def fork(self, parent: task_struct) -> task_struct:
        nr = self(parent, "fork")
        return next(t for t in self.machine.kernel.tasklist if t.pid == nr)

    def word(self, address: int = BUF) -> int:
        assert self.init.mm is not None
        return int.from_bytes(self.init.mm.read(address, 4), "little")

    def handler(self, task: task_struct, sig: int, handler: int, flags: int = 0) -> None:
        assert task.mm is not None
        task.mm.write(BUF + 512, struct.pack("<QQQQ", handler, flags, 0, 0))
        assert self(task, "rt_sigaction", sig, BUF + 512, 0, 8) == 0

    def dispositions(self, task: task_struct) -> dict[int, tuple[int, int]]:
        """Handler and flags of each signal that has others than at first."""
        assert task.mm is not None
        found: dict[int, tuple[int, int]] = {}
        for sig in range(1, 65):
            assert self(task, "rt_sigaction", sig, 0, BUF + 512, 8) == 0
            handler, flags, *_ = struct.unpack("<QQQQ", task.mm.read(BUF + 512, 32))
            if (handler, flags) != (0, 0):
                found[sig] = handler, flags
        return found


@pytest.fixture
def box() -> Box:
    return Box()


def test_a_child_is_a_copy_and_its_exit_status_is_waited_for(box: Box) -> None:
    child = box.fork(box.init)
    assert box(child, "getppid") == 1
    assert child.files is not box.init.files
    box(child, "exit_group", 7)
    assert box(box.init, "wait4", -1, BUF, 0, 0) == child.pid
    assert box.word() == 7 << 8
    assert box(box.init, "wait4", -1, 0, 0, 0) == -ECHILD


def test_wait_sleeps_until_a_child_ends(box: Box) -> None:
    child = box.fork(box.init)
    waiting = box(box.init, "wait4", -1, BUF, 0, 0)
    assert isinstance(waiting, SyscallInProgress)
    box(child, "exit_group", 0)
    box.machine.run()
    assert waiting.done
    assert waiting.result == child.pid


def test_wnohang_does_not_wait(box: Box) -> None:
    box.fork(box.init)
    assert box(box.init, "wait4", -1, 0, 1, 0) == 0


def test_vfork_sleeps_until_the_child_ends(box: Box) -> None:
    call = box(box.init, "vfork")
    assert isinstance(call, SyscallInProgress)
    child = box.machine.kernel.tasklist[-1]
    assert child.mm is box.init.mm
    box(child, "exit_group", 0)
    box.machine.run()
    assert call.result == child.pid


def test_threads_share_what_clone_flags_say(box: Box) -> None:
    flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000  # VM FS FILES SIGHAND THREAD
    nr = box(box.init, "clone", flags, 0, 0, 0, 0)
    thread = next(t for t in box.machine.kernel.tasklist if t.pid == nr)
    assert box(thread, "getpid") == 1
    assert box(thread, "gettid") == nr
    assert thread.files is box.init.files
    assert thread.signal is box.init.signal
    box(thread, "exit", 0)
    assert thread not in box.machine.kernel.tasklist


@pytest.mark.parametrize("flags", [0x10000, 0x800, 0x10000 | 0x800, 0x20000 | 0x200])
def test_clone_refuses_flags_that_exclude_each_other(box: Box, flags: int) -> None:
    assert box(box.init, "clone", flags, 0, 0, 0, 0) == -EINVAL


@pytest.mark.parametrize(("sig", "status"), [(SIGTERM, 15), (SIGKILL, 9), (SIGUSR1, 10), (3, 3 | 0x80)])
def test_a_deadly_signal_ends_a_task_in_user_space_and_in_a_call(box: Box, sig: int, status: int) -> None:
    idle, asleep = box.fork(box.init), box.fork(box.init)
    box(asleep, "pause")
    for child in (idle, asleep):
        assert box(box.init, "kill", child.pid, sig) == 0
        box.machine.run()
        assert box(box.init, "wait4", child.pid, BUF, 0, 0) == child.pid
        assert box.word() == status


def test_pid_1_is_immune_to_what_it_has_no_handler_for(box: Box) -> None:
    child = box.fork(box.init)
    for sig in (SIGTERM, SIGINT, SIGKILL):
        assert box(child, "kill", 1, sig) == 0
        box.machine.run()
    assert box(box.init, "getpid") == 1


def test_the_death_of_pid_1_is_a_panic(box: Box) -> None:
    box(box.init, "exit_group", 3)
    with pytest.raises(MachinePanic, match="Attempted to kill init"):
        box(box.init, "getpid")


@pytest.mark.parametrize(("flags", "ended"), [(0, True), (0x10000000, False)])
def test_a_handler_ends_a_wait_with_eintr_unless_sa_restart(box: Box, flags: int, ended: bool) -> None:
    waiter = box.fork(box.init)
    box.handler(waiter, SIGUSR1, 0x400000, flags)
    box.fork(waiter)
    call = box(waiter, "wait4", -1, 0, 0, 0)
    assert isinstance(call, SyscallInProgress)
    box(box.init, "kill", waiter.pid, SIGUSR1)
    box.machine.run()
    assert call.done is ended
    assert call.result == (-EINTR if ended else None)


def test_an_ignored_signal_does_not_disturb_a_sleeper(box: Box) -> None:
    child = box.fork(box.init)
    call = box(child, "pause")
    box(box.init, "kill", child.pid, SIGCHLD)
    box.machine.run()
    assert isinstance(call, SyscallInProgress)
    assert not call.done


def test_a_disposition_is_copied_by_fork_and_set_for_one_signal_of_one_process(box: Box) -> None:
    box.handler(box.init, SIGUSR1, 0x400000, SA_RESTART)
    child = box.fork(box.init)
    box.handler(child, SIGTERM, 0x500000)
    box.handler(child, SIGUSR1, 0)
    assert box.dispositions(box.init) == {SIGUSR1: (0x400000, SA_RESTART)}
    assert box.dispositions(child) == {SIGTERM: (0x500000, 0)}


def test_a_handler_with_sa_resethand_runs_once(box: Box) -> None:
    child = box.fork(box.init)
    box.handler(child, SIGUSR1, 0x400000, SA_RESETHAND)
    call = box(child, "pause")
    assert isinstance(call, SyscallInProgress)
    box(box.init, "kill", child.pid, SIGUSR1)
    box.machine.run()
    assert (call.done, call.result) == (True, -EINTR)
    assert box.dispositions(child) == {SIGUSR1: (0, SA_RESETHAND)}
    box(box.init, "kill", child.pid, SIGUSR1)
    box.machine.run()
    assert box(box.init, "wait4", -1, BUF, 0, 0) == child.pid
    assert box.word() == SIGUSR1


def test_stop_and_continue(box: Box) -> None:
    child = box.fork(box.init)
    box(box.init, "kill", child.pid, SIGSTOP)
    box.machine.run()
    assert box(box.init, "wait4", child.pid, BUF, 2, 0) == child.pid
    assert box.word() == SIGSTOP << 8 | 0x7F
    box(box.init, "kill", child.pid, SIGCONT)
    box.machine.run()
    assert box(child, "getpid") == child.pid


def test_a_stopped_process_can_be_killed_and_takes_other_signals_when_it_goes_on(box: Box) -> None:
    first, second = box.fork(box.init), box.fork(box.init)
    for child in (first, second):
        box(box.init, "kill", child.pid, SIGSTOP)
        box.machine.run()
    box(box.init, "kill", first.pid, SIGKILL)
    box(box.init, "kill", second.pid, SIGTERM)
    box.machine.run()
    assert box(box.init, "wait4", first.pid, BUF, 1, 0) == first.pid
    assert box.word() == SIGKILL
    assert box(box.init, "wait4", second.pid, BUF, 1, 0) == 0
    box(box.init, "kill", second.pid, SIGCONT)
    box.machine.run()
    assert box(box.init, "wait4", second.pid, BUF, 1, 0) == second.pid
    assert box.word() == SIGTERM


@pytest.mark.parametrize("end", [SIGCONT, SIGKILL])
def test_all_threads_of_a_process_stop(box: Box, end: int) -> None:
    child = box.fork(box.init)
    nr = box(child, "clone", 0x10F00, 0, 0, 0, 0)
    thread = next(t for t in box.machine.kernel.tasklist if t.pid == nr)
    asleep = box(thread, "pause")
    assert isinstance(asleep, SyscallInProgress)
    box(box.init, "kill", child.pid, SIGSTOP)
    box.machine.run()
    assert [t.state & 4 for t in (child, thread)] == [4, 4]
    assert box(box.init, "wait4", child.pid, BUF, 2, 0) == child.pid
    box(box.init, "kill", child.pid, end)
    box.machine.run()
    assert [t.state & 4 for t in (child, thread)] == [0, 0]
    assert bool(child.exit_state) is (end == SIGKILL)
    assert asleep.done is (end == SIGKILL)


def test_the_end_of_a_child_with_an_exit_signal_that_is_none_is_told_by_no_signal(box: Box) -> None:
    nr = box(box.init, "clone", 127, 0, 0, 0, 0)
    child = next(t for t in box.machine.kernel.tasklist if t.pid == nr)
    box(child, "exit_group", 3)
    assert box(box.init, "wait4", nr, BUF, 0x40000000, 0) == nr
    assert box.word() == 3 << 8


def test_nanosleep_takes_virtual_time_and_a_signal_leaves_the_rest(box: Box) -> None:
    child = box.fork(box.init)
    assert child.mm is not None
    child.mm.write(BUF, struct.pack("<qq", 2, 0))
    call = box(child, "nanosleep", BUF, 0)
    assert isinstance(call, SyscallInProgress)
    start = box.machine.clock.now
    box.machine.run_for(3 * SECOND)
    assert call.result == 0
    box.handler(child, SIGALRM, 0x400000)
    box(child, "alarm", 1)
    call = box(child, "nanosleep", BUF, BUF + 64)
    box.machine.run_for(3 * SECOND)
    assert call.result == -EINTR
    assert struct.unpack("<qq", child.mm.read(BUF + 64, 16)) == (1, 0)
    assert box.machine.clock.now == start + 6 * SECOND


def test_blocked_signals_wait_for_their_unblocking(box: Box) -> None:
    child = box.fork(box.init)
    assert child.mm is not None
    child.mm.write(BUF, (1 << SIGTERM - 1).to_bytes(8, "little"))
    assert box(child, "rt_sigprocmask", 0, BUF, 0, 8) == 0
    box(box.init, "kill", child.pid, SIGTERM)
    box.machine.run()
    assert box(child, "rt_sigpending", BUF + 8, 8) == 0
    assert child.mm.read(BUF + 8, 8) == (1 << SIGTERM - 1).to_bytes(8, "little")
    box(child, "rt_sigprocmask", 1, BUF, 0, 8)
    assert box(box.init, "wait4", child.pid, BUF, 0, 0) == child.pid


def test_unprivileged_tasks_may_signal_only_their_own(box: Box) -> None:
    child, other = box.fork(box.init), box.fork(box.init)
    assert box(child, "setuid", 1000) == 0
    assert box(child, "kill", other.pid, SIGTERM) == -EPERM
    assert box(child, "kill", 4000, 0) == -ESRCH
    assert box(child, "setuid", 0) == -EPERM
    assert box(child, "getuid") == 1000


def test_orphans_become_children_of_pid_1(box: Box) -> None:
    child = box.fork(box.init)
    grandchild = box.fork(child)
    box(child, "exit_group", 0)
    assert box(grandchild, "getppid") == 1


@pytest.mark.parametrize(
    ("name", "args", "result"),
    [
        ("nanosleep", (0x10, 0), -EFAULT),
        ("clock_gettime", (99, BUF), -EINVAL),
        ("setrlimit", (99, BUF), -EINVAL),
        ("kill", (1, 65), -EINVAL),
        ("wait4", (1, 0, 0x100, 0), -EINVAL),
        ("rt_sigaction", (SIGKILL, BUF, 0, 8), -EINVAL),
        ("setpgid", (0, -1), -EINVAL),
        ("uname", (0,), -EFAULT),
    ],
)
def test_bad_arguments(box: Box, name: str, args: tuple[int, ...], result: int) -> None:
    assert box(box.init, name, *args) == result


def test_an_unknown_number_is_enosys(box: Box) -> None:
    assert box.machine.syscall(box.init, 9999) == -ENOSYS
    assert box.machine.syscall(box.init, -1) == -ENOSYS


def test_nothing_is_left_of_dead_children(box: Box) -> None:
    kernel = box.machine.kernel
    before = {cache.name: cache._inuse for cache in kernel.slab_caches}
    for _ in range(3):
        child = box.fork(box.init)
        box(child, "exit_group", 0)
        box(box.init, "wait4", -1, 0, 0, 0)
    assert {cache.name: cache._inuse for cache in kernel.slab_caches} == before


def test_rlimit_nproc_stops_forks_of_the_unprivileged(box: Box) -> None:
    child = box.fork(box.init)
    box(child, "setuid", 1000)
    assert child.mm is not None
    child.mm.write(BUF, struct.pack("<QQ", 2, 2))
    assert box(child, "setrlimit", 6, BUF) == 0
    assert isinstance(box(child, "fork"), int)
    assert box(child, "fork") == -EAGAIN
