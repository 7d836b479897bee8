"""jhash: values that include/linux/jhash.h of Linux 6.1, compiled by gcc, gives."""

import pytest

from kshell.linux.include.linux.jhash import jhash

TEXT = b"the quick brown fox jumps"

VALUES = [
    0xDEADBEEF, 0x358E39B2, 0x7CE2DFD8, 0x2D6E597E, 0x908B0BF7, 0xBE6E2F18, 0xF7D5979B, 0x553859D9, 0xC17D744F,
    0xFEBC3107, 0x58BC64BD, 0x6FFCE980, 0xE0DCAC3A, 0x726B6A9C, 0xC7C36E21, 0xD4AB4167, 0x005A48E3, 0x480D911B,
    0xDA0DEC71, 0x7C073A05, 0x123E2544, 0xDB1EE71D, 0x4E7C31FC, 0x8A0C9F58, 0x8F285C49, 0xC57DCB58,
]  # fmt: skip
"""Of the text's first bytes, by their number, which times 7 is the other argument."""


def test_bytes_of_every_length() -> None:
    assert [jhash(TEXT[:length], length * 7) for length in range(len(VALUES))] == VALUES


@pytest.mark.parametrize(("name", "key"), [(b"cubic", 0xBB9B30F0), (b"reno", 0xC80D7A74), (b"bbr", 0x601A1E56)])
def test_the_keys_of_congestion_control(name: bytes, key: int) -> None:
    assert jhash(name.ljust(16, b"\0"), len(name)) == key
