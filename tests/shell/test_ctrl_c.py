"""SIGINT breaks off only what may be broken off."""

import os
import signal
from collections.abc import Iterator

import pytest

from kshell.shell.ctrl_c import CtrlC


@pytest.fixture
def ctrl_c() -> Iterator[CtrlC]:
    before = signal.getsignal(signal.SIGINT)
    handler = CtrlC()
    handler.install()
    yield handler
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_command_is_broken_off_once(ctrl_c: CtrlC) -> None:
    with ctrl_c.breaks():
        with pytest.raises(KeyboardInterrupt):
            press()
        press()  # what cleans up is not disturbed
    with pytest.raises(KeyboardInterrupt):
        ctrl_c.look()
    ctrl_c.look()


def test_between_commands_it_is_kept(ctrl_c: CtrlC) -> None:
    press()
    with pytest.raises(KeyboardInterrupt):
        ctrl_c.look()


def test_an_editor_within_a_command_is_not_broken_off(ctrl_c: CtrlC) -> None:
    with ctrl_c.breaks():
        with ctrl_c.breaks(False):
            press()
        with pytest.raises(KeyboardInterrupt):
            press()
