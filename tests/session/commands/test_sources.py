"""`list`: sources of kernel functions, and lists."""

from kshell.session.events import Error, Output
from kshell.session.session import Session


def said(session: Session, text: str) -> str:
    return "\n".join(event.text for event in session.run(text) if isinstance(event, Output))


def test_a_function_with_its_file_callers_and_callees() -> None:
    text = said(Session(), "list tcp_v4_connect").split("\n")
    assert text[0] == "tcp_v4_connect()   net/ipv4/tcp_ipv4.c   kshell/linux/net/ipv4/tcp_ipv4.py"
    assert text[1].split() == ["called", "by", "tcp_prot.connect"]
    calls = " ".join(text[2:8])
    assert "inet_hash_connect" in calls
    assert "tcp_connect" in calls  # by way of a helper of the model
    assert any("async def tcp_v4_connect(" in line for line in text)


def test_callers_seen_in_traces_are_known() -> None:
    session = Session()
    session.run("trace socket(AF_INET, SOCK_STREAM, 0)")
    assert "called by" in said(session, "list inet_create")
    assert "__sock_create" in said(session, "list inet_create")


def test_the_lesson_that_names_it() -> None:
    assert "tour.ks:" in said(Session(), "list copy_from_user")


def test_a_list_of_the_kernel() -> None:
    assert '.name = "lo"' in said(Session(), "list init_net.dev_base_head")


def test_an_unknown_name_gets_the_nearest() -> None:
    (error,) = [event for event in Session().run("list tpc_close") if isinstance(event, Error)]
    assert error.hint == "did you mean tcp_close?"


def test_list_alone_needs_a_stop() -> None:
    session = Session()
    (error,) = [event for event in session.run("list") if isinstance(event, Error)]
    assert error.message == "list wants a function"
    events = session.run("break sys_getpid\ngetpid()\nlist\nlist sys_getpid")
    marked = [line for event in events if isinstance(event, Output) for line in event.text.split("\n") if "=>" in line]
    assert len(marked) == 2
