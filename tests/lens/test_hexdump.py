"""Bytes as hexdump -C shows them."""

from kshell.lens.hexdump import hexdump


def test_rows_with_their_ascii() -> None:
    assert list(hexdump(b"hello \xe6\xbc\xa2\n0123456789", 0x1000)) == [
        "00001000  68 65 6c 6c 6f 20 e6 bc  a2 0a 30 31 32 33 34 35  |hello ....012345|",
        "00001010  36 37 38 39                                       |6789|",
    ]


def test_rows_that_repeat_are_folded_but_the_last() -> None:
    dumped = list(hexdump(b"\0" * 64))
    assert dumped[1] == "*"
    assert [row[:8] for row in dumped if row != "*"] == ["00000000", "00000030"]


def test_nothing_and_escapes() -> None:
    assert list(hexdump(b"")) == []
    assert "\x1b" not in "".join(hexdump(b"\x1b[2J"))
