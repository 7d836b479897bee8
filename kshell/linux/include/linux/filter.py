"""include/linux/filter.h: classic BPF programs attached to sockets."""

from __future__ import annotations

SKF_AD_OFF = 0xFFFFF000
SKF_NET_OFF = 0xFFF00000
SKF_LL_OFF = 0xFFE00000

BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_RET, BPF_MISC = range(8)
BPF_W, BPF_H, BPF_B = 0x00, 0x08, 0x10
BPF_IMM, BPF_ABS, BPF_IND, BPF_MEM, BPF_LEN, BPF_MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR = range(0, 0xB0, 0x10)
BPF_JA, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET = range(0, 0x50, 0x10)
BPF_K, BPF_X, BPF_A = 0x00, 0x08, 0x10
BPF_TAX, BPF_TXA = 0x00, 0x80


class sock_filter:
    """An instruction."""

    __slots__ = ("code", "jf", "jt", "k")

    def __init__(self, code: int, jt: int, jf: int, k: int) -> None:
        self.code = code
        self.jt = jt
        self.jf = jf
        self.k = k


class sock_fprog:
    """A program as user space gives it: its length, and the user address of the instructions."""

    __slots__ = ("filter", "len")

    def __init__(self, len: int, filter: int) -> None:
        self.len = len
        self.filter = filter


class bpf_prog:
    """A checked program, and its bytes as they were given."""

    __slots__ = ("_addr", "insns", "len", "orig_prog")
    _addr: int

    def __init__(self, insns: tuple[sock_filter, ...], orig_prog: bytes) -> None:
        self.len = len(insns)
        self.insns = insns
        self.orig_prog = orig_prog


class sk_filter:
    """A program attached to sockets."""

    __slots__ = ("prog", "refcnt")

    def __init__(self, prog: bpf_prog) -> None:
        self.refcnt = 1
        self.prog = prog


def bpf_prog_size(proglen: int) -> int:
    """Memory that a program takes: struct bpf_prog and its instructions."""
    return 72 + proglen * 8
