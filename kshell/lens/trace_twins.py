"""Traced twins of kernel functions: code objects that record a call around the function itself.

A twin is a few instructions compiled once per signature, whose placeholder constants are replaced by the
recorder's callables and by a copy of the function. Swapping `__code__` puts it in place for every caller,
and swapping back leaves nothing behind: the tracer costs nothing when it is off.
"""

import inspect
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType

from kshell.lens.linux_files import linux_file
from kshell.lens.loaded import KERNEL, kernel_modules
from kshell.linux.include.linux.sched import REST_OF
from kshell.world.clock import VirtualClock
from kshell.world.machine import Machine

TWIN_FILE = "<kshell trace>"

# Model-side plumbing with Linux's names: the recordings start below it.
HIDDEN = frozenset({
    "do_syscall_64", "do_int80_syscall_32", "SYSCALL_DEFINE", "COMPAT_SYSCALL_DEFINE",
})  # fmt: skip

# Functions that are called with a task from outside of any traced function.
TASK_ROOTS = frozenset({"exit_to_user_mode_prepare", "do_exit", "do_group_exit", "ret_from_fork", "kernel_init"})

SLEEPER = "schedule"

# What lets time jump to a timer, and what gives a task the CPU: their twins tell of it.
CLOCKWORK: FunctionType = vars(VirtualClock)["run_next"]
DISPATCHER: FunctionType = vars(Machine)["_resume"]

_PLAIN = """
{prefix}def {name}({params}):
    "\\0append"("\\0enter")
    try:
        ret = {wait}"\\0original"({arguments})
    except BaseException as error:
        "\\0fail"("\\0leave", error)
        raise
    "\\0extend"(("\\0leave", ret))
    return ret
"""

_WITH_ARGUMENTS = _PLAIN.replace('"\\0append"("\\0enter")', '"\\0extend"(("\\0call", ({values})))')

_REST = """
async def {name}({params}):
    try:
        ret = await "\\0original"({arguments})
    except BaseException as error:
        "\\0fail"("\\0leave", error)
        raise
    "\\0extend"(("\\0leave", ret))
    return ret
"""

_SLEEPING = """
async def {name}({params}):
    "\\0sleep"("\\0enter", {arguments})
    try:
        return await "\\0original"({arguments})
    finally:
        "\\0wake"("\\0leave", {arguments})
"""

_TRAP = """
{prefix}def {name}({params}):
    "\\0hit"("\\0enter", ({values}))
    return {wait}"\\0original"({arguments})
"""

_TICKING = """
def {name}({params}):
    "\\0tick"({arguments})
    return "\\0original"({arguments})
"""

_DISPATCHING = """
def {name}({params}):
    "\\0resume"({arguments})
    try:
        return "\\0original"({arguments})
    finally:
        "\\0resumed"({arguments})
"""


class Function:
    """A kernel function as the trace knows it; also the event "entered".

    whole: what it is the rest of, when it is a `_rest_of_NAME()`: it is not entered, and leaving it leaves the whole.
    """

    __slots__ = ("call", "inline", "leave", "name", "original", "parameters", "twin_of", "whole")

    def __init__(self, function: FunctionType, whole: "Function | None" = None) -> None:
        self.name = function.__name__
        self.whole = whole
        self.inline = function.__module__.startswith(f"{KERNEL}include.")
        self.twin_of = function
        self.original = function.__code__
        self.parameters = parameter_names(function.__code__)
        self.call = Called(self)
        self.leave: Left = Left(self) if whole is None else whole.leave

    @property
    def file(self) -> str:
        """Linux's source file of it."""
        return linux_file(self.twin_of)

    @property
    def is_syscall(self) -> bool:
        return "syscall" in self.twin_of.__dict__


class Called:
    """The event "entered"; a tuple of the argument values follows it."""

    __slots__ = ("function",)

    def __init__(self, function: Function) -> None:
        self.function = function


class Left:
    """The event "returned"; the value follows it."""

    __slots__ = ("function",)

    def __init__(self, function: Function) -> None:
        self.function = function


def kernel_functions() -> Iterator[FunctionType]:
    """Every function that a trace shows: at module level, not private to the model."""
    for module in kernel_modules():
        yield from sorted(_functions_of(module), key=lambda function: function.__code__.co_firstlineno)


def rests() -> Iterator[tuple[FunctionType, FunctionType]]:
    """The coroutines in which plain functions go on when they have to wait, each with its function."""
    for function in kernel_functions():
        rest = function.__globals__.get(REST_OF + function.__name__)
        if isinstance(rest, FunctionType):
            yield rest, function


def _functions_of(module: ModuleType) -> Iterator[FunctionType]:
    for name, value in vars(module).items():
        if (
            isinstance(value, FunctionType)
            and value.__module__ == module.__name__
            and value.__name__ == name
            and is_shown(name)
            and not value.__code__.co_freevars
            and not value.__code__.co_flags & inspect.CO_GENERATOR  # a loop macro in Linux
        ):
            yield value


def is_shown(name: str) -> bool:
    """Whether a function of this name stands for one of Linux's."""
    if name in HIDDEN or name.endswith("__"):
        return False
    return not name.startswith("_") or name.startswith("__")


class TwinMaker:
    """Compiles twins; one template a signature. trap: they ask before the call instead of recording it."""

    def __init__(self, constants: dict[str, object], arguments: bool = False, trap: bool = False) -> None:
        self._constants = constants
        self._trap = trap
        self._arguments = arguments
        self._templates: dict[tuple[str, str, str, bool], CodeType] = {}

    def twin(self, function: Function) -> CodeType:
        """The code that records a call of `function` and makes it."""
        source, template = self._template(function)
        if template.co_name != source.co_name:
            template = template.replace(co_name=source.co_name)
        copy = FunctionType(source, function.twin_of.__globals__, source.co_name)
        copy.__defaults__ = function.twin_of.__defaults__
        copy.__kwdefaults__ = function.twin_of.__kwdefaults__
        values = self._constants | {
            "\0enter": function, "\0call": function.call, "\0leave": function.leave, "\0original": copy,
        }  # fmt: skip
        names = function.parameters + template.co_varnames[len(function.parameters) :]
        return template.replace(
            co_varnames=names,
            co_qualname=source.co_qualname,
            co_firstlineno=source.co_firstlineno,
            co_consts=tuple(values.get(c, c) if isinstance(c, str) else c for c in template.co_consts),
        )

    def _template(self, function: Function) -> tuple[CodeType, CodeType]:
        source = function.original
        shape = _shape(source)
        params, arguments = _signature(shape)
        is_async = bool(source.co_flags & inspect.CO_COROUTINE)
        if self._trap:
            text = _TRAP
        elif function.whole is not None:
            text = _REST
        elif function.name == SLEEPER:
            text = _SLEEPING
        elif function.twin_of is CLOCKWORK:
            text = _TICKING
        elif function.twin_of is DISPATCHER:
            text = _DISPATCHING
        elif self._arguments or function.is_syscall or function.name in TASK_ROOTS:
            text = _WITH_ARGUMENTS
        else:
            text = _PLAIN
        key = (text, params, arguments, is_async)
        if key not in self._templates:
            self._templates[key] = _compile(
                text.format(
                    prefix="async " if is_async else "", wait="await " if is_async else "", name="twin",
                    params=params, arguments=arguments,
                    values="".join(f"{name}, " for name in shape.names),
                )
            )
        return source, self._templates[key]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a function takes its arguments; the names of keyword-only ones matter, the others are numbered."""

    names: tuple[str, ...]
    plain: int
    positional: int
    keyword: int
    rest: bool
    keywords: bool


def _shape(code: CodeType) -> _Shape:
    plain, keyword = code.co_argcount, code.co_kwonlyargcount
    given = parameter_names(code)
    names = [f"a{i}" for i in range(len(given))]
    names[plain : plain + keyword] = given[plain : plain + keyword]
    return _Shape(
        tuple(names), plain, code.co_posonlyargcount, keyword,
        bool(code.co_flags & inspect.CO_VARARGS), bool(code.co_flags & inspect.CO_VARKEYWORDS),
    )  # fmt: skip


def parameter_names(code: CodeType) -> tuple[str, ...]:
    """The parameters of a function, * and ** ones last."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


def _signature(shape: _Shape) -> tuple[str, str]:
    """Parameters and the arguments that pass them on; defaults stay with the function object."""
    names, plain = shape.names, shape.plain
    only = names[plain : plain + shape.keyword]
    extra = list(names[plain + shape.keyword :])
    params, arguments = list(names[:plain]), list(names[:plain])
    if shape.positional:
        params.insert(shape.positional, "/")
    if shape.rest:
        starred = f"*{extra.pop(0)}"
        params.append(starred)
        arguments.append(starred)
    elif only:
        params.append("*")
    params += only
    arguments += [f"{name}={name}" for name in only]
    if shape.keywords:
        params.append(f"**{extra[0]}")
        arguments.append(f"**{extra[0]}")
    return ", ".join(params), ", ".join(arguments)


def _compile(text: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        module = compile(text, TWIN_FILE, "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
