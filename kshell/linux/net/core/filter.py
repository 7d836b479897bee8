"""net/core/filter.c: checking, attaching and running classic BPF filters."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, ENOENT, ENOMEM, EPERM
from kshell.abi.packet import BPF_MAXINSNS, BPF_MEMWORDS
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.filter import (
    BPF_A,
    BPF_ABS,
    BPF_ADD,
    BPF_ALU,
    BPF_AND,
    BPF_B,
    BPF_DIV,
    BPF_H,
    BPF_IMM,
    BPF_IND,
    BPF_JA,
    BPF_JEQ,
    BPF_JGE,
    BPF_JGT,
    BPF_JMP,
    BPF_JSET,
    BPF_K,
    BPF_LD,
    BPF_LDX,
    BPF_LEN,
    BPF_LSH,
    BPF_MEM,
    BPF_MISC,
    BPF_MOD,
    BPF_MSH,
    BPF_MUL,
    BPF_NEG,
    BPF_OR,
    BPF_RET,
    BPF_RSH,
    BPF_ST,
    BPF_STX,
    BPF_SUB,
    BPF_TAX,
    BPF_TXA,
    BPF_W,
    BPF_X,
    BPF_XOR,
    SKF_AD_OFF,
    bpf_prog,
    bpf_prog_size,
    sock_filter,
    sock_fprog,
)
from kshell.linux.include.linux.filter import (
    sk_filter as sk_filter_struct,
)
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.sockptr import copy_from_sockptr, copy_to_sockptr
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.include.net.sock import SOCK_FILTER_LOCKED
from kshell.linux.net.core import filter_run, sock_reuseport
from kshell.linux.net.core.skbuff import pskb_trim
from kshell.linux.security.security import security_sock_rcv_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

_ALU_OPS = (BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH)
_JUMPS = frozenset(BPF_JMP | op | src for op in (BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET) for src in (BPF_K, BPF_X))
_ABSOLUTE = frozenset(BPF_LD | size | BPF_ABS for size in (BPF_W, BPF_H, BPF_B))
_ALLOWED = frozenset(
    [BPF_ALU | op | src for op in _ALU_OPS for src in (BPF_K, BPF_X)]
    + [BPF_ALU | BPF_NEG, BPF_LD | BPF_W | BPF_LEN, BPF_LD | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_W | BPF_LEN]
    + [BPF_LD | size | mode for size in (BPF_W, BPF_H, BPF_B) for mode in (BPF_ABS, BPF_IND)]
    + [BPF_LDX | BPF_B | BPF_MSH, BPF_LDX | BPF_IMM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX]
    + [BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_RET | BPF_K, BPF_RET | BPF_A, BPF_JMP | BPF_JA]
) | _JUMPS
_ANCILLARY = frozenset(SKF_AD_OFF + n for n in (*range(0, 64, 4), 60))


def sk_filter_trim_cap(sk: sock, skb: sk_buff, cap: int) -> int:
    """Ask security and the socket's filter about a received packet, which the filter may cut; a positive errno."""
    security_sock_rcv_skb(sk, skb)
    attached = sk.sk_filter
    if attached is None:
        return 0
    pkt_len = filter_run._bpf_prog_run(attached.prog, skb)
    if not pkt_len:
        return EPERM
    return pskb_trim(skb, max(cap, pkt_len))


def sk_filter(sk: sock, skb: sk_buff) -> int:
    """Ask the socket's filter about a received packet; a positive errno refuses it."""
    return sk_filter_trim_cap(sk, skb, 1)


def copy_bpf_fprog_from_user(current: task_struct, src: sockptr_t, length: int) -> sock_fprog:
    """Read a program's head. EINVAL, EFAULT."""
    if in_compat_syscall(current):
        if length != 8:
            raise KernelError(EINVAL)
        return sock_fprog(*struct.unpack("<H2xI", copy_from_sockptr(src, 8)))
    if length != 16:
        raise KernelError(EINVAL)
    return sock_fprog(*struct.unpack("<H6xQ", copy_from_sockptr(src, 16)))


def chk_code_allowed(code_to_probe: int) -> bool:
    """True for an instruction that classic BPF has."""
    return code_to_probe in _ALLOWED


def _check_instruction(ftest: sock_filter, pc: int, flen: int) -> bool:
    code, k = ftest.code, ftest.k
    if not chk_code_allowed(code):
        return False
    if code in (BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_MOD | BPF_K):
        return k != 0
    if code in (BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_RSH | BPF_K):
        return k < 32
    if code in (BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX):
        return k < BPF_MEMWORDS
    if code == BPF_JMP | BPF_JA:
        return k < flen - pc - 1
    if code in _JUMPS:
        return pc + ftest.jt + 1 < flen and pc + ftest.jf + 1 < flen
    if code in _ABSOLUTE:
        return k in _ANCILLARY or k < SKF_AD_OFF
    return True


def bpf_check_classic(filter: tuple[sock_filter, ...], flen: int) -> None:
    """Refuse programs that jump outside, read memory never written, or do not end in a return. EINVAL."""
    for pc, ftest in enumerate(filter):
        if not _check_instruction(ftest, pc, flen):
            raise KernelError(EINVAL)
    if filter[flen - 1].code not in (BPF_RET | BPF_K, BPF_RET | BPF_A):
        raise KernelError(EINVAL)
    check_load_and_stores(filter, flen)


def check_load_and_stores(filter: tuple[sock_filter, ...], flen: int) -> None:
    """Refuse programs that read a memory cell which may not have been written. EINVAL."""
    masks = [0xFFFF] * flen
    memvalid = 0
    for pc, ftest in enumerate(filter):
        memvalid &= masks[pc]
        code, k = ftest.code, ftest.k
        if code in (BPF_ST, BPF_STX):
            memvalid |= 1 << k
        elif code in (BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM):
            if not memvalid & 1 << k:
                raise KernelError(EINVAL)
        elif code == BPF_JMP | BPF_JA:
            masks[pc + 1 + k] &= memvalid
            memvalid = 0xFFFF
        elif code in _JUMPS:
            masks[pc + 1 + ftest.jt] &= memvalid
            masks[pc + 1 + ftest.jf] &= memvalid
            memvalid = 0xFFFF


def __get_filter(fprog: sock_fprog, sk: sock) -> bpf_prog:
    """Fetch and check a program. EPERM: the filter is locked; EINVAL, EFAULT."""
    kernel = sk.skc_net.kernel
    if sk.skc_flags >> SOCK_FILTER_LOCKED & 1:
        raise KernelError(EPERM)
    if not fprog.filter or not 0 < fprog.len <= BPF_MAXINSNS:
        raise KernelError(EINVAL)
    if fprog.len * 8 > kernel.sysctl_optmem_max * 64:
        raise KernelError(ENOMEM)
    code = copy_from_user(kernel.current, fprog.filter, fprog.len * 8)
    insns = tuple(sock_filter(*fields) for fields in struct.iter_unpack("<HBBI", code))
    bpf_check_classic(insns, len(insns))
    return bpf_prog(insns, code)


def __sk_filter_charge(sk: sock, fp: sk_filter_struct) -> bool:
    """Charge a program to the socket's option memory."""
    size = bpf_prog_size(fp.prog.len)
    optmem_max = sk.skc_net.kernel.sysctl_optmem_max
    if size <= optmem_max and sk.sk_omem_alloc + size < optmem_max:
        sk.sk_omem_alloc += size
        return True
    return False


def sk_filter_charge(sk: sock, fp: sk_filter_struct) -> bool:
    """Take a reference to a program for a socket that got it from its listener."""
    fp.refcnt += 1
    if __sk_filter_charge(sk, fp):
        return True
    fp.refcnt -= 1
    return False


def sk_filter_uncharge(sk: sock, fp: sk_filter_struct) -> None:
    """Drop the socket's reference to a program."""
    sk.sk_omem_alloc -= bpf_prog_size(fp.prog.len)
    fp.refcnt -= 1


def __sk_attach_prog(prog: bpf_prog, sk: sock) -> None:
    """Make a program the socket's filter. ENOMEM: too long."""
    fp = sk_filter_struct(prog)
    if not __sk_filter_charge(sk, fp):
        raise KernelError(ENOMEM)
    old, sk.sk_filter = sk.sk_filter, fp
    if old is not None:
        sk_filter_uncharge(sk, old)


def sk_attach_filter(fprog: sock_fprog, sk: sock) -> int:
    """SO_ATTACH_FILTER. EPERM, EINVAL, EFAULT, ENOMEM."""
    __sk_attach_prog(__get_filter(fprog, sk), sk)
    return 0


def sk_reuseport_attach_filter(fprog: sock_fprog, sk: sock) -> int:
    """SO_ATTACH_REUSEPORT_CBPF. EPERM, EINVAL, EFAULT, ENOMEM."""
    prog = __get_filter(fprog, sk)
    if bpf_prog_size(prog.len) > sk.skc_net.kernel.sysctl_optmem_max:
        raise KernelError(ENOMEM)
    return sock_reuseport.reuseport_attach_prog(sk, prog)


def _bpf_prog_get(kernel: Kernel, ufd: int) -> None:
    """There are no BPF descriptors: EBADF for a bad one, EINVAL for another file."""
    f, flags = fdget(kernel.current, ufd)
    fdput(f, flags)
    raise KernelError(EBADF if f is None else EINVAL)


def sk_attach_bpf(ufd: int, sk: sock) -> int:
    """SO_ATTACH_BPF. EPERM, EBADF, EINVAL."""
    if sk.skc_flags >> SOCK_FILTER_LOCKED & 1:
        raise KernelError(EPERM)
    _bpf_prog_get(sk.skc_net.kernel, ufd)
    return 0


def sk_reuseport_attach_bpf(ufd: int, sk: sock) -> int:
    """SO_ATTACH_REUSEPORT_EBPF. EPERM, EBADF, EINVAL."""
    return sk_attach_bpf(ufd, sk)


def sk_detach_filter(sk: sock) -> int:
    """SO_DETACH_FILTER. EPERM, ENOENT."""
    if sk.skc_flags >> SOCK_FILTER_LOCKED & 1:
        raise KernelError(EPERM)
    attached = sk.sk_filter
    if attached is None:
        raise KernelError(ENOENT)
    sk.sk_filter = None
    sk_filter_uncharge(sk, attached)
    return 0


def sk_get_filter(sk: sock, optval: sockptr_t, length: int) -> int:
    """SO_GET_FILTER: store the program as it was given; the number of its instructions. EINVAL, EFAULT."""
    attached = sk.sk_filter
    if attached is None:
        return 0
    prog = attached.prog
    if length:
        if length < prog.len:
            raise KernelError(EINVAL)
        copy_to_sockptr(optval, prog.orig_prog)
    return prog.len


def bpf_tell_extensions() -> int:
    """SO_BPF_EXTENSIONS: the range of ancillary loads."""
    return 64


