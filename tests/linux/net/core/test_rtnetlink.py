"""Route sockets: links, addresses, routes, neighbours and rules are asked for and changed; listeners are told."""

import struct

import pytest

from kshell.world.nic import plug_in

NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30
GETRULE, GETNETCONF = 34, 82
CREATE, EXCL, REPLACE, APPEND = 0x400, 0x200, 0x100, 0x800
STRICT = 12
EPERM, ENOENT, EEXIST, EINVAL, ENODEV, ERANGE, EOPNOTSUPP = -1, -2, -17, -22, -19, -34, -95
EADDRNOTAVAIL, ENETUNREACH, ESRCH = -99, -101, -3
GROUPS = {"link": 1, "neigh": 4, "addr": 0x10, "route": 0x40}


def link(index=0, flags=0, change=0):
    return struct.pack("<BxHiII", 0, 0, index, flags, change)


def addr(length=24, index=1, flags=0, scope=0):
    return struct.pack("<BBBBI", 2, length, flags, scope, index)


def route(length=0, table=254, protocol=3, scope=0, kind=1, flags=0, tos=0):
    return struct.pack("<BBBBBBBBI", 2, length, 0, tos, table, protocol, scope, kind, flags)


def neigh(index=1, state=0x80, flags=0, family=2):
    return struct.pack("<BxxxiHBB", family, index, state, flags, 1)


@pytest.fixture
def attr(netlink):
    return netlink.attr


# ---- links


def test_the_attributes_of_a_link_stand_in_the_order_of_linux(netlink):
    (lo,) = netlink().dump(GETLINK, link())
    assert lo.type == NEWLINK
    family, kind, index, flags, change = struct.unpack_from("<BxHiII", lo.body)
    assert (family, kind, index, flags, change) == (0, 772, 1, 0x10049, 0)
    assert list(lo.attrs(16)) == [
        3, 13, 16, 17, 4, 50, 51, 27, 30, 61, 31, 40, 41, 58, 59, 60, 32, 33, 6, 35, 47, 48, 39, 14, 1, 2, 23, 7, 43, 26,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (link(1), 0),
        (link(9), ENODEV),
        (link(), EINVAL),
    ],
)
def test_one_link_is_asked_for_by_its_number(netlink, body, result):
    net = netlink()
    net.send(GETLINK, body)
    (answer,) = net.read()
    assert (answer.type, answer.error if answer.type == 2 else 0) == (16 if not result else 2, result)


CHANGES = [
    ("mtu", lambda a: link(1) + a(4, 1400), 0, ""),
    ("mtu 10", lambda a: link(1) + a(4, 10), 0, ""),
    ("no such device", lambda a: link(9) + a(4, 1400), ENODEV, ""),
    ("by name", lambda a: link() + a(3, "lo") + a(13, 500), 0, ""),
    ("rename an interface that is up", lambda a: link(1) + a(3, "lo1"), -16, ""),
    ("short attribute", lambda a: link(1) + a(4, b"\1"), ERANGE, "Attribute failed policy validation"),
    ("half a header", lambda a: b"\0" * 8, EINVAL, ""),
]


@pytest.mark.parametrize(("body", "result", "told"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_links_are_changed(netlink, attr, body, result, told):
    net = netlink()
    assert net.do(NEWLINK, body(attr)) == result
    assert net.told == told or not told


def test_flags_change_where_change_says(netlink):
    net = netlink()
    assert net.do(NEWLINK, link(1, 0, 1)) == 0
    (lo,) = net.dump(GETLINK, link())
    assert struct.unpack_from("<I", lo.body, 8)[0] & 1 == 0
    assert net.do(SETLINK, link(1, 1, 1)) == 0


def test_a_kind_that_nobody_registered(netlink, attr):
    net = netlink()
    info = attr(18 | 0x8000, attr(1, "nothing"))
    assert net.do(NEWLINK, link() + attr(3, "x0") + info, CREATE | EXCL) == EOPNOTSUPP
    assert net.told == "Unknown device type"


def test_lo_cannot_be_deleted(netlink):
    assert netlink().do(DELLINK, link(1)) == EOPNOTSUPP


def test_changes_need_net_admin(host, netlink, attr):
    net = netlink()
    host("setuid", 1000)
    assert net.do(NEWLINK, link(1) + attr(4, 1400)) == EPERM
    assert len(net.dump(GETLINK, link())) == 1


# ---- addresses


def test_an_address_comes_and_goes_with_its_routes(netlink, attr):
    net = netlink()
    mine = attr(2, b"\x0a\0\0\1") + attr(1, b"\x0a\0\0\1")
    assert net.do(NEWADDR, addr() + mine, CREATE | EXCL) == 0
    assert net.do(NEWADDR, addr() + mine, CREATE | EXCL) == EEXIST
    shown = [message.attrs(8)[2] for message in net.dump(GETADDR, addr(0, 0))]
    assert shown == [b"\x7f\0\0\1", b"\x0a\0\0\1"]
    own = [m.attrs(12)[1] for m in net.dump(GETROUTE, route()) if m.attrs(12).get(7) == b"\x0a\0\0\1"]
    assert own == [b"\x0a\0\0\0", b"\x0a\0\0\1", b"\x0a\0\0\xff"]
    assert net.do(DELADDR, addr() + mine) == 0
    assert net.do(DELADDR, addr() + mine) == EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("body", "result", "told"),
    [
        (addr(33), EINVAL, "ipv4: Invalid prefix length"),
        (addr(24, 9), ENODEV, "ipv4: Device not found"),
        (addr(24, 1), EINVAL, "ipv4: Local address is not supplied"),
    ],
)  # fmt: skip
def test_wrong_addresses(netlink, attr, body, result, told):
    net = netlink()
    given = b"" if told.endswith("supplied") else attr(2, b"\x0a\0\0\1")
    assert net.do(NEWADDR, body + given, CREATE) == result
    assert net.told in (told, "")


def test_a_lifetime_ends(host, netlink, attr):
    net = netlink()
    life = struct.pack("<IIII", 5, 10, 0, 0)
    assert net.do(NEWADDR, addr() + attr(2, b"\x0a\0\0\1") + attr(6, life), CREATE) == 0
    assert len(net.dump(GETADDR, addr(0, 0))) == 2
    host.machine.run_for(12 * 10**9)
    assert len(net.dump(GETADDR, addr(0, 0))) == 1


# ---- routes


@pytest.fixture
def with_network(netlink, attr):
    net = netlink()
    assert net.do(NEWADDR, addr() + attr(2, b"\x0a\0\0\1"), CREATE) == 0
    return net


def test_a_route_is_made_found_and_removed(with_network, attr):
    net = with_network
    body = route(16) + attr(1, b"\x0a\x09\0\0") + attr(4, 1)
    assert net.do(NEWROUTE, body, CREATE | EXCL) == 0
    assert net.do(NEWROUTE, body, CREATE | EXCL) == EEXIST
    net.send(GETROUTE, route(32) + attr(1, b"\x0a\x09\1\1"))
    (found,) = net.read()
    assert found.type == NEWROUTE
    assert found.attrs(12)[4] == struct.pack("<I", 1)
    assert net.do(DELROUTE, body) == 0
    assert net.do(DELROUTE, body) == ESRCH


WRONG_ROUTES = [
    (lambda a: route(33) + a(1, b"\x0a\x09\0\0"), EINVAL, "Invalid prefix length"),
    (lambda a: route(16) + a(1, b"\x0a\x09\1\0") + a(4, 1), EINVAL, "Invalid prefix for given prefix length"),
    (lambda a: route(16) + a(1, b"\x0a\x09\0\0") + a(5, b"\x0b\0\0\1"), ENETUNREACH, "Nexthop has invalid gateway"),
    (lambda a: route(16) + a(1, b"\x0a\x09\0\0") + a(4, 9), ENODEV, ""),
    (lambda a: route(16, kind=99) + a(1, b"\x0a\x09\0\0"), EINVAL, "Invalid route type"),
]


@pytest.mark.parametrize(("body", "result", "told"), WRONG_ROUTES)
def test_wrong_routes(with_network, attr, body, result, told):
    assert with_network.do(NEWROUTE, body(attr), CREATE) == result
    assert with_network.told in (told, "")


def test_what_cannot_be_reached(netlink, attr):
    net = netlink()
    net.send(GETROUTE, route(32) + attr(1, b"\x0a\x09\1\1"))
    (answer,) = net.read()
    assert answer.error == ENETUNREACH


# ---- neighbours


def test_neighbours_come_change_and_go(host, netlink, attr):
    plug_in(host.kernel, "eth0", b"\2\0\0\0\0\7")
    listener, net = netlink(groups=GROUPS["neigh"]), netlink()
    where = attr(1, b"\x0a\0\0\7")
    assert net.do(NEWLINK, link(2, 1, 1)) == 0
    body = neigh(2) + where + attr(2, b"\2\0\0\0\0\1")
    assert net.do(NEWNEIGH, body, CREATE | EXCL) == 0
    assert net.do(NEWNEIGH, body, CREATE | EXCL) == EEXIST
    (one,) = net.dump(GETNEIGH, neigh(0, 0))
    assert (one.body[8], one.attrs(12)[2]) == (0x80, b"\2\0\0\0\0\1")
    assert net.do(DELNEIGH, neigh(2) + where) == 0
    assert NEWNEIGH in [message.type for message in listener.read()]


@pytest.mark.parametrize(
    ("body", "result", "told"),
    [
        (lambda a: neigh(9) + a(1, b"\x0a\0\0\7"), ENODEV, ""),
        (lambda a: neigh(1) + a(2, bytes(6)), EINVAL, "Network address not specified"),
        (lambda a: neigh(1) + a(1, b"\x0a\0"), EINVAL, "Invalid network address"),
        (lambda a: neigh(1) + a(1, b"\x0a\0\0\7") + a(2, b"\2"), EINVAL, "Invalid link address"),
        (lambda a: neigh(1, family=77) + a(1, b"\x0a\0\0\7"), -97, ""),
    ],
)
def test_wrong_neighbours(netlink, attr, body, result, told):
    net = netlink()
    assert net.do(NEWNEIGH, body(attr), CREATE) == result
    assert net.told in (told, "")


# ---- rules, settings


def test_the_three_rules(netlink):
    rules = netlink().dump(GETRULE, struct.pack("<BBBBBBBBI", 2, 0, 0, 0, 0, 0, 0, 0, 0))
    assert [(m.body[4], m.attrs(12).get(6, bytes(4))) for m in rules] == [
        (255, bytes(4)), (254, struct.pack("<I", 32766)), (253, struct.pack("<I", 32767)),
    ]  # fmt: skip


def test_netconf_tells_of_all_default_and_each_device(netlink):
    messages = netlink().dump(GETNETCONF, b"\2")
    indexes = [struct.unpack("<i", m.attrs(4)[1])[0] for m in messages]
    assert sorted(indexes) == [-2, -1, 1]


# ---- strictness, acknowledgements


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (GETLINK, link(1)),
        (GETADDR, addr(24, 0)),
        (GETROUTE, route(16)),
        (GETNEIGH, neigh(0, 0x80)),
        (GETRULE, route(8)),
    ],
)
def test_strict_dumps_want_clean_headers(netlink, kind, body):
    net = netlink()
    assert isinstance(net.dump(kind, body), list)
    assert net.set(STRICT) == 0
    assert net.dump(kind, body) == EINVAL


def test_a_strict_dump_filters(netlink, attr):
    net = netlink()
    assert net.do(NEWADDR, addr() + attr(2, b"\x0a\0\0\1"), CREATE) == 0
    net.set(STRICT)
    assert net.dump(GETROUTE, route(table=254, protocol=0, kind=0)) == []
    assert len(net.dump(GETROUTE, route(table=255, protocol=0, kind=0))) > 3


def test_an_error_carries_the_request_and_where_it_is_wrong(netlink, attr):
    net = netlink()
    assert net.do(NEWLINK, link(1) + attr(4, b"\1")) == ERANGE
    assert net.tlvs[2] == struct.pack("<I", 32)


@pytest.mark.parametrize(("kind", "result"), [(3, 0), (200, EOPNOTSUPP), (16 + 4 * 40, EOPNOTSUPP)])
def test_messages_that_nobody_takes(netlink, kind, result):
    net = netlink()
    assert net.do(kind, link()) == result


# ---- notifications


TOLD = [
    ("link", lambda n, a: n.do(NEWLINK, link(1) + a(4, 1400)), [NEWLINK]),
    ("addr", lambda n, a: n.do(NEWADDR, addr(32) + a(2, b"\x0a\0\0\1"), CREATE), [NEWADDR]),
    ("route", lambda n, a: n.do(NEWROUTE, route(16) + a(1, b"\x0a\x09\0\0") + a(4, 1), CREATE), [NEWROUTE]),
]


@pytest.mark.parametrize(("group", "change", "types"), TOLD, ids=[t[0] for t in TOLD])
def test_listeners_are_told(netlink, attr, group, change, types):
    listener, deaf, net = netlink(groups=GROUPS[group]), netlink(), netlink()
    assert change(net, attr) == 0
    assert [message.type for message in listener.read()][:1] == types
    assert deaf.read() == []


def test_an_ioctl_tells_too(host, netlink):
    listener = netlink(groups=GROUPS["link"])
    fd = host("socket", 2, 2, 0)
    assert host("ioctl", fd, 0x8922, b"lo".ljust(16, b"\0") + struct.pack("<i", 1300).ljust(24, b"\0")) == 0
    (message,) = listener.read()
    assert message.attrs(16)[4] == struct.pack("<I", 1300)
