"""Breakpoints, watchpoints and stepping: what each stop tells, and that calls end as they would have."""

import pytest

from kshell.session.events import CallFinished, Error, Event, Go, Output, Stop
from kshell.session.session import Session

SERVER = """\
set abi x86_64
@server s = socket(AF_INET, SOCK_STREAM, 0) = 3
@server bind(s, {AF_INET, 8080, "127.0.0.1"}, 16) = 0
@server listen(s, 5) = 0
@server accept(s, NULL, NULL)
fd = socket(AF_INET, SOCK_STREAM, 0) = 3
"""
CONNECT = 'connect(fd, {AF_INET, 8080, "127.0.0.1"}, 16)'


class Typing:
    """A session at whose stops the given lines are typed; `shown`: the events of everything."""

    def __init__(self, *typed: str) -> None:
        self.session = Session()
        self.typed = list(typed)
        self.shown: list[Event] = []
        self.session.at_stop = self._at_stop

    def _at_stop(self, shown: list[Event]) -> str | None:
        self.shown += shown
        return self.typed.pop(0) if self.typed else None

    def run(self, text: str) -> None:
        for line in text.strip().split("\n"):
            self.shown += self.session.run(line)

    def stops(self) -> list[str]:
        """The functions it stopped in."""
        return [event.function for event in self.shown if isinstance(event, Stop)]

    def reasons(self) -> list[str]:
        return [event.reason for event in self.shown if isinstance(event, Stop)]

    def said(self) -> list[str]:
        return [event.text for event in self.shown if isinstance(event, Output)]

    def errors(self) -> list[str]:
        return [event.message for event in self.shown if isinstance(event, Error)]

    def last(self) -> str:
        return [event.text for event in self.shown if isinstance(event, CallFinished) and event.kind == "call"][-1]


def test_a_breakpoint_stops_with_arguments_backtrace_and_expressions() -> None:
    typed = Typing("bt 2", "p sk->sk_state", "sk->inet_num", "info args", "p addr_len + 1", "c")
    typed.run(SERVER + "break tcp_v4_connect\n" + CONNECT)
    assert typed.stops() == ["tcp_v4_connect"]
    assert typed.reasons()[0].startswith("Breakpoint 1, tcp_v4_connect (sk=0x")
    backtrace, state, number, args, plus = typed.said()[-5:]
    assert backtrace.startswith("#0  tcp_v4_connect (")
    assert "\n#1  __inet_stream_connect (" in backtrace
    assert "at net/ipv4/tcp_ipv4.py:" in backtrace
    assert (state, number, plus) == ("TCP_CLOSE", "0", "17")
    assert args.startswith("sk = (struct tcp_sock *)0x")
    assert args.endswith("addr_len = 16")
    assert typed.last().endswith("= 0")


def test_next_step_until_and_finish() -> None:
    typed = Typing("next", "next", "until", "finish", "finish", "c")
    typed.run(SERVER + "break tcp_v4_connect\n" + CONNECT)
    assert typed.stops() == ["tcp_v4_connect"] * 4 + ["__inet_stream_connect", "inet_stream_connect"]
    numbers = [event.line for event in typed.shown if isinstance(event, Stop)]
    assert numbers[:4] == sorted(set(numbers[:4]))
    assert typed.reasons()[4].startswith("tcp_v4_connect() returned 0\n")


def test_step_goes_into_functions_and_over_helpers_of_the_model() -> None:
    typed = Typing(*["step"] * 6, "c")
    typed.run("set abi x86_64\nbreak sys_close\nclose(99)")
    assert typed.stops()[0] == "sys_close"
    assert len(set(typed.stops())) > 1
    assert not any(name.startswith("_") and not name.startswith("__") for name in typed.stops())


def test_finish_tells_the_error() -> None:
    typed = Typing("finish", "finish", "c")
    typed.run('set abi x86_64\nfd = socket(AF_INET, SOCK_STREAM, 0)\nbreak sk_stream_error\nwrite(fd, "hi", 2)')
    assert typed.reasons()[1].startswith("sk_stream_error() returned 32\n")
    assert typed.reasons()[2].startswith("tcp_sendmsg_locked() fails: -EPIPE (Broken pipe)\n")


def test_conditions_tasks_and_temporary_breakpoints() -> None:
    typed = Typing()
    typed.run(SERVER)
    typed.run("break tcp_set_state if state == 1\nbreak __sys_accept4 task server\ntbreak tcp_v4_connect")
    typed.run(CONNECT)
    typed.run("accept(fd, NULL, NULL)\n@server accept(s, NULL, NULL)")
    assert typed.stops()[0] == "tcp_v4_connect"
    assert set(typed.stops()[1:-1]) == {"tcp_set_state"}
    assert typed.stops()[-1] == "__sys_accept4"
    typed.run("info breakpoints")
    table = typed.said()[-1].split("\n")
    assert table[1].split() == ["1", "breakpoint", "keep", "2", "tcp_set_state"]
    assert table[2].strip() == "stop only if state == 1"
    assert "tcp_v4_connect" not in typed.said()[-1]


def test_it_stops_in_softirq_and_timers() -> None:
    typed = Typing("bt", "c", "bt", "c")
    typed.run(SERVER + "tbreak tcp_v4_rcv\n" + CONNECT + "\ntbreak hrtimer_wakeup\npoll([], 0, 60)")
    assert typed.stops() == ["tcp_v4_rcv", "hrtimer_wakeup"]
    assert "(in a softirq, while init runs)" in typed.said()[-3]
    assert typed.said()[-1].startswith("#0  hrtimer_wakeup")


def test_it_stops_in_another_host() -> None:
    typed = Typing("p dev->name", "bt", "c")
    typed.run("host far\nlink localhost.eth0 far.eth0")
    for host, last in (("far", 2), ("localhost", 1)):
        typed.run(f"@{host} s = socket(AF_INET, SOCK_DGRAM, 0)")
        typed.run(f'@{host} ioctl(s, SIOCSIFADDR, {{ifr_name="eth0", ifr_addr={{AF_INET, 0, "10.0.2.{last}"}}}})')
        typed.run(f'@{host} ioctl(s, SIOCSIFFLAGS, {{ifr_name="eth0", ifr_flags=IFF_UP}})')
    typed.run('sleep 5s\ntbreak arp_rcv\nsendto(s, "hi", 2, 0, {AF_INET, 7000, "10.0.2.2"}, 16)\nsleep 1s')
    (stop,) = [event for event in typed.shown if isinstance(event, Stop)]
    assert (stop.function, stop.task) == ("arp_rcv", "far")
    assert '"eth0"' in typed.said()
    assert "(in a softirq)" in typed.said()[-1]


def test_a_step_over_a_sleep_goes_on_when_the_task_wakes() -> None:
    typed = Typing("finish", "bt 1", "c")
    typed.run(
        "set abi x86_64\n@server s = socket(AF_INET, SOCK_DGRAM, 0)\n"
        '@server bind(s, {AF_INET, 8080, "127.0.0.1"}, 16)\ntbreak udp_recvmsg\n@server read(s, ..., 10)'
    )
    assert [event.text for event in typed.shown if isinstance(event, Go)][-1].startswith("the call sleeps")
    typed.run('fd = socket(AF_INET, SOCK_DGRAM, 0)\nsendto(fd, "hi", 2, 0, {AF_INET, 8080, "127.0.0.1"}, 16)')
    assert typed.stops() == ["udp_recvmsg", "inet_recvmsg"]
    assert typed.reasons()[1].startswith("udp_recvmsg() returned 2\n")


@pytest.mark.parametrize("what", ["fd 3 sk_state", "fd(3)->private_data->sk->sk_state"])
def test_a_watchpoint_says_who_changed_the_value(what: str) -> None:
    typed = Typing("bt 2", "c", "c")
    typed.run(SERVER + f"watch {what}\n" + CONNECT)
    first, second = typed.reasons()
    assert "Old value = TCP_CLOSE\nNew value = TCP_SYN_SENT\nchanged by inet_sk_state_store(), line" in first
    assert "New value = TCP_ESTABLISHED" in second
    assert "#1  tcp_set_state" in typed.said()[-1]


@pytest.mark.parametrize("question", ["why", "diff 1 2", "show fd 3 @1", "trace 2", "help bind", "man connect"])
def test_what_is_tried_on_a_copy_does_not_stop(question: str) -> None:
    typing = Typing("continue")
    typing.run(f"fd = socket(AF_INET, SOCK_STREAM, 0)\nbreak tcp_v4_connect\nbreak inet_create\n{CONNECT}\nclose(99)")
    assert typing.stops() == ["tcp_v4_connect"]
    typing.run(question)
    assert typing.stops() == ["tcp_v4_connect"]
    typing.run("delete 1\nsocket(AF_INET, SOCK_DGRAM, 0)")
    assert typing.stops() == ["tcp_v4_connect", "inet_create"]


def test_a_watchpoint_on_a_local() -> None:
    typed = Typing("watch sk->inet_dport", "c", "c")
    typed.run(SERVER + "tbreak tcp_v4_connect\n" + CONNECT)
    assert "Old value = 0\nNew value = 8080\nchanged by tcp_v4_connect()" in typed.reasons()[1]


def test_undo_leaves_the_stop_and_takes_the_call_back() -> None:
    typed = Typing("next", "undo")
    typed.run(SERVER)
    before = typed.session.next_number
    typed.run("tbreak tcp_v4_connect\n" + CONNECT)
    assert typed.session.next_number == before
    assert [event.text for event in typed.shown if isinstance(event, Go)][-1].startswith("the call is taken back")
    typed.run("print fd(3)->private_data->sk->sk_state")
    typed.run(CONNECT)
    assert typed.last().endswith("= 0")


def test_up_down_and_frame_choose_whose_variables_are_meant() -> None:
    typed = Typing("up", "info locals", "frame 2", "p flags", "down", "down", "down", "c")
    typed.run(SERVER + "tbreak tcp_v4_connect\n" + CONNECT)
    assert any(text.startswith("#1  __inet_stream_connect") for text in typed.said())
    assert "2" in typed.said()
    assert typed.errors() == ["this is the innermost function"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("close(3)", "no call can be made in the middle of another"),
        ("sleep 1s", "sleep can't be done in the middle of a call"),
        ("p nothing", "unknown name nothing"),
        ("next x", "next wants a number, not 'x'"),
        ("frame 99", "frame wants a number from 0 to"),
        ("info x", "info wants args, locals, frame or breakpoints"),
        ("bogus thing", "the debugger has no command 'bogus'"),
        ("undo 99", "'99' is not a number of commands"),
    ],
)
def test_errors_at_a_stop(line: str, message: str) -> None:
    typed = Typing(line, "c")
    typed.run("break sys_getpid\ngetpid()")
    assert len(typed.errors()) == 1
    assert typed.errors()[0].startswith(message)
    assert typed.last() == "getpid() = 1"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("break tpc_v4_rcv", "the kernel has no function 'tpc_v4_rcv'"),
        ("break", "break wants a function"),
        ("break tcp_v4_rcv if", "the condition is missing"),
        ("watch fd 99 sk_state", "descriptor 99 is not open in init"),
        ("watch fd 0 sk_state", "nothing behind descriptor 0 has a field 'sk_state'"),
        ("delete 7", "there is no breakpoint 7"),
        ("info locals", "info locals is for a stop"),
    ],
)
def test_errors_at_the_prompt(line: str, message: str) -> None:
    typed = Typing()
    typed.run(line)
    assert [text for text in typed.errors() if text.startswith(message)] == typed.errors() != []


def test_variables_may_bear_the_short_names() -> None:
    typed = Typing()
    typed.run("l = socket(AF_INET, SOCK_STREAM, 0)\nb = dup(l)\nclose(b)\nl")
    assert typed.session.next_number == 5
    assert typed.said() == ["3"]


def test_a_script_goes_on_after_the_debuggers_lines() -> None:
    session = Session()
    events = session.run("break sys_getpid\ngetpid()\nbt\ncontinue\nuname(NULL)")
    kinds = [event.kind for event in events]
    assert kinds[2:] == ["command", "stop", "debug", "output", "debug", "go", "call", "command", "call"]
    assert [command.text for command in session.commands] == ["getpid()", "uname(NULL)"]


def test_a_script_that_ends_at_a_stop_ends_its_call() -> None:
    session = Session()
    events = session.run("break sys_getpid\ngetpid()")
    assert [event.kind for event in events][-3:] == ["stop", "go", "call"]


def test_tracing_and_breakpoints_together() -> None:
    typed = Typing("bt", "finish", "c")
    typed.run("set abi x86_64\nbreak __fget_light\ntrace on\nclose(99)\nread(99, 0, 0)")
    assert typed.stops()[0] == "__fget_light"
    assert any("#1  __fdget" in text for text in typed.said())
    assert any(event.kind == "trace" for event in typed.shown)


def test_no_function_keeps_its_trap() -> None:
    from kshell.lens.trace_twins import TWIN_FILE, kernel_functions

    typed = Typing("undo")
    typed.run("break sys_getpid\nwatch jiffies\ntrace on\ngetpid()\ndelete\ntrace off")
    assert not [function for function in kernel_functions() if function.__code__.co_filename == TWIN_FILE]


BACK = [
    ("c", ["back"], ["tcp_v4_connect", "tcp_v4_rcv", "tcp_v4_connect"]),
    ("c", ["back", "forward"], ["tcp_v4_connect", "tcp_v4_rcv", "tcp_v4_connect", "tcp_v4_rcv"]),
    ("c", ["c", "back", "back"], ["tcp_v4_connect", *["tcp_v4_rcv"] * 2, "tcp_v4_rcv", "tcp_v4_connect"]),
    ("n", ["back", "c"], ["tcp_v4_connect", "tcp_v4_connect", "tcp_v4_connect", "tcp_v4_rcv"]),
]


@pytest.mark.parametrize(("first", "then", "stops"), BACK)
def test_back_goes_to_the_stop_before(first: str, then: list[str], stops: list[str]) -> None:
    typed = Typing(first, *then, *["c"] * 9)
    typed.run(SERVER + "break tcp_v4_connect\nbreak tcp_v4_rcv\n" + CONNECT)
    assert typed.stops()[: len(stops)] == stops
    assert typed.errors() == []
    assert typed.last().endswith("= 0")


def test_after_back_the_state_is_that_of_the_stop_before() -> None:
    state = "p sk->sk_state"
    typed = Typing(state, "finish", "back", state, "c")
    typed.run(SERVER + "break tcp_v4_connect\n" + CONNECT)
    assert typed.said()[-1] == typed.said()[-2]


def test_there_is_no_stop_before_the_first() -> None:
    typed = Typing("back", "forward", "c")
    typed.run(SERVER + "break tcp_v4_connect\n" + CONNECT)
    assert typed.errors() == ["this is the first stop of the command", "nothing is known of stops after this"]
