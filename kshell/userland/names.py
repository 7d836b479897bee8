"""Names of hosts, services, protocols and users: what a machine's /etc holds, of which ours has none."""

from __future__ import annotations

from typing import Final

from kshell.userland.addresses import ipv4, parse_ipv4

_HOSTS: Final = {"localhost": 0x7F000001}
_BOTH: Final = {
    7: "echo", 13: "daytime", 19: "chargen", 37: "time", 49: "tacacs", 53: "domain", 88: "kerberos", 111: "sunrpc",
    161: "snmp", 162: "snmp-trap", 389: "ldap", 443: "https", 636: "ldaps", 1812: "radius", 2049: "nfs",
}  # fmt: skip
_TCP: Final = {
    1: "tcpmux", 9: "discard", 11: "systat", 15: "netstat", 17: "qotd", 20: "ftp-data", 21: "ftp", 22: "ssh",
    23: "telnet", 25: "smtp", 43: "whois", 70: "gopher", 79: "finger", 80: "http", 110: "pop3", 113: "auth", 119: "nntp",
    139: "netbios-ssn", 143: "imap2", 179: "bgp", 445: "microsoft-ds", 465: "submissions", 512: "exec", 513: "login",
    514: "shell", 515: "printer", 544: "kshell", 554: "rtsp", 587: "submission", 631: "ipp", 873: "rsync", 993: "imaps",
    995: "pop3s", 1080: "socks", 1194: "openvpn", 3306: "mysql", 5432: "postgresql", 6379: "redis", 8080: "http-alt",
}  # fmt: skip
_UDP: Final = {
    9: "discard", 67: "bootps", 68: "bootpc", 69: "tftp", 123: "ntp", 137: "netbios-ns", 138: "netbios-dgm",
    500: "isakmp", 514: "syslog", 520: "route", 546: "dhcpv6-client", 547: "dhcpv6-server", 1194: "openvpn", 5353: "mdns",
}  # fmt: skip
_SERVICES: Final = {"tcp": _BOTH | _TCP, "udp": _BOTH | _UDP}
_PROTOCOLS: Final = {
    0: "ip", 1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah",
    58: "ipv6-icmp", 89: "ospf", 103: "pim", 132: "sctp", 136: "udplite",
}  # fmt: skip
_USERS: Final = {0: "root", 65534: "nobody"}


def host(address: int) -> str:
    """localhost, or the address in numbers."""
    return next((name for name, number in _HOSTS.items() if number == address), ipv4(address))


def address_of(text: str, what: str = "") -> int:
    """The address of a host by name or number. ProgramError: net-tools' words, or those given."""
    return _HOSTS[text] if text in _HOSTS else parse_ipv4(text, what)


def service(port: int, protocol: str) -> str:
    """http, or the number."""
    return _SERVICES.get(protocol, {}).get(port, str(port))


def port_of(text: str, protocol: str) -> int | None:
    """The number of a port given by name or number; None: there is no such service."""
    if text.isdecimal():
        return int(text) if len(text) < 10 else None
    return next((port for port, name in _SERVICES.get(protocol, {}).items() if name == text), None)


def protocol(number: int) -> str:
    """icmp, or the number."""
    return _PROTOCOLS.get(number, str(number))


def user(uid: int) -> str:
    """root, or the number."""
    return _USERS.get(uid, str(uid))
