"""How a log begins in the model: its files, its first process with its descriptors; and help from outside the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kshell.abi.fcntl import O_CLOEXEC, O_CREAT, O_RDWR
from kshell.abi.signal import SIGKILL
from kshell.abi.stat import S_IFCHR, S_IFMT
from kshell.lens.open_files import open_file, open_files
from kshell.linux.kernel.signal import send_sig
from kshell.session.strace.lines import Log, LogCall
from kshell.session.strace.nodes import Node, string_of
from kshell.session.strace.supply import ELSEWHERE, lines_in_proc, supply
from kshell.session.strace.world import World
from kshell.userland.direct import AT_FDCWD, Process, SystemCallError
from kshell.world.arena import Arena

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.world.machine import Machine

_DESCRIPTOR = re.compile(r"\d+")
RANDOM_DEVICES = frozenset({1 << 20 | 8, 1 << 20 | 9, 1 << 8 | 8, 1 << 8 | 9})
RESERVED = 3
"""Lowest pid that a process of a log may have of its own: 1 is init, 2 kthreadd."""


class Start:
    """Prepares a machine for a log. A helper process supplies the files and keeps the far ends of pipes."""

    def __init__(self, machine: Machine, log: Log, world: World) -> None:
        self.machine = machine
        self.world = world
        machine.kernel.init_pid_ns.last_pid = 1 << 21
        self.helper = self._fork(machine.init)
        self.helper.arena.release()
        self._mount_elsewhere()
        self.notes = supply(self.helper, world)
        self.helper.call("chdir", world.cwd)
        self._started = False

    def _mount_elsewhere(self) -> None:
        """A file system for what does not belong to the log's."""
        self.helper.call("mkdir", ELSEWHERE, 0o755)
        self.helper.call("mount", "tmpfs", ELSEWHERE, "tmpfs", 0, 0)

    def _fork(self, parent: task_struct) -> Process:
        machine = self.machine
        pid = Process(machine, parent, Arena(parent)).call("fork")
        task = next(task for task in machine.kernel.tasklist if task.pid == pid)
        return Process(machine, task, Arena(task))

    def first_task(self, pid: int) -> task_struct:
        """A process that no call of the log made: a child of the helper, under the log's pid if that is free."""
        ns = self.machine.kernel.init_pid_ns
        if pid == 1 and not self._started:
            process = Process(self.machine, self.machine.init, Arena(self.machine.init))
        else:
            if pid >= RESERVED and pid not in ns.idr:
                ns.last_pid = pid - 1
            process = self._fork(self.helper.task)
        self._started = True
        self._descriptors(process, self.world.inherited_by(pid))
        process.arena.release()
        return process.task

    def _descriptors(self, process: Process, inherited: set[int]) -> None:
        for fd in range(len(process.task.files.fdt.fd)):
            if process.task.files.fdt.fd[fd] is not None:
                process.call("close", fd)
        for fd in range(3):
            self._descriptor(process, fd, self.world.standard.get(fd) or Node("S_IFCHR" if fd == 0 else "S_IFREG"))
        for fd in sorted(inherited - {0, 1, 2}):
            self._inherited(process, fd)

    def _descriptor(self, process: Process, fd: int, node: Node) -> None:
        try:
            if node.kind == "S_IFREG":
                path = f"{self.world.cwd if node.here else ELSEWHERE}/.kshell-{fd}"
                process.call("openat", AT_FDCWD, path, node.flags | O_CREAT, 0o600)
                process.call("fchmod", fd, node.mode)
                process.call("unlink", path)
            elif node.kind in ("S_IFIFO", "S_IFSOCK"):
                self._pipe(process, fd)
            else:
                process.call("openat", AT_FDCWD, "/dev/null", node.flags, 0)
        except SystemCallError as error:
            self.notes.append(f"descriptor {fd}: {error}")

    def _inherited(self, process: Process, fd: int) -> None:
        """A descriptor that the log's first process had from its parent; what it is the log does not say."""
        opened = process.call("openat", AT_FDCWD, "/dev/null", O_RDWR, 0)
        if opened != fd:
            process.call("dup2", opened, fd)
            process.call("close", opened)

    def _pipe(self, process: Process, fd: int) -> None:
        """A pipe whose far end stays open in the process under number 100 + fd."""
        ends = process.buffer(8)
        process.call("pipe2", ends, 0o2000000)
        reading, writing = (int.from_bytes(process.memory(ends + 4 * i, 4), "little") for i in (0, 1))
        near, far = (reading, writing) if fd == 0 else (writing, reading)
        process.call("dup3", far, 100 + fd, 0o2000000)
        process.call("close", far)
        if near != fd:
            process.call("dup2", near, fd)
            process.call("close", near)

    def random_bytes(self, call: LogCall, task: task_struct) -> bytes | None:
        """What the log's read of a random device gave; None if it is no such read."""
        number = _DESCRIPTOR.match(call.args[0])
        file = open_file(task.files, int(number[0]) if number else -1)
        data = string_of(call.args[1])
        if file is None or data is None or file.f_inode.i_mode & S_IFMT != S_IFCHR:
            return None
        return data[0] if file.f_inode.i_rdev in RANDOM_DEVICES else None

    def cover(self, call: LogCall, task: task_struct, fd: int) -> None:
        """A descriptor of a file that tells what only the log knows: it gives the recorded text."""
        cover = self.world.covers.get(call.index)
        if cover is None or not cover.lines or fd < 0:
            return
        process = Process(self.machine, task, Arena(task))
        text = lines_in_proc(process, f".kshell-{call.index}", cover.lines)
        process.call("dup3", text, fd, O_CLOEXEC if "O_CLOEXEC" in call.text else 0)
        process.call("close", text)

    def refresh(self, call: LogCall) -> None:
        """Before a read of such a file: it has changed since the last one, maybe."""
        if call.index in self.world.cover_reads:
            cover, at, text = self.world.cover_reads[call.index]
            cover.found(at, text)

    def own_group(self, task: task_struct) -> None:
        """The task leads a process group of its own."""
        Process(self.machine, task, Arena(task)).call("setpgid", 0, 0)

    def hold_place(self, task: task_struct, fd: int) -> None:
        """A descriptor that the log got and the model did not: something takes its number."""
        table = task.files.fdt.fd
        if fd < len(table) and table[fd] is None:
            self._inherited(Process(self.machine, task, Arena(task)), fd)

    def make_room(self, task: task_struct, fd: int) -> None:
        """A call is about to get `fd`: it is open no more, though the log may have no line for its close()."""
        if open_file(task.files, fd) is not None:
            self.close(task, fd)

    def close_all(self, task: task_struct) -> None:
        """What exit_files() does, if the table is the task's own."""
        if task.files.count > 1:
            return
        process = Process(self.machine, task, Arena(task))
        for fd, _ in list(open_files(task.files)):
            try:
                process.call("close", fd)
            except SystemCallError as error:
                self.notes.append(f"descriptor {fd}: {error}")

    def close(self, task: task_struct, fd: int) -> None:
        """A descriptor that the model got and the log did not."""
        Process(self.machine, task, Arena(task)).call("close", fd)

    def send_signal(self, number: int, task: task_struct) -> None:
        """A signal from outside the log."""
        self.machine.kernel.current = self.helper.task
        try:
            send_sig(number, task, 0)
        finally:
            self.machine.kernel.current = self.machine.kernel.init_task

    def kill(self, task: task_struct) -> None:
        """The log says that the task is gone."""
        self.send_signal(SIGKILL, task)

    def abort(self, task: task_struct) -> None:
        """Take a sleeping call out of the kernel: its coroutine is closed, which undoes its waiting."""
        stack, task._stack, task._syscall, task._call = task._stack, None, None, None
        task.state = 0
        if stack is not None:
            self.machine.kernel.current = task
            try:
                stack.close()
            finally:
                self.machine.kernel.current = self.machine.kernel.init_task
