"""The keys that differ from prompt_toolkit's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import (
    Condition,
    completion_is_selected,
    emacs_mode,
    has_completions,
    has_focus,
    shift_selection_mode,
)
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.selection import SelectionType

from kshell.shell.toolbar import PANELS

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer

    from kshell.shell.editor import Editor


def bindings(editor: Editor) -> KeyBindings:
    """Enter, the control keys, paste and the function keys."""
    keys = KeyBindings()
    _add_enter(keys, editor)
    _add_control(keys, editor)
    _add_functions(keys, editor)
    return keys


def _add_enter(keys: KeyBindings, editor: Editor) -> None:
    typing = has_focus(editor.buffer)

    @keys.add("enter", filter=typing & completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        editor.buffer.complete_state = None  # the candidate is in the line already

    @keys.add("enter", filter=typing & ~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        enter(editor)

    @keys.add("escape", "enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        editor.buffer.newline()

    @keys.add(Keys.BracketedPaste, filter=typing)
    def _(event: KeyPressEvent) -> None:
        paste(editor, event.data)


def enter(editor: Editor) -> None:
    """Accept the line, go on with it below, explain it (`?`), or put the cursor on what is wrong with it."""
    buffer, desk = editor.buffer, editor.desk
    text = buffer.text
    if desk.asks(text):
        buffer.cancel_completion()
        asked = text.rstrip().removesuffix("?").rstrip()
        _explain(editor, asked, len(asked))
        return
    if desk.is_open(text) and buffer.document.is_cursor_at_the_end:
        buffer.newline(copy_margin=True)
        return
    fault = desk.fault(text)
    if fault is None:
        buffer.append_to_history()
        buffer.validate_and_handle()
        return
    editor.fault = fault
    buffer.cancel_completion()
    _put_cursor_on(buffer, min(fault.offset, len(text)))


def _put_cursor_on(buffer: Buffer, offset: int) -> None:
    """Put the cursor on what is wrong; a word there is selected, so that what is typed next takes its place."""
    word = re.compile(r"\w*").match(buffer.text, offset)
    buffer.cursor_position = word.end() if word else offset
    if word and word.end() > offset:
        buffer.start_selection(SelectionType.CHARACTERS)
        if buffer.selection_state is not None:
            buffer.selection_state.enter_shift_mode()
    buffer.cursor_position = offset


def paste(editor: Editor, data: str) -> None:
    """Put pasted text into the line; whole lines are run one after another, what is behind the last stays."""
    buffer = editor.buffer
    data = data.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in data:
        buffer.insert_text(data)
        return
    document = buffer.document
    first, rest = editor.desk.take(document.text_before_cursor + data + document.text_after_cursor)
    buffer.cancel_completion()
    if first is None:
        buffer.text = rest
        buffer.cursor_position = len(rest)
    else:
        buffer.text = first
        buffer.cursor_position = len(first)
        buffer.append_to_history()
        buffer.validate_and_handle()


def _explain(editor: Editor, text: str, cursor: int) -> None:
    """Print what is known of the word at the cursor above the prompt."""

    def show() -> None:
        rest = editor.desk.explain(text, cursor)
        if rest != editor.buffer.text:
            editor.buffer.text = rest
            editor.buffer.cursor_position = len(rest)

    run_in_terminal(show)


def _add_control(keys: KeyBindings, editor: Editor) -> None:
    typing = has_focus(editor.buffer)
    empty = Condition(lambda: not editor.buffer.text)

    @keys.add("escape", "d", filter=typing & shift_selection_mode)
    def _(event: KeyPressEvent) -> None:  # kill-word, where the word is selected because it is wrong
        event.current_buffer.cut_selection()

    @keys.add("c-c", filter=typing, eager=True)  # with a selection, emacs mode has longer keys that begin with it
    def _(event: KeyPressEvent) -> None:
        editor.interrupt()

    @keys.add("c-d", filter=typing & empty)
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError, style="class:exiting")

    @keys.add("c-d", filter=typing & ~empty)
    def _(event: KeyPressEvent) -> None:
        editor.buffer.delete()

    @keys.add("c-z")
    def _(event: KeyPressEvent) -> None:
        event.app.suspend_to_background()

    @keys.add("tab", filter=typing)
    def _(event: KeyPressEvent) -> None:
        complete(editor)

    @keys.add("escape", filter=typing & emacs_mode & has_completions)
    def _(event: KeyPressEvent) -> None:
        editor.buffer.cancel_completion()


def complete(editor: Editor) -> None:
    """The next candidate, or the only one, or what all have in common."""
    buffer = editor.buffer
    if buffer.complete_state and buffer.complete_state.completions:
        if len(buffer.complete_state.completions) == 1:
            buffer.apply_completion(buffer.complete_state.completions[0])
        else:
            buffer.complete_next()
    else:
        buffer.start_completion(insert_common_part=True)


def _add_functions(keys: KeyBindings, editor: Editor) -> None:
    def add(key: str, act: Callable[[], None]) -> None:
        @keys.add(key)
        def _(event: KeyPressEvent) -> None:
            act()

    add("f1", lambda: _explain(editor, editor.buffer.text, editor.buffer.cursor_position))
    add("f2", editor.desk.next_view)
    add("f3", lambda: _switch_keys(editor))
    for number, panel in PANELS:
        add(f"f{number}", lambda panel=panel: editor.desk.toggle(panel))  # type: ignore[misc]


def _switch_keys(editor: Editor) -> None:
    vi = editor.app.editing_mode == EditingMode.VI
    editor.app.editing_mode = EditingMode.EMACS if vi else EditingMode.VI
    editor.desk.set("editing", "emacs" if vi else "vi")
