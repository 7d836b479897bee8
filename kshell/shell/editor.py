"""The line editor: a prompt_toolkit application with completion below the cursor, signature and function keys.

Imported behind the first painting (kshell.shell.paint), so that batch use and start-up never wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory, DummyAutoSuggest, DynamicAutoSuggest
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, has_completions, is_done, renderer_height_is_known
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.key_binding.bindings.auto_suggest import load_auto_suggest_bindings
from prompt_toolkit.key_binding.bindings.open_in_editor import load_open_in_editor_bindings
from prompt_toolkit.key_binding.key_bindings import merge_key_bindings
from prompt_toolkit.layout import (
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import (
    AppendAutoSuggestion,
    ConditionalProcessor,
    HighlightIncrementalSearchProcessor,
    HighlightMatchingBracketProcessor,
)
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.styles import DynamicStyle
from prompt_toolkit.widgets import SearchToolbar

from kshell.shell import toolbar
from kshell.shell.adapters import HistoryOfFile, SessionCompleter
from kshell.shell.colours import style
from kshell.shell.highlight import KshellLexer
from kshell.shell.keys import bindings

if TYPE_CHECKING:
    from kshell.session.validate import Problem
    from kshell.shell.completion import State
    from kshell.shell.history import HistoryFile

MENU_ROWS = 10
ROOM_FOR_MENU = 7
PAIRS = "()[]{}"


class Desk(Protocol):
    """What the editor asks of the prompt."""

    def prompt(self) -> StyleAndTextTuples:
        """The prompt's fragments."""

    def clock(self) -> str:
        """What stands at the right."""

    def setting(self, name: str) -> str:
        """The value of a setting."""

    def set(self, name: str, value: str) -> None:
        """Change a setting."""

    def toggle(self, panel: str) -> None:
        """Switch a panel on or off."""

    def next_view(self) -> None:
        """The next level of what is shown after a call."""

    def view(self) -> str:
        """The level of what is shown after a call."""

    def shown(self) -> Collection[str]:
        """The panels that are on."""

    def colours(self) -> bool:
        """Whether to colour."""

    def fault(self, text: str) -> Problem | None:
        """What is wrong with a line."""

    def explain(self, text: str, cursor: int) -> str:
        """Print what is known about what stands at the cursor; the text that stays in the editor."""

    def asks(self, text: str) -> bool:
        """Whether a line ends in a question mark, to be explained rather than run."""

    def imports(self) -> Iterator[None]:
        """Import what completion and validation need, a little at each step."""

    def manual(self, call: str, argument: str) -> str:
        """What the manual says of an argument of a call, "" if nothing."""

    def tip(self) -> str:
        """What could be tried next; "" if nothing need be said."""

    def take(self, text: str) -> tuple[str | None, str]:
        """Lines that were pasted: what to accept now, and what stays to be edited."""

    def is_open(self, text: str) -> bool:
        """Whether a command goes on in the next line."""

    def left(self, text: str) -> None:
        """Ctrl-C has dropped a line."""


class Editor:
    """Reads one command at a time."""

    breaks = False
    """Ctrl-C is a key."""

    def __init__(self, desk: Desk, state: State, history: HistoryFile) -> None:
        self.desk = desk
        self.fault: Problem | None = None
        self._cold = True
        self.buffer = self._buffer(state, history)
        self.search = SearchToolbar(ignore_case=True)
        vi = desk.setting("editing") == "vi"
        self.app: Application[str] = Application(
            layout=Layout(self._layout(), self.buffer_window),
            style=DynamicStyle(lambda: style(desk.colours(), desk.setting("background"))),
            include_default_pygments_style=False,
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            key_bindings=merge_key_bindings(
                [load_auto_suggest_bindings(), load_open_in_editor_bindings(), bindings(self)]
            ),
            enable_page_navigation_bindings=False,
            mouse_support=False,
        )
        self.app.ttimeoutlen = 0.05
        self.app.timeoutlen = 0.5

    def read(self, default: str = "") -> str:
        """The next command; EOFError at Ctrl-D, KeyboardInterrupt at Ctrl-C."""
        self.fault = None
        vi = self.desk.setting("editing") == "vi"
        self.app.editing_mode = EditingMode.VI if vi else EditingMode.EMACS
        self.buffer.reset()
        self.buffer.text = default
        self.buffer.cursor_position = len(default)
        return self.app.run(pre_run=self._warm_up, handle_sigint=False)

    def interrupt(self) -> None:
        """Ctrl-C: drop the line."""
        self.desk.left(self.buffer.text)
        self.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    def _warm_up(self) -> None:
        """While nobody types yet, import piece by piece what the first key would have to wait for."""

        async def go_on() -> None:
            await asyncio.sleep(0.05)
            with suppress(Exception):  # whoever needs it meets it again
                for _ in self.desk.imports():
                    await asyncio.sleep(0.005)

        if self._cold:
            self._cold = False
            self.app.create_background_task(go_on())

    def feed(self, keys: bytes) -> None:
        """Keys that were typed before there was an editor."""
        presses: list[KeyPress] = []
        parser = Vt100Parser(presses.append)
        parser.feed_and_flush(keys.decode("utf-8", "surrogateescape"))
        store_typeahead(self.app.input, presses)

    # ---- parts

    def _buffer(self, state: State, history: HistoryFile) -> Buffer:
        desk = self.desk
        suggesting = AutoSuggestFromHistory()
        silent = DummyAutoSuggest()
        buffer = Buffer(
            name="line",
            completer=SessionCompleter(state, lambda: self.fault is not None),
            complete_while_typing=Condition(lambda: desk.setting("complete") == "typing" and not self._searching()),
            history=HistoryOfFile(history),
            auto_suggest=DynamicAutoSuggest(lambda: suggesting if desk.setting("suggest") == "on" else silent),
            multiline=True,
            tempfile_suffix=".ks",
            accept_handler=self._accept,
        )
        buffer.on_text_changed += self._changed
        return buffer

    def _searching(self) -> bool:
        return self.app.layout.is_searching

    def _accept(self, buffer: Buffer) -> bool:
        self.app.exit(result=buffer.text)
        return True

    def _changed(self, buffer: Buffer) -> None:
        self.fault = None

    def _layout(self) -> HSplit:
        self.buffer_window = Window(
            BufferControl(
                buffer=self.buffer,
                search_buffer_control=self.search.control,
                input_processors=[
                    HighlightIncrementalSearchProcessor(),
                    HighlightMatchingBracketProcessor(chars=PAIRS),
                    ConditionalProcessor(AppendAutoSuggestion(), ~is_done),  # it was not typed
                ],
                lexer=PygmentsLexer(KshellLexer),
                preview_search=True,
            ),
            get_line_prefix=self._prefix,
            wrap_lines=True,
            dont_extend_height=True,
        )
        below = Window(FormattedTextControl(self._below), dont_extend_height=True, wrap_lines=True)
        room = Window(height=lambda: Dimension(min=ROOM_FOR_MENU if self.buffer.complete_state else 0))
        menu = HSplit([Window(height=self._rows_below), CompletionsMenu(max_height=MENU_ROWS, scroll_offset=1)])
        clock = Window(FormattedTextControl(self._clock), height=1, dont_extend_width=True, style="class:clock")
        floats = [
            Float(ConditionalContainer(menu, has_completions & ~is_done), xcursor=True, ycursor=True, transparent=True),
            Float(ConditionalContainer(clock, ~is_done), right=0, top=0, hide_when_covering_content=True),
        ]
        under = ConditionalContainer(HSplit([below, room]), ~is_done)
        shown = HSplit([self.buffer_window, under])
        return HSplit([FloatContainer(shown, floats), self.search, self._toolbar()])

    def _toolbar(self) -> ConditionalContainer:
        bar = Window(FormattedTextControl(self._keys), height=1, dont_extend_height=True, style="class:bottom-toolbar")
        wanted = Condition(lambda: self.desk.setting("toolbar") == "on")
        return ConditionalContainer(bar, wanted & ~is_done & renderer_height_is_known)

    # ---- what they show

    def _prefix(self, line: int, wrapped: int) -> StyleAndTextTuples:
        if not line and not wrapped:
            return self.desk.prompt()
        width = sum(len(part[1]) for part in self.desk.prompt())
        return [("class:continuation", ("… " if not wrapped else "").rjust(width))]

    def _width(self) -> int:
        return self.app.output.get_size().columns

    def _below(self) -> StyleAndTextTuples:
        rows = self._rows()
        return [fragment for i, row in enumerate(rows) for fragment in ([("", "\n")] if i else []) + row]

    def _rows(self) -> list[toolbar.Fragments]:
        width = self._width() - 1
        if self.fault is not None:
            return toolbar.problem(self.fault.message, width)
        text = self.buffer.text
        if not text:
            tip = self.desk.tip()
            return [[("class:tip", tip[:width])]] if tip else []
        if self.desk.setting("signature") != "on":
            return []
        return toolbar.signature(text, self.buffer.cursor_position, width, self.desk.manual)

    def _rows_below(self) -> Dimension:
        """The menu keeps clear of the signature."""
        return Dimension.exact(len(self._rows()))

    def _clock(self) -> StyleAndTextTuples:
        return [("", self.desk.clock())]

    def _keys(self) -> StyleAndTextTuples:
        vi = ""
        if self.app.editing_mode == EditingMode.VI:
            vi = str(self.app.vi_state.input_mode.value).removeprefix("vi-").replace("navigation", "normal")
        return [*toolbar.keys(vi, self.desk.view(), self.desk.shown(), self._width())]
