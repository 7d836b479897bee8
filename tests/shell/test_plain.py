"""Colours of the plain text: names of ANSI colours, for dark and for light backgrounds."""

import re

import pytest

from kshell.lens.style import STYLES as KNOWN
from kshell.session.session import Session
from kshell.shell.plain import ON_LIGHT, STYLES, Painter, PlainText


def test_only_the_eight_ansi_colours_are_used() -> None:
    codes = {number for code in (STYLES | ON_LIGHT).values() for number in re.findall(r"\d+", code)}
    assert codes <= {"1", "2", *(str(30 + n) for n in range(1, 7))}


@pytest.mark.parametrize(("styles", "lost"), [(STYLES, {"34", "30"}), (ON_LIGHT, {"32", "33", "36", "37"})])
def test_no_colour_is_lost_on_its_background(styles: dict[str, str], lost: set[str]) -> None:
    assert not [name for name, code in styles.items() if lost & set(re.findall(r"\d+", code))]


def test_every_style_of_the_views_has_a_look() -> None:
    assert set(KNOWN) <= set(STYLES)


def test_a_line_without_colours_is_its_text() -> None:
    runs = [("new", "+ "), ("", "file  "), ("address", "0x10\x1b[2J "), ("", "  ")]
    assert Painter(False).line(runs) == "+ file  0x10\\x1b[2J"
    assert Painter(True).line(runs) == "\x1b[1;32m+ \x1b[0mfile  \x1b[2m0x10\\x1b[2J \x1b[0m"
    assert Painter(True, light=True).line(runs[:1]).startswith("\x1b[1;34m+")


def test_where_a_call_sleeps_is_cut_between_words() -> None:
    view = PlainText(frozenset({"line"}), width=60)
    events = Session().run("fork()\nwait4(-1, NULL, 0, NULL)")
    rows = [row for event in events for row in view.lines(event)]
    assert rows[-2:] == ["  sleeps in sys_wait4 > kernel_wait4 > do_wait   on", "    current->signal->wait_chldexit"]
