"""The prompt in a real terminal: a pty with a terminal emulator, screens compared."""

import re
import time
from pathlib import Path

import pytest

pytest.importorskip("pyte")

from terminal import CTRL, F1, F3, F4, PASTE, PASTED, kshell

SIZES = [(80, 24), (200, 60)]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_first_minute_of_a_student(tmp_path: Path, columns: int, rows: int) -> None:
    with kshell(tmp_path, columns=columns, rows=rows, PAGER="") as terminal:
        terminal.wait("1 init>", "F1 help")
        assert terminal.lines[0].startswith("kshell 0.")
        terminal.type("so")
        terminal.wait("socketpair(", "socket(int family, int type, int protocol)")
        assert terminal.from_prompt("1 init>")[0].startswith("1 init> so")
        terminal.type("\t")
        terminal.wait("1 init> socket(", "  int family  ")
        terminal.type("AF_INTE, SOCK_STREAM, 0)\r")
        terminal.wait("✗ unknown name AF_INTE; did you mean AF_INET?")
        assert terminal.screen.cursor.x == len("1 init> socket(")
        terminal.type("\x1bd")  # Alt-D deletes the word at the cursor
        terminal.wait("socket(, SOCK_STREAM", absent="✗")
        terminal.type("AF_INET\r")
        screen = terminal.wait("= 3", "2 init>")
        assert re.search(r"sk ─ tcp_sock 0x[0-9a-f]{16}", screen), screen
        terminal.enter("write(3, \"hi\", 2)")
        terminal.wait("= -1 EPIPE (Broken pipe)", "3 init>")
        terminal.enter("help")
        terminal.wait("Type a system call, as in C", "Ctrl-D or exit leaves.", "4 init>")  # all on one screen
        terminal.enter("help commands")
        terminal.wait("more lines: Space, Enter, q")
        terminal.type("q")
        terminal.wait("5 init>")
        terminal.type(CTRL["U"])
        terminal.enter("exit")
        assert terminal.exit_status() == 0


def test_what_is_typed_after_an_error_takes_the_place_of_the_wrong_word(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>")
        terminal.enter("histroy")
        terminal.wait("did you mean history?")
        terminal.enter("fds")
        terminal.wait("OPERATIONS", "2 init>")


def test_two_tasks_and_a_blocking_accept(tmp_path: Path) -> None:
    with kshell(tmp_path, rows=40) as terminal:
        terminal.wait("1 init>")
        terminal.enter("set view line")
        for n, line in enumerate((
            "s = socket(AF_INET, SOCK_STREAM, 0)",
            'bind(s, {AF_INET, 8080, "127.0.0.1"}, 16)',
            "listen(s, 1)",
        ), 3):  # fmt: skip
            terminal.enter(line)
            terminal.wait(f"{n} init>")
        terminal.enter("accept(s, NULL, NULL)")
        terminal.wait("<unfinished ...>", "inet_csk_accept   on sk->sk_wq", "6 init (asleep in accept)>")
        terminal.enter("@client c = socket(AF_INET, SOCK_STREAM, 0)")
        terminal.wait("7 init (asleep in accept)>")
        terminal.enter('@client connect(c, {AF_INET, 8080, "127.0.0.1"}, 16)')
        screen = terminal.wait("[client] connect(", "<... accept resumed>", "8 init>")
        lines = screen.split("\n")
        assert lines.index(next(x for x in lines if "accept resumed" in x)) < lines.index(
            next(x for x in lines if x.startswith("8 init>"))
        )


def test_ctrl_c_makes_a_sleeping_call_return_eintr_and_replay_agrees(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>")
        terminal.enter("set view line")
        terminal.enter("pipe([3, 4])")
        terminal.wait("3 init>")
        terminal.enter("read(3, ..., 10)")
        terminal.wait("4 init (asleep in read)>", "Ctrl-C ends it")
        terminal.type(CTRL["C"])
        terminal.wait("^C", "--- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---", "= -1 EINTR", "5 init>")
        terminal.enter("history")
        terminal.wait("4", "interrupt", "read(3, ..., 10)")
        script = tmp_path / "it.ks"
        terminal.enter(f"save {script}")
        terminal.wait("wrote", "6 init>")  # a long path is cut at the edge of the screen
        assert script.read_text() == "set view line\npipe([3, 4])\nread(3, ..., 10)\ninterrupt\n"


def test_ctrl_c_drops_a_line_and_ctrl_d_ends(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>")
        terminal.type("nonsense here")
        terminal.wait("1 init> nonsense here")
        terminal.type(CTRL["C"])
        terminal.wait(lambda s: s.count("1 init>") == 2)
        terminal.type(CTRL["D"])
        assert terminal.exit_status() == 0


def test_the_screen_follows_the_window(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>", "F1 help")
        terminal.type("bind(3, {AF_INET, 80")
        terminal.wait("struct sockaddr *umyaddr")
        for columns, rows in ((50, 15), (132, 40), (80, 24)):
            terminal.resize(columns, rows)
            terminal.wait("1 init> bind(3, {AF_INET, 80", lambda s: terminal.lines[-1].startswith(" F1 help"))
            assert all(len(line) <= columns for line in terminal.lines)
        terminal.enter(', "127.0.0.1"}, 16)')
        terminal.wait("EBADF", "2 init>")


def test_a_killed_session_is_resumed(tmp_path: Path) -> None:
    with kshell(tmp_path) as first:
        first.wait("1 init>")
        first.enter("fd = socket(AF_INET, SOCK_DGRAM, 0)")
        first.wait("2 init>")
        first.enter("sleep 5s")
        first.wait("3 init>", "5.000")
        first.kill()
    with kshell(tmp_path, "--resume") as second:
        second.wait("resumed after 2 commands, at 5.000", "3 init>")
        second.enter("close(fd)")
        second.wait("close(3) = 0")


def test_lines_that_are_pasted_run_in_order_and_what_is_unfinished_stays(tmp_path: Path) -> None:
    lines = [f"x{i} = {i} + 1" for i in range(30)]
    text = "\n".join([*lines, "s = socket(AF_INET,", "    SOCK_STREAM, 0)", "getpid("])
    with kshell(tmp_path, rows=60) as terminal:
        terminal.wait("1 init>")
        terminal.enter("set view line")
        terminal.wait("2 init>")
        terminal.type(PASTE + text.replace("\n", "\r") + PASTED)
        screen = terminal.wait("33 init> getpid(")
        prompts = re.findall(r"^(\d+) init> (\S+)", screen, re.MULTILINE)
        assert [int(n) for n, _ in prompts] == list(range(1, 34))
        assert [name for _, name in prompts[1:31]] == [f"x{i}" for i in range(30)]
        assert "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3" in screen
        terminal.enter(")")
        terminal.wait("getpid() = 1", "34 init>")


def test_a_pasted_server_may_stand_before_its_client(tmp_path: Path) -> None:
    lines = [
        "set view line",
        "@server s = socket(AF_INET, SOCK_STREAM, 0)",
        '@server bind(s, {AF_INET, 80, "127.0.0.1"}, 16)',
        "@server listen(s, 5)",
        "@server c = accept(s, NULL, NULL)",
        "@server read(c, ..., 5)",
        "@client k = socket(AF_INET, SOCK_STREAM, 0)",
        '@client connect(k, {AF_INET, 80, "127.0.0.1"}, 16)',
        '@client write(k, "hello", 5)',
        "",
    ]
    with kshell(tmp_path, columns=100, rows=50) as terminal:
        terminal.wait("1 init>")
        terminal.type(PASTE + "\r".join(lines) + PASTED)
        screen = terminal.wait("waits until server comes back from accept()", "10 init>")
        assert '[server] <... read resumed>"hello", 5) = 5' in screen


def test_vi_keys(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("keys: emacs")
        terminal.type(F3)
        terminal.wait("keys: vi insert")
        terminal.type("getppid()")
        terminal.wait("1 init> getppid()")
        terminal.type("\x1b")
        terminal.wait("keys: vi normal")
        terminal.type("03lx")  # from the start three to the right, delete a letter
        terminal.wait("1 init> getpid()")
        terminal.type("\r")
        terminal.wait("getpid() = 1", "2 init>")


def test_function_keys_choose_what_is_shown(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("F2 view: objects", "F4 +objects  F5 -packets")
        terminal.type(F4)
        terminal.wait("F4 -objects")
        terminal.enter("socket(AF_INET, SOCK_STREAM, 0)")
        screen = terminal.wait("= 3", "2 init>")
        assert "tcp_sock" not in screen
        terminal.type(F4)
        terminal.wait("F4 +objects")
        terminal.enter("socket(AF_INET, SOCK_STREAM, 0)")
        terminal.wait("= 4", "3 init>", "tcp_sock")


def test_help_at_the_cursor_and_a_question_mark_explain(tmp_path: Path) -> None:
    with kshell(tmp_path, rows=50) as terminal:
        terminal.wait("1 init>")
        terminal.type("listen(3, " + F1)
        terminal.wait("listen(int fd, int backlog)", "1 init> listen(3, ")
        terminal.type(CTRL["U"] + "EPIPE?\r")
        terminal.wait("EPIPE", "Broken pipe", lambda s: s.rstrip().split("\n")[-1].startswith(" F1"))
        terminal.type("close(0, SOCK_STREAM?\r")
        terminal.wait("SOCK_STREAM", "1 init> close(0, SOCK_STREAM")


def test_history_is_searched_and_the_screen_cleared(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>")
        terminal.enter("getpid()")
        terminal.wait("2 init>")
        terminal.enter("getppid()")
        terminal.wait("3 init>")
        terminal.type(CTRL["L"])
        terminal.wait(lambda s: s.startswith("3 init>"))
        terminal.type(CTRL["R"] + "getpi")
        terminal.wait("3 init> getpid()")
        terminal.type("\r\r")
        terminal.wait("getpid() = 1", "4 init>")


def test_the_editor_is_opened(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "getpid()" > "$1"\n')
    editor.chmod(0o755)
    with kshell(tmp_path, EDITOR=str(editor)) as terminal:
        terminal.wait("1 init>")
        terminal.type("x" + CTRL["X"] + CTRL["E"])
        terminal.wait("1 init> getpid()")


def test_what_is_typed_ahead_is_answered(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.type("getpid()\rgetppid()\rgetu")
        terminal.wait("getpid() = 1", "getppid() = 0", "3 init> getu")


def test_a_paste_is_not_held_up_by_the_pager(tmp_path: Path) -> None:
    with kshell(tmp_path, PAGER="") as terminal:
        terminal.wait("1 init>")
        terminal.type(PASTE + "help commands\nhelp syscalls\ngetpid()\n" + PASTED)
        terminal.wait("getpid() = 1", "4 init>")


def test_a_long_answer_is_paged(tmp_path: Path) -> None:
    with kshell(tmp_path, PAGER="") as terminal:
        terminal.wait("1 init>")
        terminal.enter("help commands")
        terminal.wait("more lines: Space, Enter, q")
        top = terminal.lines[2]
        assert top
        terminal.type(" ")
        terminal.wait(lambda s: top not in s, "more lines: Space, Enter, q")
        terminal.type("q")
        terminal.wait("2 init>", absent="more lines")
        terminal.enter("ps")
        terminal.wait("kthreadd", "3 init>")


def test_a_dumb_terminal_gets_no_escape_sequence(tmp_path: Path) -> None:
    with kshell(tmp_path, term="dumb") as terminal:
        terminal.wait("1 init>")
        terminal.enter("socket(AF_INET,")
        terminal.wait("...")
        terminal.enter("SOCK_STREAM, 0)")
        terminal.wait("= 3", "2 init>")
        terminal.enter("help")
        terminal.wait("3 init>")
        terminal.type(CTRL["C"])
        terminal.wait(lambda s: s.count("3 init>") == 2)
        terminal.type(CTRL["D"])
        assert terminal.exit_status() == 0
        assert b"\x1b" not in terminal.raw


def test_a_screen_reader_gets_plain_words(tmp_path: Path) -> None:
    config = tmp_path / "config" / "kshell" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("screen_reader = true\n")
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>")
        terminal.enter("socket(AF_INET, SOCK_STREAM, 0)")
        terminal.wait("= 3", "tcp_sock", "2 init>")
        assert not set("─│└├") & set(terminal.raw.decode())
        assert not re.search(rb"\x1b\[[0-9;]*m", terminal.raw)


def test_without_colour_there_is_none(tmp_path: Path) -> None:
    with kshell(tmp_path, NO_COLOR="1") as terminal:
        terminal.wait("1 init>", "F1 help")
        terminal.enter("close(9)")
        terminal.wait("EBADF", "2 init>")
        codes = {code for found in re.findall(rb"\x1b\[([0-9;]*)m", terminal.raw) for code in found.split(b";")}
        assert codes <= {b"", b"0", b"1", b"2", b"3", b"4", b"7"}, codes


def test_data_reaches_the_screen_as_text_wide_letters_included(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>")
        terminal.enter("set view line")
        terminal.enter("pipe([3, 4])")
        terminal.wait("3 init>")
        terminal.enter(r'write(4, "\33]0;title\7 \33[31m 你好", 20)')
        terminal.wait("= 20", "4 init>")
        terminal.enter('write(4, "你好", 6)')
        terminal.wait('3 init> write(4, "', "= 6", "5 init>")
        terminal.enter("read(3, ..., 64)")
        terminal.wait("6 init>")
        assert b"\x1b]0" not in terminal.raw
        assert b"\x1b[31m \xe4" not in terminal.raw


def test_a_bad_setting_is_told_with_its_place(tmp_path: Path) -> None:
    config = tmp_path / "config" / "kshell" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('tips = false\nediting = "vim"\n')
    with kshell(tmp_path, columns=200) as terminal:
        terminal.wait(f"{config}:2:11: editing is one of: emacs, vi", "1 init>")


def test_ctrl_c_drops_a_line_whose_wrong_word_is_selected(tmp_path: Path) -> None:
    with kshell(tmp_path) as terminal:
        terminal.wait("1 init>", "F1 help")
        terminal.enter("wite(3, 2)")
        terminal.wait("did you mean write?")
        terminal.type(CTRL["C"])
        terminal.wait(lambda s: s.count("1 init>") == 2, absent="✗")
        terminal.enter("ps")
        terminal.wait("kthreadd", "2 init>")


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.003, 0.01, 0.03])
def test_ctrl_c_right_behind_enter_is_no_fault(tmp_path: Path, gap: float) -> None:
    """The command has run by then, or is broken off; whenever the signal comes, the prompt is there again."""
    with kshell(tmp_path, rows=60) as terminal:
        terminal.wait("1 init>", "F1 help")
        for _ in range(4):
            terminal.type("getpid()\r")
            time.sleep(gap)
            terminal.type(CTRL["C"])
        terminal.enter("getppid()")
        screen = terminal.wait("getppid() = 0", "F1 help")
        assert "Traceback" not in screen


def test_ctrl_z_stops_and_fg_goes_on(tmp_path: Path) -> None:
    with kshell(tmp_path, shell="bash --norc -i") as terminal:
        terminal.enter("PS1='% '")
        terminal.wait(lambda s: s.endswith("\n%"))
        terminal.enter("$KSHELL")
        terminal.wait("1 init>", "F1 help")
        terminal.type("getpid(")
        terminal.wait("1 init> getpid(")
        terminal.type(CTRL["Z"])
        terminal.wait("Stopped", lambda s: s.endswith("%"))
        terminal.enter("echo $((6 * 7))")
        terminal.wait("\n42\n")
        terminal.enter("fg")
        terminal.wait("1 init> getpid(", "F1 help")
        terminal.enter(")")
        terminal.wait("getpid() = 1", "2 init>", "F1 help")
        terminal.type(CTRL["D"])
        terminal.wait(lambda s: s.endswith("%"))
