"""What the byte code cache makes of a module's imports from the standard library."""

import ast
import re

import pytest

from kshell.shell.imports import lead


def led(source: str) -> str:
    tree = ast.parse(source)
    lead(tree)
    return ast.unparse(tree)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from collections import deque", "from _collections import deque"),
        ("from collections import deque as d, Counter", "from _collections import deque as d\nfrom collections import Counter"),
        ("from collections.abc import Mapping", "from _collections_abc import Mapping"),
        ("from functools import partial, wraps", "from _functools import partial\nfrom functools import wraps"),
        ("from functools import cache", "from kshell.shell.stand_ins import cache"),
        ("from types import MappingProxyType, CodeType",
         "from kshell.shell.stand_ins import MappingProxyType\nfrom types import CodeType"),
        ("from importlib import import_module", "from kshell.shell.stand_ins import import_module"),
        ("def f():\n    from bisect import bisect_left", "def f():\n    from _bisect import bisect_left"),
        ("import struct", "import _struct as struct"),
        ("import struct as s, os", "import _struct as s, os"),
        ("import collections", "import collections"),
        ("from kshell.abi import errno", "from kshell.abi import errno"),
        ("from . import struct", "from . import struct"),
        ("from struct import *", "from struct import *"),
    ],
)  # fmt: skip
def test_imports_go_where_things_are_made(source: str, expected: str) -> None:
    assert led(source) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"re.compile('a+')",
        r"re.compile(r'(?P<name>\w+)|\d{2,}+', re.VERBOSE | re.IGNORECASE)",
        r"re.compile(b'[\x00-\xff]*?')",
        r"re.compile('a' 'b', re.M)",
    ],
)
def test_a_pattern_of_constants_is_compiled_beforehand(pattern: str) -> None:
    source = led(pattern)
    assert source.startswith("__import__('_sre').compile(")
    assert eval(source) == eval(pattern, {"re": re})


@pytest.mark.parametrize("pattern", ["re.compile(text)", "re.compile(f'{x}+')", "re.compile('a', flags)", "other.compile('a')"])
def test_other_patterns_are_left_alone(pattern: str) -> None:
    assert led(pattern) == pattern
