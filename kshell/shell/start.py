"""`kshell` without arguments: paint (if that has not been done), then import, then prompt."""

from __future__ import annotations

from kshell.shell.main import is_capable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kshell.shell.options import Options


def start(options: Options) -> int:
    """The interactive session; its exit status."""
    if options.keyboard is None and is_capable():
        from kshell.shell.paint import greet

        options.keyboard = greet(options.resume)
    try:
        from kshell.shell.prompt import Prompt

        return Prompt(options, options.keyboard).run()
    finally:
        if options.keyboard is not None:
            options.keyboard.restore()
