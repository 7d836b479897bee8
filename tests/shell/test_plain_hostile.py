"""Whatever name or data a program chooses, no view sends it to the terminal as a command, or breaks its line with it."""

import re

import pytest

from kshell.session.session import Session
from kshell.shell.plain import PlainText

EVIL = "\\x1b[2J\\n\\r\\x07\\xe2\\x80\\xae\\x9b31m"
SETUP = f"""\
set abi x86_64
prctl(PR_SET_NAME, "{EVIL[:20]}")
mkdir("/tmp/d{EVIL}", 0755)
fd = open("/tmp/d{EVIL}/f{EVIL}", O_RDWR|O_CREAT, 0644)
write(fd, "{EVIL}", 12)
chdir("/tmp/d{EVIL}")
s = socket(AF_UNIX, SOCK_STREAM, 0)
bind(s, {{AF_UNIX, "/tmp/s{EVIL}"}}, 40)
socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])
send(5, "{EVIL}", 12, 0)
l = socket(AF_INET, SOCK_STREAM, 0)
bind(l, {{AF_INET, 80, "127.0.0.1"}}, 16)
listen(l, 5)
c = socket(AF_INET, SOCK_STREAM, 0)
connect(c, {{AF_INET, 80, "127.0.0.1"}}, 16)
write(c, "{EVIL}", 12)
pipe([10, 11])
write(10, "{EVIL}", 12)
"""
LOOKS = """\
show
show task 1
show fd 3
fds
ps
print current
print current->comm
print/full fd(3)
print/tree fd(3)
print fd(3)->f_path.dentry
print fd(6)->private_data->sk
graph fds
graph fd 3
graph fd 6
graph task
graph tcp
graph fd(3)
list tasklist
list current->files->fdt->fd
hash dentry
hash unix
packets
packets -x
hexdump current->comm
ptype current
"""
ALLOWED = re.compile("\x1b\\[[0-9;]*m")
PANELS = frozenset({"line", "objects", "changes", "packets", "log", "wakeups", "signals", "output"})


@pytest.mark.parametrize("glyphs", ["boxes", "ascii", "words"])
@pytest.mark.parametrize("width", [0, 80])
@pytest.mark.parametrize("view", ["objects", "full"])
def test_no_view_sends_data_to_the_terminal_as_it_is(glyphs: str, width: int, view: str) -> None:
    session = Session(show=PANELS)
    text = PlainText(PANELS, colour=True, width=width, glyphs=glyphs)
    seen = 0
    for event in session.execute(f"set view {view}\nset packets on\nset log on\n" + SETUP + LOOKS):
        assert event.kind != "oops", event
        for line in [*text.lines(event), *text.message(event)]:
            plain = ALLOWED.sub("", line)
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain), plain
            seen += "\\x1b[2J" in plain
    assert seen > 20
    assert session.oopses == 0
