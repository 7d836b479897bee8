"""What pointers point to when a call has returned: a table from style to function."""

from typing import Final

from kshell.abi import names, structs
from kshell.abi.syscalls import Param
from kshell.lang import text
from kshell.lang.decode_entry import (
    array,
    ioctl_type,
    ioctl_value,
    iovec,
    mmsghdr,
    msghdr,
    offset,
    optval,
    sigset,
    socklen,
)
from kshell.lang.decode_scalars import CLONE_NAMES, CLONE_NEEDS, Entered, ShowAfter
from kshell.lang.option_types import FCNTL_TYPES


def _failed(result: int | None) -> bool:
    return result is None or result < 0


def _bytes_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        return text.address(value)
    name = entered.syscall.name
    if name == "getcwd":
        return entered.shower.path(value)
    length = result
    if name in ("recv", "recvfrom"):  # MSG_TRUNC: longer than the buffer
        length = min(result, entered.number("size"))
        return entered.shower.payload(value, length)
    return entered.shower.buffer(value, length)


def _struct_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if param.kind.direction == "inout":
        return entered.before[param.name]
    return text.address(value) if _failed(result) else entered.shower.struct_at(param.kind.args[0], value)


def _remaining_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    """What is left of a sleep: written only when it was interrupted."""
    interrupted = result is not None and -result in (4, 516)
    return entered.shower.struct_at(param.kind.args[0], value) if interrupted else text.address(value)


def _array_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        return text.address(value)
    count = result if param.kind.args[1] == "return" else entered.number(param.kind.args[1])
    return array(entered, param.kind.args[0], value, count)


def _before(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return entered.before.get(param.name, text.address(value))


def _sockaddr_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if _failed(result):
        return text.address(value)
    length = entered.number(param.kind.args[0])
    room = entered.before.get(param.kind.args[0], "").strip("[]")
    most = int(room) if room.lstrip("-").isdigit() else length
    return entered.shower.sockaddr_at(value, min(length, most))


def _socklen_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    before, after = entered.before.get(param.name, ""), socklen(entered, param, value)
    if before == after or not before or _failed(result):
        return before or after
    return f"[{before.strip('[]')} => {after.strip('[]')}]"


def _iovec_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        return _iovec_addresses(entered, value, entered.number(param.kind.args[0]))
    return iovec(entered, value, entered.number(param.kind.args[0]), result)


def _iovec_addresses(entered: Entered, value: int, count: int) -> str:
    layout = structs.layout("iovec", entered.shower.arch)
    data = entered.shower.bytes_at(value, layout.size * count) if 0 <= count <= 1024 else None
    if data is None:
        return text.address(value)
    entries = (layout.numbers(data[i * layout.size :]) for i in range(count))
    shown = [f"{{iov_base={text.address(e['iov_base'])}, iov_len={e['iov_len']}}}" for e in entries]
    return f"[{', '.join(shown)}]"


def _msghdr_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    before = entered.before.get(param.name, "")
    if result is None or result < 0:
        return f"{{msg_namelen={before}}}" if before else text.address(value)
    return msghdr(entered, value, result, before)


def _mmsghdr_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if result is None or result < 0 else mmsghdr(entered, value, result, True)


def _optval_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if _failed(result):
        return text.address(value)
    return optval(entered, param, value)


def _wstatus_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    words = entered.shower.words_at(value, 1, 4) if result is not None and result > 0 else None
    return text.address(value) if words is None else text.wait_status(words[0])


def _fdpair_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if _failed(result) else entered.shower.ints(value, 2)


def _sigset_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if _failed(result) else sigset(entered, param, value)


def _offset_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    before, after = entered.before.get(param.name, ""), offset(entered, param, value)
    return before if before == after or _failed(result) else f"{before} => {after}"


def _ints_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        shown = text.address(value)
    else:
        count = result if param.kind.args[0] == "return" else entered.number(param.kind.args[0])
        shown = entered.shower.ints(value, max(0, min(count, 65536)), signed=False)
    if entered.syscall.name == "clone":
        return f"{CLONE_NAMES[param.name]}={shown}"
    return shown


def _longs_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if _failed(result) else entered.shower.ints(value, 1, 8)


def _dirents_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    """``0x… /* 5 entries */``"""
    if result is None or result < 0:
        return text.address(value)
    data = entered.shower.bytes_at(value, result) or b""
    position, count = 0, 0
    while position + 18 <= len(data):
        count += 1
        position += max(1, int.from_bytes(data[position + 16 : position + 18], "little"))
    return f"{text.address(value)} /* {count} entr{'y' if count == 1 else 'ies'} */"


def _ioctl_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    direction, kind = ioctl_type(entered)
    before = entered.before.get(param.name, text.address(value))
    if direction not in ("out", "inout"):
        return before
    if _failed(result):
        return before if direction == "inout" else text.address(value)
    return ioctl_value(entered, kind, value, complete=True)


def _fcntl_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
    direction, _, what = FCNTL_TYPES.get(command or "", "").partition(":")
    if direction in ("out", "inout") and not _failed(result):
        return entered.shower.struct_at(what, value)
    return entered.before.get(param.name, text.address(value))


def _clone_args_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return entered.before[param.name]


#: style → text of what is pointed to when the call has returned
EXIT: Final[dict[str, ShowAfter]] = {
    "bytes": _bytes_out,
    "struct": _struct_out,
    "remaining": _remaining_out,
    "array": _array_out,
    "pollfds": _before,
    "fdset": _before,
    "sockaddr": _sockaddr_out,
    "socklen": _socklen_out,
    "iovec": _iovec_out,
    "msghdr": _msghdr_out,
    "mmsghdr": _mmsghdr_out,
    "optval": _optval_out,
    "wstatus": _wstatus_out,
    "fdpair": _fdpair_out,
    "sigset": _sigset_out,
    "offset": _offset_out,
    "ints": _ints_out,
    "longs": _longs_out,
    "dirents": _dirents_out,
    "ioctl": _ioctl_out,
    "fcntl": _fcntl_out,
    "clone_args": _clone_args_out,
}


def takes_no_argument(entered: Entered, param: Param) -> bool:
    """Whether this ioctl or fcntl command has no third argument, or clone()'s flags make this one mean nothing."""
    if entered.syscall.name == "clone":
        return not entered.args.get("clone_flags", 0) & CLONE_NEEDS.get(param.name, -1)
    if param.kind.style == "ioctl":
        return ioctl_type(entered)[0] == "none"
    if param.kind.style == "fcntl":
        command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
        return command is not None and FCNTL_TYPES.get(command) == ""
    return False
