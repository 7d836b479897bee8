"""What stands below the line: the signature with the current argument marked, what is wrong, the keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.abi.syscalls import BY_NAME
from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS
from kshell.shell import tips, toolbar
from kshell.shell.arguments import about


def marked(text: str, width: int = 100) -> str:
    lines = toolbar.signature(text, len(text), width)
    return "".join(part for style, part in lines[0] if "current" in style) if lines else ""


def plain(fragments: toolbar.Fragments) -> str:
    return "".join(text for _, text in fragments)


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("socket(", "int family"),
        ("socket(AF_INET, ", "int type"),
        ('write(3, "a, b", ', "size_t count"),
        ("bind(fd, {AF_INET, 80", "struct sockaddr *umyaddr"),
        ("@client x = read(3, ", "char *buf"),
        ("x = close(", "unsigned int fd"),
    ],
)
def test_the_current_argument_is_marked(text: str, argument: str) -> None:
    assert marked(text) == argument


@pytest.mark.parametrize("text", ["", "help", "socket(1, 2, 3)", "print current->"])
def test_no_signature_outside_a_call(text: str) -> None:
    assert toolbar.signature(text, len(text), 80) == []


def test_too_many_arguments_are_told() -> None:
    first, second = toolbar.signature("listen(3, 5, ", 13, 80)
    assert plain(first) == "listen(int fd, int backlog)"
    assert plain(second).strip() == "listen takes 2 arguments"


def test_the_second_line_says_what_the_argument_is() -> None:
    assert plain(toolbar.signature("bind(3, ", 8, 80)[1]).strip().startswith("struct sockaddr *umyaddr  an address")


@pytest.mark.parametrize("name", sorted(X64_CALLS.keys() & set(BY_NAME)))
def test_every_prototype_fits_the_screen(name: str) -> None:
    for count in range(len(BY_NAME[name].params)):
        text = f"{name}({'1, ' * count}"
        for line in toolbar.signature(text, len(text), 79):
            assert len(plain(line)) <= 110  # the longest go on in the next row


def test_the_manual_comes_first() -> None:
    rows = toolbar.signature("bind(", 5, 80, lambda call, argument: f"{argument} of {call}")
    assert plain(rows[1]).strip() == "int fd  fd of bind"


def test_most_arguments_are_explained() -> None:
    params = [param for name in X64_CALLS if name in BY_NAME for param in BY_NAME[name].params]
    assert sum(1 for param in params if about(param)) > 0.8 * len(params)


@given(st.text(max_size=300), st.integers(20, 200))
def test_a_problem_takes_three_rows_at_most_and_no_escape_passes(message: str, width: int) -> None:
    rows = toolbar.problem(message, width)
    assert len(rows) <= 3
    assert "\x1b" not in "".join(plain(row) for row in rows)


@pytest.mark.parametrize(("width", "last"), [(40, "view"), (80, "log"), (200, "end")])
def test_as_many_keys_as_fit(width: int, last: str) -> None:
    text = plain(toolbar.keys("", "objects", {"objects"}, width))
    assert len(text) <= width
    assert last in text


def test_the_keys_tell_the_vi_mode() -> None:
    assert "keys: vi insert" in plain(toolbar.keys("insert", "objects", (), 80))


def test_the_keys_tell_which_panels_are_on() -> None:
    assert "F4 +objects  F5 -packets  F6 +log" in plain(toolbar.keys("", "full", {"objects", "log"}, 100))


def test_tips_come_now_and_then_and_end() -> None:
    shown = [tips.tip(n) for n in range(1, 100)]
    assert [text for text in shown if text] == list(tips.TIPS)
    assert shown[1] == ""
    assert all(len(text) < 80 for text in tips.TIPS)
