"""Signals and exits in strace's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import signal as abi

if TYPE_CHECKING:
    from kshell.linux.include.trace.events import SignalDeliver

_NOT_SIGNALS = frozenset({"SIGRTMIN", "SIGRTMAX", "SIGPOLL", "SIGIOT", "SIGCLD", "SIGUNUSED"})
_NAMES = {
    value: name
    for name, value in vars(abi).items()
    if name.startswith("SIG") and "_" not in name and isinstance(value, int) and name not in _NOT_SIGNALS
}
_CLD = {
    1: "CLD_EXITED",
    2: "CLD_KILLED",
    3: "CLD_DUMPED",
    4: "CLD_TRAPPED",
    5: "CLD_STOPPED",
    6: "CLD_CONTINUED",
}
_CODES = {0: "SI_USER", 0x80: "SI_KERNEL", -1: "SI_QUEUE", -2: "SI_TIMER", -6: "SI_TKILL"}
_MEANING = {"ignored": "ignored", "stop": "stops"}


def signal_name(number: int) -> str:
    """SIGPIPE for 13."""
    return _NAMES.get(number, f"SIG_{number}" if number < 32 else f"SIGRT_{number - 32}")


def signal_text(record: SignalDeliver) -> str:
    """`--- SIGCHLD {si_signo=SIGCHLD, …} ---`, and what became of it if that is not its usual way."""
    name = signal_name(record.signo)
    codes = _CLD if name == "SIGCHLD" else _CODES
    parts = [f"si_signo={name}", f"si_code={codes.get(record.code, str(record.code))}"]
    if record.code <= 0 or name == "SIGCHLD":
        parts += [f"si_pid={record.sender}", "si_uid=0"]
    if name == "SIGCHLD":
        parts.append(f"si_status={_status(record)}")
    aside = f"    (pid {record.pid} {_MEANING[record.action]} it)" if record.action == "stop" else ""
    if record.action == "ignored":
        aside = f"    (pid {record.pid} ignores it)"
    return f"--- {name} {{{', '.join(parts)}}} ---{aside}"


def _status(record: SignalDeliver) -> str:
    return str(record.status) if record.code == 1 else signal_name(record.status)


def exit_text(code: int) -> str:
    """`+++ exited with 0 +++` or `+++ killed by SIGTERM +++`; code as wait4() gives it."""
    if code & 0x7F:
        dumped = " (core dumped)" if code & 0x80 else ""
        return f"+++ killed by {signal_name(code & 0x7F)}{dumped} +++"
    return f"+++ exited with {code >> 8 & 0xFF} +++"
