"""`?` after anything explains it, and is no part of the session."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kshell.session import events as ev
from kshell.session.commands import CommandError
from kshell.session.explaining import explain, word_at
from kshell.session.pieces import asks, question
from kshell.session.session import Session
from kshell.session.validate import problem_of


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session()
    session.run('fd = socket(AF_INET, SOCK_STREAM, 0)\nbind(fd, {AF_INET, 80, "127.0.0.1"}, 16)\nlisten(fd, 5)\n@t pause()')
    return session


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("socket?", "socket(int family, int type, int protocol)"),
        ("socket ?", "socket(int family, int type, int protocol)"),
        ("socket()?", "socket(int family, int type, int protocol)"),
        ("undo?", "undo"),
        ("EPIPE?", "Broken pipe"),
        ("AF_INET?", "AF_INET"),
        ("editing?", "emacs|vi"),
        ("language?", "One line is one of"),
        ("fd?", "fd = 3"),
        ("fd?", "TCP"),
        ("3?", "descriptor 3 of init"),
        ("@t?", "task t"),
        ("current->files->next_fd?", "current->files->next_fd = 4"),
        ("bind(3, {AF_INET?", "AF_INET"),
    ],
)
def test_what_is_told(session: Session, line: str, told: str) -> None:
    before = len(session.commands), session.errors
    text = "\n".join(event.text for event in session.run(line) if isinstance(event, ev.Output))
    assert told in text
    assert before == (len(session.commands), session.errors)


def test_what_is_unknown_has_near_names(session: Session) -> None:
    error = next(event for event in session.run("sokcet?") if isinstance(event, ev.Error))
    assert "socket" in error.hint


@pytest.mark.parametrize("line", ["exit_group(0) = ?", "read(3, ..., 1)   = ?", "wait4(-1, NULL, 0, NULL) =?"])
def test_straces_unknown_result_is_no_question(line: str) -> None:
    assert not asks(line)


def test_the_question_is_the_line_without_its_mark() -> None:
    assert question("socket ?") == "socket"
    assert word_at("bind(fd, AF_INET", 16) == "AF_INET"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.text(alphabet="socket current->.fd[]()3@AF_INET?'\"\\=\n", max_size=40))
def test_any_text_is_survived(session: Session, text: str) -> None:
    before = len(session.commands), session.now
    with contextlib.suppress(CommandError):
        explain(session, word_at(text, len(text)))
    problem = problem_of(session, text)
    assert problem is None or 0 <= problem.offset <= len(text) + 1
    assert before == (len(session.commands), session.now)
