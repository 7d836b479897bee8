"""What the files below /proc/sys do: text to value and back (kernel/sysctl.c).

A handler is called as handler(table, write, buffer, lenp, ppos): `buffer` holds the text written, or takes the text
read; lenp and ppos are boxes of one number, the bytes asked for and done, and the place in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EINVAL, EPERM, ERANGE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ, USER_HZ, jiffies_to_msecs, msecs_to_jiffies
from kshell.linux.include.linux.limits import INT_MAX
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.sysctl import Box, Pointer, ctl_table, data_local
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.printk import pr_warn
from kshell.linux.kernel.sysctl_text import proc_get_long, proc_put_char, proc_put_long, proc_skip_spaces

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

Conv = Callable[[int, int, object], int]
"""value, write, data: the number as written made into the value (EINVAL), or the value made into the number to show."""

UINT_MAX = 0xFFFFFFFF
TAINT_FLAGS_COUNT = 19
SYSCTL_WRITES_STRICT = 1
SYSCTL_WRITES_WARN = 0


def warn_sysctl_write(kernel: Kernel, table: ctl_table) -> None:
    """Somebody writes a number at another place than the beginning."""
    pr_warn(kernel, f"{kernel.current.comm} wrote to {table.procname} when file position was not 0!")


def proc_first_pos_non_zero_ignore(ppos: Box, table: ctl_table) -> bool:
    """Whether a write is ignored because it does not begin at the beginning (kernel.sysctl_writes_strict)."""
    if not ppos[0]:
        return False
    mode = table._kernel.sysctl_writes_strict
    if mode == SYSCTL_WRITES_WARN:
        warn_sysctl_write(table._kernel, table)
    return mode == SYSCTL_WRITES_STRICT


def _nothing_to_do(table: ctl_table, write: int, lenp: Box, ppos: Box) -> bool:
    if table.data is not None and table.maxlen and lenp[0] and (write or not ppos[0]):
        return False
    lenp[0] = 0
    return True


def _proc_do_string(data: Pointer, table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    text = str(data.get()).encode("latin-1")
    if not write:
        left = (text + b"\n")[ppos[0] : ppos[0] + lenp[0]]
        buffer += left
        lenp[0] = len(left)
        ppos[0] += lenp[0]
        return
    begin = ppos[0] if table._kernel.sysctl_writes_strict == SYSCTL_WRITES_STRICT else 0
    if begin > min(len(text), table.maxlen - 1):
        return
    ppos[0] += lenp[0]
    line = bytes(buffer).partition(b"\0")[0].partition(b"\n")[0]
    data.set((text[:begin] + line)[: table.maxlen - 1].decode("latin-1"))


def proc_dostring(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A string of at most maxlen - 1 bytes."""
    if write:
        proc_first_pos_non_zero_ignore(ppos, table)
    if table.data is None or not table.maxlen or not lenp[0]:
        lenp[0] = 0
        return
    _proc_do_string(cast(Pointer, table.data), table, write, buffer, lenp, ppos)


def do_proc_dointvec_conv(value: int, write: int, data: object) -> int:
    """int."""
    if write and not -INT_MAX - 1 <= value <= INT_MAX:
        raise KernelError(EINVAL)
    return value


def do_proc_douintvec_conv(value: int, write: int, data: object) -> int:
    """unsigned int."""
    if write and value > UINT_MAX:
        raise KernelError(EINVAL)
    return value


def _numbers(data: Pointer) -> list[int]:
    value = data.get()
    return list(value) if isinstance(value, list) else [int(cast(int, value))]


def _store(data: Pointer, values: list[int]) -> None:
    data.set(values if isinstance(data.get(), list) else values[0])


def __do_proc_dointvec(
    tbl_data: Pointer | None, table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box,
    conv: Conv | None, data: object, size: int = 4,
) -> None:  # fmt: skip
    if tbl_data is None or _nothing_to_do(table, write, lenp, ppos):
        lenp[0] = 0
        return
    conv = conv or do_proc_dointvec_conv
    values = _numbers(tbl_data)[: table.maxlen // size]
    if write:
        if not proc_first_pos_non_zero_ignore(ppos, table):
            _write_numbers(tbl_data, values, buffer, lenp, conv, data)
    else:
        _show_numbers(values, buffer, lenp, conv, data)
    ppos[0] += lenp[0]


def _show_numbers(values: list[int], buffer: bytearray, lenp: Box, conv: Conv, data: object) -> None:
    left = [lenp[0]]
    for at, value in enumerate(values):
        shown = conv(value, 0, data)
        if at:
            proc_put_char(buffer, left, "\t")
        proc_put_long(buffer, left, abs(shown), shown < 0)
    proc_put_char(buffer, left, "\n")
    lenp[0] -= left[0]


def _write_numbers(
    tbl_data: Pointer, values: list[int], buffer: bytearray, lenp: Box, conv: Conv, data: object
) -> None:
    """Numbers before a bad one are stored; EINVAL only when the first is bad. lenp: bytes understood."""
    text = bytearray(buffer[: min(lenp[0], PAGE_SIZE - 1)])
    left = [len(text)]
    done = 0
    error: KernelError | None = None
    while left[0] and done < len(values):
        proc_skip_spaces(text, left)
        if not left[0]:
            break
        try:
            values[done] = conv(proc_get_long(text, left, b" \t\n"), 1, data)
        except KernelError as bad:
            error = bad
            break
        done += 1
    if done:
        _store(tbl_data, values)
    if error is None and left[0]:
        proc_skip_spaces(text, left)
    if error is not None or not done:
        raise error or KernelError(EINVAL)
    lenp[0] -= left[0]


def do_proc_dointvec(
    table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box, conv: Conv | None, data: object
) -> None:
    """Numbers of type int; conv makes text's number from the value and back."""
    __do_proc_dointvec(cast(Pointer, table.data), table, write, buffer, lenp, ppos, conv, data)


def proc_dointvec(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Numbers of type int."""
    do_proc_dointvec(table, write, buffer, lenp, ppos, None, None)


def _bound(value: object) -> int | None:
    if value is None or isinstance(value, int):
        return value
    return int(cast(int, cast(Pointer, value).get()))


def _limits(table: ctl_table) -> tuple[int | None, int | None]:
    return _bound(table.extra1), _bound(table.extra2)


def _check(value: int, data: object, errno: int) -> None:
    least, most = cast("tuple[int | None, int | None]", data)
    if (least is not None and value < least) or (most is not None and value > most):
        raise KernelError(errno)


def do_proc_dointvec_minmax_conv(value: int, write: int, data: object) -> int:
    """int between two bounds."""
    value = do_proc_dointvec_conv(value, write, data)
    if write:
        _check(value, data, EINVAL)
    return value


def proc_dointvec_minmax(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Numbers of type int, each from extra1 to extra2."""
    do_proc_dointvec(table, write, buffer, lenp, ppos, do_proc_dointvec_minmax_conv, _limits(table))


def do_proc_douintvec(
    table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box, conv: Conv, data: object
) -> None:
    """One number of type unsigned int. Every mistake is EINVAL, and so are several numbers."""
    if _nothing_to_do(table, write, lenp, ppos):
        return
    target = cast(Pointer, table.data)
    if not write:
        _show_numbers(_numbers(target)[:1], buffer, lenp, conv, data)
        ppos[0] += lenp[0]
    elif proc_first_pos_non_zero_ignore(ppos, table):
        ppos[0] += lenp[0]
    else:
        do_proc_douintvec_w(target, buffer, lenp, conv, data)


def do_proc_douintvec_w(target: Pointer, buffer: bytearray, lenp: Box, conv: Conv, data: object) -> None:
    """Take the number that is written. EINVAL."""
    text = bytearray(buffer[: min(lenp[0], PAGE_SIZE - 1)])
    left = [len(text)]
    proc_skip_spaces(text, left)
    number = proc_get_long(text, left, b" \t\n") if left[0] else -1
    if number < 0:
        raise KernelError(EINVAL)
    try:
        target.set(conv(number, 1, data))
    except KernelError:
        raise KernelError(EINVAL) from None


def proc_douintvec(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A number of type unsigned int."""
    do_proc_douintvec(table, write, buffer, lenp, ppos, do_proc_douintvec_conv, None)


def do_proc_douintvec_minmax_conv(value: int, write: int, data: object) -> int:
    """unsigned int between two bounds. ERANGE."""
    value = do_proc_douintvec_conv(value, write, data)
    if write:
        _check(value, data, ERANGE)
    return value


def proc_douintvec_minmax(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A number of type unsigned int from extra1 to extra2."""
    do_proc_douintvec(table, write, buffer, lenp, ppos, do_proc_douintvec_minmax_conv, _limits(table))


def proc_dou8vec_minmax(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A number of type u8 from extra1 to extra2."""
    least, most = _limits(table)
    limits = (0 if least is None else least, 255 if most is None else most)
    do_proc_douintvec(table, write, buffer, lenp, ppos, do_proc_douintvec_minmax_conv, limits)


def _unsigned_conv(value: int, write: int, data: object) -> int:
    if write:
        if value < 0:
            raise KernelError(EINVAL)
        _check(value, data, EINVAL)
    return value


def proc_doulongvec_minmax(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Numbers of type unsigned long, each from extra1 to extra2."""
    do_proc_doulongvec_minmax(table, write, buffer, lenp, ppos, _unsigned_conv, _limits(table))


def do_proc_doulongvec_minmax(
    table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box, conv: Conv, data: object
) -> None:
    """Numbers of type unsigned long."""
    __do_proc_dointvec(cast(Pointer, table.data), table, write, buffer, lenp, ppos, conv, data, 8)


def _toward_zero(value: int, divisor: int) -> int:
    return value // divisor if value >= 0 else -(-value // divisor)


def do_proc_dointvec_jiffies_conv(value: int, write: int, data: object) -> int:
    """Seconds in the text, jiffies in the kernel."""
    if not write:
        return _toward_zero(value, HZ)
    if abs(value) > INT_MAX // HZ:
        raise KernelError(EINVAL)
    return value * HZ


def proc_dointvec_jiffies(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Seconds in the text, jiffies in the kernel."""
    do_proc_dointvec(table, write, buffer, lenp, ppos, do_proc_dointvec_jiffies_conv, None)


def do_proc_dointvec_userhz_jiffies_conv(value: int, write: int, data: object) -> int:
    """Hundredths of a second in the text, jiffies in the kernel."""
    return value * HZ // USER_HZ if write else _toward_zero(value * USER_HZ, HZ)


def proc_dointvec_userhz_jiffies(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Hundredths of a second in the text, jiffies in the kernel."""
    do_proc_dointvec(table, write, buffer, lenp, ppos, do_proc_dointvec_userhz_jiffies_conv, None)


def do_proc_dointvec_ms_jiffies_conv(value: int, write: int, data: object) -> int:
    """Milliseconds in the text, jiffies in the kernel."""
    if not write:
        return jiffies_to_msecs(value)
    jiffies = msecs_to_jiffies(value & UINT_MAX)
    if jiffies > INT_MAX:
        raise KernelError(EINVAL)
    return jiffies


def proc_dointvec_ms_jiffies(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Milliseconds in the text, jiffies in the kernel."""
    do_proc_dointvec(table, write, buffer, lenp, ppos, do_proc_dointvec_ms_jiffies_conv, None)


def do_proc_dointvec_ms_jiffies_minmax_conv(value: int, write: int, data: object) -> int:
    """Milliseconds in the text; bounds in jiffies."""
    value = do_proc_dointvec_ms_jiffies_conv(value, write, data)
    if write:
        _check(value, data, EINVAL)
    return value


def proc_dointvec_ms_jiffies_minmax(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Milliseconds in the text, jiffies from extra1 to extra2 in the kernel."""
    do_proc_dointvec(table, write, buffer, lenp, ppos, do_proc_dointvec_ms_jiffies_minmax_conv, _limits(table))


def proc_taint(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The taint flags; writing can only add some. EPERM."""
    kernel = table._kernel
    if write and not capable(kernel.current, CAP_SYS_ADMIN):
        raise KernelError(EPERM)
    now = data_local(kernel.tainted_mask)
    _with_data(proc_doulongvec_minmax, table, now, write, buffer, lenp, ppos)
    if write:
        kernel.tainted_mask |= int(cast(int, now.value)) & ((1 << TAINT_FLAGS_COUNT) - 1)


def _with_data(
    handler: Callable[[ctl_table, int, bytearray, Box, Box], None], table: ctl_table, data: Pointer,
    write: int, buffer: bytearray, lenp: Box, ppos: Box, maxlen: int = 0,
) -> None:  # fmt: skip
    """Call a handler with `struct ctl_table tmp = *table; tmp.data = data`."""
    tmp = ctl_table(table.procname, data, maxlen or table.maxlen, table.mode, handler, table.extra1, table.extra2)
    tmp._kernel = table._kernel
    handler(tmp, write, buffer, lenp, ppos)
