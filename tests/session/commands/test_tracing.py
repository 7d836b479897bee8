"""`trace`: what it shows, of which command, and that a session stays what it was."""

from pathlib import Path

import pytest

from kshell.session.events import Error, Event, Output, Traced, TraceDiff
from kshell.session.session import Session
from kshell.shell.plain import PlainText


@pytest.fixture
def session() -> Session:
    made = Session()
    made.run("set abi x86_64")
    return made


def lines(events: list[Event]) -> list[str]:
    """What a terminal of 80 columns shows."""
    view = PlainText(frozenset({"line", "output"}), width=80)
    return [line for event in events for line in view.lines(event)]


def graph(events: list[Event]) -> str:
    """The trace in it."""
    return "\n".join(lines([event for event in events if isinstance(event, Traced)]))


def error(events: list[Event]) -> tuple[str, str]:
    (found,) = [event for event in events if isinstance(event, Error)]
    return found.message, found.hint


def functions(events: list[Event]) -> list[str]:
    """The functions of the JSON form."""
    (traced,) = [event for event in events if isinstance(event, Traced)]
    found = traced.to_json()["calls"]
    assert isinstance(found, list)
    return [str(call["function"]) for call in found if isinstance(call, dict)]


def test_a_call_with_its_files_and_where_the_error_arises_and_passes(session: Session) -> None:
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    found = lines(session.run('trace write(fd, "hi", 2)'))
    assert found[0].startswith("------ init-1")
    assert found[1].startswith("  0  | __x64_sys_write() {")
    assert found[1].endswith("fs/read_write.c")
    arises = [line for line in found if "arises here" in line]
    assert len(arises) == 1
    assert "sk_stream_wait_connect(); = -EPIPE   <-- arises here" in arises[0]
    assert "  0  | } = -EPIPE" in found
    assert found[-1] == "write(3, \"hi\", 2) = -1 EPIPE (Broken pipe)"
    assert all(len(line) <= 80 for line in found[:-2])


def test_arguments_and_results(session: Session) -> None:
    found = graph(session.run("trace -a close(99)"))
    assert "__x64_sys_close(fd=99)" in found
    assert "current=" not in found


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("-d 1", ["__x64_sys_socket"]),
        ("sock_alloc*", ["sock_alloc", "sock_alloc_inode", "sock_alloc_file"]),
        ("net/socket.c -d 2", ["__x64_sys_socket", "__sys_socket"]),
        ("sock_alloc -d 2", ["sock_alloc", "new_inode_pseudo", "get_next_ino"]),
    ],
)
def test_filters(session: Session, request_: str, wanted: list[str]) -> None:
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    assert functions(session.run(f"trace {request_} last")) == wanted


def test_repeats_are_folded_unless_asked_for(session: Session) -> None:
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    session.run('write(fd, "hi", 2)')
    assert "tcp_packets_in_flight();   [x2]" in graph(session.run("trace -i last"))
    assert graph(session.run("trace -i -u last")).count("tcp_packets_in_flight()") == 2


def test_headers_functions_are_left_out_as_ftrace_does(session: Session) -> None:
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    assert "inet_sk()" not in graph(session.run('trace write(fd, "hi", 2)'))
    assert "~inet_sk()" in graph(session.run("trace -i last"))


def test_a_sleep_cuts_the_graph_into_segments(session: Session) -> None:
    found = lines(session.run("trace -d 5 poll([], 0, 60)"))
    heads = [line.split()[1:4] for line in found if line.startswith("------")]
    assert heads == [["init-1", "0.000000", "s"], ["timer", "0.060000", "s"], ["init-1", "0.060000", "s"]]
    assert any("schedule_hrtimeout_range() { … }   sleeps below" in line for line in found)
    assert "  0 t| hrtimer_wakeup() {" in [line[:26].rstrip() for line in found]
    assert "  0  | } /* __x64_sys_poll */" in found


def test_a_task_that_slept_before_goes_on_at_its_depth(session: Session) -> None:
    session.run("@server s = socket(AF_INET, SOCK_DGRAM, 0)")
    session.run('@server bind(s, {AF_INET, 8080, "127.0.0.1"}, 16)')
    session.run("@server read(s, ..., 10)")
    session.run("fd = socket(AF_INET, SOCK_DGRAM, 0)")
    found = lines(session.run('trace sendto(fd, "hi", 2, 0, {AF_INET, 8080, "127.0.0.1"}, 16)'))
    server = found[next(i for i, line in enumerate(found) if line.startswith("------ server")) :]
    assert int(server[1][:3]) > 3
    assert any(line[4] == "s" and "udp_rcv()" in line for line in found)


def test_trace_last_leaves_the_session_as_it_was(session: Session) -> None:
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    before = (session.next_number, session.now, [c.text for c in session.commands])
    assert functions(session.run("trace last"))[0] == "__x64_sys_socket"
    assert (session.next_number, session.now, [c.text for c in session.commands]) == before
    assert lines(session.run("close(fd)"))[-1] == "close(3) = 0"
    assert functions(session.run("trace 2"))[0] == "__x64_sys_socket"


def test_trace_last_of_a_traced_call_is_that_call(session: Session) -> None:
    session.run("trace -d 1 getpid()")
    assert functions(session.run("trace last")) == ["__do_sys_getpid"]


def test_on_and_off(session: Session) -> None:
    session.run("trace on")
    assert functions(session.run("getpid()")) == ["__do_sys_getpid"]
    session.run("trace off")
    assert not graph(session.run("getpid()"))
    assert [c.text for c in session.commands] == ["set abi x86_64", "getpid()", "getpid()"]


def test_diff_of_a_write_to_a_file_and_to_a_socket(session: Session) -> None:
    session.run('f = open("/tmp/x", O_RDWR|O_CREAT, 0644)')
    session.run("s = socket(AF_INET, SOCK_STREAM, 0)")
    session.run('write(f, "hi", 2)')
    session.run('write(s, "hi", 2)')
    events = session.run("trace --diff 4 5")
    (found,) = [event for event in events if isinstance(event, TraceDiff)]
    signs = {line.name: line.sign for line in found.lines}
    assert signs["vfs_write"] == " "
    assert signs["generic_file_write_iter"] == "-"
    assert signs["sock_write_iter"] == "+"
    assert sum(line.name == "ksys_write" for line in found.lines) == 1
    text = lines(events)
    assert text[0] == '--- 4: write(f, "hi", 2)'
    assert any(line.startswith("+       sock_write_iter()") and line.endswith("net/socket.c") for line in text)
    beside = lines(session.run("trace --diff 4 5 -y"))
    assert any("generic_file_write_iter()" in line and "| " in line for line in beside)


def test_chain_writes_the_plain_tree(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "getpid.chain"
    session.run(f"trace --chain {path} getpid()")
    assert path.read_text() == "__do_sys_getpid\n"
    session.run(f"trace --chain {path} last")
    assert path.read_text() == "__do_sys_getpid\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("trace tpc_sendmsg", "the kernel has no function 'tpc_sendmsg'", "did you mean tcp_sendmsg?"),
        ("trace -d x getpid()", "-d: 'x' is not a number from 1 on", ""),
        ("trace --diff 1", "--diff wants a value", "trace -d 4 CALL, trace --diff 3 5, trace --chain FILE CALL"),
        ("trace --diff 1 9", "there is no command 9", "commands go from 1 to 1: history"),
        ("trace -z", "trace has no option -z", "there are -a, -i, -u, -d N, --diff A B, --chain FILE"),
        ("trace last", "no command has done anything yet", "trace CALL runs a call and traces it"),
    ],
)
def test_errors(session: Session, text: str, message: str, hint: str) -> None:
    assert error(session.run(text)) == (message, hint)


def test_state_of_tracing_is_told(session: Session) -> None:
    (said,) = [event for event in session.run("trace tcp_* -d 3") if isinstance(event, Output)]
    assert said.text == "tracing is on: -d 3 tcp_*; trace off ends it"
