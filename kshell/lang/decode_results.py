"""Results that strace explains in parentheses: a table from call to function."""

from collections.abc import Callable
from typing import Final

from kshell.abi import names
from kshell.lang import text
from kshell.lang.decode_entry import fdset_bits, pollfds
from kshell.lang.decode_scalars import Entered


def _fcntl_result(entered: Entered, result: int) -> str:
    command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
    if command == "F_GETFL":
        return f"{result:#x} (flags {text.open_flags(result)})"
    if command == "F_GETFD" and result:
        return f"{result:#x} (flags {names.flags('fd').text(result)})"
    if command == "F_GETSIG" and result:
        return f"{result} ({names.signal_name(result)})"
    if command == "F_GET_SEALS" and result:
        return f"{result:#x} (seals {names.flags('seal').text(result)})"
    return str(result)


def _left(entered: Entered, name: str, struct_name: str) -> str:
    """``left {…}``: what remains of a timeout that the call was given."""
    value = entered.args.get(name, 0)
    return f"left {entered.shower.struct_at(struct_name, value)}" if value else ""


def _poll_result(entered: Entered, result: int) -> str:
    if not result:
        return "0 (Timeout)"
    fds = [(fd, revents) for fd, _, revents in pollfds(entered, entered.args["ufds"]) if revents]
    shown = ", ".join(f"{{fd={fd}, revents={names.flags('poll').text(revents)}}}" for fd, revents in fds)
    left = _left(entered, "tsp", "timespec") if "tsp" in entered.args else ""
    return f"{result} ([{shown}]{', ' + left if left else ''})"


def _select_result(entered: Entered, result: int) -> str:
    timeout = ("tsp", "timespec") if "tsp" in entered.args else ("tvp", "timeval")
    if not result:
        return "0 (Timeout)"
    parts = []
    for label, name in (("in", "inp"), ("out", "outp"), ("except", "exp")):
        bits = fdset_bits(entered, entered.args[name])
        if bits:
            parts.append(f"{label} {text.descriptor_set(bits, entered.number('n'))}")
    left = _left(entered, *timeout)
    return f"{result} ({', '.join(parts + ([left] if left else []))})"


RESULTS: Final[dict[str, Callable[[Entered, int], str]]] = {
    "fcntl": _fcntl_result,
    "poll": _poll_result,
    "ppoll": _poll_result,
    "select": _select_result,
    "_newselect": _select_result,
    "pselect6": _select_result,
    "umask": lambda entered, result: text.octal(result),
}
