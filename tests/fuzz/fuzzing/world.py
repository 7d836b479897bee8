"""A machine that is fed with random steps, and what must hold after each of them."""

import traceback
from collections import Counter
from random import Random

from fuzzing import calls
from fuzzing.failures import Failure, Hang, limit, where_of
from fuzzing.memory import Memory
from fuzzing.paths import all_paths
from fuzzing.steps import STEPS
from kshell.abi.syscalls import BY_NAME, I386_BY_NAME
from kshell.linux.include.linux.sched import TASK_RUNNING
from kshell.world.machine import Machine, MachinePanic

SECOND = 1_000_000_000
STEP_SECONDS = 2.0


class World:
    """A machine and tasks that call."""

    def __init__(self, listen=True):
        self.machine = Machine()
        self.kernel = self.machine.kernel
        self.trace = []
        self.verbose = False
        Memory.prepare(self.machine.init.mm)
        if listen:
            self.kernel.observe(lambda record: repr(record))
        self.root = self._spawn(self.machine.init)
        for path in (b"/tmp", b"/tmp/d"):
            self.sure("mkdir", path + b"\0", 0o1777)
        self.weighted = [step for weight, step in STEPS for _ in range(weight)]

    # what steps are made of

    def _spawn(self, parent):
        pid = self.machine.syscall(parent, BY_NAME["fork"].number, ())
        return next((t for t in self.kernel.tasklist if t.pid == pid), None)

    def ready(self):
        """The tasks that can call."""
        init = self.machine.init
        return [
            t
            for t in self.kernel.tasklist
            if t.mm is not None and t is not init and t._stack is None and t._syscall is None and not t.exit_state
        ]

    def task(self, r):
        """One that can call, a new one when there is none."""
        able = self.ready()
        if not able:
            init = self.machine.init
            if init._stack is not None or init._syscall is not None:
                return None
            new = self._spawn(init)
            return new
        return r.choice(able)

    def raw_call(self, task, name, args, compat=False):
        table = I386_BY_NAME if compat else BY_NAME
        if self.verbose:
            self.trace.append(
                f"{task.pid} {name}({', '.join(hex(a) if a > 4096 else str(a) for a in args)}){' compat' if compat else ''}"
            )
        if task._stack is not None or task._syscall is not None or task.exit_state:
            return None
        result = self.machine.syscall(task, table[name].number, tuple(a % (1 << 64) for a in args), compat)
        if self.verbose:
            self.trace[-1] += f" = {result if isinstance(result, int) else 'asleep'}"
        return result

    def sure(self, name, *args, task=None):
        """A call with good arguments, bytes put into memory."""
        task = task or self.root
        if task is None or task.mm is None:
            return -1
        memory = Memory(task, Random(0))
        memory.used = 0x30000
        words = [memory.sure(a) if isinstance(a, bytes) else a for a in args]
        result = self.raw_call(task, name, words)
        return result if isinstance(result, int) else -1

    def fds(self, task):
        """Open descriptors, in order."""
        if task.files is None:
            return [0]
        return [fd for fd, f in enumerate(task.files.fdt.fd) if f is not None][:200] or [0]

    def sockets(self, task, family=None):
        return [
            fd
            for fd in self.fds(task)
            if (s := self.socket(task, fd)) is not None and (family is None or s.sk.sk_family == family)
        ]

    def socket(self, task, fd):
        f = task.files.fdt.fd[fd] if task.files else None
        s = getattr(f, "private_data", None)
        return s if type(s).__name__ == "socket" and s.sk is not None else None

    def maker(self, r, task):
        return calls.Maker(r, Memory(task, r), self.fds(task), all_paths(), self.kernel.tasklist)

    def hints(self):
        """Ports and numbers of living TCP sockets, as a peer would send them."""
        found = []
        for task in self.kernel.tasklist:
            if task.files is None:
                continue
            for fd in self.fds(task):
                s = self.socket(task, fd)
                sk = s.sk if s is not None else None
                if sk is not None and hasattr(sk, "rcv_nxt"):
                    found.append(
                        (
                            getattr(sk, "inet_dport", 0) & 0xFFFF,
                            getattr(sk, "inet_num", 0) & 0xFFFF,
                            sk.rcv_nxt & 0xFFFFFFFF,
                            sk.snd_una & 0xFFFFFFFF,
                        )
                    )
        return found

    # running and checking

    def step(self, seed):
        """Do the step that a number stands for."""
        r = Random(seed)
        task = self.task(r)
        if task is None or task.mm is None:
            return
        step = r.choice(self.weighted)
        if self.verbose:
            self.trace.append(f"-- {seed} {step.__name__} pid {task.pid}")
        try:
            with limit(STEP_SECONDS):
                step(self, r, task)
                self.machine.run()
        except MachinePanic:
            raise
        except Hang as error:
            raise Failure("hang " + where_of(error), traceback.format_exc()) from error
        except Exception as error:
            raise Failure(where_of(error), traceback.format_exc()) from error
        self.check()

    def check(self):
        try:
            for task in self.kernel.tasklist:
                check_descriptors(task)
                check_sleeper(self.kernel, task)
            assert not self.kernel.in_serving_softirq, "in softirq"
            assert self.kernel.current is self.kernel.init_task, "current"
        except AssertionError as error:
            raise Failure(
                f"invariant {str(error)[:100]} {traceback.extract_tb(error.__traceback__)[-1].lineno}",
                traceback.format_exc(),
            ) from error


def check_descriptors(task):
    """The bitmap says what the array holds, and no file has fewer references than descriptors."""
    if task.files is None:
        return
    fdt, held = task.files.fdt, Counter()
    for fd, f in enumerate(fdt.fd):
        is_open = bool(fdt.open_fds[fd >> 6] >> (fd & 63) & 1)
        assert is_open == (f is not None) or (is_open and task._syscall is not None), f"bit of descriptor {fd}"
        if f is not None:
            held[f] += 1
    for f, count in held.items():
        assert f.f_count >= count, f"f_count {f.f_count} < {count}"


def check_sleeper(kernel, task):
    """A task that is in a call and not about to run sleeps for something."""
    if task._stack is not None and task not in kernel.runqueue:
        assert task.state != TASK_RUNNING, "asleep and running"


def run(seeds, verbose=False):
    """Run a sequence; the Failure, or None. A panic (init was killed) ends it early."""
    world = World()
    world.verbose = verbose
    try:
        for seed in seeds:
            world.step(seed)
        finish(world)
    except MachinePanic:
        pass
    except Failure as failure:
        failure.trace = world.trace
        return failure
    return None


def finish(world):
    """All tasks but init die and time passes: nothing goes wrong then either."""
    try:
        with limit(8):
            machine, kernel = world.machine, world.kernel
            for task in list(kernel.tasklist):
                if task.mm is not None and task is not machine.init and not task.exit_state:
                    machine.send_signal(task, 9)
            machine.run_for(1000 * SECOND)
    except MachinePanic:
        raise
    except Hang as error:
        raise Failure("end: hang " + where_of(error), traceback.format_exc()) from error
    except Exception as error:
        raise Failure("end: " + where_of(error), traceback.format_exc()) from error
    world.check()


def shrink(seeds, where, tries=300):
    """A shorter sequence that fails at the same place."""
    size = max(len(seeds) // 2, 1)
    while tries > 0:
        at, cut = 0, False
        while at < len(seeds) and tries > 0:
            rest = seeds[:at] + seeds[at + size :]
            tries -= 1
            failure = run(rest)
            if failure is not None and failure.where == where:
                seeds, cut = rest, True
            else:
                at += size
        if size == 1 and not cut:
            break
        size = max(size // 2, 1)
    return seeds

