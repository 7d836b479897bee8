"""The interactive prompt: editing, completion and colours by prompt_toolkit, plain lines without it.

A line is on disk before it runs (journal), so that `kshell --resume` brings a session back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kshell.session.pieces import balance
from kshell.session.session import Session
from kshell.shell.journal import Journal, recorded
from kshell.shell.options import Options
from kshell.shell.output import printer

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

Read = Callable[[], str | None]


def prompt(options: Options) -> int:
    """Read and run commands until end of file, `exit` or `quit`."""
    session = Session(seed=options.seed, show=options.panels())
    print(session.banner(), flush=True)
    earlier = list(recorded()) if options.resume else []
    journal = Journal(resume=options.resume)
    if earlier:
        for text in earlier:
            session.run(text)
        print(f"resumed after {len(session.commands)} commands at {session.now / 1e9:.6f} s")
    show = printer(options)
    read = _editor(session) if _can_edit() else lambda: _plain_line(session)
    while not session.ended:
        try:
            typed = read()
        except KeyboardInterrupt:
            continue
        if typed is None:
            break
        if typed.strip():
            journal.add(typed)
            show(session.execute(typed))
    return 0


def _can_edit() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def prompt_text(session: Session) -> str:
    """`3 init> `: the number of the next command, and whose it is; a sleeper is marked."""
    asleep = " (asleep)" if session.where(session.task) else ""
    return f"{session.next_number} {session.task_name}{asleep}> "


def _plain_line(session: Session) -> str | None:
    """A command, over several lines while a bracket is open; None at the end of input."""
    text: str = prompt_text(session)
    print(text, end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        print()
        return None
    while balance(line) > 0:
        print(" " * (len(text) - 2) + "… ", end="", flush=True)
        more = sys.stdin.readline()
        if not more.strip():
            break
        line += more
    return line


def _editor(session: Session) -> Read:
    """A reader of lines with prompt_toolkit; imported here, so that batch use never pays for it."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent
    from prompt_toolkit.lexers import PygmentsLexer

    from kshell.shell.completion import complete
    from kshell.shell.highlight import KshellLexer
    from kshell.shell.journal import state_directory
    from kshell.shell.state import SessionState

    state = SessionState(session)

    class SessionCompleter(Completer):
        """complete() for prompt_toolkit."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            for found in complete(document.text, document.cursor_position, state):
                yield Completion(found.text, -found.length, display_meta=found.meta[:60])

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if balance(buffer.text) > 0 and buffer.document.is_cursor_at_the_end:
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    def history() -> History:
        try:
            state_directory().mkdir(parents=True, exist_ok=True)
            return FileHistory(str(state_directory() / "history"))
        except OSError:
            return InMemoryHistory()

    editor: PromptSession[str] = PromptSession(
        history=history(),
        auto_suggest=AutoSuggestFromHistory(),
        completer=SessionCompleter(),
        complete_while_typing=True,
        lexer=PygmentsLexer(KshellLexer),
        key_bindings=keys,
        multiline=True,
        enable_open_in_editor=True,
        reserve_space_for_menu=6,
        prompt_continuation=lambda width, line, soft: " " * max(0, width - 2) + "… ",
        bottom_toolbar=lambda: _toolbar(editor.default_buffer.text, editor.default_buffer.cursor_position),
        rprompt=lambda: f"{session.now / 1e9:.6f} s",
    )

    def read() -> str | None:
        try:
            return editor.prompt(prompt_text(session))
        except EOFError:
            return None

    return read


def _toolbar(text: str, cursor: int) -> StyleAndTextTuples:
    """The signature of the call around the cursor with the current argument marked; else the keys."""
    from kshell.shell.completion import signature

    found = signature(text, cursor)
    if found is None:
        return [("", " Tab complete · Ctrl-R search · help · why · undo · Ctrl-D end")]
    before, argument, behind = found
    return [("", f" {before}"), ("reverse bold", argument), ("", behind)]
