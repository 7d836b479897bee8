"""The command `kshell`: finds out what is wanted and imports only what that needs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

from kshell.shell import bytecode
from kshell.shell.options import USAGE, Options, UsageError, parse

OK, FAILED, UNREADABLE, FAULT = 0, 1, 2, 3
"""Exit status: all well; an expectation failed; usage or input not understood; an internal fault (oops)."""

CLOSED_PIPE = 141

Run = Callable[[Options], int]

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
    cache = bytecode.install()
    status = main()
    cache.save()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)  # freeing a machine object by object would take as long as a boot


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    gc.set_threshold(100_000, 20, 100)  # the kernel's objects free themselves; collecting often only costs time
    try:
        status = _guarded(sys.argv[1:] if arguments is None else arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        _forget_output()
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return 130


def _guarded(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        options = parse(arguments)
        options.panels()
    except UsageError as error:
        print(f"kshell: {error}\nTry: kshell --help", file=sys.stderr)
        return UNREADABLE
    if options.help:
        print(USAGE, end="")
        return OK
    if options.version:
        from kshell import __version__

        print(f"kshell {__version__}")
        return OK
    return _subcommand(options)(options)


def _subcommand(options: Options) -> Run:
    name = options.subcommand or ("-c" if options.texts else "-" if options.files else "")
    if not name and not _is_terminal(sys.stdin):
        name = "-"
    module, function = _SUBCOMMANDS[name]
    run: Run = getattr(import_module(module), function)
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
