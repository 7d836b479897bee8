"""What help says of a struct of the user ABI: its fields as bytes, and which arguments are one."""

from __future__ import annotations

from typing import Final

from kshell.abi import structs
from kshell.abi.syscalls import signature
from kshell.session.manual import pages
from kshell.session.paragraphs import filled

STYLES: Final = {
    "sockaddr": ("sockaddr", "sockaddr_in", "sockaddr_in6", "sockaddr_un", "sockaddr_nl", "sockaddr_ll"),
    "pollfds": ("pollfd",), "iovec": ("iovec",), "msghdr": ("msghdr", "cmsghdr"), "mmsghdr": ("mmsghdr",),
    "dirents": ("linux_dirent64", "linux_dirent"), "clone_args": ("clone_args",), "fcntl": ("flock", "f_owner_ex"),
    "ioctl": ("ifreq", "ifconf", "rtentry", "arpreq"),
    "optval": ("linger", "ucred", "ip_mreq", "ip_mreqn", "tcp_info", "packet_mreq", "sock_fprog", "timeval"),
}  # fmt: skip
"""Styles of arguments that are structs, beside those that name theirs."""


def struct_text(name: str) -> str:
    """The help of a struct; "" if the user ABI has none of that name."""
    name = name.removeprefix("struct ").strip()
    if not structs.has(name):
        return ""
    layout = structs.layout(name, "x86_64")
    small = structs.layout(name, "i386").size
    size = f"{layout.size} bytes" + (f" ({small} in 32-bit programs)" if small != layout.size else "")
    lines = [f"struct {name}: {size}", "", "  offset  size  field"]
    lines += [f"  {f.offset:6}  {f.size:4}  {f.type} {f.name}" for f in layout.visible_fields()]
    takers = [f"{call}({argument})" for call, argument in _takers(name)]
    if takers:
        lines += ["", *filled("Taken by " + ", ".join(takers), indent="  ")]
    return "\n".join([*lines, "", f"Written {{{_example(layout)}}} in a call."])


def _example(layout: structs.Struct) -> str:
    fields = [f.name for f in layout.visible_fields()]
    return ", ".join(f"{name}=…" for name in fields[:3]) + (", …" if len(fields) > 3 else "")


def _takers(name: str) -> list[tuple[str, str]]:
    found = []
    for call_name in pages():
        call = signature(call_name)
        for param in call.params if call else ():
            if name in param.kind.args[:1] or name in STYLES.get(param.kind.style, ()):
                found.append((call_name, param.name))
    return found
