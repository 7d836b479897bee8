"""What stands at the cursor: a call's argument and field, or a word."""

import pytest

from kshell.shell.places import place_of, split_arguments, word_at


def test_arguments_are_cut_at_their_own_commas() -> None:
    assert split_arguments('3, {1, "a,b\\", "}, [1, 2]') == ["3", ' {1, "a,b\\", "}', " [1, 2]"]


@pytest.mark.parametrize(
    ("text", "call", "number", "field"),
    [
        ("bind(3, {sa_family=AF_INET, sin_port=", "bind", 1, "sin_port"),
        ("bind(3, {AF_INET, htons(", "bind", 1, ""),
        ("@a x = read(3, buf, ", "read", 2, ""),
        ("poll([{fd=3, events=POLLIN|", "poll", 0, "events"),
        ("sendmsg(3, {msg_iov=[{\"a\", ", "sendmsg", 1, ""),
    ],
)
def test_places(text: str, call: str, number: int, field: str) -> None:
    place = place_of(text)
    assert place is not None
    assert (place.call, place.number, place.field) == (call, number, field)


@pytest.mark.parametrize("text", ["", "help", "socket(1, 2, 3)", "htons(80", '"socket('])
def test_no_place_outside_a_call(text: str) -> None:
    assert place_of(text) is None


@pytest.mark.parametrize(
    ("text", "cursor", "word"),
    [("socket(AF_INET, 0)", 9, "AF_INET"), ("socket(AF_INET, 0)", 3, "socket"), ("a current->files b", 5, "current->files"),
     ("fd(3)->f_op", 11, "fd(3)->f_op"), ("  ", 1, ""), ("close(3)", 7, "3")],
)  # fmt: skip
def test_words(text: str, cursor: int, word: str) -> None:
    assert word_at(text, cursor) == word
