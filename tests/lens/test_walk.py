"""Walking lists and hash tables."""

import pytest

from kshell.lang.errors import LangError
from kshell.lens.walk import HASHES, MOST, NotWalkable, elements, walk, walk_hash
from kshell.session import expressions
from kshell.session.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session()
    made.run(
        'socket(AF_INET, SOCK_STREAM, 0)\nbind(3, {AF_INET, 80, "127.0.0.1"}, 16)\nlisten(3, 5)\n'
        'socket(AF_INET, SOCK_DGRAM, 0)\nbind(4, {AF_INET, 53, "0.0.0.0"}, 16)\n'
        'socket(AF_UNIX, SOCK_STREAM, 0)\nbind(5, {AF_UNIX, "/tmp/a\\x1bb"}, 20)\n'
    )
    assert not made.errors
    return made


def lines(session: Session, text: str) -> list[str]:
    return walk(expressions.scope(session, session.current), text)


def hashed(session: Session, text: str) -> list[str]:
    return walk_hash(expressions.scope(session, session.current), text)


def test_an_array_of_pointers_without_the_empty_places(session: Session) -> None:
    found = lines(session, "net_families")
    assert "[2]  *(struct net_proto_family *)inet_family_ops = { .family = AF_INET, .create = inet_create }" in found
    assert not any("NULL" in line for line in found)


def test_a_list_of_an_array_of_lists(session: Session) -> None:
    assert lines(session, "inetsw[SOCK_STREAM]") == [
        "[0] *(struct inet_protosw *)inetsw_array[0] = { .type = SOCK_STREAM, .protocol = IPPROTO_TCP, "
        ".prot = tcp_prot, .ops = inet_stream_ops }"
    ]
    assert [line.split()[0] for line in lines(session, "inetsw")] == ["[1][0]", "[2][0]", "[2][1]", "[2][2]", "[3][0]"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("init_net.dev_base_head", '.name = "lo", .ifindex = 1, .mtu = 65536, .flags = IFF_UP|IFF_LOOPBACK'),
        ("tasklist", '.pid = 1, .comm = "init"'),
        ("inet_protos", "[6]   *(struct net_protocol *)tcp_protocol"),
        ("current->files->fdt->fd", ".f_op = socket_file_ops"),
        ("fd(3)->private_data->sk->sk_receive_queue", "is empty"),
        ("current->children", ""),
    ],
)
def test_other_lists(session: Session, text: str, part: str) -> None:
    assert part in "\n".join(lines(session, text))


def test_what_is_no_list(session: Session) -> None:
    with pytest.raises(NotWalkable, match="current is no list"):
        lines(session, "current")
    with pytest.raises(LangError):
        lines(session, "net_familie")


def test_long_lists_are_cut() -> None:
    found = elements(list(range(1, 200)))
    assert found is not None
    assert len(found) == 199
    assert MOST < 199


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("listening", ".sk_state = TCP_LISTEN, .inet_rcv_saddr = 127.0.0.1, .inet_num = 80"),
        ("tcp_hashinfo.bhash", ".port = 80, .owners = { (struct tcp_sock *)"),
        ("udp_table", ".sk_prot = udp_prot, .inet_rcv_saddr = 0.0.0.0, .inet_num = 53"),
        ("unix_bsd", "(struct unix_sock *)"),
    ],
)
def test_hash_tables(session: Session, table: str, part: str) -> None:
    head, *found = hashed(session, table)
    assert head.endswith("1 element in 1 bucket")
    assert part in found[0]


@pytest.mark.parametrize("table", HASHES)
def test_every_table_with_a_short_name_can_be_walked(session: Session, table: str) -> None:
    assert hashed(session, table)[0].startswith(HASHES[table])


def test_what_is_no_hash_table(session: Session) -> None:
    with pytest.raises(NotWalkable, match="no hash table"):
        hashed(session, "current")
