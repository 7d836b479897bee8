"""The interactive session: what is typed is saved, run and shown, line by line."""

from __future__ import annotations

import gc
import sys
from collections import deque
from typing import TYPE_CHECKING

from kshell.session.pieces import pieces
from kshell.session.session import Session
from kshell.shell.config import ConfigError, load
from kshell.shell.ctrl_c import CtrlC
from kshell.shell.desk import SessionDesk
from kshell.shell.history import HistoryFile
from kshell.shell.journal import Journal, last_session, state_directory
from kshell.shell.paint import BANNER
from kshell.shell.screen import Screen

if TYPE_CHECKING:
    from kshell.session.events import Event
    from kshell.shell.editor import Editor
    from kshell.shell.options import Options
    from kshell.shell.paint import Keyboard
    from kshell.shell.reader import PlainReader


class Prompt:
    """An interactive session; `keyboard`: the terminal since the first painting, None if it can't be edited on."""

    def __init__(self, options: Options, keyboard: Keyboard | None) -> None:
        self.options = options
        self.keyboard = keyboard
        self.complaint = ""
        self.recorded = last_session() if options.resume else None
        settings, seed = self._settings(), options.seed
        if self.recorded is not None:
            settings, seed = settings | self.recorded.settings, self.recorded.seed
        self.session = Session(seed=seed, show=options.panels(), configured=settings)
        self.screen = Screen(options, self.session)
        self.journal = Journal(seed, self.session.lasting_settings(), resumed=self.recorded)
        kept = settings.get("history") != "off"
        self.history = HistoryFile(state_directory() / "history" if kept else None)
        self.queue: deque[str] = deque()
        self.screen.hurried = lambda: bool(self.queue)
        self.default = ""
        self.desk = SessionDesk(self)
        self.ctrl_c = CtrlC()
        self.reader: Editor | PlainReader

    def _settings(self) -> dict[str, str]:
        try:
            return load()
        except ConfigError as error:
            self.complaint = f"kshell: {error}"
            return {}

    def run(self) -> int:
        """Read and run commands until end of file, `exit` or `quit`."""
        self.ctrl_c.install()
        if self.keyboard is None:
            print(BANNER)
        self._greet()
        if self.recorded is not None:
            self._resume(self.recorded.commands)
        elif self.options.resume:
            print("there is no session to resume: this is a new one")
        if self.keyboard is not None:
            self._answer_type_ahead(self.keyboard)
        reader = self.reader = self._reader()
        self.session.at_stop = self._at_stop
        gc.freeze()  # what stays need not be looked at again while somebody types
        while not self.session.ended:
            try:
                typed = self._next(reader)
            except EOFError:
                break
            except KeyboardInterrupt:
                typed = self._interrupted()
            self.do(typed)
        return 0

    def do(self, text: str) -> None:
        """Save a command, then run it and show what happens."""
        self.history.add(text)
        for piece in pieces(text):
            if self.session.ended:
                return
            if not piece.comment:
                self.journal.add(piece.text)
            try:
                with self.ctrl_c.breaks():
                    self.screen.show(self.session.execute(piece.text, line=piece.line))
            except KeyboardInterrupt:
                self._broken_off()
                return
            if self.session.taken_back:
                self.journal.drop()

    def _at_stop(self, shown: list[Event]) -> str | None:
        """At a stop of the debugger: show what has happened, and read what it is to do; None at the end of input."""
        self.screen.show(shown)
        while True:
            try:
                typed = self._next(self.reader)
            except EOFError:
                return None
            except KeyboardInterrupt:
                dropped, self.desk.dropped = self.desk.dropped, ""
                if not dropped:
                    raise  # the call is broken off
                continue
            self.history.add(typed)
            return typed

    # ---- beginning

    def _greet(self) -> None:
        if self.complaint:
            sys.stdout.write(f"\r{self.complaint}\n" + ("" if self.options.resume else self.desk.plain_prompt()))
            sys.stdout.flush()

    def _resume(self, commands: list[str]) -> None:
        """Run the commands of an earlier session again, silently."""
        for text in commands:
            if text.strip() not in ("exit", "quit"):
                self.session.run(text)
        count = len(self.session.commands)
        print(f"resumed after {count} command{'' if count == 1 else 's'}, at {self.desk.clock()}")

    def _answer_type_ahead(self, keyboard: Keyboard) -> None:
        """Run the lines that were typed whole while all was imported; the first prompt is painted already."""
        painted = not self.options.resume
        while not self.session.ended and (typed := keyboard.line()) is not None:
            prompt = "" if painted else self.desk.plain_prompt()
            sys.stdout.write(f"{prompt}{typed}\n")
            painted = False
            self.do(typed)
        if not painted and not self.session.ended:
            sys.stdout.write(self.desk.plain_prompt())
        sys.stdout.flush()

    def _reader(self) -> Editor | PlainReader:
        if self.session.ended or self.keyboard is None or self.session.settings["screen_reader"] == "on":
            return self._plain_reader()
        from kshell.shell.editor import Editor
        from kshell.shell.state import SessionState

        editor = Editor(self.desk, SessionState(self.session), self.history)
        editor.feed(self.keyboard.give())
        sys.stdout.write("\r")  # the editor paints its prompt over the first
        sys.stdout.flush()
        return editor

    def _plain_reader(self) -> PlainReader:
        from kshell.shell.reader import PlainReader

        if self.keyboard is not None:
            self.keyboard.restore()
            sys.stdout.write("\r")
        return PlainReader(self.desk.plain_prompt, self.history.entries())

    # ---- going on

    def _next(self, reader: Editor | PlainReader) -> str:
        """The next command: of a paste, else typed."""
        if self.queue:
            text = self.queue.popleft()
            self.screen.echo(self.desk.plain_prompt(), text)
            return text
        self.ctrl_c.look()
        default, self.default = self.default, ""
        with self.ctrl_c.breaks(reader.breaks):
            typed = reader.read(default)
        self.ctrl_c.look()
        return typed

    def accept_paste(self, text: str) -> tuple[str | None, str]:
        """Cut a paste: its first command, the others being queued, and what is not finished (or all, if none is)."""
        whole, newline, rest = text.rpartition("\n")
        found = [piece.text for piece in pieces(whole + newline)]
        if found and self.desk.is_open(found[-1]):
            rest = found.pop() + "\n" + rest
        if not found:
            return None, text if newline and rest else rest
        self.queue.extend(found[1:])
        self.default = rest
        return found[0], rest

    def _interrupted(self) -> str:
        """Ctrl-C: the rest of a paste is dropped; if the current task sleeps in a call, that gets SIGINT."""
        self.queue.clear()
        self.default = ""
        dropped, self.desk.dropped = self.desk.dropped, ""
        if dropped or not self.session.sleeping_call(self.session.current):
            return ""
        self.screen.echo("", "^C")
        return "interrupt"

    def _broken_off(self) -> None:
        """Ctrl-C while a command runs: the session is as it was before it."""
        self.queue.clear()
        self.journal.drop()
        self.session.timeline.revert()
        print("^C  broken off: the session is as it was before this command")
