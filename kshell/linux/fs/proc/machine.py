"""What /proc tells of the machine: cmdline, cpuinfo, devices, loadavg, meminfo, modules, slabinfo, softirqs, stat,
uptime, version.

(fs/proc/NAME.c, kernel/module/procfs.c, mm/slab_common.c.) Processor time is that of the virtual clock, which only
runs while everybody sleeps: all of it is idle time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.time import NSEC_PER_SEC
from kshell.linux.arch.x86.kernel.cpu.proc import cpuinfo_op
from kshell.linux.fs.proc.generic import proc_create_seq, proc_create_single
from kshell.linux.fs.seq_file import (
    _seq_list_next_head,
    seq_list_next,
    seq_list_start,
    seq_list_start_head,
    seq_printf,
    seq_puts,
)
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations
from kshell.linux.init.version import COMMAND_LINE, LINUX_PROC_BANNER
from kshell.linux.kernel.kallsyms import kallsyms_show_value
from kshell.linux.kernel.module.main import module_refcount
from kshell.linux.mm.shmem_fs import TOTALRAM_PAGES

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.mm.slub import kmem_cache

NSEC_PER_CLOCK_T = 10_000_000
PAGE_KB = 4
MODULE_STATES = ("Live", "Loading", "Unloading")
softirq_to_name = ("HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU")


def _kernel(m: seq_file) -> Kernel:
    return m.file._kernel


def cmdline_proc_show(m: seq_file, v: object) -> None:
    """What the boot loader gave the kernel."""
    seq_puts(m, f"{COMMAND_LINE}\n")


def proc_cmdline_init(kernel: Kernel) -> None:
    """Initcall: /proc/cmdline."""
    proc_create_single(kernel, "cmdline", 0, None, cmdline_proc_show)


def version_proc_show(m: seq_file, v: object) -> None:
    """The kernel's name, release, builder and version."""
    uts = _kernel(m).current.nsproxy.uts_ns.name
    seq_printf(m, f"{uts.sysname} version {uts.release} {LINUX_PROC_BANNER} {uts.version}\n")


def proc_cpuinfo_init(kernel: Kernel) -> None:
    """Initcall: /proc/cpuinfo."""
    proc_create_seq(kernel, "cpuinfo", 0, None, cpuinfo_op)


def proc_version_init(kernel: Kernel) -> None:
    """Initcall: /proc/version."""
    proc_create_single(kernel, "version", 0, None, version_proc_show)


def devinfo_show(f: seq_file, v: object) -> None:
    """Major numbers and their drivers; there are no disks."""
    seq_puts(f, "Character devices:\n")
    for major, name in sorted(_kernel(f).chrdevs.items()):
        seq_printf(f, f"{major:3} {name}\n")
    seq_puts(f, "\nBlock devices:\n")


def proc_devices_init(kernel: Kernel) -> None:
    """Initcall: /proc/devices."""
    proc_create_single(kernel, "devices", 0, None, devinfo_show)


def loadavg_proc_show(m: seq_file, v: object) -> None:
    """How busy the machine was (it never is), tasks that run and all tasks, the last process number."""
    kernel = _kernel(m)
    running = len(kernel.runqueue) + 1
    seq_printf(m, f"0.00 0.00 0.00 {running}/{kernel.nr_threads} {kernel.init_pid_ns.last_pid}\n")


def proc_loadavg_init(kernel: Kernel) -> None:
    """Initcall: /proc/loadavg."""
    proc_create_single(kernel, "loadavg", 0, None, loadavg_proc_show)


def show_val_kb(m: seq_file, s: str, num: int) -> None:
    """A line: a name, and pages as kB."""
    seq_printf(m, f"{s}{num * PAGE_KB:8} kB\n")


def meminfo_proc_show(m: seq_file, v: object) -> None:
    """Memory, as far as the model keeps account: slabs, and user memory as anonymous pages."""
    kernel = _kernel(m)
    slab = sum(cache._pages for cache in kernel.slab_caches)
    mms = {id(task.mm): task.mm for task in kernel.tasklist if task.mm is not None}
    anon = sum(len(vma._data) for mm in mms.values() for vma in mm._vmas) >> 12
    free = TOTALRAM_PAGES - slab - anon
    for name, pages in (
        ("MemTotal:       ", TOTALRAM_PAGES), ("MemFree:        ", free), ("MemAvailable:   ", free),
        ("Buffers:        ", 0), ("Cached:         ", 0), ("SwapCached:     ", 0), ("SwapTotal:      ", 0),
        ("SwapFree:       ", 0), ("AnonPages:      ", anon), ("Slab:           ", slab), ("SUnreclaim:     ", slab),
        ("KernelStack:    ", kernel.nr_threads * 4), ("CommitLimit:    ", TOTALRAM_PAGES // 2),
    ):  # fmt: skip
        show_val_kb(m, name, pages)


def proc_meminfo_init(kernel: Kernel) -> None:
    """Initcall: /proc/meminfo."""
    proc_create_single(kernel, "meminfo", 0, None, meminfo_proc_show)


def show_softirqs(p: seq_file, v: object) -> None:
    """How often each softirq ran."""
    seq_puts(p, f"{'':20}CPU{0:<8}\n")
    for name, count in zip(softirq_to_name, _kernel(p).softirq_counts, strict=True):
        seq_printf(p, f"{name:>12}: {count:10}\n")


def proc_softirqs_init(kernel: Kernel) -> None:
    """Initcall: /proc/softirqs."""
    proc_create_single(kernel, "softirqs", 0, None, show_softirqs)


def show_stat(p: seq_file, v: object) -> None:
    """Processor time, interrupts, switches, boot time, tasks, softirqs."""
    kernel = _kernel(p)
    idle = (kernel.clock.now - kernel.boot_ns) // NSEC_PER_CLOCK_T
    counts = kernel.softirq_counts
    seq_printf(p, f"cpu  0 0 0 {idle} 0 0 0 0 0 0\ncpu0 0 0 0 {idle} 0 0 0 0 0 0\nintr 0\n")
    seq_printf(
        p,
        f"ctxt {kernel.nr_context_switches}\nbtime {kernel.epoch_ns // NSEC_PER_SEC}\nprocesses {kernel.total_forks}\n"
        f"procs_running {len(kernel.runqueue) + 1}\nprocs_blocked 0\n"
        f"softirq {sum(counts)} {' '.join(map(str, counts))}\n",
    )


def proc_stat_init(kernel: Kernel) -> None:
    """Initcall: /proc/stat."""
    proc_create_single(kernel, "stat", 0, None, show_stat)


def uptime_proc_show(m: seq_file, v: object) -> None:
    """Seconds since boot, and seconds of idle time."""
    kernel = _kernel(m)
    seconds, rest = divmod((kernel.clock.now - kernel.boot_ns) // NSEC_PER_CLOCK_T, 100)
    seq_printf(m, f"{seconds}.{rest:02} {seconds}.{rest:02}\n")


def proc_uptime_init(kernel: Kernel) -> None:
    """Initcall: /proc/uptime."""
    proc_create_single(kernel, "uptime", 0, None, uptime_proc_show)


def _modules(m: seq_file) -> list[module]:
    return list(reversed(_kernel(m).modules.values()))


def m_start(m: seq_file, pos: list[int]) -> object:
    """The module at a position."""
    return seq_list_start(_modules(m), pos[0])


def m_next(m: seq_file, p: object, pos: list[int]) -> object:
    """The next module: the last to be loaded comes first."""
    return seq_list_next(p, _modules(m), pos)


def m_stop(m: seq_file, p: object) -> None:
    """The end of a read."""


def m_show(m: seq_file, p: object) -> None:
    """A module: name, size, users, who needs it, state, address."""
    mod = cast("module", p)
    value = mod._addr if kallsyms_show_value(_kernel(m), m.file.f_cred) else 0
    seq_printf(m, f"{mod.name} {mod._size} {module_refcount(mod)} - {MODULE_STATES[mod.state]} 0x{value:016x}\n")


modules_op = seq_operations(start=m_start, next=m_next, stop=m_stop, show=m_show)


def proc_modules_init(kernel: Kernel) -> None:
    """Initcall: /proc/modules."""
    proc_create_seq(kernel, "modules", 0, None, modules_op)


def slab_start(m: seq_file, pos: list[int]) -> object:
    """The cache at a position, or the titles."""
    return seq_list_start_head(_kernel(m).slab_caches[::-1], pos[0])


def slab_next(m: seq_file, p: object, pos: list[int]) -> object:
    """The next cache: the last to be made comes first."""
    return _seq_list_next_head(p, _kernel(m).slab_caches[::-1], pos)


def slab_stop(m: seq_file, p: object) -> None:
    """The end of a read."""


def print_slabinfo_header(m: seq_file) -> None:
    """The titles."""
    seq_puts(m, "slabinfo - version: 2.1\n")
    seq_puts(m, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>")
    seq_puts(m, " : tunables <limit> <batchcount> <sharedfactor>")
    seq_puts(m, " : slabdata <active_slabs> <num_slabs> <sharedavail>\n")


def cache_show(s: kmem_cache, m: seq_file) -> None:
    """A cache: objects in use and all, their size, how many a slab holds, slabs."""
    slabs = s._pages // s.oo
    seq_printf(
        m,
        f"{s.name:<17} {s._inuse:6} {s._total:6} {s.size:6} {s.oo * 4096 // s.size:4} {s.oo:4}"
        f" : tunables {0:4} {0:4} {0:4} : slabdata {slabs:6} {slabs:6} {0:6}\n",
    )


def slab_show(m: seq_file, p: object) -> None:
    """A line of /proc/slabinfo."""
    if p is SEQ_START_TOKEN:
        print_slabinfo_header(m)
    else:
        cache_show(cast("kmem_cache", p), m)


slabinfo_op = seq_operations(start=slab_start, next=slab_next, stop=slab_stop, show=slab_show)


def slab_proc_init(kernel: Kernel) -> None:
    """Initcall: /proc/slabinfo, for root only."""
    proc_create_seq(kernel, "slabinfo", 0o600, None, slabinfo_op)
