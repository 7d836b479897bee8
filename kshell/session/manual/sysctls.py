"""What `help` says of the kernel's settings below /proc/sys: the value, its bounds, and whether anything follows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kshell.linux.fs.proc.proc_sysctl import _sysctl_entry, _sysctl_get, _sysctl_rows
from kshell.linux.include.linux.err import KernelError
from kshell.linux.kernel.sysctl_inert import INERT, _why_inert
from kshell.session.paragraphs import filled

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table
    from kshell.linux.init.kernel import Kernel

MOST: Final = 40
"""Names of a directory, or of settings with the same last name, that are listed."""

_UNITS: Final = {
    "ms_jiffies": "in milliseconds", "userhz_jiffies": "in hundredths of a second", "jiffies": "in seconds",
    "dostring": "a text", "bitmap": "numbers and ranges, as 1,5-7",
}  # fmt: skip


def sysctl_help(kernel: Kernel, topic: str) -> str:
    """The text on a setting (net.ipv4.ip_forward, ip_forward), or on a directory of them; "" if it is none."""
    path = _path(topic)
    rows = _rows(kernel)
    if path not in rows:
        below = [name for name in rows if name.startswith(f"{path}/")]
        if below:
            return _list(f"settings below {_dotted(path)}:", below)
        named = [name for name in rows if name.rpartition("/")[2] == topic and not topic.isdigit()]
        if len(named) != 1:
            return _list(f"settings named {topic}:", named) if named else ""
        path = named[0]
    return "\n".join(_setting(kernel, path, rows[path]))


def sysctls_text(kernel: Kernel) -> str:
    """How settings are read and changed, and those that change nothing."""
    rows = _rows(kernel)
    inert = sum(1 for path in rows if _why_inert(path))
    reasons: dict[str, list[str]] = {}
    for pattern, reason in INERT.items():
        reasons.setdefault(reason, []).append(pattern.replace("/", "."))
    lines = [
        "The kernel's settings are files below /proc/sys:",
        "",
        "  sysctl net.ipv4.ip_forward            cat /proc/sys/net/ipv4/ip_forward",
        "  sysctl -w net.ipv4.ip_forward=1       echo 1 > /proc/sys/net/ipv4/ip_forward",
        "",
        f"There are {len(rows)}. The kernel follows {len(rows) - inert} of them; the others can be read and changed, but",
        "nothing comes of it here. help net.ipv4.ip_forward tells of one, help net.ipv4 lists them.",
        "",
        "What changes nothing, and why:",
        "",
    ]
    for reason, patterns in reasons.items():
        lines += filled(f"{reason}: {', '.join(patterns)}", "  ", "      ")
    return "\n".join(lines)


def sysctl_names(kernel: Kernel) -> list[str]:
    """Names of all settings, as sysctl writes them."""
    return [_dotted(path) for path in _rows(kernel)]


def sysctl_paths(kernel: Kernel) -> list[str]:
    """Paths of all settings below /proc/sys."""
    return list(_rows(kernel))


def _rows(kernel: Kernel) -> dict[str, ctl_table]:
    trees = (kernel.sysctl_table_root.default_set, kernel.init_net.sysctls)
    return dict(row for tree in trees for row in _sysctl_rows(tree))


def _path(topic: str) -> str:
    """The path below /proc/sys. As for sysctl, the first separator tells whether dots or slashes separate."""
    name = topic.removeprefix("/proc/sys/").rstrip("/")
    dot, slash = name.find("."), name.find("/")
    return name.replace(".", "/") if dot >= 0 and (slash < 0 or dot < slash) else name


def _dotted(path: str) -> str:
    return path if "." in path else path.replace("/", ".")


def _list(head: str, names: list[str]) -> str:
    listed = sorted(names)[:MOST]
    more = [f"  … {len(names) - MOST} more"] if len(names) > MOST else []
    return "\n".join([head, "", *(_line(name) for name in listed), *more])


def _line(path: str) -> str:
    return f"  {_dotted(path)}{'   (changes nothing here)' if _why_inert(path) else ''}"


def _setting(kernel: Kernel, path: str, row: ctl_table) -> Iterable[str]:
    name = _dotted(path)
    yield f"{name}   a setting of the kernel, /proc/sys/{path}"
    yield ""
    yield f"  now {_value(kernel, path, row)}   mode {row.mode:04o}{_bounds(_sysctl_entry(kernel, path))}"
    reason = _why_inert(path)
    if reason:
        yield f"  It can be read and changed, but nothing follows it: {reason}."
    elif row.mode & 0o222:
        yield "  The kernel follows it."
    if row.mode & 0o222:
        yield ""
        yield f"  sysctl -w {name}=VALUE"


def _value(kernel: Kernel, path: str, row: ctl_table) -> str:
    if not row.mode & 0o444:
        return "(cannot be read)"
    try:
        return " ".join(_sysctl_get(kernel, path).split()) or '""'
    except KernelError:
        return "(not set)"


def _bounds(row: ctl_table) -> str:
    """What may be written, as far as the table tells."""
    handler = row.proc_handler.__name__ if row.proc_handler is not None else ""
    unit = next((f"   {text}" for word, text in _UNITS.items() if word in handler), "")
    least, most = (extra if isinstance(extra, int) else None for extra in (row.extra1, row.extra2))
    if "minmax" not in handler or (least is None and most is None):
        return unit
    ends = [f"from {least}" if least is not None else "", f"to {most}" if most is not None else ""]
    return f"{unit}   {' '.join(end for end in ends if end)}"
