"""Reading raw call records and holding outcomes to them."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kshell.session.records import (
    Call,
    Outcome,
    RecordError,
    decode_call,
    differences,
    read_recording,
    recorded_pid,
    regions_of,
)

HEADER = {"format": "kshell-calls", "version": 1, "kernel": "6.1.176", "uid": 0, "sysctl": {}, "block_s": 0.06}
SETUP = {"setup": "new", "calls": [{"s": "socket", "nr": 41, "r": [2, 1], "ret": 3}]}
CASE = {"id": "tcp/new/x", "setup": "new", "main": 0, "calls": [{"s": "listen", "nr": 50, "r": [3, 5], "ret": 0}]}
A = 0x20000000

POLL = decode_call({
    "s": "poll", "nr": 7, "r": [A, 1], "m": [[A, "04000000ffff0000"]], "ret": 1, "o": [[A, "04000000ffff14"]],
})  # fmt: skip
POLLED = Outcome(1, memory=((A, bytes.fromhex("04000000ffff1400")),))


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_recording_has_a_header_setups_and_cases(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path / "a.jsonl", HEADER, SETUP, CASE, {**CASE, "id": "b", "uid": 65534}))
    assert recording.header.block_s == 0.06
    assert list(recording.setups) == ["new"]
    assert [(case.id, case.uid) for case in recording.cases] == [("tcp/new/x", 0), ("b", 65534)]


def test_compressed_recordings_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress((json.dumps(HEADER) + "\n").encode()))
    assert read_recording(path).cases == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no kshell-calls header"),
        (b'{"format": "other"}\n', "no kshell-calls header"),
        (b"\xff\xfe\x00", "invalid start byte"),
        (b"\x1f\x8b\x08\x00", "end-of-stream"),
        (json.dumps(HEADER).encode() + b"\n[1]\n", ":2: not a JSON object"),
        (json.dumps(HEADER).encode() + b"\n{broken\n", ":2: "),
        (json.dumps(HEADER).encode() + b'\n{"id": 1}\n', ":2: not a set-up or case"),
        (json.dumps(HEADER).encode() + b'\n{"id": 1, "setup": "no", "calls": []}\n', "unknown set-up 'no'"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=message):
        read_recording(path)


def test_registers_are_filled_up_and_repeated_bytes_unfolded() -> None:
    call = decode_call({"s": "read", "nr": 0, "r": [3], "m": [[A, [4, "a5"]]], "ret": -11, "e": "EAGAIN"})
    assert call.regs == (3, 0, 0, 0, 0, 0)
    assert call.before == ((A, b"\xa5\xa5\xa5\xa5"),)


def test_time_may_pass_between_calls() -> None:
    assert decode_call({"s": "SLEEP", "t": 0.01}) == Call("SLEEP", seconds=0.01)


def test_regions_cover_what_was_there_before_and_after() -> None:
    call = replace(POLL, after=((A, bytes(12)), (A + 64, bytes(2))))
    assert regions_of(call) == {A: 12, A + 64: 2}


def test_an_equal_outcome_has_no_differences() -> None:
    assert differences(POLL, POLLED) == []


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        (replace(POLLED, ret=0), ["result"]),
        (replace(POLLED, ret=-4, blocked=True), ["sleeps"]),
        (replace(POLLED, signals=("SIGPIPE",)), ["signals"]),
        (replace(POLLED, memory=((A, bytes(8)),)), [f"memory {A:#x}+0"]),
        (replace(POLLED, memory=((A, bytes.fromhex("04000000ffff1401")),)), [f"memory {A:#x}+7"]),
        (Outcome(0, oops="AttributeError: x"), ["oops"]),
    ],
)
def test_each_way_to_differ_is_named(outcome: Outcome, what: list[str]) -> None:
    assert [difference.what for difference in differences(POLL, outcome)] == what


def test_parts_that_vary_from_run_to_run_are_not_compared() -> None:
    call = replace(POLL, varies=((A, 6, 1),))
    assert differences(call, replace(POLLED, memory=((A, bytes.fromhex("04000000ffff9900")),))) == []


@pytest.mark.parametrize(("ret", "equal"), [(0, True), (1, True), (2, False), (-11, False)])
def test_a_result_that_varies_may_be_any_that_was_seen(ret: int, equal: bool) -> None:
    call = replace(POLL, ret_seen=(0, 1))
    assert (not differences(call, replace(POLLED, ret=ret))) == equal


def test_a_varying_address_may_be_any_address() -> None:
    call = replace(POLL, ret=0x40001000, ret_seen=(0x40001000, 0x40002000))
    assert not differences(call, Outcome(0x7F0000000000))
    assert differences(call, Outcome(-12))


PEERCRED = {
    "s": "getsockopt", "nr": 55, "r": [3, 1, 17, A, A + 16], "ret": 0, "o": [[A, "c00200000000000000000000"], [A + 16, "0c"]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pid"),
    [
        ({}, 0x2C0),
        ({"r": [3, 1, 16, A, A + 16]}, 0),
        ({"ret": -92}, 0),
        ({"o": [[A, "00000000ffffffffffffffff"]]}, 0),
        ({"s": "getsockname", "nr": 51, "r": [4, A, A + 128], "o": [[A, "100000006b0b0000"]]}, 0xB6B),
        ({"s": "getsockname", "nr": 51, "r": [4, A, A + 128], "o": [[A, "020013887f000001"]]}, 0),
    ],
)
def test_the_recorders_pid_is_read_off_what_shows_it(change: dict[str, object], pid: int) -> None:
    assert recorded_pid(({**PEERCRED, **change},)) == pid


@pytest.mark.parametrize(
    ("ret", "marked", "equal"),
    [(-4, True, True), (-4, False, False), (0, False, True), (10, False, True), (10, True, False)],
)
def test_only_a_sleeper_that_gave_eintr_is_marked_as_one(ret: int, marked: bool, equal: bool) -> None:
    raw = {"s": "recvfrom", "nr": 45, "ret": ret, "r": [4], "blk": int(marked)}
    assert (not differences(decode_call(raw), Outcome(ret, blocked=True))) == equal
