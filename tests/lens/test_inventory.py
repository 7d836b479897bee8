"""The inventory names all that a machine holds, in an order that only its state decides."""

import subprocess
import sys

import pytest

from kshell.lens.inventory import digest, inventory
from kshell.session.session import Session
from kshell.world.machine import Machine

LINES = ["socket(AF_INET, SOCK_STREAM, 0)", "pipe(p)", "@r read(4, ..., 10)", "sleep 1s"]


def digest_of(session: Session) -> str:
    return digest({"kernel": session.kernel})


def test_two_machines_in_the_same_state_have_one_digest() -> None:
    assert digest({"kernel": Machine().kernel}) == digest({"kernel": Machine().kernel})


def test_the_digest_does_not_depend_on_the_process() -> None:
    code = "from kshell.lens.inventory import digest; from kshell import Machine; print(digest({'k': Machine().kernel}))"
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                           env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}).stdout for seed in "12"}  # fmt: skip
    assert len(runs) == 1


DIFFERENT = [
    "getpid()\ngetpid()\nsocket(AF_INET, SOCK_DGRAM, 0)",
    'write(5, "x", 1)',
    "sleep 1us",
    "umask(0)",
    "@r getpid()",
    'mkdir("/tmp/d", 0700)',
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "setsockopt(3, SOL_SOCKET, SO_MARK, [7], 4)",
]


@pytest.mark.parametrize("line", DIFFERENT)
def test_whatever_changes_changes_the_digest(line: str) -> None:
    session = Session()
    session.run("\n".join(LINES[:2]))
    before = digest_of(session)
    session.run(line)
    assert digest_of(session) != before


def test_looking_changes_nothing() -> None:
    session = Session()
    session.run("\n".join(LINES))
    before = digest_of(session)
    session.run("show\nps\nfds\nslab\ndmesg\nwhy\nstack\nhistory\ndiff 1 3")
    assert digest_of(session) == before


def test_things_have_fields_with_paths() -> None:
    session = Session()
    session.run("\n".join(LINES))
    things = {thing.struct: thing for thing in inventory({"kernel": session.kernel})}
    sk = things["tcp_sock"]
    assert (sk.fields["sk_receive_queue.qlen"], sk.fields["snd_cwnd"]) == (0, 10)
    assert sk.label == f"tcp_sock {sk.address:#x}"
    stacks = [v for t in inventory({"k": session.kernel}) for p, v in t.fields.items() if p.startswith("_stack.")]
    assert any(str(value).startswith("pipe_read+") for value in stacks)
