"""The loop of the prompt: saved before it runs, broken off without a trace, pastes cut into commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kshell.session import events as ev
from kshell.shell.options import parse
from kshell.shell.prompt import Prompt


@pytest.fixture
def prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return Prompt(parse(["--color", "never"]), None)


def test_a_command_is_on_disk_before_it_runs(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def show(events: Iterator[ev.Event]) -> None:
        assert prompt.journal.path is not None
        seen.append(prompt.journal.path.read_text().splitlines()[-1])
        assert prompt.history.entries()[-1] == "getpid()"
        list(events)

    monkeypatch.setattr(prompt.screen, "show", show)
    prompt.do("getpid()")
    assert seen == ['"getpid()"']


def test_a_command_that_is_broken_off_leaves_no_trace(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt.do("fd = socket(AF_INET, SOCK_STREAM, 0)")
    machine = prompt.session.machine
    real = machine.syscall

    def syscall(self: object, *arguments: object, **named: object) -> object:
        real(*arguments, **named)  # type: ignore[arg-type]
        monkeypatch.undo()  # only this once
        raise KeyboardInterrupt

    monkeypatch.setattr(type(machine), "syscall", syscall)
    prompt.do("close(fd)")
    assert len(prompt.session.commands) == 1
    assert prompt.session.task.files.fdt.fd[3] is not None
    events = prompt.session.run("close(fd) = 0")
    assert (prompt.session.held, prompt.session.failed) == (1, 0), events


def test_what_a_resumed_session_runs_is_what_was_done(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("set abi x86_64", "a = socket(AF_INET, SOCK_STREAM, 0)", "pipe([4, 5])", "read(4, ..., 1)", "interrupt"):
        prompt.do(text)
    prompt.journal.close()
    again = Prompt(parse(["--resume"]), None)
    assert again.recorded is not None
    again._resume(again.recorded.commands)
    assert again.session.script() == prompt.session.script()
    assert again.session.now == prompt.session.now
    assert again.session.settings["abi"] == "x86_64"


@pytest.mark.parametrize(
    ("text", "first", "queued", "stays"),
    [
        ("ps\n", "ps", [], ""),
        ("ps\nfds\n", "ps", ["fds"], ""),
        ("ps\nfds", "ps", [], "fds"),
        ("# a comment\nps\n\nfds\n", "# a comment", ["ps", "fds"], ""),
        ("a = socket(AF_INET,\n SOCK_STREAM, 0)\nps\n", "a = socket(AF_INET,\n SOCK_STREAM, 0)", ["ps"], ""),
        ("ps\nsocket(AF_INET,\n", "ps", [], "socket(AF_INET,\n"),
        ("socket(AF_INET,\n", None, [], "socket(AF_INET,\n"),
    ],
)
def test_a_paste_is_cut_into_commands(
    prompt: Prompt, text: str, first: str | None, queued: list[str], stays: str
) -> None:
    assert prompt.accept_paste(text) == (first, stays)
    assert list(prompt.queue) == queued
    assert prompt.default == (stays if first is not None else "")


def test_ctrl_c_drops_what_is_queued(prompt: Prompt) -> None:
    prompt.accept_paste("ps\nfds\nps\n")
    assert prompt._interrupted() == ""
    assert not prompt.queue


def test_ctrl_c_interrupts_only_a_sleeping_task_and_an_empty_line(prompt: Prompt) -> None:
    prompt.do("pipe([3, 4])")
    prompt.do("read(3, ..., 1)")
    prompt.desk.left("half a line")
    assert prompt._interrupted() == ""
    prompt.desk.left("")
    assert prompt._interrupted() == "interrupt"


def test_ctrl_c_at_a_stop_drops_the_line_and_only_then_the_call(prompt: Prompt) -> None:
    class Reader:
        breaks = False
        typed = ["p sk->sk_st", "step", ""]

        def read(self, default: str) -> str:
            line = self.typed.pop(0)
            if line == "step":
                return line
            prompt.desk.dropped = line
            raise KeyboardInterrupt

    prompt.reader = Reader()  # type: ignore[assignment]
    assert prompt._at_stop([]) == "step"
    with pytest.raises(KeyboardInterrupt):
        prompt._at_stop([])


def test_the_prompt_says_who_speaks_and_whether_it_sleeps(prompt: Prompt) -> None:
    assert prompt.desk.plain_prompt() == "1 init> "
    prompt.do("task server")
    prompt.do("pipe([3, 4])")
    prompt.do("read(3, ..., 1)")
    assert prompt.desk.plain_prompt() == "4 server (asleep in read)> "
    assert "".join(text for _, text in prompt.desk.prompt()) == prompt.desk.plain_prompt()


def test_tips_can_be_turned_off(prompt: Prompt) -> None:
    assert prompt.desk.tip()
    prompt.do("set tips off")
    prompt.do("ps")
    assert prompt.desk.tip() == ""
