"""What people type who come from C, from a shell or from gdb, and what it is called here.

Looked at only when a line means nothing, to say something better than what was unexpected where.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kshell.abi import names, syscalls
from kshell.session.commands import NAMES

LONGEST: Final = 1000
"""Characters of a line: a longer one is no habit."""


def _table(text: str) -> dict[str, str]:
    """Lines of names, two blanks or more, and what is said of each of them."""
    rows = (re.split(r" {2,}", line, maxsplit=1) for line in text.strip().splitlines())
    return {name: said for names_of_row, said in rows for name in names_of_row.split()}


LIBRARY: Final = _table(r"""
printf puts fprintf putchar          the call behind it: write(1, "hello\n", 6)
perror errno                         why explains the last error
strerror                             help EBADF explains an error; help errors lists them
malloc calloc free memset memcpy     bytes are written as they are, "hello"; ... is a buffer that kshell supplies
bzero strlen strcpy                  bytes are written as they are, "hello"; ... is a buffer that kshell supplies
fopen fclose fgets fread fwrite      the calls behind it are open(), read(), write(), close()
fputs fdopen                         the calls behind it are open(), read(), write(), close()
gethostbyname getaddrinfo            there is no name service: addresses are written in numbers, "127.0.0.1"
inet_ntoa inet_aton                  addresses are written as text, "127.0.0.1", and shown so
sleep                                sleep 1s lets time pass; the call behind it: nanosleep({1, 0}, NULL)
usleep                               sleep 150ms lets time pass; the call behind it: nanosleep({0, 150000000}, NULL)
system popen                         there are no programs to run; the calls that they would make can be typed
execl execlp execvp                  the call behind it is execve()
pthread_create                       @name CALL runs a call in another task; the call behind it is clone()
opendir                              ls lists a directory; the call behind it is getdents64()
remove                               the calls behind it are unlink() and rmdir()
raise                                the call behind it: kill(getpid(), SIGINT)
signal                               the call behind it: rt_sigaction(SIGINT, {sa_handler=SIG_IGN}, NULL, 8)
""")
"""Functions and variables of the C library, and what does the same."""

COMMANDS: Final = _table("""
clear cls                            Ctrl-L clears the screen
logout bye q                         exit leaves kshell
reset reboot                         goto 0 goes back to the boot
cd                                   chdir("/tmp") is the call behind it
pwd                                  getcwd(..., 4096) is the call behind it
touch                                creat("/tmp/x", 0644) is the call behind it
rm                                   unlink("/tmp/x") is the call behind it
mv                                   rename("/tmp/x", "/tmp/y") is the call behind it
vi vim nano emacs                    save FILE writes this session as a script; Ctrl-X Ctrl-E edits the line
strace                               every call is shown as strace shows it; trace CALL shows the kernel's functions
ftrace ltrace                        trace CALL shows the functions that a call runs through
gdb                                  break FUNCTION stops in the kernel: help break
backtrace                            bt TASK shows where a sleeping task is
x                                    hexdump ADDRESS LENGTH shows memory
sudo                                 init is root already
su                                   setuid(1000) becomes a user
whoami id                            getuid() tells; init is root
top htop pstree                      ps lists the tasks
jobs                                 task lists the tasks
fg                                   task NAME goes to a task
bg                                   a program with & behind it runs on by itself
lsof                                 fds lists the open descriptors
free                                 slab shows the caches of the kernel
uname                                cat /proc/version tells; uname(...) is the call
date                                 time is virtual: clock_gettime(CLOCK_REALTIME, ...)
curl wget telnet netcat socat        nc 127.0.0.1 80 talks over TCP
tshark wireshark                     packets shows packets; capture eth0 FILE.pcapng writes them for Wireshark
nslookup dig                         there is no name service: addresses are written in numbers
traceroute                           trace ping -c 1 ADDRESS shows the kernel's way
brctl                                ip link add br0 type bridge
nstat                                netstat -s shows the kernel's counters
lsns                                 ls /proc/1/ns
grep less more head tail             cat FILE shows all of it
cp python python3 gcc make bash sh   there are no programs to run; the calls that they would make can be typed
kshell                               this is kshell already
""")
"""Programs and commands from elsewhere, and what is here for them."""

AT_A_STOP: Final = frozenset({"step", "stepi", "next", "finish", "fin", "until", "continue", "cont", "up", "down", "frame"})
"""Commands of the debugger, which mean something while the kernel stands still."""

TYPES: Final = frozenset({
    "int", "char", "long", "short", "unsigned", "signed", "struct", "size_t", "ssize_t", "socklen_t", "void", "const", "static",
    "sa_family_t", "in_addr_t", "uint8_t", "uint16_t", "uint32_t", "pid_t",
})  # fmt: skip
STATEMENTS: Final = frozenset({"if", "while", "for", "return", "else", "switch", "do", "main", "goto", "import", "from", "def"})
CALLS: Final = frozenset({*syscalls.BY_NAME, "send", "recv", "socketcall"})

_START: Final = re.compile(r"\s*(?:@\S+\s+)?(?:\w+\s*=\s*)?")
_WORD: Final = re.compile(r"\w+")
_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_UNKNOWN: Final = re.compile(r"unknown (?:name|function|system call) (\w+)$")
_QUOTED: Final = re.compile(r"'([^']+)'")
_NUMBER: Final = re.compile(r"\b(\d+)\b")
_TEXT: Final = re.compile(r"'([^']{2,})'")


class Advice:
    """What is said of a line that means nothing."""

    __slots__ = ("column", "hint", "message")

    def __init__(self, message: str, hint: str = "", column: int = 0) -> None:
        self.message = message
        self.hint = hint
        self.column = column


def better(text: str, said: Advice) -> Advice:
    """What to say of a line, where something better is known than what was said of it."""
    if len(text) > LONGEST:
        return said
    for rule in RULES:
        found = rule(text, said)
        if found is not None:
            return found
    return said


def _word_at(text: str, column: int) -> str:
    found = _WORD.match(text, max(column - 1, 0))
    return found[0] if found else ""


def _first(text: str) -> tuple[str, int]:
    """The first word of a line, behind task and variable, and its column."""
    start = _START.match(text)
    at = start.end() if start else 0
    return _word_at(text, at + 1), at + 1


# ---- rules: each gives None where it does not apply


def _statement(text: str, said: Advice) -> Advice | None:
    """C's declarations and statements."""
    word, column = _first(text)
    if word in TYPES:
        said_so = "nothing is declared here: a variable is there once it has a value"
        return Advice(said_so, "fd = socket(AF_INET, SOCK_STREAM, 0)", column)
    if word in STATEMENTS - NAMES:
        return Advice("one line is one call, one command or one expression: there are no statements", "help language", column)
    return None


def _not_here(text: str, said: Advice) -> Advice | None:
    """A function of the C library, a program of a shell."""
    word = _word_at(text, said.column)
    behind = text[said.column - 1 + len(word) :].lstrip()
    if word in LIBRARY and (behind.startswith("(") or word == "errno"):
        return Advice(f"{word} is of the C library, it is no system call", LIBRARY[word], said.column)
    first, column = _first(text)
    if first in COMMANDS and column == said.column and not behind.startswith(("(", "=")):
        return Advice(f"there is no command {first}", COMMANDS[first], column)
    return None


def _at_a_stop(text: str, said: Advice) -> Advice | None:
    """A command of the debugger while the kernel runs."""
    words, unknown = text.split(), ("unknown name", "unexpected", "there is no command")
    if words[:1] and words[0] in AT_A_STOP and len(words) <= 2 and said.message.startswith(unknown):
        hint = "break FUNCTION stops it when it comes there: help break"
        return Advice(f"{words[0]} is for a stop, but the kernel runs", hint, text.find(words[0]) + 1)
    return None


def _call_without_parentheses(text: str, said: Advice) -> Advice | None:
    word, column = _first(text)
    if word not in CALLS or column != said.column or text[column - 1 + len(word) :].lstrip().startswith("("):
        return None
    call = syscalls.signature(word)
    prototype = call.prototype() if call else f"{word}(…)"
    return Advice(f"{word} is a system call: its arguments stand in parentheses", prototype, column)


def _compared(text: str, said: Advice) -> Advice | None:
    found = _UNKNOWN.match(said.message)
    if found is None or found[1] not in CALLS or not said.message.startswith("unknown function"):
        return None
    hint = f"what it must give follows one =: {found[1]}(…) = 0"
    return Advice("a call stands alone in its line, or behind NAME =", hint, said.column)


def _quotes(text: str, said: Advice) -> Advice | None:
    """Text in single quotes; a path or an address without any."""
    found = _TEXT.search(text, max(said.column - 1, 0))
    if said.message.startswith("character without an end") and found is not None:
        return Advice("text stands in double quotes", f'"{found[1]}"', said.column)
    if "unexpected" not in said.message:
        return None
    address = next((a for a in _ADDRESS.finditer(text) if a.start() < said.column <= a.end() + 1), None)
    if address is not None:
        return Advice("an address stands in double quotes", f'"{address[0]}"', address.start() + 1)
    path = re.compile(r"/[\w/.]+").match(text, max(said.column - 1, 0))
    return Advice("a path stands in double quotes", f'"{path[0]}"', said.column) if path else None


def _constant_in_quotes(text: str, said: Advice) -> Advice | None:
    found = re.compile(r'"(\w+)"').match(text, max(said.column - 1, 0))
    if said.message.startswith("not a number") and found is not None and names.constant(found[1]) is not None:
        return Advice("a constant stands without quotes", found[1], said.column)
    return None


def _second_statement(text: str, said: Advice) -> Advice | None:
    if "unexpected" in said.message and text[: max(said.column - 1, 0)].rstrip().endswith(";"):
        return Advice("one line is one call", "what follows the ; is a line of its own", said.column)
    return None


def _task_name(text: str, said: Advice) -> Advice | None:
    if said.message.endswith("is not a number") and text.lstrip().startswith("@"):
        return Advice("a task's name begins with a letter", "@server accept(3, NULL, NULL)", said.column)
    return None


def _name(text: str, said: Advice) -> Advice | None:
    """A variable that is not there."""
    found = _UNKNOWN.match(said.message)
    if found is None or said.hint or not said.message.startswith("unknown name"):
        return None
    name = found[1]
    if text[: max(said.column - 1, 0)].endswith("&"):
        hint = 'a struct is written out: {AF_INET, 80, "127.0.0.1"}; an int to be filled in: [16]'
        return Advice(said.message, hint, said.column)
    if name.islower():
        hint = f"no variable has this name; a call that gives a result makes one: {name} = …"
        return Advice(said.message, hint, said.column)
    return None


def _error(text: str, said: Advice) -> Advice | None:
    if said.message.startswith("unknown error") and not said.hint:
        return Advice(said.message, "help errors lists them", said.column)
    return None


def _place(text: str, said: Advice) -> Advice | None:
    """Where the word, or the number, stands that a message names."""
    found = _QUOTED.search(said.message) or _NUMBER.search(said.message)
    if said.column or found is None:
        return None
    at = re.search(rf"(?<![\w.]){re.escape(found[1])}(?![\w.])", text)
    return Advice(said.message, said.hint, at.start() + 1) if at else None


RULES: Final[tuple[Callable[[str, Advice], Advice | None], ...]] = (
    _statement, _not_here, _at_a_stop, _call_without_parentheses, _compared, _quotes, _constant_in_quotes,
    _second_statement, _task_name, _name, _error, _place,
)  # fmt: skip
