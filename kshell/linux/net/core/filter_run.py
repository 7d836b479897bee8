"""Running a classic BPF program over a packet (what bpf_prog_run() does with the converted program)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.packet import BPF_MEMWORDS
from kshell.linux.include.linux.filter import (
    BPF_A,
    BPF_ABS,
    BPF_ADD,
    BPF_ALU,
    BPF_AND,
    BPF_DIV,
    BPF_H,
    BPF_IMM,
    BPF_IND,
    BPF_JA,
    BPF_JEQ,
    BPF_JGE,
    BPF_JGT,
    BPF_JMP,
    BPF_LD,
    BPF_LDX,
    BPF_LEN,
    BPF_LSH,
    BPF_MEM,
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
    BPF_W,
    BPF_X,
    BPF_XOR,
    SKF_AD_OFF,
    SKF_LL_OFF,
    SKF_NET_OFF,
    bpf_prog,
)
from kshell.linux.net.core.skbuff_bytes import _skb_mac_bytes, _skb_network_bytes, _skb_to_bytes

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

_M32 = 0xFFFFFFFF


class _Outside(Exception):
    """A load beyond the packet: the program ends with 0."""


def _load(skb: sk_buff, data: bytes, k: int, size: int) -> int:
    if k >= SKF_AD_OFF:
        return _ancillary(skb, k - SKF_AD_OFF)
    if k >= SKF_NET_OFF:
        data, k = _skb_network_bytes(skb), k - SKF_NET_OFF
    elif k >= SKF_LL_OFF:
        data, k = _skb_mac_bytes(skb), k - SKF_LL_OFF
    if k + size > len(data):
        raise _Outside
    return int.from_bytes(data[k : k + size], "big")


def _ancillary(skb: sk_buff, which: int) -> int:
    if which == 0:
        return skb.protocol
    if which == 4:
        return skb.pkt_type
    if which == 8:
        if skb.dev is None:
            raise _Outside
        return skb.dev.ifindex
    if which == 20:
        return skb.mark
    if which == 32:
        return skb.hash
    return 0


def _alu(op: int, a: int, b: int) -> int:
    if op == BPF_ADD:
        return a + b & _M32
    if op == BPF_SUB:
        return a - b & _M32
    if op == BPF_MUL:
        return a * b & _M32
    if op in (BPF_DIV, BPF_MOD):
        if not b:
            raise _Outside
        return a // b if op == BPF_DIV else a % b
    if op == BPF_OR:
        return a | b
    if op == BPF_AND:
        return a & b
    if op == BPF_XOR:
        return a ^ b
    if op == BPF_LSH:
        return a << (b & 31) & _M32
    if op == BPF_RSH:
        return a >> (b & 31)
    assert op == BPF_NEG
    return -a & _M32


def _holds(op: int, a: int, b: int) -> bool:
    if op == BPF_JEQ:
        return a == b
    if op == BPF_JGT:
        return a > b
    if op == BPF_JGE:
        return a >= b
    return bool(a & b)


def _bpf_prog_run(prog: bpf_prog, skb: sk_buff) -> int:
    """What the program says of a packet: how many bytes of it to keep, 0 to drop it."""
    try:
        return _run(prog, skb, _skb_to_bytes(skb))
    except _Outside:
        return 0


def _run(prog: bpf_prog, skb: sk_buff, data: bytes) -> int:
    a = x = pc = 0
    mem = [0] * BPF_MEMWORDS
    while True:
        insn = prog.insns[pc]
        pc += 1
        code, k = insn.code, insn.k
        kind = code & 7
        if kind == BPF_RET:
            return a if code & 0x18 == BPF_A else k
        if kind in (BPF_LD, BPF_LDX):
            value = _ld(code, k, x, mem, skb, data)
            if kind == BPF_LD:
                a = value
            else:
                x = value
        elif kind == BPF_ST:
            mem[k] = a
        elif kind == BPF_STX:
            mem[k] = x
        elif kind == BPF_ALU:
            a = _alu(code & 0xF0, a, x if code & BPF_X else k)
        elif kind == BPF_JMP:
            if code & 0xF0 == BPF_JA:
                pc += k
            else:
                pc += insn.jt if _holds(code & 0xF0, a, x if code & BPF_X else k) else insn.jf
        elif code & 0xF8 == BPF_TAX:
            x = a
        else:
            a = x


def _ld(code: int, k: int, x: int, mem: list[int], skb: sk_buff, data: bytes) -> int:
    mode = code & 0xE0
    size = 4 if code & 0x18 == BPF_W else 2 if code & 0x18 == BPF_H else 1
    if mode == BPF_ABS:
        return _load(skb, data, k, size)
    if mode == BPF_IND:
        return _load(skb, data, k + x & _M32, size)
    if mode == BPF_MSH:
        return (_load(skb, data, k, 1) & 15) * 4
    if mode == BPF_MEM:
        return mem[k]
    if mode == BPF_LEN:
        return skb.len
    assert mode == BPF_IMM
    return k
