"""/proc/cpuinfo: the one processor that the model has, as QEMU describes its default one (arch/x86/kernel/cpu/proc.c)."""

from __future__ import annotations

from typing import Final

from kshell.linux.fs.seq_file import seq_printf, seq_puts
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.seq_file import seq_file, seq_operations


class cpuinfo_x86:
    """What is known of a processor; the flags are those that a program without vector units of its own meets."""

    cpu_index = 0
    x86_vendor_id = "AuthenticAMD"
    x86, x86_model, x86_stepping = 15, 107, 1
    x86_model_id = "QEMU Virtual CPU version 2.5+"
    cpuid_level = 13
    tsc_khz = 2_596_122
    loops_per_jiffy = 10_384_488
    x86_cache_size = 512
    x86_clflush_size = x86_cache_alignment = 64
    x86_phys_bits, x86_virt_bits = 40, 48
    x86_capability = (
        "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pse36 clflush mmx fxsr sse sse2 syscall nx lm nopl cpuid "
        "pni cx16 hypervisor lahf_lm"
    )


_BOOT_CPU_DATA: Final = cpuinfo_x86()


def show_cpuinfo_core(m: seq_file, c: cpuinfo_x86) -> None:
    """Which package and core it is, of how many."""
    seq_printf(
        m, "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: 0\ninitial apicid\t: 0\n"
    )


def show_cpuinfo_misc(m: seq_file, c: cpuinfo_x86) -> None:
    """What every x86-64 processor has."""
    seq_printf(m, f"fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: {c.cpuid_level}\nwp\t\t: yes\n")


def show_cpuinfo(m: seq_file, v: object) -> None:
    """A processor."""
    assert isinstance(v, cpuinfo_x86)
    c = v
    seq_printf(
        m,
        f"processor\t: {c.cpu_index}\nvendor_id\t: {c.x86_vendor_id}\ncpu family\t: {c.x86}\nmodel\t\t: {c.x86_model}\n"
        f"model name\t: {c.x86_model_id}\nstepping\t: {c.x86_stepping}\n"
        f"cpu MHz\t\t: {c.tsc_khz // 1000}.{c.tsc_khz % 1000:03}\ncache size\t: {c.x86_cache_size} KB\n",
    )
    show_cpuinfo_core(m, c)
    show_cpuinfo_misc(m, c)
    seq_printf(m, f"flags\t\t: {c.x86_capability}\nbugs\t\t:\n")
    seq_printf(m, f"bogomips\t: {c.loops_per_jiffy // (500_000 // HZ)}.{c.loops_per_jiffy // (5000 // HZ) % 100:02}\n")
    seq_printf(m, f"clflush size\t: {c.x86_clflush_size}\ncache_alignment\t: {c.x86_cache_alignment}\n")
    seq_printf(m, f"address sizes\t: {c.x86_phys_bits} bits physical, {c.x86_virt_bits} bits virtual\n")
    seq_puts(m, "power management:\n\n")


def c_start(m: seq_file, pos: list[int]) -> object:
    """The processor at a position: there is one."""
    return _BOOT_CPU_DATA if not pos[0] else None


def c_next(m: seq_file, v: object, pos: list[int]) -> object:
    """No other."""
    pos[0] += 1
    return c_start(m, pos)


def c_stop(m: seq_file, v: object) -> None:
    """The end of a read."""


cpuinfo_op = seq_operations(start=c_start, next=c_next, stop=c_stop, show=show_cpuinfo)
