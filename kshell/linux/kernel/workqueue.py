"""Workers (kernel/workqueue.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.workqueue import delayed_work, work_func_t, work_struct, workqueue_struct
from kshell.linux.kernel.sched.wait import wait_event, wake_up
from kshell.linux.kernel.time.timer import mod_timer, timer_delete, timer_list

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def alloc_workqueue(kernel: Kernel, name: str) -> workqueue_struct:
    """A new queue; kthread_run(worker_thread) serves it."""
    return workqueue_struct(name)


def queue_work_on(wq: workqueue_struct, work: work_struct) -> bool:
    """Queue work; False when it was queued already."""
    if work._pending:
        return False
    work._pending = True
    wq._works.append(work)
    wake_up(wq._idle)
    return True


def schedule_work(kernel: Kernel, work: work_struct) -> bool:
    """Queue work on the system queue."""
    return queue_work_on(kernel.system_wq, work)


def INIT_DELAYED_WORK(kernel: Kernel, func: work_func_t, owner: object) -> delayed_work:
    """Delayed work for the system queue."""

    def delayed_work_timer_fn(timer: timer_list) -> None:
        schedule_work(kernel, dwork.work)

    dwork = delayed_work(work_struct(func, owner), timer_list(delayed_work_timer_fn))
    return dwork


def mod_delayed_work_on(kernel: Kernel, dwork: delayed_work, delay: int) -> None:
    """Queue the work in delay ticks from now, whenever it was to be before."""
    mod_timer(kernel, dwork.timer, kernel.jiffies + delay)


def cancel_delayed_work(dwork: delayed_work) -> None:
    """Forget it, unless it runs already."""
    timer_delete(dwork.timer)


def schedule_delayed_work(kernel: Kernel, dwork: delayed_work, delay: int) -> None:
    """Queue the work in delay ticks unless it is to be already."""
    if dwork.timer._event is None:
        mod_delayed_work_on(kernel, dwork, delay)


async def worker_thread(kernel: Kernel, wq: workqueue_struct) -> int:
    """Body of the thread that serves wq."""
    while True:
        await wait_event(kernel, wq._idle, lambda: bool(wq._works))
        work = wq._works.popleft()
        work._pending = False
        await process_one_work(work)


async def process_one_work(work: work_struct) -> None:
    """Do one piece of work."""
    await work.func(work)
