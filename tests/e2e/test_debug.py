"""A debugging session in a real terminal: stop in a function, look, step, finish, undo, try another argument, diff."""

from pathlib import Path

import pytest

pytest.importorskip("pyte")

from terminal import kshell

CONNECT = 'connect(fd, {AF_INET, PORT, "127.0.0.1"}, 16)'


def test_break_look_step_finish_undo_change_run_again_diff(tmp_path: Path) -> None:
    with kshell(tmp_path, rows=40, PAGER="") as terminal:
        terminal.wait("1 init>")
        terminal.enter("set view line")
        terminal.wait("2 init>")
        terminal.enter("fd = socket(AF_INET, SOCK_STREAM, 0)")
        terminal.wait("3 init>")
        terminal.enter("l = socket(AF_INET, SOCK_STREAM, 0)")
        terminal.wait("4 init>")
        terminal.enter('bind(l, {AF_INET, 8080, "127.0.0.1"}, 16)')
        terminal.wait("5 init>")
        terminal.enter("listen(l, 5)")
        terminal.wait("6 init>")
        terminal.enter("break tcp_v4_connect")
        terminal.wait("Breakpoint 1 at tcp_v4_connect(), net/ipv4/tcp_ipv4.c", "6 init>")

        terminal.enter(CONNECT.replace("PORT", "9090"))
        terminal.wait("Breakpoint 1, tcp_v4_connect (sk=0x", "uaddr={AF_INET, 9090", "if addr_len < 16:", "(kdb)")
        terminal.enter("p sk->sk_state")
        terminal.wait("TCP_CLOSE")
        terminal.enter("bt 2")
        terminal.wait("#0  tcp_v4_connect", "#1  __inet_stream_connect", "at net/ipv4/af_inet_connect.py:")
        terminal.enter("next")
        terminal.wait('int.from_bytes(uaddr[:2], "little") != AF_INET')
        terminal.enter("finish")
        terminal.wait("tcp_v4_connect() returned 0", "__inet_stream_connect (sock=0x")
        terminal.enter("undo")
        terminal.wait("the call is taken back: all is as it was before it", "6 init>")

        terminal.enter("delete 1")
        terminal.wait("deleted 1")
        terminal.enter("print fd(3)->private_data->sk->sk_state")
        terminal.wait("TCP_CLOSE", "7 init>")
        terminal.enter(CONNECT.replace("PORT", "9090"))
        terminal.wait("= -1 ECONNREFUSED (Connection refused)", "8 init>")
        terminal.enter("undo")
        terminal.wait("7 init>")
        terminal.enter(CONNECT.replace("PORT", "8080"))
        terminal.wait('.1")}, 16) = 0', "8 init>")
        terminal.enter("diff 6 7")
        terminal.wait("sk_state TCP_CLOSE → TCP_ESTABLISHED")
        terminal.enter("exit")
        assert terminal.exit_status() == 0


def test_a_trace_is_paged_and_ends_with_the_result(tmp_path: Path) -> None:
    with kshell(tmp_path, PAGER="") as terminal:
        terminal.wait("1 init>")
        terminal.enter("set view line")
        terminal.wait("2 init>")
        terminal.enter("trace -d 2 close(99)")
        screen = terminal.wait("close(99) = -1 EBADF (Bad file descriptor)", "3 init>")
        lines = [line.rstrip() for line in screen.split("\n")]
        assert any(line.startswith("  0  | __x64_sys_close() {") and line.endswith("fs/open.c") for line in lines)
        terminal.enter("trace last")
        terminal.wait("arises here")
        terminal.enter("exit")
        assert terminal.exit_status() == 0
