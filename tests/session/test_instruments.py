"""Tracing and breakpoints, on or off, change nothing in what a session tells."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kshell.session.events import Event
from kshell.session.session import Session

SCRIPTS = (
    (
        'fd = socket(AF_INET, SOCK_STREAM, 0)',
        'write(fd, "hi", 2)',
        'connect(fd, {AF_INET, 8080, "127.0.0.1"}, 16)',
        'close(fd)',
        'close(fd)',
    ),
    (
        '@server s = socket(AF_INET, SOCK_STREAM, 0)',
        '@server bind(s, {AF_INET, 8080, "127.0.0.1"}, 16)',
        '@server listen(s, 5)',
        '@server c = accept(s, NULL, NULL)',
        'fd = socket(AF_INET, SOCK_STREAM, 0)',
        'connect(fd, {AF_INET, 8080, "127.0.0.1"}, 16)',
        '@server read(c, buf, 10)',
        'write(fd, "hello", 5)',
        'shutdown(fd, SHUT_WR)',
        '@server read(c, buf, 10)',
        'sleep 2s',
    ),
    (
        'pipe(p)',
        '@reader read(3, ..., 8)',
        'ps',
        'kill(2, SIGTERM)',
        'write(4, "x", 1)',
        'poll([{fd=3, events=POLLIN}], 1, 60)',
        'nanosleep({tv_sec=0, tv_nsec=5000000}, NULL)',
    ),
    (
        'a = socket(AF_UNIX, SOCK_DGRAM, 0)',
        'bind(a, {AF_UNIX, "/tmp/x"}, 110)',
        'sendto(a, "ping", 4, 0, {AF_UNIX, "/tmp/x"}, 110)',
        'recv(a, ..., 16, 0)',
        'open("/tmp/file", O_RDWR|O_CREAT, 0644)',
        'write(4, "text", 4)',
        'ls /tmp',
    ),
)  # fmt: skip
FUNCTIONS = (
    "sys_write", "vfs_write", "sock_write_iter", "tcp_v4_rcv", "tcp_set_state", "wait_woken", "inet_csk_accept",
    "sk_stream_error", "fput", "hrtimer_wakeup", "try_to_wake_up", "schedule", "unix_dgram_sendmsg", "do_poll",
    "kmem_cache_alloc", "copy_from_user", "tcp_rcv_state_process", "__fget_light", "do_exit", "sys_socketcall",
)  # fmt: skip
TYPED = ("next", "step", "step 3", "finish", "until", "continue", "bt", "up", "info locals", "print current->pid", "")
DEBUGGERS = frozenset({"trace", "tracediff", "stop", "debug", "go"})


def told(session: Session, script: tuple[str, ...]) -> list[str]:
    """The JSON of a session without what its instruments tell."""
    lines: list[str] = []
    for text in script:
        lines += [json.dumps(event.to_json()) for event in _without_stops(session.run(text))]
    return lines


def _without_stops(events: list[Event]) -> Iterator[Event]:
    """What comes between a stop and its end is the debugger's."""
    stopped = False
    for event in events:
        if event.kind == "stop":
            stopped = True
        elif event.kind == "go":
            stopped = False
        elif event.kind not in DEBUGGERS and not stopped:
            yield event


@given(
    script=st.sampled_from(SCRIPTS),
    traced=st.sampled_from(("", "trace on", "trace -a on", "trace tcp_*", "trace -d 2 on")),
    functions=st.lists(st.sampled_from(FUNCTIONS), max_size=4, unique=True),
    watched=st.sampled_from(("", "watch current->files->next_fd", "watch jiffies")),
    typed=st.lists(st.sampled_from(TYPED), max_size=12),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_instruments_change_nothing(
    script: tuple[str, ...], traced: str, functions: list[str], watched: str, typed: list[str]
) -> None:
    panels = frozenset({"objects", "packets", "changes", "wakeups", "log"})
    plain = told(Session(show=panels), script)
    session = Session(show=panels)
    for text in (traced, *(f"break {name}" for name in functions), watched):
        assert not [event for event in session.run(text) if event.kind in ("error", "oops")], text
    lines = iter(typed)
    session.at_stop = lambda shown: kept.extend(shown) or next(lines, None)  # type: ignore[func-returns-value]
    kept: list[Event] = []
    events: list[Event] = []
    for text in script:
        kept.clear()
        last = session.run(text)
        events += [*kept, *last]
    seen = [json.dumps(event.to_json()) for event in _without_stops(events)]
    assert not [event for event in events if event.kind == "oops"]
    assert seen == plain


@pytest.mark.parametrize("script", SCRIPTS)
def test_state_is_the_same_after_tracing(script: tuple[str, ...]) -> None:
    """The digest of all that the machine holds."""
    from kshell.lens.inventory import digest

    plain, traced, stopped = Session(), Session(), Session()
    traced.run("trace -a on")
    stopped.run("break wait_woken")
    stopped.run("break inet_csk_accept")
    for text in script:
        plain.run(text)
        traced.run(text)
        stopped.run(text)
        assert digest(plain.machines) == digest(traced.machines) == digest(stopped.machines)
