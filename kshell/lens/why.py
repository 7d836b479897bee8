"""Why a system call failed: where the error arose, the condition that held there, the values in it.

A failing kernel function raises KernelError, so the traceback that the error carries is the reason.
Nothing is recorded while calls succeed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

from kshell.abi.errno import errno_name, strerror
from kshell.lens.why_conditions import Condition, conditions
from kshell.linux.include.linux.err import KernelError

KERNEL_DIR: Final = Path(__file__).resolve().parent.parent / "linux"
ENTRY: Final = "arch/x86/entry/common.py"


@dataclass(frozen=True, slots=True)
class Step:
    """One function on the way to the error: its name and file in the model, the line it had reached."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a call failed. chain runs from the system call to the function that raised the error."""

    errno: int
    chain: tuple[Step, ...]
    conditions: tuple[Condition, ...] = field(default=())

    @property
    def name(self) -> str:
        """EAGAIN and the like."""
        return errno_name(self.errno)

    @property
    def meaning(self) -> str:
        """strerror() of it."""
        return strerror(self.errno)

    @property
    def origin(self) -> Step | None:
        """The function that raised the error."""
        return self.chain[-1] if self.chain else None


def reason(error: KernelError) -> Reason:
    """What the error's traceback tells."""
    frames = list(_kernel_frames(error.__traceback__))
    chain = tuple(Step(f.f_code.co_name, _file(f), line) for f, line in frames)
    shown = tuple(step for step in chain if not _hidden(step.function))
    held = tuple(conditions(*frames[-1], error.errno)) if frames else ()
    return Reason(error.errno, shown, held)


def _hidden(function: str) -> bool:
    """Helpers that Linux does not have begin with one underscore; Python's own methods are none either."""
    return function.startswith("<") or function == "__init__" or (function.startswith("_") and not function.startswith("__"))


def kernel_function(frame: FrameType) -> str:
    """The name of the kernel function that a frame runs; "" for the model's helpers and all that is no kernel."""
    code = frame.f_code
    name, path = code.co_name, Path(code.co_filename)
    known = path.is_relative_to(KERNEL_DIR) and path != KERNEL_DIR / ENTRY
    return name if known and not _hidden(name) else ""


def _kernel_frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        if path.is_relative_to(KERNEL_DIR) and path != KERNEL_DIR / ENTRY:
            yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _file(frame: FrameType) -> str:
    return str(Path(frame.f_code.co_filename).relative_to(KERNEL_DIR))
