"""Traced twins of kernel functions: code objects that record a call around the function itself.

A twin is a few instructions compiled once per signature, whose placeholder constants are replaced by the
recorder's callables and by a copy of the function. Swapping `__code__` puts it in place for every caller,
and swapping back leaves nothing behind: the tracer costs nothing when it is off.
"""

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType

KERNEL = "kshell.linux."
TWIN_FILE = "<kshell trace>"

# Model-side plumbing with Linux's names: the recordings start below it.
HIDDEN = frozenset({
    "do_syscall_64", "do_int80_syscall_32", "handler_of", "in_softirq", "SYSCALL_DEFINE", "COMPAT_SYSCALL_DEFINE",
})  # fmt: skip

# Functions that are called with a task from outside of any traced function.
TASK_ROOTS = frozenset({"exit_to_user_mode_prepare", "do_exit", "do_group_exit", "ret_from_fork", "kernel_init"})

SLEEPER = "schedule"

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

_SLEEPING = """
async def {name}({params}):
    "\\0sleep"("\\0enter", kernel)
    try:
        return await "\\0original"({arguments})
    finally:
        "\\0wake"("\\0leave", kernel)
"""


class Function:
    """A kernel function as the trace knows it; also the event "entered"."""

    __slots__ = ("call", "file", "inline", "leave", "name", "original", "parameters", "twin_of")

    def __init__(self, function: FunctionType) -> None:
        self.name = function.__name__
        self.file = function.__module__.removeprefix(KERNEL).replace(".", "/")
        self.inline = self.file.startswith("include/")
        self.twin_of = function
        self.original = function.__code__
        self.parameters = tuple(inspect.signature(function).parameters)
        self.call = Called(self)
        self.leave = Left(self)

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
    for name, module in sorted(sys.modules.items()):
        if name.startswith(KERNEL) and isinstance(module, ModuleType):
            yield from _functions_of(module)


def _functions_of(module: ModuleType) -> Iterator[FunctionType]:
    for name, value in vars(module).items():
        if (
            isinstance(value, FunctionType)
            and value.__module__ == module.__name__
            and value.__name__ == name
            and is_shown(name)
            and not value.__code__.co_freevars
        ):
            yield value


def is_shown(name: str) -> bool:
    """Whether a function of this name stands for one of Linux's."""
    if name in HIDDEN or name.endswith("__"):
        return False
    return not name.startswith("_") or name.startswith("__")


class TwinMaker:
    """Compiles twins; one template a signature."""

    def __init__(self, constants: dict[str, object], arguments: bool) -> None:
        self._constants = constants
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
        return template.replace(
            co_qualname=source.co_qualname,
            co_firstlineno=source.co_firstlineno,
            co_consts=tuple(values.get(c, c) if isinstance(c, str) else c for c in template.co_consts),
        )

    def _template(self, function: Function) -> tuple[CodeType, CodeType]:
        source = function.original
        params, arguments = _signature(function.twin_of)
        is_async = bool(source.co_flags & inspect.CO_COROUTINE)
        if function.name == SLEEPER:
            text = _SLEEPING
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
                    values=", ".join(function.parameters) + ("," if function.parameters else ""),
                )
            )
        return source, self._templates[key]


def _signature(function: Callable[..., object]) -> tuple[str, str]:
    """Parameters and the arguments that pass them on; defaults stay with the function object."""
    params, arguments, keywords = [], [], False
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        name = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            params.append(f"*{name}")
            arguments.append(f"*{name}")
            keywords = True
        elif parameter.kind is parameter.VAR_KEYWORD:
            params.append(f"**{name}")
            arguments.append(f"**{name}")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            if not keywords:
                params.append("*")
                keywords = True
            params.append(name)
            arguments.append(f"{name}={name}")
        else:
            params.append(name)
            arguments.append(name)
    positional_only = [p for p in parameters if p.kind is p.POSITIONAL_ONLY]
    if positional_only:
        params.insert(len(positional_only), "/")
    return ", ".join(params), ", ".join(arguments)


def _compile(text: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        module = compile(text, TWIN_FILE, "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
