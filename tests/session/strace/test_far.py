"""A log that shows one end of its connections comes out as recorded: the other end is played from what it shows."""

from kshell.session.strace.interleavings import replay_log

ADDRESS = '{sa_family=AF_INET, sin_port=htons(7000), sin_addr=inet_addr("127.0.0.1")}'
CLIENT = '{sa_family=AF_INET, sin_port=htons(44400), sin_addr=inet_addr("127.0.0.1")}'
SERVER = f"""\
9 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
9 bind(3, {ADDRESS}, 16) = 0
9 listen(3, 1) = 0
"""
CONNECT = f"9 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n9 connect(3, {ADDRESS}, 16) = 0\n"


def wrong(log: str) -> list[tuple[int, str, str]]:
    report = replay_log("x", log)
    assert report.oops == ""
    return [(call.line, call.got, call.reason) for call in report.wrong]


def test_a_server_is_called_and_hears_what_the_log_shows() -> None:
    log = SERVER + (
        f"9 accept4(3, {CLIENT}, [128 => 16], SOCK_NONBLOCK) = 4\n"
        f"9 getpeername(4, {CLIENT}, [16]) = 0\n"
        '9 read(4, "hello\\n", 16384) = 6\n'
        "9 read(4, 0x7ffd0000, 16384) = -1 EAGAIN (Resource temporarily unavailable)\n"
        '9 write(4, "HELLO\\n", 6) = 6\n'
        '9 read(4, "", 16384) = 0\n'
        "9 close(4) = 0\n"
    )
    assert wrong(log) == []


def test_a_connection_of_which_no_address_is_shown_comes_too() -> None:
    log = SERVER + (
        "9 accept(3, NULL, NULL) = 4\n"
        '9 recvfrom(4, "ab"..., 64, 0, NULL, NULL) = 30\n'
        '9 recvfrom(4, "", 64, 0, NULL, NULL) = 0\n'
    )
    assert wrong(log) == []


def test_poll_tells_of_a_connection_and_of_data() -> None:
    log = SERVER + (
        "9 poll([{fd=3, events=POLLIN}], 1, 0) = 0 (Timeout)\n"
        "9 poll([{fd=3, events=POLLIN}], 1, 500) = 1 ([{fd=3, revents=POLLIN}])\n"
        "9 getpid() = 9\n"
        f"9 accept(3, {CLIENT}, [16]) = 4\n"
        "9 poll([{fd=4, events=POLLIN}], 1, 0) = 0 (Timeout)\n"
        "9 poll([{fd=4, events=POLLIN}], 1, -1) = 1 ([{fd=4, revents=POLLIN}])\n"
        "9 poll([{fd=4, events=POLLIN}], 1, 0) = 1 ([{fd=4, revents=POLLIN}])\n"
        '9 recvfrom(4, "abc", 64, 0, NULL, NULL) = 3\n'
    )
    assert wrong(log) == []


def test_epoll_tells_of_data() -> None:
    log = SERVER + (
        f"9 accept(3, {CLIENT}, [16]) = 4\n"
        "9 epoll_create1(0) = 5\n"
        "9 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, data={u32=4, u64=4}}) = 0\n"
        "9 epoll_wait(5, [], 8, 0) = 0\n"
        "9 epoll_wait(5, [{events=EPOLLIN, data={u32=4, u64=4}}], 8, -1) = 1\n"
        '9 read(4, "abc", 64) = 3\n'
    )
    assert wrong(log) == []


def test_a_client_is_answered() -> None:
    log = CONNECT + (
        '9 write(3, "GET / HTTP/1.0\\r\\n\\r\\n", 18) = 18\n'
        '9 recvmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="HTTP/1.0 200 OK", iov_len=64}], msg_iovlen=1,'
        " msg_controllen=0, msg_flags=0}, 0) = 15\n"
        '9 read(3, "", 64) = 0\n'
    )
    assert wrong(log) == []


def test_much_is_received_at_once() -> None:
    log = CONNECT + (
        '9 recvfrom(3, "abcdefgh"..., 262144, 0, NULL, NULL) = 200000\n'
        '9 recvfrom(3, "ab"..., 9000, 0, NULL, NULL) = 9000\n'
    )
    assert wrong(log) == []


def test_who_is_in_the_log_speaks_for_himself() -> None:
    inside = SERVER + (
        "9 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4\n"
        f"9 connect(4, {ADDRESS}, 16) = 0\n"
        "9 accept(3, NULL, NULL) = 5\n"
        '9 read(5, "hello", 64) = 5\n'
    )
    assert [line for line, _, _ in wrong(inside)] == [7]  # nobody has written
    nobody = CONNECT.replace("= 0\n", "= -1 ECONNREFUSED (Connection refused)\n")
    assert wrong(nobody) == []


def test_a_child_that_is_not_in_the_log_is_named() -> None:
    log = "9 fork() = 10\n9 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 10\n"
    assert [reason for _, _, reason in wrong(log)] == ["process 10 is not in the log: strace -f follows children"]
