"""decode(marshal(x)) is x, for calls made at random in strace's own notation."""

from hypothesis import given
from hypothesis import strategies as st

from kshell.abi import names
from kshell.lang import text
from kshell.lang.ast import CallStatement
from kshell.lang.decode import decode
from kshell.lang.ipaddr import ipv4_text, ipv6_text
from kshell.lang.lexer import Source
from kshell.lang.marshal import marshal
from kshell.lang.statements import parse_line


class Memory:
    """User memory of 64 KB."""

    base = 0x20000000

    def __init__(self) -> None:
        self.data = b""

    def place(self, data: bytes) -> int:
        start = len(self.data)
        self.data += data.ljust(-(-len(data) // 16) * 16 + 16, b"\0")
        return self.base + start

    def reserve(self, size: int) -> int:
        return self.place(bytes(size))

    def read(self, address: int, size: int) -> bytes | None:
        start = address - self.base
        return self.data[start : start + size] if 0 <= start < len(self.data) else None


FD = st.integers(0, 1 << 20).map(str)
INT = st.integers(-(2**31), 2**31 - 1).map(str)
PORT = st.integers(0, 65535)
IPV4 = st.integers(0, 2**32 - 1).map(ipv4_text)
IPV6 = st.binary(min_size=16, max_size=16).map(ipv6_text)
DATA = st.binary(max_size=40).map(lambda data: (text.quote(data), len(data)))
PATH = st.binary(max_size=20).map(lambda data: text.quote(data.replace(b"\0", b"")))


def flags(kind: str, bits: int = 0xFFFFFFFF) -> st.SearchStrategy[str]:
    return st.integers(0, bits).map(names.flags(kind).text)


@st.composite
def addresses(draw) -> str:
    """A socket address with its length, as two arguments."""
    port = draw(PORT)
    family = draw(st.sampled_from(["inet", "inet6", "unix", "abstract", "netlink"]))
    if family == "inet":
        return f'{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("{draw(IPV4)}")}}, 16'
    if family == "inet6":
        flow, address = draw(st.integers(0, 2**32 - 1)), draw(IPV6)
        shown = f'sin6_flowinfo=htonl({flow}), inet_pton(AF_INET6, "{address}", &sin6_addr), sin6_scope_id=0'
        return f"{{sa_family=AF_INET6, sin6_port=htons({port}), {shown}}}, 28"
    if family == "netlink":
        return f"{{sa_family=AF_NETLINK, nl_pid={draw(PORT)}, nl_groups=00000000}}, 12"
    name = draw(st.binary(min_size=1, max_size=100)).replace(b"\0", b"x")
    if family == "unix":
        return f"{{sa_family=AF_UNIX, sun_path={text.quote(name)}}}, {len(name) + 3}"
    return f"{{sa_family=AF_UNIX, sun_path=@{text.quote(name)}}}, {len(name) + 3}"


@st.composite
def polls(draw) -> str:
    entries = draw(st.lists(st.tuples(st.integers(-1, 100), st.integers(0, 0x3FF)), min_size=1, max_size=5))
    texts = ((fd, names.flags("poll").text(events)) for fd, events in entries)
    shown = [f"{{fd={fd}}}" if fd < 0 else f"{{fd={fd}, events={events}}}" for fd, events in texts]
    return f"poll([{', '.join(shown)}], {len(entries)}, {draw(INT)})"


@st.composite
def vectors(draw) -> str:
    pieces = draw(st.lists(DATA, min_size=1, max_size=4))
    shown = ", ".join(f"{{iov_base={quoted}, iov_len={length}}}" for quoted, length in pieces)
    return f"[{shown}], {len(pieces)}"


@st.composite
def messages(draw) -> str:
    name = draw(st.one_of(st.just("msg_name=NULL, msg_namelen=0"), addresses().map(_as_name)))
    quoted, length = draw(DATA)
    fds = draw(st.lists(st.integers(0, 99), max_size=4))
    control = ""
    if fds:
        used = 16 + 4 * len(fds)
        data = ", ".join(map(str, fds))
        header = f"cmsg_len={used}, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS"
        control = f"msg_control=[{{{header}, cmsg_data=[{data}]}}], "
    controllen = -(-(16 + 4 * len(fds)) // 8) * 8 if fds else 0
    iov = f"msg_iov=[{{iov_base={quoted}, iov_len={length}}}], msg_iovlen=1"
    return f"{{{name}, {iov}, {control}msg_controllen={controllen}, msg_flags=0}}"


def _as_name(pair: str) -> str:
    address, _, length = pair.rpartition(", ")
    return f"msg_name={address}, msg_namelen={length}"


TYPE = st.integers(1, 5).map(text.socket_type)
OPEN = st.integers(0, 2**22).map(lambda value: text.open_flags(value & ~0o20000100))
SIGSET = st.integers(0, 2**64 - 1).map(text.signal_set)

CALLS = st.one_of(
    st.builds("close({})".format, FD),
    st.builds("socket({}, {}, 0)".format, st.sampled_from(["AF_UNIX", "AF_KEY"]), TYPE),
    st.builds("bind({}, {})".format, FD, addresses()),
    st.builds("connect({}, {})".format, FD, addresses()),
    st.builds(lambda fd, d: f"write({fd}, {d[0]}, {d[1]})", FD, DATA),
    st.builds(lambda fd, d, f, a: f"sendto({fd}, {d[0]}, {d[1]}, {f}, {a})", FD, DATA, flags("msg"), addresses()),
    st.builds("writev({}, {})".format, FD, vectors()),
    st.builds("sendmsg({}, {}, {})".format, FD, messages(), flags("msg")),
    polls(),
    st.builds("openat(AT_FDCWD, {}, {})".format, PATH, OPEN),
    st.builds("rt_sigprocmask(SIG_BLOCK, {}, NULL, 8)".format, SIGSET),
    st.builds(
        "epoll_ctl({}, EPOLL_CTL_ADD, {}, {{events={}, data={{u32={}, u64={}}}}})".format,
        FD, FD, flags("epoll"), st.just(7), st.just(7),
    ),
    st.builds("setsockopt({}, SOL_SOCKET, SO_LINGER, {{l_onoff={}, l_linger={}}}, 8)".format, FD, INT, INT),
    st.builds("setsockopt({}, SOL_SOCKET, SO_SNDBUF, [{}], 4)".format, FD, INT),
    st.builds("nanosleep({{tv_sec={}, tv_nsec={}}}, NULL)".format, INT, INT),
    st.builds("kill({}, {})".format, INT, st.integers(1, 64).map(names.signal_name)),
    st.builds("lseek({}, {}, SEEK_CUR)".format, FD, st.integers(-(2**63), 2**63 - 1)),
    st.builds("ioctl({}, FIONBIO, [{}])".format, FD, INT),
    st.builds("execve({}, [{}, {}], NULL)".format, PATH, PATH, PATH),
    st.builds("mkdir({}, {})".format, PATH, st.integers(0, 0o7777).map(text.octal)),
    st.builds("setrlimit(RLIMIT_NOFILE, {{rlim_cur={}, rlim_max={}}})".format,
              st.integers(0, 2**64 - 1).map(text.limit), st.integers(0, 2**64 - 1).map(text.limit)),
)  # fmt: skip


@given(source=CALLS, result=st.sampled_from([0, -9, -22]))
def test_a_line_that_is_marshalled_and_decoded_is_the_same(source: str, result: int) -> None:
    memory = Memory()
    statement = parse_line(source)
    assert isinstance(statement, CallStatement), source
    made = marshal(statement.call, Source(source), memory)
    line = decode(made, memory, result, string_limit=None)
    assert line.startswith(f"{source} = ")


@given(source=CALLS)
def test_what_is_decoded_parses_to_what_was_typed(source: str) -> None:
    memory = Memory()
    statement = parse_line(source)
    assert isinstance(statement, CallStatement)
    line = decode(marshal(statement.call, Source(source), memory), memory, 0, string_limit=None)
    again = parse_line(line)
    assert isinstance(again, CallStatement)
    assert again.call == statement.call
