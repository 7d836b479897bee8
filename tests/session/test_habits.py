"""What a line that means nothing is told: by a table of what students type."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session
from kshell.session.validate import problem_of

HABITS = [
    # C's library, statements and declarations
    ('printf("hello")', "printf", "printf is of the C library", 'write(1, "hello\\n", 6)'),
    ("x = malloc(10)", "malloc", "malloc is of the C library", "..."),
    ('write(1, "hi", strlen("hi"))', "strlen", "strlen is of the C library", '"hello"'),
    ("perror(1)", "perror", "of the C library", "why explains"),
    ("errno", "errno", "of the C library", "why explains"),
    ('getaddrinfo("localhost", NULL, NULL, NULL)', "getaddrinfo", "of the C library", "numbers"),
    ("int fd = socket(AF_INET, SOCK_STREAM, 0);", "int", "nothing is declared here", "fd = socket("),
    ("struct sockaddr_in addr;", "struct", "nothing is declared here", "fd = socket("),
    ('if (fd < 0) perror("x");', "if", "there are no statements", "help language"),
    ("socket(AF_INET, SOCK_STREAM, 0); close(3)", "close", "one line is one call", "a line of its own"),
    ("bind(3, &addr, 16)", "addr", "unknown name addr", '{AF_INET, 80, "127.0.0.1"}'),
    # programs of a shell
    ("clear", "clear", "there is no command clear", "Ctrl-L"),
    ("cd /tmp", "cd", "there is no command cd", 'chdir("/tmp")'),
    ("vi x", "vi", "there is no command vi", "save FILE"),
    ("strace ls", "strace", "there is no command strace", "trace CALL"),
    ("sudo ps", "sudo", "there is no command sudo", "root"),
    ("curl example.org", "curl", "there is no command curl", "nc "),
    # the debugger, while the kernel runs
    ("step", "step", "step is for a stop, but the kernel runs", "break FUNCTION"),
    ("next 3", "next", "next is for a stop", "break FUNCTION"),
    # calls
    ("socket", "socket", "socket is a system call", "socket(int family, int type, int protocol)"),
    ("socket AF_INET, SOCK_STREAM, 0", "socket", "socket is a system call", "socket(int family"),
    ("close 3", "close", "close is a system call", "close(unsigned int fd)"),
    ("socket(AF_INET, SOCK_STREAM, 0) == 3", "socket", "stands alone", "one =: socket(…) = 0"),
    ("socket(AF_INET, SOCK_STREAM, 0) = -1 EFOOBAR", "EFOOBAR", "unknown error EFOOBAR", "help errors"),
    ("close(3) = -1 EBADFF", "EBADFF", "unknown error EBADFF", "did you mean EBADF?"),
    # arguments
    ('socket("AF_INET", SOCK_STREAM, 0)', '"AF_INET"', "a constant stands without quotes", "AF_INET"),
    ("socket(AF_INET, SOCK_STREAM, TCP)", "TCP", "unknown name TCP", "did you mean IPPROTO_TCP?"),
    ("socket(INET, SOCK_STREAM, 0)", "INET", "unknown name INET", "did you mean AF_INET?"),
    ("write(1, 'hi', 2)", "'hi'", "text stands in double quotes", '"hi"'),
    ("open(/tmp/x, O_RDONLY)", "/tmp/x", "a path stands in double quotes", '"/tmp/x"'),
    ("bind(3, {AF_INET, 80, 127.0.0.1}, 16)", "127", "an address stands in double quotes", '"127.0.0.1"'),
    ('bind(3, {AF_INET, 99999, "127.0.0.1"}, 16)', "99999", "99999 is no port", "0 to 65535"),
    ('bind(3, {AF_INET, "127.0.0.1", 80}, 16)', '"127', "a port is a number", '{AF_INET, 80, "127.0.0.1"}'),
    ("close(three)", "three", "unknown name three", "three = …"),
    ("@1server getpid()", "1server", "a task's name begins with a letter", "@server"),
    # words alone
    ("exec", "exec", "unknown name exec", "did you mean execve?"),
    ("sock", "sock", "unknown name sock", "did you mean socket?"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "message", "hint"), HABITS)
def test_what_a_student_types(text: str, at: str, message: str, hint: str) -> None:
    session = Session()
    errors = [event for event in session.run(text) if isinstance(event, ev.Error)]
    assert len(errors) == 1, errors
    told = errors[0]
    assert message in told.message
    assert hint in f"{told.message} {told.hint}"
    assert text[told.column - 1 :].startswith(at), told.column


@pytest.mark.parametrize(("text", "at", "message", "hint"), HABITS)
def test_the_editor_says_the_same_before_it_runs(text: str, at: str, message: str, hint: str) -> None:
    problem = problem_of(Session(), text)
    assert problem is not None
    assert message in problem.message
    assert hint in problem.message
    assert text[problem.offset :].startswith(at)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("graph foo", "foo"), ("print current->fo", "fo"), ("list foobar", "foobar"),
        ("print current->files->fdt->fd[99]", "current"),
        ("goto 99", "99"), ("goto abc", "abc"), ("show fd 99", "99"), ("show fd abc", "abc"), ("delete 9", "9"),
        ("sleep abc", "abc"), ("set foo bar", "foo"), ("break tcp_v4_conect", "tcp_v4_conect"), ("help soket", "soket"),
        ("ps aux", "aux"), ("assert 1 == foo", "foo"), ("@client foo", "foo"), ("  close(3) foo", "foo"),
        ("ptype struct foo", "foo"), ("run foo 3", "foo"), ("break tcp_rcv_established foo", "foo"), ("break foo bar", "foo"),
        ("info foo", "foo"),
    ],
)  # fmt: skip
def test_the_caret_stands_below_the_word(text: str, at: str) -> None:
    (told,) = [event for event in Session().run(text) if isinstance(event, ev.Error)]
    assert told.text == text
    assert text[told.column - 1 :].startswith(at), (told.message, told.column)
