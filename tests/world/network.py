"""`Net`: hosts in a world, for tests: system calls by name, addresses, routes, pings, the packets that passed."""

import struct
from contextlib import contextmanager

from kshell.abi.ioctl import SIOCADDRT, SIOCSIFADDR, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFNETMASK
from kshell.abi.netdevice import IFF_UP
from kshell.abi.socket import AF_INET, MSG_DONTWAIT, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from kshell.abi.syscalls import BY_NAME
from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.if_arp import arphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.udp import udphdr
from kshell.linux.include.trace.events import NetDevXmit, NetifReceive
from kshell.linux.kernel.kmod import request_module
from kshell.linux.net.core import rtnetlink, rtnetlink_link
from kshell.linux.net.core.dev_flags import dev_change_flags
from kshell.world.hosts import World
from kshell.world.machine import Machine, SyscallInProgress

ARENA = 0x20000000
MS = 1_000_000
SECOND = 1000 * MS
SO_ERROR = (1, 4)


def address(text, port=0):
    """struct sockaddr_in."""
    return struct.pack("<H", AF_INET) + struct.pack(">H4s8x", port, bytes(map(int, text.split("."))))


def number(text):
    """An IPv4 address as the kernel holds it."""
    return int.from_bytes(bytes(map(int, text.split("."))), "big")


class Node:
    """A host: node("socket", …) is the call's result, or the call that sleeps."""

    def __init__(self, net, name, machine):
        self.net, self.name, self.machine = net, name, machine
        self.kernel = machine.kernel
        self.init = machine.init
        self.init.mm.map(ARENA, 1 << 20)
        self.used = 0
        self.control = self("socket", AF_INET, SOCK_DGRAM, 0)

    def __call__(self, name, *args):
        words = [self.put(a) if isinstance(a, bytes) else a for a in args]
        result = self.machine.syscall(self.init, BY_NAME[name].number, tuple(words))
        self.machine.run()
        return result

    def wait(self, name, *args, seconds=60):
        """A call that may sleep: its result, letting time pass."""
        result = self(name, *args)
        if not isinstance(result, SyscallInProgress):
            return result
        end = self.net.world.clock.now + seconds * SECOND
        while not result.done and self.net.world.clock.now < end:
            if self.machine.run_next_event() is None:
                break
        return result.result

    def put(self, data):
        """The address of a copy of data."""
        where = ARENA + self.used
        self.used = (self.used + len(data) + 15) & ~15
        if self.used > 1 << 19:
            self.used = 0
        self.init.mm.write(where, data)
        return where

    def get(self, where, n):
        """n bytes of user memory."""
        return self.init.mm.read(where, n)

    def dev(self, name="eth0"):
        """A device."""
        return self.kernel.init_net.dev_name_head[name]

    def up(self, name="eth0", ip="", prefix=24, mtu=0):
        """Bring a device up, with an address."""
        request = name.encode().ljust(16, b"\0")
        if ip:
            mask = (0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF).to_bytes(4, "big")
            assert self("ioctl", self.control, SIOCSIFADDR, request + address(ip)) == 0
            assert self("ioctl", self.control, SIOCSIFNETMASK, request + address(".".join(map(str, mask)))) == 0
        if mtu:
            assert self("ioctl", self.control, SIOCSIFMTU, request + struct.pack("<i12x", mtu)) == 0
        assert self("ioctl", self.control, SIOCSIFFLAGS, request + struct.pack("<H14x", IFF_UP)) == 0
        return self

    def route(self, to, prefix, via):
        """Add a route by a gateway."""
        mask = (0xFFFFFFFF << (32 - prefix) & 0xFFFFFFFF).to_bytes(4, "big") if prefix else bytes(4)
        entry = bytes(8) + address(to) + address(via) + address(".".join(map(str, mask)))
        entry += struct.pack("<H", 3) + bytes(62)
        assert (result := self("ioctl", self.control, SIOCADDRT, entry)) == 0, result
        return self

    def forward(self, on=1):
        """net.ipv4.ip_forward."""
        net = self.kernel.init_net
        net.ipv4.devconf_all.data[0] = net.ipv4.devconf_dflt.data[0] = on
        for dev in net.dev_base_head:
            dev.ip_ptr.cnf.data[0] = on
        return self

    def ping(self, to, size=56, ttl=0, df=None):
        """Send an echo request; what came back: ("reply", from) or ("error", errno, type, code, from), None: nothing."""
        fd = self("socket", AF_INET, SOCK_RAW, 1)
        if ttl:
            assert self("setsockopt", fd, 0, 2, struct.pack("<i", ttl), 4) == 0
        if df is not None:
            assert self("setsockopt", fd, 0, 10, struct.pack("<i", 2 if df else 0), 4) == 0
        echo = struct.pack(">BBHHH", 8, 0, 0, 7, 1) + bytes(size)
        check = -int.from_bytes(echo + bytes(len(echo) & 1), "big") % 65535
        sent = self("sendto", fd, echo[:2] + check.to_bytes(2, "big") + echo[4:], len(echo), 0, address(to), 16)
        if sent < 0:
            self("close", fd)
            return ("sendto", sent)
        self.net.quiet(5)
        where = self.put(bytes(65535))
        answer = None
        while (n := self("recvfrom", fd, where, 65535, MSG_DONTWAIT, 0, 0)) > 0:
            packet = self.get(where, n)
            source = ".".join(map(str, packet[12:16]))
            kind, code = packet[20], packet[21]
            if kind == 0:
                answer = ("reply", source)
            elif kind != 8:
                answer = ("icmp", kind, code, source)
        self("close", fd)
        return answer

    def server(self, port, ip="0.0.0.0"):
        """A listening TCP socket."""
        fd = self("socket", AF_INET, SOCK_STREAM, 0)
        assert self("bind", fd, address(ip, port), 16) == 0
        assert self("listen", fd, 8) == 0
        return fd

    def neighbours(self):
        """Address to NUD state."""
        return {key: n.nud_state for (key, dev), n in self.kernel.arp_tbl.nht.items() if dev.name != "lo"}

    def make(self, kind, name, data=None, **tb):
        """`ip link add NAME type KIND`, as rtnetlink does it."""
        request_module(self.kernel, f"rtnl-link-{kind}")
        ops = rtnetlink.rtnl_link_ops_get(self.kernel, kind)
        net = self.kernel.init_net
        dev = rtnetlink_link.rtnl_create_link(net, name, 3, ops, tb, None)
        attributes = {3: name.encode() + b"\0"}
        if ops.newlink is not None:
            ops.newlink(net, dev, attributes, data, None)
        else:
            rtnetlink_link.register_netdevice(dev)
        self.machine.run()
        return dev

    def set_up(self, *names):
        """`ip link set NAME up`."""
        for name in names:
            dev = self.dev(name)
            dev_change_flags(dev, dev.flags | IFF_UP)
            self.machine.run()


class Net:
    """A world with hosts by name; `links` are "a.eth0 b.eth0" with options."""

    def __init__(self, hosts, links=(), switches=(), seed=0):
        first = Machine(seed)
        self.machines = {"": first}
        self.world = World(self.machines, lambda name, seed: Machine(seed, first.clock), seed)
        self.nodes = {}
        self.seen = []
        for name in switches:
            self.world.do("switch", name)
        for name in hosts:
            self.world.do("host", name)
            self.nodes[name] = Node(self, name, self.machines[name])
        for link in links:
            self.link(*link.split()[:2], **dict(word.split("=") for word in link.split()[2:]))

    def __getattr__(self, name):
        return self.nodes[name]

    def link(self, a, b, delay="0", rate="0", loss="0"):
        """Join two devices; delay in ms."""
        self.world.do("link", a, b, int(float(delay) * MS), int(rate), float(loss))

    def quiet(self, seconds):
        """Let time pass until nothing is on the wire, at most so long; timers run."""
        machine = self.machines[""]
        end = self.world.clock.now + seconds * SECOND
        machine.run()
        while self.world.in_flight() or (self.world.clock.next_event() or end + 1) <= end:
            machine.run_next_event()

    def pass_time(self, seconds):
        """Let time pass."""
        self.machines[""].run_for(int(seconds * SECOND))

    @contextmanager
    def listening(self, *names, receive=False):
        """The packets that pass devices meanwhile, as (host, device, text)."""
        kind = NetifReceive if receive else NetDevXmit
        found = []
        stops = []
        for name in names or self.nodes:
            node = self.nodes[name]
            stops.append(
                node.kernel.observe(
                    lambda r, name=name: found.append((name, r.dev, words(r.skb))) if isinstance(r, kind) else None
                )
            )
        yield found
        for stop in stops:
            stop()


def words(skb):
    """What kind of packet it is: "who-has", "is-at", "echo", "icmp 11", "udp", "syn", "frag" …"""
    ip, th = skb.network_header, skb.transport_header
    if isinstance(ip, arphdr):
        return {1: "who-has", 2: "is-at"}[ip.ar_op]
    if skb.protocol == 0x0806:
        return {1: "who-has", 2: "is-at"}[skb.data[7]]
    if ip is not None and ip.frag_off & 0x3FFF:
        return f"frag {(ip.frag_off & 0x1FFF) * 8}"
    if isinstance(th, icmphdr):
        return {0: "reply", 8: "echo"}.get(th.type, f"icmp {th.type}/{th.code}")
    if isinstance(th, udphdr):
        return "udp"
    if isinstance(th, tcphdr):
        return "syn" if th.syn and not th.ack else "tcp"
    if ip is not None and ip.protocol == 1:
        kind = skb.data[0]
        return {0: "reply", 8: "echo"}.get(kind, f"icmp {kind}/{skb.data[1]}")
    return f"protocol {ip.protocol}" if ip is not None else f"{skb.protocol:#06x}"
