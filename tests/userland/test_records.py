"""What ip, ifconfig, route, arp and netstat print, line by line as the real programs do in the same situation."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

SETUP = "modprobe veth\nip link add v0 address 02:00:00:00:00:07 type veth peer name v1 address 02:00:00:00:00:08"


def cases() -> Iterator[tuple[str, str]]:
    """(command, what it prints)"""
    text = (Path(__file__).parent / "records" / "veth.txt").read_text()
    for part in text.split("## ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output.rstrip("\n")


@pytest.fixture(scope="module")
def printed() -> dict[int, str]:
    session = Session()
    session.run(SETUP)
    return {
        at: "\n".join(e.text for e in session.run(command) if isinstance(e, ev.Output)).rstrip("\n")
        for at, (command, _) in enumerate(cases())
    }


@pytest.mark.parametrize("at", range(len(list(cases()))), ids=[command for command, _ in cases()])
def test_programs_print_what_the_real_ones_print(printed: dict[int, str], at: int) -> None:
    assert printed[at] == list(cases())[at][1]
