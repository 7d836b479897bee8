"""net/ipv4/inet_diag.c: the little programs by which ss has the kernel choose sockets."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.errno import EINVAL, EPERM
from kshell.abi.socket import AF_INET, AF_INET6, AF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.sock import SOCK_BINDPORT_LOCK, sock

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock_common

OP: Final = struct.Struct("<BBH")  # code, bytes to go on by if it is true, if it is not
HOSTCOND: Final = struct.Struct("<BBxxi")  # family, prefix length, port (-1: any)
_PORTS: Final = (
    d.INET_DIAG_BC_S_EQ, d.INET_DIAG_BC_S_GE, d.INET_DIAG_BC_S_LE, d.INET_DIAG_BC_D_EQ, d.INET_DIAG_BC_D_GE,
    d.INET_DIAG_BC_D_LE,
)  # fmt: skip
_HOSTS: Final = (d.INET_DIAG_BC_S_COND, d.INET_DIAG_BC_D_COND)
_PLAIN: Final = (d.INET_DIAG_BC_AUTO, d.INET_DIAG_BC_JMP, d.INET_DIAG_BC_NOP)
_ADDRESS_BYTES: Final = {AF_UNSPEC: 0, AF_INET: 4, AF_INET6: 16}


def valid_hostcond(bc: bytes) -> int:
    """Bytes of a condition on an address. EINVAL."""
    if len(bc) < OP.size + HOSTCOND.size:
        raise KernelError(EINVAL)
    family, prefix, _ = HOSTCOND.unpack_from(bc, OP.size)
    if family not in _ADDRESS_BYTES or prefix > 8 * _ADDRESS_BYTES[family]:
        raise KernelError(EINVAL)
    length = OP.size + HOSTCOND.size + _ADDRESS_BYTES[family]
    if len(bc) < length:
        raise KernelError(EINVAL)
    return length


def valid_cc(bc: bytes, at: int) -> bool:
    """Whether an instruction begins there."""
    here = 0
    while here < at and here + OP.size <= len(bc):
        yes = OP.unpack_from(bc, here)[1]
        if yes < OP.size or yes & 3:
            return False
        here += yes
    return here == at


def _least(bc: bytes, code: int, net_admin: bool) -> int:
    """Bytes that an instruction takes at least. EINVAL, EPERM."""
    if code in _HOSTS:
        return valid_hostcond(bc)
    if code in _PORTS or code == d.INET_DIAG_BC_DEV_COND:
        least = 2 * OP.size
    elif code == d.INET_DIAG_BC_MARK_COND:
        if not net_admin:
            raise KernelError(EPERM)
        least = OP.size + 8
    elif code in _PLAIN:
        least = OP.size
    else:
        raise KernelError(EINVAL)
    if len(bc) < least:
        raise KernelError(EINVAL)
    return least


def inet_diag_bc_audit(bytecode: bytes, net_admin: bool) -> None:
    """Refuse a program that would run astray. EINVAL, EPERM: a mark needs CAP_NET_ADMIN."""
    if len(bytecode) < OP.size:
        raise KernelError(EINVAL)
    at, total = 0, len(bytecode)
    while at < total:
        left = total - at
        if left < OP.size:
            raise KernelError(EINVAL)
        code, yes, no = OP.unpack_from(bytecode, at)
        least = _least(bytecode[at:], code, net_admin)
        if code != d.INET_DIAG_BC_NOP:
            if no < least or no > left + 4 or no & 3:
                raise KernelError(EINVAL)
            if no < left and not valid_cc(bytecode, at + no):
                raise KernelError(EINVAL)
        if yes < least or yes > left + 4 or yes & 3:
            raise KernelError(EINVAL)
        at += yes
    if at != total:
        raise KernelError(EINVAL)


def _host_fits(bc: bytes, at: int, address: int, port: int, sk: sock_common) -> bool:
    family: int
    prefix: int
    family, prefix, wanted = HOSTCOND.unpack_from(bc, at)
    if wanted not in (-1, port):
        return False
    if family not in (AF_UNSPEC, sk.skc_family):
        return False
    if not prefix:
        return True
    if family != AF_INET:
        return False
    mask = 0xFFFFFFFF << 32 - prefix & 0xFFFFFFFF
    network = int.from_bytes(bc[at + HOSTCOND.size : at + HOSTCOND.size + 4], "big")
    return not (address ^ network) & mask


def _true(bc: bytes, at: int, code: int, sk: sock_common) -> bool:
    source = code in (d.INET_DIAG_BC_S_EQ, d.INET_DIAG_BC_S_GE, d.INET_DIAG_BC_S_LE, d.INET_DIAG_BC_S_COND)
    port = sk.skc_num if source else sk.skc_dport
    if code in _HOSTS:
        return _host_fits(bc, at + OP.size, sk.skc_rcv_saddr if source else sk.skc_daddr, port, sk)
    if code in _PORTS:
        wanted: int = OP.unpack_from(bc, at + OP.size)[2]
        if code in (d.INET_DIAG_BC_S_EQ, d.INET_DIAG_BC_D_EQ):
            return port == wanted
        return port >= wanted if code in (d.INET_DIAG_BC_S_GE, d.INET_DIAG_BC_D_GE) else port <= wanted
    if code == d.INET_DIAG_BC_AUTO:
        return not (isinstance(sk, sock) and sk.sk_userlocks & SOCK_BINDPORT_LOCK)
    if code == d.INET_DIAG_BC_DEV_COND:
        return sk.skc_bound_dev_if == int.from_bytes(bc[at + 4 : at + 8], "little")
    if code == d.INET_DIAG_BC_MARK_COND:
        mark, mask = struct.unpack_from("<II", bc, at + OP.size)
        return isinstance(sk, sock) and bool(sk.sk_mark & mask == mark)
    return code != d.INET_DIAG_BC_JMP


def inet_diag_bc_run(bc: bytes, sk: sock_common) -> bool:
    """Run a program that was audited: true if it ends exactly behind its last instruction."""
    at = 0
    while at < len(bc):
        code, yes, no = OP.unpack_from(bc, at)
        at += yes if _true(bc, at, code, sk) else no
    return at == len(bc)


def inet_diag_bc_sk(bc: bytes, sk: sock_common) -> bool:
    """Whether a program chooses a socket; without a program it is chosen."""
    return not bc or inet_diag_bc_run(bc, sk)
