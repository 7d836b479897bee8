"""Names below /proc and /sys are completed from what these are made of; nothing is looked up in the kernel."""

import pytest

from kshell import Session
from kshell.session import events as ev
from kshell.shell.state import SessionState
from kshell.shell.virtual_paths import names_below


@pytest.mark.parametrize(
    ("directory", "some"),
    [
        ("/proc", ["1/", "self/", "net/", "sys/", "slabinfo"]),
        ("/proc/net/", ["tcp", "unix", "stat/"]),
        ("/proc/self/net", ["tcp"]),
        ("/proc/1/", ["fd/", "status", "cwd"]),
        ("/proc/sys", ["net/", "kernel/"]),
        ("/proc/sys/net/ipv4/", ["ip_forward", "conf/"]),
        ("/sys/class", ["net/"]),
        ("/sys/class/net/lo/", ["mtu", "statistics/"]),
        ("/sys/class/net/lo/statistics", ["rx_bytes"]),
    ],
)
def test_names(directory: str, some: list[str]) -> None:
    found = list(names_below(Session().kernel, directory) or ())
    assert [name for name in some if name not in found] == []


@pytest.mark.parametrize("directory", ["/proc/nosuch", "/proc/net/tcp/x", "/sys/nosuch/x", "/proc/99"])
def test_what_is_not_there_has_no_names(directory: str) -> None:
    assert list(names_below(Session().kernel, directory) or ()) == []


def test_elsewhere_the_dentries_are_asked() -> None:
    session = Session()
    assert names_below(session.kernel, "/tmp") is None
    assert names_below(session.kernel, "proc") is None
    assert "tmp/" in SessionState(session).paths("/")


def test_every_listed_name_is_there_and_looking_changes_nothing() -> None:
    session = Session()
    before = session.print_text("current->files->next_fd"), len(list(session.kernel.tasklist))
    wanted = {d: set(names_below(session.kernel, d) or ()) for d in ("/proc/net", "/sys/class/net/lo", "/proc/sys/net/ipv4")}
    assert (session.print_text("current->files->next_fd"), len(list(session.kernel.tasklist))) == before
    for directory, names in wanted.items():
        listed = "\n".join(e.text for e in session.run(f"ls -1 {directory}") if isinstance(e, ev.Output)).split()
        assert {name.rstrip("/") for name in names} == set(listed), directory
