"""What an argument of a system call may be: by the kind of the parameter, and by the arguments before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kshell.abi import signal, structs
from kshell.abi.names import enumeration, flags
from kshell.abi.syscalls import BY_NAME, Param

if TYPE_CHECKING:
    from kshell.shell.completion import Pairs, State
    from kshell.shell.places import Place

ADDRESSES = {
    "AF_INET": '{AF_INET, 8080, "127.0.0.1"}',
    "AF_UNIX": '{AF_UNIX, "/tmp/socket"}',
    "AF_INET6": '{AF_INET6, 8080, "::1"}',
    "AF_NETLINK": "{AF_NETLINK, 0, 0}",
    "AF_PACKET": '{sa_family=AF_PACKET, sll_protocol=htons(ETH_P_ALL), sll_ifindex=if_nametoindex("lo")}',
}
SIZES = {"AF_INET": "16", "AF_INET6": "28", "AF_UNIX": "110", "AF_NETLINK": "12", "AF_PACKET": "20"}
ADDRESS_FIELDS = {
    "AF_INET": ("sin_family", "sin_port", "sin_addr"),
    "AF_UNIX": ("sun_family", "sun_path"),
    "AF_INET6": ("sin6_family", "sin6_port", "sin6_addr", "sin6_scope_id"),
    "AF_NETLINK": ("nl_family", "nl_pid", "nl_groups"),
    "AF_PACKET": ("sll_family", "sll_protocol", "sll_ifindex"),
}
VALUES = {
    "sin_port": (("htons(80)", "a port, in network order"),),
    "sin6_port": (("htons(80)", "a port, in network order"),),
    "sin_addr": (('"127.0.0.1"', "loopback"), ('"0.0.0.0"', "any address"), ("INADDR_ANY", "any address")),
    "sin6_addr": (('"::1"', "loopback"), ('"::"', "any address")),
    "sun_path": (('"/tmp/socket"', "a path"), ('@"name"', "an abstract name")),
}
LEVELS = {"SOL_SOCKET": "opt_socket", "SOL_IP": "opt_ip", "IPPROTO_IP": "opt_ip", "SOL_TCP": "opt_tcp",
          "IPPROTO_TCP": "opt_tcp", "SOL_UDP": "opt_udp", "IPPROTO_UDP": "opt_udp", "SOL_IPV6": "opt_ipv6",
          "IPPROTO_IPV6": "opt_ipv6", "SOL_RAW": "opt_raw", "SOL_PACKET": "opt_packet",
          "SOL_NETLINK": "opt_netlink"}  # fmt: skip
OPTION_VALUES = {"SO_LINGER": "{l_onoff=1, l_linger=0}", "SO_RCVTIMEO": "{tv_sec=1, tv_usec=0}",
                 "SO_SNDTIMEO": "{tv_sec=1, tv_usec=0}", "SO_BINDTODEVICE": '"lo"',
                 "TCP_CONGESTION": '"reno"'}  # fmt: skip
TEMPLATES = {
    "socklen": (("[16]", "room for an AF_INET address"), ("[110]", "room for an AF_UNIX address"), ("NULL", "")),
    "fdpair": (("[3, 4]", "the numbers that come back are checked"), ("...", "a buffer of kshell's own")),
    "octal": (("0644", "rw-r--r--"), ("0600", "rw-------"), ("0755", "rwxr-xr-x")),
    "open_mode": (("0644", "rw-r--r--"), ("0600", "rw-------"), ("0755", "rwxr-xr-x")),
    "file_mode": (("S_IFIFO|0644", "a fifo"), ("S_IFREG|0644", "a file"), ("S_IFSOCK|0644", "a socket")),
    "pollfds": (("[{fd=3, events=POLLIN}]", "descriptors and what is waited for"),),
    "sigset": (("[]", "no signal"), ("[SIGINT]", "a set of signals"), ("NULL", "")),
    "msghdr": (('{msg_iov=[{"hi", 2}]}', "bytes alone"), ("{msg_iov=[{..., 64}]}", "room for 64 bytes")),
    "mmsghdr": (('[{msg_hdr={msg_iov=[{"hi", 2}]}}]', "one message"),),
    "strings": (('["name"]', "the program's arguments"), ("[]", "none"), ("NULL", "")),
    "environment": (("[]", "none"), ("NULL", "")),
    "wstatus": (("...", "how the child ended comes back"), ("NULL", "not wanted")),
    "remaining": (("NULL", "not wanted"), ("...", "the time that was left comes back")),
    "offset": (("NULL", "the file's own position"), ("[0]", "from here, moved on")),
    "optlen": (("[4]", "room for an int"),),
    "dirents": (("...", "a buffer of kshell's own"),),
    "fdset": (("[3]", "a set of descriptors"), ("NULL", "none")),
    "pointer": (("NULL", ""),),
    "device": (("makedev(1, 3)", "/dev/null"),),
    "array": (("...", "a buffer of kshell's own"),),
    "ints": (("...", "a buffer of kshell's own"), ("NULL", "")),
    "longs": (("...", "a buffer of kshell's own"), ("NULL", "")),
    "clone_args": (("{flags=0, exit_signal=SIGCHLD}", "as fork()"),),
    "id": (("0", "root"), ("1000", "a user"), ("-1", "as it is")),
}
SIGNALS = tuple(name for name in vars(signal) if re.fullmatch(r"SIG[A-Z0-9]+", name)
                and name not in ("SIGRTMIN", "SIGRTMAX", "SIGUNUSED", "SIGIOT", "SIGPOLL", "SIGCLD"))  # fmt: skip
TIMES = {"timespec": "{tv_sec=1, tv_nsec=0}", "timeval": "{tv_sec=1, tv_usec=0}"}
FCNTL = {"F_SETFL": ("O_NONBLOCK", "O_APPEND", "O_ASYNC"), "F_SETFD": ("FD_CLOEXEC", "0"),
         "F_DUPFD": ("10",), "F_SETPIPE_SZ": ("4096", "65536")}  # fmt: skip


def candidates(place: Place, state: State) -> Pairs:
    """Candidates for the argument at the cursor, the likeliest first."""
    params = BY_NAME[place.call].params
    if place.number >= len(params):
        return ()
    param = params[place.number]
    if place.nested:
        return [*_inside(place, param, state), *state.variables()]
    maker = _MAKERS.get(param.kind.style, _plain)
    return maker(place, param, state)


# ---- inside the brackets of an argument


def _inside(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    style = param.kind.style
    if style == "sockaddr":
        yield from _in_address(place, state)
    elif style in ("sigset", "sigset_argpack"):
        yield from ((name, "signal") for name in SIGNALS)
    elif style == "fdset" or place.field == "fd":
        yield from state.descriptors()
    elif place.field == "events":
        yield from _or_ed(place, "poll" if style == "pollfds" else "epoll", "event")
    elif not place.field:
        yield from _field_names(_struct_of(place, param))


def _in_address(place: Place, state: State) -> Iterator[tuple[str, str]]:
    found = re.search(r"AF_\w+", place.argument)
    family = found[0] if found else ""
    fields = ADDRESS_FIELDS.get(family, ())
    field = place.field or (fields[place.position] if place.position < len(fields) else "")
    if field in VALUES:
        yield from VALUES[field]
    elif place.field.endswith("family") or (not place.position and not place.field):
        yield from state.families()
        yield from _of_enumeration("af", "no family of this kernel")
    if not place.field:
        given = place.argument
        yield from ((f"{name}=", "field") for name in fields[1:] if f"{name}=" not in given and "=" in given)


def _struct_of(place: Place, param: Param) -> str:
    style, args = param.kind.style, param.kind.args
    if place.brackets.endswith("[{") and style in ("msghdr", "mmsghdr", "iovec"):
        return "mmsghdr" if place.brackets == "[{" and style == "mmsghdr" else "iovec"
    fixed = {"msghdr": "msghdr", "mmsghdr": "msghdr", "pollfds": "pollfd", "clone_args": "clone_args"}
    return fixed.get(style) or (args[0] if args and structs.has(args[0]) else "")


def _field_names(struct: str) -> Iterator[tuple[str, str]]:
    if struct:
        yield from ((f"{field.name}=", f"struct {struct}") for field in structs.layout(struct).fields)


# ---- by kind


def _plain(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    style = param.kind.style
    yield from TEMPLATES.get(style, ())
    if param.name in ("addrlen", "addr_len"):
        yield from _address_size(place, state)
    elif param.name in ("count", "len", "size"):
        yield from _size(place)
    elif param.name in ("pid", "upid"):
        yield from state.pids()
    elif param.name == "backlog":
        yield from (("5", "connections that may wait"), ("128", "net.core.somaxconn is 4096"))
    elif param.name in ("timeout", "timeout_msecs") and style == "int":
        yield from (("-1", "for ever"), ("0", "do not wait"), ("1000", "a second"))
    elif param.name == "optlen":
        yield "4", "an int"
    yield from state.variables()


def _address_size(place: Place, state: State) -> Iterator[tuple[str, str]]:
    given = place.before[place.number - 1] if place.number else ""
    found = re.search(r"AF_\w+", given)
    family = found[0] if found else state.family_of(place.before[0]) if place.before else ""
    if family in SIZES:
        yield SIZES[family], f"sizeof(struct sockaddr) of {family}"


def _size(place: Place) -> Iterator[tuple[str, str]]:
    """The length of the string before it."""
    given = place.before[-1] if place.before else ""
    if re.fullmatch(r'"(?:[^"\\]|\\.)*"', given):
        text = re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", ".", given[1:-1])
        yield str(len(text.encode())), f"the length of {given}"
    else:
        yield from (("64", "bytes"), ("4096", "bytes"))


def _descriptor(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    if param.kind.style == "dirfd":
        yield "AT_FDCWD", "the working directory"
    opened = dict(state.descriptors())
    variables = [(name, f"{value} {opened[value]}") for name, value in state.variables() if value in opened]
    yield from variables
    yield from opened.items()


def _enumeration(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    kind = param.kind.args[0] if param.kind.args else ""
    if kind == "af":
        yield from state.families()
    if kind == "sockopt_level":
        yield from (("SOL_SOCKET", "any socket"), ("IPPROTO_TCP", "TCP"), ("IPPROTO_IP", "IPv4"), ("IPPROTO_UDP", "UDP"))
    else:
        yield from _of_enumeration(kind, "no family of this kernel" if kind == "af" else param.name)
    yield from state.variables()


def _of_enumeration(kind: str, what: str) -> Iterator[tuple[str, str]]:
    try:
        yield from ((name, what) for name in enumeration(kind).names())
    except KeyError:
        return


def _flags(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    kind = param.kind.args[0] if param.kind.args else ""
    if "|" not in place.argument and kind != "open":
        yield "0", "none"
    if kind == "open":
        yield from ((name, "how it is opened") for name in ("O_RDONLY", "O_WRONLY", "O_RDWR")
                    if "|" not in place.argument)  # fmt: skip
    yield from _or_ed(place, "open" if kind == "open_only" else kind, param.name)


def _or_ed(place: Place, kind: str, what: str) -> Iterator[tuple[str, str]]:
    """The names of bits that are not there yet."""
    given = set(re.findall(r"\w+(?=\s*\|)", place.argument))
    try:
        yield from ((name, what) for name in flags(kind).names() if name not in given)
    except KeyError:
        return


def _socket_type(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    family = place.before[0] if place.before else ""
    if "|" not in place.argument:
        yield from state.types(family)
        yield from ((name, "a type of other families") for name in ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW",
                    "SOCK_SEQPACKET", "SOCK_RDM"))  # fmt: skip
    yield from (("SOCK_NONBLOCK", "or-ed: O_NONBLOCK from the start"), ("SOCK_CLOEXEC", "or-ed: closed by execve()"))


def _protocol(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    family, socktype = (*place.before, "", "")[:2]
    yield "0", "the usual one"
    yield from state.protocols(family, socktype.split("|")[0].strip())


def _address(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    if param.kind.direction == "out":
        yield from (("NULL", "not wanted"), ("...", "the address comes back"))
    else:
        family = state.family_of(place.before[0]) if place.before else ""
        order = [family, *(f for f in ADDRESSES if f != family)] if family in ADDRESSES else list(ADDRESSES)
        yield from ((ADDRESSES[name], "this socket's family" if name == family else name) for name in order)
        yield "NULL", ""
    yield from state.variables()


def _bytes(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    if param.kind.direction == "in":
        yield '"hello"', "bytes"
    else:
        yield from (("...", "a buffer of kshell's own"), ("buf", "a new name: a buffer that stays"))
    yield from state.variables()


def _vector(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    if param.kind.direction == "in":
        yield '[{"hello", 5}]', "pieces of memory"
    else:
        yield "[{..., 64}]", "pieces of memory"


def _path(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    yield from ((f'"{directory}/', "directory") for directory in ("/tmp", "/dev", "/proc"))
    yield from state.variables()


def _struct(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    name = param.kind.args[0] if param.kind.args else ""
    if param.kind.direction == "out":
        yield "...", f"a struct {name} comes back"
    elif name in TIMES:
        yield TIMES[name], f"struct {name}"
    elif name == "epoll_event":
        yield "{events=EPOLLIN, data={fd=3}}", "struct epoll_event"
    elif structs.has(name):
        fields = structs.layout(name).fields[:4]
        yield "{" + ", ".join(f"{field.name}=0" for field in fields) + "}", f"struct {name}"
    yield "NULL", ""
    yield from state.variables()


def _option(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    level = place.before[1] if len(place.before) > 1 else ""
    kind = LEVELS.get(level)
    if kind:
        yield from _of_enumeration(kind, f"option of {level}")


def _option_value(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    if param.kind.direction == "out":
        yield "...", "the value comes back"
    else:
        option = place.before[2] if len(place.before) > 2 else ""
        yield OPTION_VALUES.get(option, "[1]"), f"value of {option}" if option else "an int"
    yield from state.variables()


def _signal(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    yield from ((name, "signal") for name in ("SIGTERM", "SIGINT", "SIGKILL", "SIGUSR1", "SIGCHLD", "SIGSTOP"))
    yield from ((name, "signal") for name in SIGNALS)


def _fcntl(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    command = place.before[1] if len(place.before) > 1 else ""
    yield from ((name, f"for {command}") for name in FCNTL.get(command, ()))


def _clone(place: Place, param: Param, state: State) -> Iterator[tuple[str, str]]:
    yield "SIGCHLD", "as fork(): what the parent gets when it ends"
    yield from _or_ed(place, "clone", "what is shared")


_MAKERS: dict[str, Callable[[Place, Param, State], Pairs]] = {
    "fd": _descriptor,
    "dirfd": _descriptor,
    "enum": _enumeration,
    "flags": _flags,
    "socktype": _socket_type,
    "protocol": _protocol,
    "sockaddr": _address,
    "bytes": _bytes,
    "iovec": _vector,
    "path": _path,
    "struct": _struct,
    "optname": _option,
    "optval": _option_value,
    "signal": _signal,
    "fcntl": _fcntl,
    "clone_flags": _clone,
}
"""By `Kind.style`; the others are in TEMPLATES, or any value."""
