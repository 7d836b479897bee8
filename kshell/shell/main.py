"""The command `kshell`: finds out what is wanted and imports only what that needs.

At the top only what every Python has loaded already: the first prompt is painted before the rest is imported.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import NoReturn

    from kshell.shell.options import Options
    from kshell.shell.paint import Keyboard

    Run = Callable[[Options], int]

OK, FAILED, UNREADABLE, FAULT = 0, 1, 2, 3
"""Exit status: all well; an expectation failed; usage or input not understood; an internal fault (oops)."""

CLOSED_PIPE = 141

_SUBCOMMANDS = {
    "run": ("kshell.shell.batch", "run_files"),
    "check": ("kshell.shell.check", "check_files"),
    "boot": ("kshell.shell.boot", "show_boot"),
    "-c": ("kshell.shell.batch", "run_texts"),
    "-": ("kshell.shell.batch", "run_stdin"),
    "config": ("kshell.shell.config", "configure"),
    "": ("kshell.shell.start", "start"),
}


def entry() -> NoReturn:
    """The console command: `main`, started from cached byte code and ended without tidying up memory."""
    gc.set_threshold(100_000, 20, 100)  # the kernel's objects free themselves; collecting often only costs time
    if sys.flags.no_site:
        sys.meta_path.append(LateSite())
    keyboard = _painted(sys.argv[1:])
    from kshell.shell import bytecode

    cache = bytecode.install()
    status = main(keyboard=keyboard)
    cache.save()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or UNREADABLE
    os._exit(status)  # freeing a machine object by object would take as long as a boot


class LateSite:
    """Under `python -S`, as scripts/kshell starts it: looks at site-packages when something from there is first wanted."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module, once site has been run. Last of sys.meta_path.

        The standard library asks for modules that it has on other systems only, such as `nt`: these are not there either.
        """
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        sys.meta_path.remove(self)
        import site
        from importlib.util import find_spec

        site.main()
        return find_spec(name)


def _painted(arguments: list[str]) -> Keyboard | None:
    """Paint the first prompt, if nothing but a prompt can be meant and the terminal can edit."""
    if not {"-q", "--quiet", "--resume"}.issuperset(arguments) or not is_capable():
        return None
    from kshell.shell.paint import greet

    return greet("--resume" in arguments)


def is_capable() -> bool:
    """Whether the terminal can do what an editor needs."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and os.environ.get("TERM", "dumb") != "dumb"


def main(arguments: list[str] | None = None, keyboard: Keyboard | None = None) -> int:
    """Run the command line; returns the exit status. keyboard: of the first prompt, if it is painted already."""
    _open_closed_streams()
    try:
        status = _guarded(sys.argv[1:] if arguments is None else arguments, keyboard)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _forget_output()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        _forget_output()
        _complain(f"kshell: {error.filename or 'standard output'}: {error.strerror or error}")
        return UNREADABLE
    except Exception:
        from traceback import format_exc

        _complain(f"kshell: oops: an internal fault of kshell. Please report this:\n{format_exc(limit=-12)}")
        return FAULT


def _open_closed_streams() -> None:
    """What is written to a closed standard stream goes nowhere, and nothing can be read from it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115


def _complain(text: str) -> None:
    """Say what went wrong, if there is anywhere to say it."""
    from kshell.lens.text import printable

    try:
        print(printable(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass


def _guarded(arguments: list[str], keyboard: Keyboard | None) -> int:
    from kshell.shell.options import USAGE, UsageError, parse

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        options = parse(arguments)
        options.panels()
    except UsageError as error:
        _complain(f"kshell: {error}\nTry: kshell --help")
        return UNREADABLE
    if options.help:
        print(USAGE, end="")
        return OK
    if options.version:
        from kshell import __version__

        print(f"kshell {__version__}")
        return OK
    options.keyboard = keyboard
    return _subcommand(options)(options)


def _subcommand(options: Options) -> Run:
    name = options.subcommand or ("-c" if options.texts else "-" if options.files else "")
    if not name and not _is_terminal(sys.stdin):
        name = "-"
    module, function = _SUBCOMMANDS[name]
    run: Run = getattr(__import__(module, fromlist=(function,)), function)
    return run


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:
        return False


def _forget_output() -> None:
    """Nobody reads standard output: give it to /dev/null so that the interpreter's last flush is quiet."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    except OSError:
        pass


if __name__ == "__main__":
    entry()
