"""Several hosts in one session: names, tasks, links, travel, determinism."""

import json
import os
import subprocess
import sys

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

TWO = """host client server
link client.eth0 server.eth0 delay=10ms
@client s = socket(AF_INET, SOCK_DGRAM, 0)
@client ioctl(s, SIOCSIFADDR, {ifr_name="eth0", ifr_addr={AF_INET, 0, "10.0.0.1"}})
@client ioctl(s, SIOCSIFFLAGS, {ifr_name="eth0", ifr_flags=IFF_UP}) = 0
@server s = socket(AF_INET, SOCK_DGRAM, 0)
@server ioctl(s, SIOCSIFADDR, {ifr_name="eth0", ifr_addr={AF_INET, 0, "10.0.0.2"}})
@server ioctl(s, SIOCSIFFLAGS, {ifr_name="eth0", ifr_flags=IFF_UP}) = 0
"""
LISTEN = """@server l = socket(AF_INET, SOCK_STREAM, 0)
@server bind(l, {AF_INET, 80, "10.0.0.2"}, 16) = 0
@server listen(l, 5) = 0
@server/worker a = accept(l, NULL, NULL)
@client c = socket(AF_INET, SOCK_STREAM, 0)
@client connect(c, {AF_INET, 80, "10.0.0.2"}, 16) = 0
"""


def texts(events, kind):
    """The texts of events of a kind."""
    return [event.text for event in events if isinstance(event, kind)]


@pytest.fixture
def session():
    made = Session()
    made.run(TWO)
    assert (made.failed, made.errors, made.oopses) == (0, 0, 0)
    return made


def test_each_host_has_a_kernel_of_its_own(session):
    session.run("@server sethostname(\"server\", 6)")
    nodes = [host.machine.kernel.init_uts_ns.name.nodename for host in session.hosts]
    assert len(set(nodes)) == 2
    assert len({id(host.machine.kernel) for host in session.hosts}) == 3
    assert len({host.machine.clock for host in session.hosts}) == 1


def test_tasks_are_named_by_their_host(session):
    session.run("task server/worker")
    assert session.task_name == "server/worker"
    assert session.kernel is session.hosts["server"].machine.kernel
    session.run("@init getpid()\ntask other")
    assert session.task_name == "server/other"
    session.run("task localhost")
    assert session.task_name == "init"


def test_a_connection_takes_the_time_of_its_packets(session):
    before = session.now
    events = session.run(LISTEN)
    assert session.failed == 0
    assert session.now - before == 40_000_000  # ARP there and back, SYN, SYN-ACK
    devices = [event.device for event in events if isinstance(event, ev.Packet)]
    assert not devices or set(devices) <= {"client.eth0", "server.eth0"}


def test_who_waits_gets_what_is_on_the_wire(session):
    session.run(LISTEN)
    session.run('@client write(c, "hello", 5) = 5\n@server/worker read(a, b, 9) = 5')
    assert session.failed == session.errors == 0


def test_going_back_brings_back_the_hosts(session):
    session.run(LISTEN)
    n = session.timeline.here
    first = texts(session.run('@client write(c, "hello", 5)\n@server/worker read(a, b, 9)'), ev.CallFinished)
    session.run(f"goto {n}")
    assert texts(session.run('@client write(c, "hello", 5)\n@server/worker read(a, b, 9)'), ev.CallFinished) == first
    session.run("goto 1")
    assert [host.name for host in session.hosts] == ["", "client", "server"]
    assert session.hosts["client"].machine.kernel.pci_devices == []
    session.run("goto 0")
    assert [host.name for host in session.hosts] == [""]


def test_the_same_commands_give_the_same_packets():
    def packets():
        session = Session(show=frozenset({"packets"}))
        events = session.run(TWO.replace("delay=10ms", "delay=10ms loss=20%") + LISTEN)
        return [(event.time, event.device, event.text) for event in events if isinstance(event, ev.Packet)]

    assert packets() == packets()


MANY = "switch s1\n" + "".join(
    f"host h{n}\nlink h{n}.eth0 s1 delay=1ms loss=3%\n@h{n} ip addr add 10.0.0.{n}/24 brd + dev eth0\n@h{n} ip link set eth0 up\n"
    f'@h{n} s = socket(AF_INET, SOCK_DGRAM, 0)\n@h{n} bind(s, {{AF_INET, 9, "0.0.0.0"}}, 16)\n@h{n}/reader read(3, ..., 9)\n'
    for n in range(1, 9)
)
ALL_WAKE = """@h1 setsockopt(s, SOL_SOCKET, SO_BROADCAST, [1], 4) = 0
@h1 sendto(s, "all", 3, 0, {AF_INET, 9, "10.0.0.255"}, 16) = 3
sleep 10ms
@h8 ping -c 5 10.0.0.1
"""


def test_a_frame_that_wakes_tasks_of_many_hosts_wakes_them_in_the_same_order_each_time():
    outputs = []
    for seed in "12":
        command = [sys.executable, "-m", "kshell", "--json", "--show", "all", "-c", MANY + ALL_WAKE]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    ended = [event for event in map(json.loads, outputs[0].splitlines()) if event["event"] == "resumed"]
    woken = [event["task"] for event in ended if event["name"] == "read"]
    assert woken == sorted(woken)
    assert len(woken) > 4


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("host client", "there is a host client already"),
        ("host 1x", "no name for a host"),
        ("switch client", "there is a host client already"),
        ("link client.eth0 server.eth1", "client.eth0 has a cable already"),
        ("link nobody.eth0 server.eth1", "there is no host 'nobody'"),
        ("link client.eth1 s9", "'s9' is no switch"),
        ("link client.eth1 client.eth1", "two ends"),
        ("link client.eth1", "two ends"),
        ("link client.eth1 server.eth1 delay=10", "delay=10 is no delay"),
        ("link client.eth1 server.eth1 loss=110%", "loss=110% is no loss"),
        ("link client.eth1 server.eth1 colour=red", "a link has no 'colour'"),
        ("unlink client.eth7", "client.eth7 has no cable"),
        ("@mars/x getpid()", "there is no host 'mars'"),
        ("link client.lo server.eth1", "client.lo is there already"),
        ("@client ip link add eth5 type dummy\nlink client.eth5 server.eth5", "client.eth5 is there already"),
        ("link client.averyveryverylongname server.eth1", "no name for a device"),
    ],
)
def test_errors_say_what_is_wrong(session, command, message):
    errors = [event.message for event in session.run(command) if isinstance(event, ev.Error)]
    assert message in errors[0]


def test_a_loop_of_switches_is_told_of_and_can_be_cut():
    session = Session()
    session.run(
        "switch s1 s2\nlink s1 s2\nlink s1 s2\nhost a\nlink a.eth0 s1\n@a s = socket(AF_INET, SOCK_DGRAM, 0)\n"
        '@a ioctl(s, SIOCSIFADDR, {ifr_name="eth0", ifr_addr={AF_INET, 0, "10.0.0.1"}})\n'
        '@a ioctl(s, SIOCSIFFLAGS, {ifr_name="eth0", ifr_flags=IFF_UP})\n'
    )
    assert (session.errors, session.oopses) == (0, 0)
    events = session.run('@a sendto(s, "x", 1, 0, {AF_INET, 9, "10.0.0.2"}, 16)')
    assert [event.message for event in events if isinstance(event, ev.Error)] == ["frames go round without end"]
    session.run("unlink s1")
    errors = session.errors
    session.run("@a getpid()")
    assert session.errors == errors


def test_a_cut_cable_is_noticed(session):
    session.run("link client.eth0 down")
    for host in ("client", "server"):
        dev = session.hosts[host].machine.kernel.init_net.dev_name_head["eth0"]
        assert dev.operstate == 2  # IF_OPER_DOWN
    session.run("link client.eth0 up")
    assert session.hosts["client"].machine.kernel.init_net.dev_name_head["eth0"].operstate == 6
    assert "down" not in str(texts(session.run("link"), ev.Output))


def test_a_card_whose_driver_was_taken_out_and_put_in_again_works(session):
    session.run("@client rmmod e1000\nlink client.eth0 down\nlink client.eth0 up\n@server ping -c 1 10.0.0.9")
    assert session.oopses == 0
    session.run("@client modprobe e1000\n@client ip addr add 10.0.0.1/24 dev eth0\n@client ip link set eth0 up")
    assert "1 received" in str(texts(session.run("@client ping -c 1 10.0.0.2"), ev.Output))


def test_two_devices_of_one_host_on_one_cable(session):
    session.run("host loop\nlink loop.eth0 loop.eth1\n@loop ip link set eth0 up\n@loop ip link set eth1 up")
    assert "LOWER_UP" in texts(session.run("@loop ip link show eth1"), ev.Output)[0]
