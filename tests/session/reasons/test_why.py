"""`why` explains failures, sleeps and successes that surprise; at the prompt a failing call says why at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kshell.abi.syscalls import BY_NAME
from kshell.session import events as ev
from kshell.session.reasons import telling
from kshell.session.reasons.waits import wait_of
from kshell.session.session import Session
from kshell.shell.plain import PlainText

NR_NANOSLEEP = BY_NAME["nanosleep"].number

SERVER = 's = socket(AF_INET, SOCK_STREAM, 0)\nbind(s, {AF_INET, 8080, "127.0.0.1"}, 16)\nlisten(s, 5)\n'
CONNECTED = SERVER + 'c = socket(AF_INET, SOCK_STREAM, 0)\nconnect(c, {AF_INET, 8080, "127.0.0.1"}, 16)\n'
ACCEPTED = CONNECTED + "a = accept(s, NULL, NULL)\n"

DATAGRAM = 'fd = socket(AF_INET, SOCK_DGRAM, 0)\nconnect(fd, {AF_INET, 9, "127.0.0.1"}, 16)'


def why(commands: str, task: str = "") -> str:
    session = Session()
    session.run(commands)
    events = session.run(f"why {task}".strip())
    assert not [e for e in events if isinstance(e, ev.Error | ev.Oops)]
    return "\n".join(e.text for e in events if isinstance(e, ev.Output))


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (
            SERVER + 'b = socket(AF_INET, SOCK_STREAM, 0)\nbind(b, {AF_INET, 8080, "127.0.0.1"}, 16)',
            ["EADDRINUSE (Address already in use) comes from inet_csk_get_port()", "net/ipv4/inet_connection_sock.c",
             "> inet_bind > __inet_bind", "check_bind_conflict = 1", 'try: bind(b, {AF_INET, 8081, "127.0.0.1"}, 16)'],
        ),
        ("read(99, ..., 4)", ["ksys_read()   fs/read_write.c", "this was true: !f", "f = NULL", "try: fds"]),
        (
            'fd = socket(AF_INET, SOCK_STREAM, 0)\nconnect(fd, {AF_INET, 80, "127.0.0.1"}, 16)',
            ["sk->sk_state = TCP_CLOSE", "Nobody listens on this port",
             'try: @server s = socket(AF_INET, SOCK_STREAM, 0)\n       @server bind(s, {AF_INET, 80, "127.0.0.1"}, 16)'],
        ),
        ("inotify_init()", ["ENOSYS", "built without inotify_init()", "epoll_create1()"]),
        ("close(99)\ngetpid()", ["The last call succeeded; the last that failed was command 1, close(99):", "close_fd()"]),
        ("getpid()", ["no call of task init has failed yet"]),
        (
            "ifconfig eth7 up",
            ["The last error was not one of a call that was typed, but of a program's:", "ENODEV", "dev_ifsioc"],
        ),
        (
            ACCEPTED + "close(a)\nclose(c)\nclose(s)\n" + SERVER.rsplit("\n", 2)[0],
            ["be it in TIME_WAIT", "try: sleep 60s   then the same again"],
        ),
        (
            "socketcall(SYS_SOCKET, [AF_INET, 99, 0])",
            ["__sys_socket_create()   net/socket.c", "try: socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0])"],
        ),
        ("", ["has made no call yet"]),
        ("close(99)", ["The descriptor is not open.", "try: fds"]),  # not any call that would work
        ("socket(AF_INET, SOCK_SEQPACKET, 0)", ["\n  inetsw has no entry"]),  # a name of the kernel stays as it is
        (
            "fd = socket(AF_INET, SOCK_STREAM, 0)\nshutdown(fd, 9)",
            ["\n  how is none of SHUT_RD", "try: shutdown(fd, SHUT_RDWR)   gets as far as ENOTCONN"],
        ),
        ('unlink("/tmp")', ['try: rmdir("/tmp")   gets as far as EBUSY']),
        ("pipe([3, 4])\nread(3, ..., 10)\ninterrupt", ["EINTR", "try: read(3, ..., 10)"]),
    ],
)  # fmt: skip
def test_failures(commands: str, words: list[str]) -> None:
    text = why(commands)
    assert [word for word in words if word not in text] == [], text


def test_a_failure_is_still_explained_after_going_back() -> None:
    session = Session()
    session.run("close(99)\ngetpid()\nundo")
    text = "\n".join(e.text for e in session.run("why") if isinstance(e, ev.Output))
    assert text.startswith("EBADF (Bad file descriptor) comes from close_fd()")


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        ('unlink("/no/such")', "A directory on the way does not exist."),
        ('rename("", "/tmp/b")', "The path is empty."),
        ('accept4(fd, NULL, NULL, SOCK_CLOEXEC)', "The TCP socket does not listen."),
        ("getsockname(fd, NULL, NULL)", "The address or its length cannot be stored."),
        ('unlink("/proc/net/tcp")', "Files of this file system (/proc, /sys) cannot be removed."),
    ],
)  # fmt: skip
def test_a_cause_of_one_call_is_one_of_others_that_do_the_same(call: str, cause: str) -> None:
    text = why(f"fd = socket(AF_INET, SOCK_STREAM, 0)\n{call}")
    assert cause in text
    step = text.rpartition("try: ")[2]
    assert step.startswith(call.partition("(")[0]) or step.endswith("then the same again")


def test_a_failure_is_explained_by_what_was_there_then() -> None:
    text = why(CONNECTED.replace("\nconnect", '\nwrite(c, "x", 1)\nconnect') + "getpid()")
    assert "sk->sk_state = TCP_CLOSE" in text
    assert text.endswith('try: write(c, "x", 1)')  # it works by now


def test_a_step_is_for_the_task_that_failed_however_it_is_asked() -> None:
    session = Session()
    session.run("@u setuid(1000)\n@u socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)")
    said = ["\n".join(e.text for e in session.run(text) if isinstance(e, ev.Output)) for text in ("why u", "@u why")]
    assert said[0] == said[1]
    assert "try: @u socket(AF_INET, SOCK_DGRAM, 0)" in said[0]


def test_a_step_for_another_call_with_other_arguments_is_none_of_this() -> None:
    text = why(DATAGRAM + "\nsend(fd, ..., 70000, 0)")
    assert "The datagram is larger" in text
    assert "count=" not in text


def test_an_error_that_is_told_once_is_shown_though_it_is_taken_away() -> None:
    text = why(DATAGRAM + '\nsend(fd, "a", 1, 0)\nsend(fd, "a", 1, 0)')
    assert "this was true: sk->sk_err\n      sk->sk_err = ECONNREFUSED; told once, it is 0 again" in text


def test_a_reader_that_has_the_other_end_itself_waits_for_a_task_that_is_awake() -> None:
    text = why("socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4])\nread(4, ..., 9)")
    assert "- a write to fd 3 of task init, by a task that is awake and has it too" in text
    assert "its address" not in text


def test_an_interrupted_call_tells_of_its_restart() -> None:
    text = why(
        "pipe([3, 4])\n@r p = getpid()\n@r rt_sigaction(SIGUSR1, {sa_handler=0x10000, sa_flags=0, sa_mask=[]}, NULL, 8)\n"
        "@r read(3, ..., 10)\nkill(p, SIGUSR1)",
        "r",
    )
    assert "EINTR (Interrupted system call) comes from prepare_to_wait_event()" in text
    assert "It raised ERESTARTSYS: a signal came, whose handler has no SA_RESTART" in text


def test_why_changes_nothing() -> None:
    plain, asked = Session(), Session()
    for text in (SERVER + "listen(99, 1)").split("\n"):
        plain.run(text)
        asked.run(text)
        asked.run("why")
    after = [[e.to_json() for e in s.run("fds\nps\nc = socket(AF_UNIX, SOCK_DGRAM, 0)")] for s in (plain, asked)]
    texts = [[e.get("text") for e in events if e["event"] in ("output", "call")] for events in after]
    assert texts[0] == texts[1]


SLEEPS = [
    (SERVER + "@t accept(s, NULL, NULL)", ["inet_csk_wait_for_connect()", "net/ipv4/inet_connection_sock.c",
     "fd 3, which listens on 127.0.0.1:8080", "sk->sk_wq->wait", "a connect() to 127.0.0.1:8080 from another task",
     "no timeout"]),
    (ACCEPTED + "@t read(c, ..., 10)", ["data on fd 4", "a write to fd 5 of task init"]),
    ("pipe([3, 4])\n@t read(3, ..., 10)", ["data in the pipe (fd 3)", "pipe->rd_wait", "a write to fd 4 of task init"]),
    ('pipe([3, 4])\nwrite(4, ..., 65536)\n@t write(4, "x", 1)', ["room in the pipe", "a read from fd 3 of task init"]),
    ("socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4])\n@t read(3, ..., 9)", ["data on fd 3", "a write to fd 4 of task init"]),
    ("socketpair(AF_UNIX, SOCK_DGRAM, 0, [3, 4])\n@t recv(3, ..., 9, 0)",
     ["a datagram for fd 3", "a write to fd 4 of task init"]),
    ('u = socket(AF_UNIX, SOCK_STREAM, 0)\nbind(u, {AF_UNIX, "/tmp/d"}, 110)\nlisten(u, 1)\n@t accept(u, NULL, NULL)',
     ['a connect() to "/tmp/d" from another task']),
    ('u = socket(AF_INET, SOCK_DGRAM, 0)\nbind(u, {AF_INET, 53, "127.0.0.1"}, 16)\n@t recv(u, ..., 9, 0)',
     ["a sendto() to 127.0.0.1:53 from any socket"]),
    ("u = socket(AF_INET, SOCK_DGRAM, 0)\n@t recv(u, ..., 9, 0)", ["it has no port; bind() gives one"]),
    ("pipe([3, 4])\n@t poll([{fd=3, events=POLLIN}], 1, -1)",
     ["fd 3 to become ready", "do_poll()   fs/select.c", "fd 4 of task init"]),
    ("pipe([3, 4])\n@t select(4, [3], NULL, NULL, NULL)", ["fd 3 to become ready", "do_select()", "fd 4 of task init"]),
    ("pipe([3, 4])\ne = epoll_create1(0)\nepoll_ctl(e, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data=3})\n@t epoll_wait(e, ..., 4, -1)",
     ["an event of fd 3", "ep->wq", "a write to fd 4 of task init"]),
    ("@t fork()\n@t wait4(-1, NULL, 0, NULL)", ["a child to end", "wait_chldexit", "exit() of pid"]),
    ("@t pause()", ["a signal that has a handler", "a signal: kill("]),
    ("e = eventfd(0)\n@t read(e, ..., 8)", ["the eventfd's counter", "ctx->wqh"]),
    ('mknod("/tmp/f", S_IFIFO|0644, 0)\n@t open("/tmp/f", O_RDONLY)', ["a writer to open the FIFO too", "O_WRONLY"]),
    ('f = open("/tmp/l", O_RDWR|O_CREAT, 0644)\ng = open("/tmp/l", O_RDWR)\nflock(f, LOCK_EX)\n@t flock(g, LOCK_EX)',
     ["a lock that another holds"]),
    ("t = timerfd_create(CLOCK_MONOTONIC, 0)\n@t read(t, ..., 8)", ["the timer to expire"]),
]  # fmt: skip


@pytest.mark.parametrize(("commands", "words"), SLEEPS, ids=[words[0] for _, words in SLEEPS])
def test_sleeps(commands: str, words: list[str]) -> None:
    text = why(commands, "t")
    assert text.startswith("task t sleeps in ")
    flat = " ".join(text.split())
    assert [word for word in words if word not in text and word not in flat] == [], text
    assert "It would be woken by" in text


def test_a_sleep_with_a_timer_tells_how_long_it_has_to_go() -> None:
    session = Session()
    session.machine.syscall(session.task, NR_NANOSLEEP, (_timespec(session, 2),))
    wait = wait_of(session, session.current)
    assert wait is not None
    assert (wait.function, wait.what) == ("do_nanosleep", "time to pass")
    assert wait.until == session.kernel.clock.now + 2_000_000_000


def _timespec(session: Session, seconds: int) -> int:
    assert session.task.mm is not None
    address = session.current.arena.take(16)
    session.task.mm.write(address, seconds.to_bytes(8, "little") + bytes(8))
    return address


QUERY = """a = socket(AF_INET, SOCK_DGRAM, 0)
bind(a, {{AF_INET, 53, "127.0.0.1"}}, 16)
b = socket(AF_INET, SOCK_DGRAM, 0)
sendto(b, "query", {}, 0, {{AF_INET, 53, "127.0.0.1"}}, 16)
"""
SURPRISES = [
    (CONNECTED, "the handshake is the kernel's. 1 of at most 6 connections wait at fd 3 of task init"),
    (ACCEPTED + "dup(a)\nclose(a)", "the file lives on: fd 6 of task init lead"),
    (ACCEPTED + "close(a)\nread(c, ..., 10)", "0 is end of file: the peer has sent a FIN, this end is in TCP_CLOSE_WAIT"),
    (ACCEPTED + 'close(a)\nwrite(c, "hi", 2)', "it answered with a RST"),
    ('pipe([3, 4])\nclose(4)\nread(3, ..., 10)', "0 is end of file, no error"),
    ('pipe([3, 4])\nwrite(4, "abc", 3)\nread(3, ..., 10)', "3 of 10 bytes"),
    (QUERY.format(5) + "recvfrom(a, buf, 64, 0, NULL, NULL)", "5 bytes are the whole message"),
    (QUERY.format(0) + "recvfrom(a, buf, 64, 0, NULL, NULL)", "0 bytes are an empty message"),
    ('socketpair(AF_UNIX, SOCK_SEQPACKET, 0, [3, 4])\nwrite(3, "abc", 3)\nread(4, ..., 10)', "3 bytes are the whole message"),
    ("pipe2([3, 4], O_NONBLOCK)\nwrite(4, ..., 100000)", "65536 of 100000 bytes were taken"),
    ("fd = socket(AF_INET, SOCK_STREAM, 0)\nsetsockopt(fd, SOL_SOCKET, SO_RCVBUF, [5000], 4)", "sk_rcvbuf is 10000"),
    ('fd = socket(AF_INET, SOCK_STREAM, 0)\nbind(fd, {AF_INET, 0, "127.0.0.1"}, 16)', "port 0 means any: the kernel has chosen"),
    ("fd = socket(AF_INET, SOCK_STREAM, 0)\nlisten(fd, 1000000)", "the backlog is 4096, not 1000000: net.core.somaxconn"),
    ("fd = socket(AF_INET, SOCK_STREAM, 0)\nlisten(fd, 5)", "listen() has given it"),
    (DATAGRAM, "nothing was sent"),
    (DATAGRAM + '\nwrite(fd, "x", 1)', "an ICMP port unreachable"),
    ("socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4])\nshutdown(3, SHUT_WR)", "the descriptor stays open"),
    ("poll([{fd=0, events=POLLIN}], 1, 10)", "the time ran out"),
    ("kill(1, 0)", "signal 0 is never sent"),
]  # fmt: skip


@pytest.mark.parametrize(("commands", "words"), SURPRISES, ids=[words[:40] for _, words in SURPRISES])
def test_surprises(commands: str, words: str) -> None:
    text = why(commands.rstrip("\n"))
    assert words in " ".join(text.split()), text


def test_a_failing_call_says_why_where_causes_are_shown() -> None:
    session = Session(show=frozenset({"causes"}))
    events = session.run('fd = socket(AF_INET, SOCK_STREAM, 0)\nbind(fd, {AF_INET, 80, "1.2.3.4"}, 16)')
    causes = [(i, e) for i, e in enumerate(events) if isinstance(e, ev.Cause)]
    ((place, cause),) = causes
    assert isinstance(events[place - 1], ev.CallFinished)
    assert (cause.errno, cause.meaning) == ("EADDRNOTAVAIL", "Cannot assign requested address")
    assert cause.cause == "the address is none of this machine's"
    assert cause.step == 'bind(fd, {AF_INET, 8080, "127.0.0.1"}, 16)'


def test_an_expected_failure_needs_no_reason() -> None:
    session = Session(show=frozenset({"causes"}))
    assert not [e for e in session.run("close(99) = -1 EBADF") if isinstance(e, ev.Cause)]


def test_batch_use_computes_no_reasons() -> None:
    assert not [e for e in Session().run("close(99)") if isinstance(e, ev.Cause)]


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        ("close(3)", ["  the descriptor is not open", "  try: close(3)"]),
        ("@server getpid()\n@server getppid()", ["  the descriptor is not open", "  why tells what to do"]),
        ("", ["  the descriptor is not open"]),
    ],
)  # fmt: skip
def test_a_cause_takes_two_lines_on_the_screen(step: str, lines: list[str]) -> None:
    event = ev.Cause(1, 0, 1, "init", "close", "EBADF", "Bad file descriptor", "the descriptor is not open", step)
    assert list(PlainText(frozenset({"causes"}), width=80).lines(event)) == lines
    assert list(PlainText(frozenset({"line"}), width=80).lines(event)) == []


def test_trials_tell_no_causes_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `view full` in the configuration each trial of a step that fails had trials of its own, and so on."""
    told: list[Session] = []

    def with_causes(session: Session, events: Sequence[ev.Event]) -> list[ev.Event]:
        told.append(session)
        return telling_causes(session, events)

    telling_causes = telling.with_causes
    monkeypatch.setattr(telling, "with_causes", with_causes)
    session = Session(configured={"view": "full"})
    session.run("s = socket(AF_INET, SOCK_STREAM, 0)")
    events = session.run('send(s, "x", 1, 0)')
    assert any(isinstance(event, ev.Cause) for event in events)
    assert told == [session]
    assert session.copy().show == frozenset()
