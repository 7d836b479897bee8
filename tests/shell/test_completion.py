"""Completion is a pure function of text, cursor and state."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.shell.completion import MOST, complete

Pairs = Iterable[tuple[str, str]]


CALLS = """
accept accept4 bind clone close connect epoll_ctl fcntl getpid getsockopt ioctl kill listen lseek mmap nanosleep open
openat pipe poll read recvfrom rt_sigaction rt_sigprocmask sendmsg sendto setsockopt shutdown socket socketpair unlinkat
wait4 write writev
"""


PROGRAMS = {
    "ip": "ip", "ifconfig": "device", "ethtool": "onlydevice", "ss": "ss", "route": "route", "tcpdump": "tcpdump",
    "sysctl": "sysctl", "link": "cable", "unlink": "end", "capture": "capture", "delete": "breakpoint",
}  # fmt: skip


class Fake:
    """A session with a listening socket, a UNIX socket, a pipe and two variables."""

    def calls(self) -> Iterable[str]:
        return CALLS.split()

    def commands(self) -> Pairs:
        return [("show", "Show an object"), ("help", "Explain"), ("cat", "Print a file"), ("set", "Settings"),
                ("print", "Print"), ("ps", "Tasks"), ("task", "Choose a task"), ("why", "Explain the failure"),
                ("break", "Stop"), ("trace", "Trace"), ("modprobe", "Load"), ("sleep", "Time passes"),
                ("info", "Show"), ("run", "Call"), *((name, "") for name in PROGRAMS)]  # fmt: skip

    def argument_of(self, command: str) -> str | None:
        kinds = {"show": "object", "help": "topic", "cat": "path", "set": "setting", "print": "expr", "ps": "",
                 "task": "task", "why": "", "break": "function", "trace": "trace", "modprobe": "module", "sleep": "",
                 "info": "info", "run": "call", **PROGRAMS}  # fmt: skip
        return kinds.get(command)

    def descriptors(self) -> Pairs:
        return [("0", "/dev/console"), ("3", "TCP listening 127.0.0.1:80"), ("4", "UNIX dgram"), ("5", "pipe, read end")]

    def variables(self) -> Pairs:
        return [("server", "3"), ("port", "8080")]

    def tasks(self) -> Pairs:
        return [("init", "pid 1"), ("client", "pid 4, asleep in accept")]

    def pids(self) -> Pairs:
        return [("1", "init"), ("4", "client")]

    def paths(self, directory: str) -> Iterable[str]:
        return {"/": ["dev/", "tmp/", "etc"], "/dev/": ["null", "zero"], "/dev": ["null", "zero"], ".": ["here"],
                "net/": ["tcp"]}.get(directory, [])  # fmt: skip

    def fields(self, expression: str) -> Pairs:
        return {
            "fd(3)->private_data->sk": [("snd_una", "1"), ("inet_num", "80"), ("sk_state", "10"), ("sk_rcvbuf", "1")],
            "current": [("pid", "1"), ("files", "files_struct *"), ("fs", "fs_struct *")],
            "current->files->fdt->fd[3]": [("f_op", "socket_file_ops"), ("f_flags", "2")],
            "current->files": [("next_fd", "6"), ("fdt", "fdtable *")],
            "net_families[2]": [("create", "inet_create"), ("family", "2")],
            "server": [("x", "")],
        }.get(expression, [])

    def roots(self) -> Pairs:
        return [("current", "struct task_struct *"), ("fd(", "the file"), ("net_families", "global"), ("init_net", "")]

    def families(self) -> Pairs:
        return [("AF_UNIX", "here"), ("AF_INET", "here"), ("AF_NETLINK", "here")]

    def types(self, family: str) -> Pairs:
        return {"AF_INET": [("SOCK_STREAM", "TCP"), ("SOCK_DGRAM", "UDP"), ("SOCK_RAW", "RAW")],
                "AF_UNIX": [("SOCK_STREAM", ""), ("SOCK_DGRAM", ""), ("SOCK_SEQPACKET", "")]}.get(family, [])  # fmt: skip

    def protocols(self, family: str, socktype: str) -> Pairs:
        return {("AF_INET", "SOCK_STREAM"): [("IPPROTO_TCP", "TCP")],
                ("AF_INET", "SOCK_DGRAM"): [("IPPROTO_UDP", "UDP"), ("IPPROTO_ICMP", "PING")],
                ("AF_NETLINK", "SOCK_RAW"): [("NETLINK_ROUTE", "")]}.get((family, socktype), [])  # fmt: skip

    def family_of(self, fd: str) -> str:
        return {"3": "AF_INET", "server": "AF_INET", "4": "AF_UNIX"}.get(fd, "")

    def settings(self) -> Pairs:
        return [("editing", "keys"), ("abi", "how calls enter")]

    def values(self, setting: str) -> Iterable[str]:
        return {"editing": ("emacs", "vi"), "abi": ("i386", "x86_64")}.get(setting, ())

    def functions(self) -> Iterable[str]:
        return ["tcp_connect", "tcp_v4_connect", "inet_bind", "ksys_write"]

    def modules(self) -> Pairs:
        return [("sctp", ""), ("dummy", "loaded")]

    def devices(self) -> Pairs:
        return [("lo", ""), ("eth0", "")]

    def ends(self) -> Pairs:
        return [("client.eth0", ""), ("s1", "switch")]

    def sysctls(self) -> Iterable[str]:
        return ["kernel.ostype", "net.ipv4.ip_forward", "net.ipv4.tcp_ecn", "net.unix.max_dgram_qlen"]

    def breakpoints(self) -> Pairs:
        return [("1", "tcp_v4_rcv")]

    def topics(self) -> Pairs:
        return [("language", "topic"), ("tasks", "topic")]


# text up to the cursor → the first candidates; `!X`: X is not among them; `=`: these are all
ROWS: list[tuple[str, str]] = [
    # the start of a line
    ("so", "= socket( socketpair("),
    ("SO", "= socket( socketpair("),
    ("soc", "= socket( socketpair("),
    ("", "accept( accept4( bind("),
    ("getp", "= getpid()"),
    ("sho", "= show"),
    ("sh", "shutdown( show"),
    ("he", "= help"),
    ("p", "pipe( poll( print ps port"),
    ("serv", "= server"),
    ("cur", "= current"),
    ("net_f", "= net_families"),
    ("fam", "= net_families"),
    ("zzz", "="),
    ("fd = soc", "= socket( socketpair("),
    ("fd=soc", "= socket( socketpair("),
    ("fd = ", "accept( accept4("),
    ("x = sho", "="),
    ("x = ser", "= server"),
    ("x = cur", "= current"),
    # tasks
    ("@", "= @init_ @client_"),
    ("@cl", "= @client_"),
    ("  @cl", "= @client_"),
    ("@client clo", "clone( close("),
    ("@client fd = clo", "clone( close("),
    ("@client sho", "= show"),
    ("@client: acc", "accept( accept4("),
    ("@web/client acc", "accept( accept4("),
    ("@client\n", "accept( accept4("),
    # commands
    ("show ", "fd task sock socket inode file all"),
    ("show f", "fd file fd("),
    ("show fd ", "= 0 3 4 5 server port"),
    ("show fd 3", "="),
    ("show sock s", "= server"),
    ("show task ", "= init client 1 4"),
    ("show task c", "= client"),
    ("show cur", "= current"),
    ("show current->fi", "= files"),
    ("help ", "show help cat"),
    ("help soc", "= socket socketpair"),
    ("help lan", "= language"),
    ("help why", "="),
    ("set ", "= editing abi"),
    ("set ed", "= editing"),
    ("set editing ", "= emacs vi"),
    ("set editing v", "= vi"),
    ("set abi x", "= x86_64"),
    ("set nothing ", "="),
    ("task ", "= init client"),
    ("task new ", "= init client"),
    ("task cl", "= client"),
    ("print ", "server port current"),
    ("print cur", "= current"),
    ("print init", "= init_net"),
    ("print current->", "= pid files fs"),
    ("break tcp_", "= tcp_connect tcp_v4_connect"),
    ("break ", "="),
    ("break inet_bind ", "= task if"),
    ("break inet_bind task ", "= init client"),
    ("break inet_bind if cur", "= current"),
    ("trace ", "on off last accept("),
    ("trace -a so", "= socket( socketpair("),
    ("modprobe ", "= sctp dummy"),
    ("modprobe d", "= dummy"),
    ("info ", "= breakpoints args locals frame"),
    ("info l", "= locals"),
    ("run so", "= socket( socketpair("),
    # small programs
    ("ip ", "address link route neighbour"),
    ("ip a", "= address"),
    ("ip addr ", "= show add del flush"),
    ("ip -br addr s", "= show"),
    ("ip -n blue link s", "= show set"),
    ("ip addr add 10.0.0.1/8 dev ", "= lo eth0"),
    ("ip link set e", "= eth0"),
    ("ip route add def", "= default"),
    ("ip nothing ", "="),
    ("@client ip li", "= link"),
    ("ifconfig ", "= lo eth0"),
    ("ifconfig eth0 m", "= mtu"),
    ("ethtool -k e", "= eth0"),
    ("ss -t", "= -tan -tln -tani"),
    ("ss state time", "= time-wait"),
    ("route add default gw 10.0.0.1 dev ", "= lo eth0"),
    ("tcpdump -ni ", "= lo eth0 any"),
    ("tcpdump ic", "= icmp"),
    ("sysctl ", "= kernel. net."),
    ("sysctl net.", "= net.ipv4. net.unix."),
    ("sysctl net.ipv4.tcp_e", "= net.ipv4.tcp_ecn"),
    ("link ", "= client.eth0 s1"),
    ("link client.eth0 s1 de", "= delay="),
    ("unlink c", "= client.eth0"),
    ("capture ", "= lo eth0 any"),
    ("capture eth0 o", "= off"),
    ("delete ", "= 1"),
    ("ps ", "="),
    ("sleep ", "="),
    ("cat ", "= here"),
    ("cat /", "= /dev/ /tmp/ /etc"),
    ("cat /d", "= /dev/"),
    ("cat /dev/z", "= /dev/zero"),
    ("cat /dev/null /dev/z", "= /dev/zero"),
    ("cat net/", "= net/tcp"),
    # families, types, protocols
    ("socket(", "AF_UNIX AF_INET AF_NETLINK"),
    ("socket(AF_UNI", "= AF_UNIX"),
    ("socket(af_in", "AF_INET AF_INET6"),
    ("socket(inet", "AF_INET AF_INET6"),
    ("socket(AF_INET, ", "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET"),
    ("socket(AF_UNIX, ", "SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET SOCK_RAW"),
    ("socket(AF_UNIX, SOCK_S", "= SOCK_STREAM SOCK_SEQPACKET"),
    ("socket(AF_INET, stream", "= SOCK_STREAM"),
    ("socket(AF_INET, SOCK_STREAM|", "= SOCK_NONBLOCK SOCK_CLOEXEC"),
    ("socket(AF_INET, SOCK_STREAM | SOCK_N", "= SOCK_NONBLOCK"),
    ("socket(AF_INET, SOCK_STREAM, ", "= 0 IPPROTO_TCP"),
    ("socket(AF_INET, SOCK_STREAM, IPPROTO_T", "= IPPROTO_TCP"),
    ("socket(AF_INET, SOCK_DGRAM, ", "= 0 IPPROTO_UDP IPPROTO_ICMP"),
    ("socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPP", "= IPPROTO_UDP IPPROTO_ICMP"),
    ("socket(AF_NETLINK, SOCK_RAW, ", "= 0 NETLINK_ROUTE"),
    ("socket(AF_INET, SOCK_STREAM, 0, ", "="),
    ("socketpair(AF_UNIX, SOCK_STREAM, 0, ", "[3,_4] ..."),
    ("fd = socket(AF_INET, SOCK_ST", "= SOCK_STREAM"),
    ("@client socket(AF_NET", "AF_NETLINK"),
    # descriptors
    ("close(", "= server 0 3 4 5"),
    ("close(s", "= server"),
    ("listen(", "= server 0 3 4 5"),
    ("bind(", "server 0 3"),
    ("openat(", "AT_FDCWD server 0"),
    ("openat(AT_", "= AT_FDCWD"),
    # addresses
    ("bind(3, ", '{AF_INET,_8080,_"127.0.0.1"} {AF_UNIX,_"/tmp/socket"}'),
    ("bind(server, ", '{AF_INET,_8080,_"127.0.0.1"}'),
    ("bind(4, ", '{AF_UNIX,_"/tmp/socket"} {AF_INET,_8080,_"127.0.0.1"}'),
    ("connect(4, ", '{AF_UNIX,_"/tmp/socket"}'),
    ("bind(3, {", "AF_UNIX AF_INET AF_NETLINK"),
    ("bind(3, {AF_UNI", "= AF_UNIX"),
    ("bind(3, {sa_family=", "AF_UNIX AF_INET"),
    ("bind(3, {sa_family=AF_IN", "AF_INET AF_INET6"),
    ("bind(3, {AF_INET, ", "htons(80)"),
    ("bind(3, {AF_INET, 80, ", '"127.0.0.1" "0.0.0.0" INADDR_ANY'),
    ("bind(3, {AF_INET, 80, IN", "= INADDR_ANY"),
    ("bind(3, {sa_family=AF_INET, ", "htons(80) sin_port= sin_addr="),
    ("bind(3, {sa_family=AF_INET, sin_p", "= sin_port="),
    ("bind(3, {sa_family=AF_INET, sin_port=", "htons(80)"),
    ("bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=", '"127.0.0.1"'),
    ("bind(4, {AF_UNIX, ", '"/tmp/socket" @"name"'),
    ("bind(3, {AF_INET, 80, \"127.0.0.1\"}, ", "16 server"),
    ("bind(4, {AF_UNIX, \"/tmp/x\"}, ", "110 server"),
    ("connect(server, addr, ", "16"),
    ("accept(3, ", "NULL ..."),
    ("accept(3, NULL, ", "[16] [110] NULL"),
    ("listen(3, ", "5 128"),
    # data
    ("write(3, ", '"hello"'),
    ('write(3, "so', "="),
    ('write(3, "hello", ', "5 server"),
    ('write(3, "a\\n\\x41\\101", ', "4"),
    ('write(3, "你好", ', "6"),
    ("read(3, ", "... buf server"),
    ("read(3, ..., ", "64 4096"),
    ("read(3, buf, 6", "64"),
    ("writev(3, ", '[{"hello",_5}]'),
    ("writev(3, [{", "= iov_base= iov_len= server port"),
    ("sendmsg(3, ", '{msg_iov=[{"hi",_2}]}'),
    ("sendmsg(3, {", "msg_name= msg_namelen= msg_iov="),
    ("sendmsg(3, {msg_io", "= msg_iov= msg_iovlen="),
    ('sendmsg(3, {msg_iov=[{"a", 1}]}, MSG_NO', "MSG_NOSIGNAL"),
    ('sendto(3, "x", 1, ', "0 MSG_OOB"),
    ('sendto(3, "x", 1, MSG_DONTWAIT|', "MSG_OOB !0 !MSG_DONTWAIT"),
    ('sendto(3, "x", 1, MSG_DONTWAIT|MSG_NOS', "= MSG_NOSIGNAL"),
    # files
    ("open(", '"/tmp/ "/dev/'),
    ('open("', "here"),
    ('open("/', "= /dev/ /tmp/ /etc"),
    ('open("/dev/n', "= /dev/null"),
    ('open("/dev/null", ', "O_RDONLY O_WRONLY O_RDWR"),
    ('open("/dev/null", O_RDO', "= O_RDONLY"),
    ('open("/dev/null", O_RDWR|O_CR', "= O_CREAT"),
    ('open("/dev/null", O_RDWR|O_CREAT|', "!O_CREAT !O_RDWR !O_RDONLY"),
    ('open("/tmp/x", O_RDWR|O_CREAT, ', "0644 0600"),
    ('openat(AT_FDCWD, "/dev/z', "= /dev/zero"),
    ("lseek(3, 0, ", "SEEK_SET SEEK_CUR SEEK_END"),
    ("lseek(3, 0, SEEK_E", "= SEEK_END"),
    ("lseek(3, 0, end", "= SEEK_END"),
    ('unlinkat(AT_FDCWD, "/x", AT_R', "AT_REMOVEDIR"),
    ("fcntl(3, F_GETF", "= F_GETFD F_GETFL"),
    ("fcntl(3, F_SETFL, ", "= O_NONBLOCK O_APPEND O_ASYNC"),
    ("fcntl(3, F_SETFD, ", "FD_CLOEXEC"),
    ("ioctl(3, FION", "FIONREAD"),
    ("mmap(NULL, 4096, PROT_R", "= PROT_READ"),
    ("mmap(NULL, 4096, PROT_READ|PROT_W", "= PROT_WRITE"),
    # options
    ("setsockopt(3, ", "SOL_SOCKET IPPROTO_TCP IPPROTO_IP"),
    ("setsockopt(3, SOL", "SOL_SOCKET"),
    ("setsockopt(3, SOL_SOCKET, SO_REUSE", "= SO_REUSEADDR SO_REUSEPORT"),
    ("setsockopt(3, SOL_SOCKET, reuse", "SO_REUSEADDR SO_REUSEPORT"),
    ("setsockopt(3, IPPROTO_TCP, TCP_NO", "= TCP_NODELAY TCP_NOTSENT_LOWAT"),
    ("setsockopt(3, IPPROTO_IP, IP_T", "IP_TOS IP_TTL"),
    ("setsockopt(3, SOL_SOCKET, SO_LINGER, ", "{l_onoff=1,_l_linger=0}"),
    ("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, ", "[1]"),
    ("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], ", "4"),
    ("getsockopt(3, SOL_SOCKET, SO_ERROR, ", "..."),
    ("getsockopt(3, SOL_SOCKET, SO_ERROR, ..., ", "[16]"),
    ("shutdown(3, ", "= SHUT_RD SHUT_WR SHUT_RDWR server port"),
    ("shutdown(3, SHUT_W", "= SHUT_WR"),
    # processes, signals, time
    ("kill(", "1 4 server"),
    ("kill(4, SIGI", "SIGINT SIGILL"),
    ("kill(4, term", "="),
    ("kill(4, ", "SIGTERM SIGINT SIGKILL"),
    ("rt_sigaction(SIGUSR", "= SIGUSR1 SIGUSR2"),
    ("rt_sigprocmask(SIG_B", "= SIG_BLOCK"),
    ("rt_sigprocmask(SIG_BLOCK, ", "[] [SIGINT] NULL"),
    ("rt_sigprocmask(SIG_BLOCK, [SIGQ", "= SIGQUIT"),
    ("wait4(", "1 4"),
    ("wait4(-1, ", "... NULL"),
    ("wait4(-1, NULL, WNO", "WNOHANG"),
    ("nanosleep(", "{tv_sec=1,_tv_nsec=0} NULL"),
    ("nanosleep({", "tv_sec= tv_nsec="),
    ("nanosleep({tv_sec=1, tv_n", "= tv_nsec="),
    ("clone(", "SIGCHLD"),
    ("clone(CLONE_FI", "= CLONE_FILES"),
    ("poll(", "[{fd=3,_events=POLLIN}]"),
    ("poll([{", "fd= events= revents="),
    ("poll([{fd=", "0 3 4 5"),
    ("poll([{fd=3, events=", "POLLIN"),
    ("poll([{fd=3, events=POLLIN|POLLO", "= POLLOUT"),
    ("poll([{fd=3, events=POLLIN}], 1, ", "-1 0 1000"),
    ("epoll_ctl(3, EPOLL_CTL_A", "= EPOLL_CTL_ADD"),
    ("epoll_ctl(3, EPOLL_CTL_ADD, ", "server 0 3 4 5"),
    ("epoll_ctl(3, EPOLL_CTL_ADD, 4, ", "{events=EPOLLIN,_data={fd=3}}"),
    ("epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLI", "= EPOLLIN"),
    # members: a struct's own first
    ("fd(3)->private_data->sk->", "= snd_una inet_num sk_state sk_rcvbuf"),
    ("fd(3)->private_data->sk->sk_r", "= sk_rcvbuf"),
    ("current->", "= pid files fs"),
    ("current->files->next_", "= next_fd"),
    ("current->files->fdt->fd[3].", "= f_op f_flags"),
    ("current->files->fdt->fd[3]->f_f", "= f_flags"),
    ("net_families[2].cre", "= create"),
    ("x = current->fi", "= files"),
    ("assert current->p", "= pid"),
    ("close(current->files->next_f", "= next_fd"),
    ("nothing->", "="),
    # places where nothing is known
    ('"text', "="),
    ("1.", "="),
    ("# comment ", "="),
    ('write(3, "a", 1) ', "="),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROWS, ids=[text or "nothing" for text, _ in ROWS])
def test_candidates(text: str, expected: str) -> None:
    words = expected.split()
    exact = words[:1] == ["="]
    words = words[1:] if exact else words
    absent = {word[1:] for word in words if word.startswith("!")}
    wanted = [_spaced(word) for word in words if not word.startswith("!")]
    found = [candidate.text for candidate in complete(text, len(text), Fake())]
    assert (found if exact else found[: len(wanted)]) == wanted
    assert not absent & set(found)


def _spaced(word: str) -> str:
    """Blanks are written as `_` where a candidate has some."""
    return re.sub("(?<=,)_|_$", " ", word)


def test_the_table_is_large() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize(
    ("text", "candidate", "meta"),
    [
        ("close(", "3", "TCP listening 127.0.0.1:80"),
        ("close(", "server", "3 TCP listening 127.0.0.1:80"),
        ("@", "@client ", "pid 4, asleep in accept"),
        ("so", "socket(", "socket(int family, int type, int protocol)"),
        ("bind(4, {AF_UNIX, \"/x\"}, ", "110", "sizeof(struct sockaddr) of AF_UNIX"),
        ("set ed", "editing", "keys"),
    ],
)
def test_candidates_say_what_they_are(text: str, candidate: str, meta: str) -> None:
    assert [c.meta for c in complete(text, len(text), Fake()) if c.text == candidate] == [meta]


@pytest.mark.parametrize(
    ("text", "length"), [("so", 2), ("socket(AF_UNI", 6), ("cat /dev/z", 6), ("current->fi", 2), ("close(", 0), ("@cl", 3)]
)
def test_a_candidate_takes_the_place_of_the_word(text: str, length: int) -> None:
    assert {c.length for c in complete(text, len(text), Fake())} == {length}


def test_text_behind_the_cursor_does_not_count() -> None:
    assert [c.text for c in complete("socket(AF_UNI, SOCK_STREAM, 0)", 13, Fake())] == ["AF_UNIX"]


@given(st.text(alphabet="soc ket(){}[],\"'@->.\\|0123AF_INET=#\n", max_size=60))
def test_any_text_is_survived_and_the_list_is_short(text: str) -> None:
    for cursor in (0, len(text) // 2, len(text)):
        assert len(complete(text, cursor, Fake())) <= MOST
