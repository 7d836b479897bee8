"""Frames of kernel functions on Python's stack: what a backtrace shows, with arguments, locals and source."""

from __future__ import annotations

import inspect
import linecache
import re
from collections.abc import Iterator
from os.path import dirname
from types import CodeType, FrameType, FunctionType
from typing import Final

import kshell.linux
from kshell.lens.trace_graph import named_text
from kshell.lens.trace_twins import TWIN_FILE, is_shown, parameter_names
from kshell.linux.init.kernel import Kernel

KERNEL_DIR: Final = f"{dirname(kshell.linux.__file__)}/"
_FOR_TOOLS: Final = re.compile(r"  # (?:type: ignore|noqa).*$")


def is_kernel(code: CodeType) -> bool:
    """Whether code belongs to the kernel."""
    return code.co_filename.startswith(KERNEL_DIR)


def is_function(code: CodeType) -> bool:
    """Whether code is a kernel function that Linux has too, and no helper of the model."""
    return code.co_filename.startswith(KERNEL_DIR) and is_shown(code.co_name) and code.co_name[0] != "<"


def kernel_frames(frame: FrameType | None) -> list[FrameType]:
    """The kernel functions on the stack, innermost first."""
    return [found for found in _outward(frame) if is_function(found.f_code)]


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames from here out to the kernel's entry; twins lie between."""
    while frame is not None and (is_kernel(frame.f_code) or frame.f_code.co_filename == TWIN_FILE):
        yield frame
        frame = frame.f_back


def running_kernel(frame: FrameType | None) -> Kernel | None:
    """The kernel that runs in these frames, by what their variables lead to."""
    while frame is not None:
        if is_kernel(frame.f_code):
            for value in frame.f_locals.values():
                found = value if isinstance(value, Kernel) else getattr(value, "kernel", None)
                if isinstance(found, Kernel):
                    return found
        frame = frame.f_back
    return None


def true_code(code: CodeType) -> CodeType:
    """The code of the function itself, out of the twins that are put around it."""
    while code.co_filename == TWIN_FILE:
        code = next(constant.__code__ for constant in code.co_consts if isinstance(constant, FunctionType))
    return code


def file_of(code: CodeType) -> str:
    """`net/ipv4/tcp_ipv4.py`: the model's file below kshell/linux."""
    return code.co_filename.removeprefix(KERNEL_DIR)


def source_line(code: CodeType, line: int) -> str:
    """The text of a line."""
    return shown(linecache.getline(code.co_filename, line))


def shown(line: str) -> str:
    """A line without its end, and without what only tools read."""
    return _FOR_TOOLS.sub("", line.rstrip("\n"))


def source(code: CodeType) -> tuple[list[str], int]:
    """The lines of a function, and the number of the first."""
    try:
        lines, first = inspect.getsourcelines(code)
    except OSError:
        return [], 0
    return [shown(line) for line in lines], first


def arguments(frame: FrameType) -> list[tuple[str, object]]:
    """Names and values of the parameters, as they are now."""
    values = frame.f_locals
    return [(name, values[name]) for name in parameter_names(frame.f_code) if name in values]


def local_variables(frame: FrameType) -> list[tuple[str, object]]:
    """Names and values of the variables that have one and are no parameters."""
    given = set(parameter_names(frame.f_code))
    return [(name, value) for name, value in frame.f_locals.items() if name not in given and not name.startswith("_")]


def call_text(frame: FrameType) -> str:
    """`tcp_v4_connect (sk=0xffff888004d21000, addr_len=16)`"""
    shown = ", ".join(f"{name}={named_text(name, value)}" for name, value in arguments(frame) if name != "kernel")
    return f"{frame.f_code.co_name} ({shown})"


def place_text(frame: FrameType) -> str:
    """`net/ipv4/tcp_ipv4.py:120`"""
    return f"{file_of(frame.f_code)}:{frame.f_lineno}"
