"""Raw call records: what a real kernel answered, one JSON object a line (format "kshell-calls").

This module knows the format and how an outcome is held to a record; `records_replay` runs the calls.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kshell.abi.errno import EINTR

FORMAT = "kshell-calls"
SLEEP = "SLEEP"
_PING_GROUPS = "net/ipv4/ping_group_range"

Memory = tuple[int, bytes]


class RecordError(Exception):
    """The file is no raw call record; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: the recorded kernel and the conditions every case ran under."""

    kernel: str
    uid: int
    sysctl: dict[str, str]
    block_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call; `seconds` is set instead of all else when time passes."""

    name: str
    nr: int = -1
    regs: tuple[int, ...] = (0, 0, 0, 0, 0, 0)
    before: tuple[Memory, ...] = ()
    ret: int = 0
    errno: str = ""
    after: tuple[Memory, ...] = ()
    varies: tuple[tuple[int, int, int], ...] = ()
    ret_seen: tuple[int, ...] = ()
    signals: tuple[str, ...] = ()
    blocks: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """A fresh process, the calls of `setup`, then `calls`; `main` is the index of the one it is about.

    The calls stay text until they are asked for: whole recordings are large.
    """

    id: str
    setup: str
    uid: int
    main: int
    text: str

    @property
    def calls(self) -> tuple[dict[str, Any], ...]:
        return tuple(json.loads(self.text)["calls"])


@dataclass(slots=True)
class Recording:
    """A whole file; calls stay undecoded until a case runs."""

    path: Path
    header: Header
    setups: dict[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)


def read_recording(path: Path) -> Recording:
    """Read a `.jsonl` or `.jsonl.gz` file; RecordError when it is something else."""
    lines = _lines(path)
    first = next(lines, None)
    if first is None or first[1].get("format") != FORMAT:
        raise RecordError(f"{path}:1: no {FORMAT} header")
    recording = Recording(path, _header(first[1]))
    for number, line, text in lines:
        try:
            _add(recording, line, text)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"{path}:{number}: not a set-up or case: {error!r}") from error
    if _PING_GROUPS not in recording.header.sysctl and _has_ping_socket(recording):
        recording.header.sysctl[_PING_GROUPS] = "0 2147483647"
    return recording


def _has_ping_socket(recording: Recording) -> bool:
    """Whether a set-up got an ICMP ping socket: its recorder allowed them, though not every header says so."""
    return any(
        call["s"] == "socket" and call["r"][1:2] == [2] and call["r"][2:3] == [1] and call["ret"] >= 0
        for calls in recording.setups.values()
        for call in calls
    )


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise RecordError(f"{path}:{number}: {error}") from error
        if not isinstance(value, dict):
            raise RecordError(f"{path}:{number}: not a JSON object")
        yield number, value, line


def _header(line: dict[str, Any]) -> Header:
    return Header(
        kernel=str(line.get("kernel", "")),
        uid=int(line.get("uid", 0)),
        sysctl={str(path): str(value) for path, value in line.get("sysctl", {}).items()},
        block_s=float(line.get("block_s", 0.06)),
    )


def _add(recording: Recording, line: dict[str, Any], text: str) -> None:
    calls = tuple(line["calls"])
    if "id" not in line:
        recording.setups[line["setup"]] = calls
        return
    setup = line.get("setup", "")
    if setup and setup not in recording.setups:
        raise ValueError(f"unknown set-up {setup!r}")
    uid = int(line.get("uid", recording.header.uid))
    recording.cases.append(Case(str(line["id"]), setup, uid, int(line.get("main", 0)), text))


def decode_call(raw: dict[str, Any]) -> Call:
    """The typed form of one recorded call."""
    name = str(raw["s"])
    if name == SLEEP:
        return Call(name, seconds=float(raw["t"]))
    regs = [int(register) for register in raw["r"]]
    return Call(
        name=name,
        nr=int(raw["nr"]),
        regs=tuple(regs + [0] * (6 - len(regs))),
        before=_memory(raw.get("m", ())),
        ret=int(raw["ret"]),
        errno=str(raw.get("e", "")),
        after=_memory(raw.get("o", ())),
        varies=tuple((int(a), int(o), int(n)) for a, o, n in raw.get("nd", ())),
        ret_seen=tuple(int(value) for value in raw.get("nd_ret", ())),
        signals=tuple(raw.get("sig", ())),
        blocks=bool(raw.get("blk", 0)),
    )


_NR_GETSOCKOPT, _NR_GETSOCKNAME = 55, 51
_SOL_SOCKET, _SO_PEERCRED, _AF_NETLINK = 1, 17, 16
_PID_MAX = 1 << 22


def recorded_pid(calls: tuple[dict[str, Any], ...]) -> int:
    """The pid of the recorder's process where the calls show it (peer credentials, netlink's own address), or 0."""
    for raw in calls:
        if raw["s"] not in ("getsockopt", "getsockname") or raw["ret"] != 0 or not raw.get("o"):
            continue
        call = decode_call(raw)
        shown = dict(call.after).get(call.regs[3 if call.nr == _NR_GETSOCKOPT else 1], b"")
        if call.nr == _NR_GETSOCKOPT and call.regs[1:3] == (_SOL_SOCKET, _SO_PEERCRED) and len(shown) >= 4:
            pid = int.from_bytes(shown[:4], "little")
        elif call.nr == _NR_GETSOCKNAME and shown[:2] == _AF_NETLINK.to_bytes(2, "little"):
            pid = int.from_bytes(shown[4:8], "little")
        else:
            continue
        if 1 < pid < _PID_MAX:
            return pid
    return 0


def _memory(entries: list[list[Any]]) -> tuple[Memory, ...]:
    return tuple((int(address), _content(content)) for address, content in entries)


def _content(content: str | list[Any]) -> bytes:
    if isinstance(content, str):
        return bytes.fromhex(content)
    count, pattern = content
    return bytes.fromhex(pattern) * int(count)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model did with one call: `memory` is the content afterwards of every region of interest."""

    ret: int
    blocked: bool = False
    signals: tuple[str, ...] = ()
    memory: tuple[Memory, ...] = ()
    oops: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which an outcome is not the recorded one."""

    what: str
    expected: str
    got: str


def regions_of(call: Call) -> dict[int, int]:
    """Address and length of every region whose content the record fixes after the call."""
    regions = {address: len(content) for address, content in call.before}
    for address, content in call.after:
        regions[address] = max(regions.get(address, 0), len(content))
    return regions


def differences(call: Call, outcome: Outcome) -> list[Difference]:
    """How `outcome` differs from the record; empty when it is equal."""
    if outcome.oops:
        return [Difference("oops", _result(call.ret, call.errno), outcome.oops)]
    found = []
    # The recorders mark a sleeper that was ended by their signal only where it gave EINTR, not where it had data to give.
    if call.blocks != (outcome.blocked and outcome.ret == -EINTR):
        found.append(
            Difference(
                "sleeps",
                _result(call.ret, call.errno, call.blocks),
                _result(outcome.ret, "", outcome.blocked),
            )
        )
    elif not _same_result(call, outcome.ret):
        found.append(Difference("result", _result(call.ret, call.errno), _result(outcome.ret)))
    if sorted(call.signals) != sorted(outcome.signals):
        found.append(Difference("signals", ",".join(call.signals), ",".join(outcome.signals)))
    if not call.ret_seen or outcome.ret == call.ret:
        found.extend(_memory_differences(call, outcome))
    return found


def _same_result(call: Call, ret: int) -> bool:
    if ret == call.ret or ret in call.ret_seen:
        return True
    return bool(call.ret_seen) and min(*call.ret_seen, ret) > 1


def _result(ret: int, errno: str = "", blocked: bool = False) -> str:
    return ("asleep, then " if blocked else "") + str(ret) + (f" {errno}" if errno else "")


def _memory_differences(call: Call, outcome: Outcome) -> list[Difference]:
    expected = dict(call.before)
    for address, content in call.after:
        old = expected.get(address, b"")
        expected[address] = content + old[len(content) :]
    found = []
    for address, got in outcome.memory:
        want = expected.get(address, b"")
        masked_want, masked_got = _mask(call, address, want), _mask(call, address, got)
        if masked_want != masked_got:
            found.append(_memory_difference(address, masked_want, masked_got))
    return found


def _mask(call: Call, address: int, content: bytes) -> bytes:
    for region, offset, length in call.varies:
        if region == address:
            end = min(offset + length, len(content))
            content = content[:offset] + bytes(max(0, end - offset)) + content[end:]
    return content


def _memory_difference(address: int, want: bytes, got: bytes) -> Difference:
    size = max(len(want), len(got))
    want, got = want.ljust(size, b"\0"), got.ljust(size, b"\0")
    unequal = [i for i in range(size) if want[i] != got[i]]
    first, end = unequal[0], unequal[-1] + 1
    shown = slice(first, min(end, first + 32))
    dots = ".." if end - first > 32 else ""
    return Difference(f"memory {address:#x}+{first}", want[shown].hex() + dots, got[shown].hex() + dots)
