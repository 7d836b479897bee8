"""What is wrong with a line is found without running it, with the place where."""

import pytest

from kshell.session.session import Session
from kshell.session.validate import problem_of


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    return session


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("sokcet(AF_INET, SOCK_STREAM, 0)", "sokcet", "did you mean socket?"),
        ("x = sokcet(AF_INET, SOCK_STREAM, 0)", "sokcet", "did you mean socket?"),
        ("socket(AF_INTE, SOCK_STREAM, 0)", "AF_INTE", "did you mean AF_INET?"),
        ("socket(AF_INET, SOCK_STREAM, 0", "", "expected"),
        ("socket(AF_INET SOCK_STREAM, 0)", "SOCK_STREAM", "expected"),
        ("socket(AF_INET)", "", "argument"),
        ("bind(fd, {AF_INET, 80, \"1.2.3\"}, 16)", '"1.2.3"', ""),
        ("close(fdd)", "fdd", "fdd"),
        ("@server sokcet(1, 2, 3)", "sokcet", "did you mean socket?"),
        ("hlep socket", "hlep", "did you mean help?"),
        ("current->fils", "fils", "files"),
        ("bind(fd,\n  {AF_INTE, 80, \"127.0.0.1\"}, 16)", "AF_INTE", "AF_INET"),
    ],
)
def test_problems_have_their_place(session: Session, text: str, at: str, message: str) -> None:
    problem = problem_of(session, text)
    assert problem is not None
    assert message in problem.message
    assert text[problem.offset :].startswith(at)


@pytest.mark.parametrize(
    "text",
    [
        "socket(AF_INET, SOCK_STREAM, 0)", "close(fd)", "read(fd, buf, 64)", "read(fd, ..., 64) = -1 EAGAIN",
        "@new getpid()", "help nonsense", "current->files->next_fd", "x = fd + 1", "# a comment", "", "ps",
        "a = getpid()\nb = getpid(", "read(3, 0x1, 64)", "syscall(41, 2, 1, 0)",
        "socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0])", "? socket",
    ],
)  # fmt: skip
def test_what_can_be_run_has_none(session: Session, text: str) -> None:
    before = len(session.commands), session.now, dict(session.calls_of_tasks.variables), session.errors
    assert problem_of(session, text) is None
    assert before == (len(session.commands), session.now, dict(session.calls_of_tasks.variables), session.errors)
