"""A session whose reader wants to know only what goes wrong (`kshell check`) does the same and tells less."""

from importlib.resources import files

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

WRONG = (ev.Error, ev.ExpectationFailed, ev.Oops)
LESSONS = sorted(path.name for path in files("kshell.lessons").iterdir() if path.name.endswith(".ks"))

MIXED = """\
set abi x86_64
s = socket(AF_UNIX, SOCK_STREAM, 0) = 3
bind(s, {AF_UNIX, "/tmp/x"}, 110) = 0
listen(s, 5) = 0
@server accept(3, NULL, NULL) = 4
socketpair(AF_UNIX, SOCK_DGRAM, 0, [4, 5]) = 0
write(4, "abc", 3) = 3
read(5, "abd", 10) = 3
read(5, "abc", 10) = 3
pipe2([6, 8], O_CLOEXEC) = 0
getsockopt(s, SOL_SOCKET, SO_TYPE, [2], [4]) = 0
listen(77, 5) = 0
why
nosuch(3)
goto 2
bind(s, {AF_UNIX, "/tmp/x"}, 110) = -1 EADDRINUSE
back
assert 1 == 2
undo 3
"""


def wrong(events: list[ev.Event]) -> list[str]:
    return [repr(event) for event in events if isinstance(event, WRONG)]


def both(text: str) -> tuple[Session, list[ev.Event], Session, list[ev.Event]]:
    telling, terse = Session(), Session(terse=True)
    return telling, telling.run(text) + telling.finish(), terse, terse.run(text) + terse.finish()


@pytest.mark.parametrize("text", [MIXED, *(files("kshell.lessons").joinpath(name).read_text() for name in LESSONS)])
def test_the_same_goes_wrong(text: str) -> None:
    telling, all_of_it, terse, little = both(text)
    assert wrong(all_of_it) == wrong(little)
    assert (telling.held, telling.failed, telling.errors) == (terse.held, terse.failed, terse.errors)
    assert telling.oopses == 0
    assert [c.tape for c in telling.commands] == [c.tape for c in terse.commands]


def test_what_goes_well_is_not_told() -> None:
    session = Session(terse=True)
    events = session.run("# socket\nfd = socket(AF_INET, SOCK_STREAM, 0) = 3\nclose(fd) = 0")
    assert [(event.kind, event.text) for event in events] == [("call", ""), ("call", "")]
    assert session.held == 2


def test_a_call_that_fell_asleep_untold_is_told_whole_when_it_comes_back() -> None:
    session = Session(terse=True)
    session.run("set abi x86_64\nsocketpair(AF_UNIX, SOCK_DGRAM, 0, [3, 4]) = 0")
    session.run("@b recvfrom(3, ..., 64, 0, from, [16])")
    events = session.run('set view line\nwrite(4, "hello", 5) = 5')
    resumed = [event.text for event in events if isinstance(event, ev.CallResumed)]
    assert resumed == ['<... recvfrom resumed>"hello", 64, 0, "", [16 => 0]) = 5']
    assert [event.text for event in events if type(event) is ev.CallFinished] == ['write(4, "hello", 5) = 5']
    assert any(isinstance(event, ev.ExpectationHeld) for event in events)


def test_why_knows_the_last_call_that_failed() -> None:
    session = Session(terse=True)
    session.run("read(77, buf, 3)")
    assert any("EBADF" in event.text for event in session.run("why") if isinstance(event, ev.Output))
