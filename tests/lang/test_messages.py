"""Messages within buffers: netlink, interface requests; strace's lines of real programs, there and back."""

import pytest

from kshell.lang.ast import CallStatement
from kshell.lang.compare import compare
from kshell.lang.decode import decode
from kshell.lang.lexer import Source
from kshell.lang.marshal import marshal
from kshell.lang.statements import parse_line

ATTRIBUTES = '[[{nla_len=8, nla_type=IFA_LOCAL}, inet_addr("10.0.0.1")], [{nla_len=7, nla_type=IFA_LABEL}, "lo"]]'

LINES = [
    "sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, nlmsg_seq=5, nlmsg_pid=0},"
    " {ifi_family=AF_UNSPEC, ifi_type=ARPHRD_NETROM, ifi_index=0, ifi_flags=0, ifi_change=0},"
    " [{nla_len=8, nla_type=IFLA_EXT_MASK}, RTEXT_FILTER_VF]], 40, 0, NULL, 0) = 40",
    "sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_NEWADDR, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK|NLM_F_EXCL|NLM_F_CREATE,"
    " nlmsg_seq=5, nlmsg_pid=0}, {ifa_family=AF_INET, ifa_prefixlen=8, ifa_flags=0, ifa_scope=RT_SCOPE_UNIVERSE,"
    f' ifa_index=if_nametoindex("lo")}}, {ATTRIBUTES}], 40, 0, NULL, 0) = 40',
    "sendto(3, [{nlmsg_len=44, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_REQUEST, nlmsg_seq=5, nlmsg_pid=0},"
    " {ifi_family=AF_UNSPEC, ifi_type=ARPHRD_NETROM, ifi_index=0, ifi_flags=0, ifi_change=0},"
    " [{nla_len=10, nla_type=IFLA_BROADCAST}, ff:ff:ff:ff:ff:ff]], 44, 0, NULL, 0) = 44",
    "recvfrom(3, [{nlmsg_len=36, nlmsg_type=NLMSG_ERROR, nlmsg_flags=0, nlmsg_seq=5, nlmsg_pid=9}, {error=-EPERM,"
    " msg={nlmsg_len=40, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK, nlmsg_seq=5, nlmsg_pid=0}}],"
    " 8192, 0, NULL, NULL) = 36",
    "recvfrom(3, [{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=NLM_F_MULTI, nlmsg_seq=5, nlmsg_pid=9}, 0],"
    " 8192, 0, NULL, NULL) = 20",
    "sendto(3, [{nlmsg_len=17, nlmsg_type=RTM_GETROUTE, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, nlmsg_seq=5,"
    " nlmsg_pid=0}, {rtgen_family=AF_INET}], 17, 0, NULL, 0) = 17",
    'ioctl(4, SIOCGIFFLAGS, {ifr_name="lo", ifr_flags=IFF_UP|IFF_LOOPBACK|IFF_RUNNING}) = 0',
    'ioctl(4, SIOCGIFMTU, {ifr_name="lo", ifr_mtu=65536}) = 0',
    'ioctl(4, SIOCGIFINDEX, {ifr_name="lo", ifr_ifindex=if_nametoindex("lo")}) = 0',
    'ioctl(4, SIOCGIFHWADDR, {ifr_name="lo", ifr_hwaddr={sa_family=ARPHRD_LOOPBACK, sa_data=00:00:00:00:00:00}}) = 0',
    'ioctl(4, SIOCGIFADDR, {ifr_name="lo", ifr_addr={sa_family=AF_INET, sin_port=htons(0),'
    ' sin_addr=inet_addr("127.0.0.1")}}) = 0',
    'ioctl(5, SIOCGIFMAP, {ifr_name="lo", ifr_map={mem_start=0, mem_end=0, base_addr=0, irq=0, dma=0, port=0}}) = 0',
    'ioctl(5, SIOCGIFTXQLEN, {ifr_name="lo", ifr_qlen=1000}) = 0',
    "ioctl(5, FIONREAD, [7]) = 0",
    "ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0",
    "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 9",
    "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
    "getsockopt(3, SOL_SOCKET, SO_PEERCRED, {pid=5, uid=0, gid=0}, [12]) = 0",
    'getsockopt(3, SOL_TCP, TCP_CONGESTION, "cubic\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", [16]) = 0',
    "fcntl(3, F_GETLK, {l_type=F_UNLCK, l_whence=SEEK_SET, l_start=0, l_len=10}) = 0",
    "fstat(3, {st_mode=S_IFDIR|S_ISVTX|0777, st_size=60, ...}) = 0",
    "rt_sigaction(SIGINT, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0",
    "epoll_wait(3, [{events=EPOLLIN, data={u32=7, u64=7}}, {events=EPOLLOUT, data={u32=8, u64=8}}], 4, -1) = 2",
    "pipe([3, 4]) = 0",
    'readv(3, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=5}], 2) = 3',
    "prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1024, rlim_max=1024*1024}) = 0",
    "clock_gettime(CLOCK_MONOTONIC, {tv_sec=5, tv_nsec=7}) = 0",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_what_a_line_shows_of_memory_shows_again(line: str, memory) -> None:
    statement = parse_line(line)
    assert isinstance(statement, CallStatement)
    assert statement.expected is not None
    made = marshal(statement.call, Source(line), memory, replay=True, fill=True)
    shown = decode(made, memory, statement.expected.value, string_limit=None)
    assert shown == line
    assert compare(statement.call, statement.expected, shown) == []


@pytest.mark.parametrize(
    "data",
    [
        '"' + "a" * 40 + '"',
        '"\\20\\0\\0\\0"',
        '"\\24\\0\\0\\0\\3\\0\\2\\0\\1\\0\\0\\0\\1\\0\\0\\0"',
        '"\\20' + "\\0" * 15 + '"',
    ],
)
def test_other_data_is_no_netlink_message(data: str, memory) -> None:
    source = f"sendto(3, {data}, ..., 0, NULL, 0)"
    statement = parse_line(source)
    assert isinstance(statement, CallStatement)
    line = decode(marshal(statement.call, Source(source), memory), memory, 1, string_limit=None)
    assert line.startswith(f"sendto(3, {data}, ")


def test_netlink_headers_are_compared() -> None:
    one = "recvfrom(3, [{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=0, nlmsg_seq=5, nlmsg_pid=9}, 0], 99, 0) = 20"
    statement = parse_line(one)
    assert isinstance(statement, CallStatement)
    assert statement.expected is not None
    other = one.replace("nlmsg_seq=5", "nlmsg_seq=6")
    assert compare(statement.call, statement.expected, other) == []
    different = one.replace("NLMSG_DONE", "NLMSG_ERROR")
    assert len(compare(statement.call, statement.expected, different)) == 1
