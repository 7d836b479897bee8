"""Raw call records as expectations: each case of a recording holds, or its first different call is told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from kshell.session.records import Recording, read_recording
from kshell.session.records_replay import CaseResult, replay

Verdict = tuple[bool, str, str, str, int]


def check_records(name: str, data: bytes) -> Iterator[Verdict]:
    """(held, text, expected, got, line) of every case; RecordError if `data` is no recording."""
    recording = _read(name, data)
    for result in replay(recording, recording.cases):
        yield _verdict(result)


def _read(name: str, data: bytes) -> Recording:
    path = Path(name)
    if path.exists():
        return read_recording(path)
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(data)
        file.flush()
        return read_recording(Path(file.name))


def _verdict(result: CaseResult) -> Verdict:
    if result.equal:
        return True, result.id, "", "", 0
    first = result.mismatches[0]
    place = f"set-up call {-1 - first.index}" if first.index < 0 else f"call {first.index}"
    differences = first.differences
    expected = "; ".join(f"{d.what} {d.expected}" for d in differences)
    got = "; ".join(f"{d.what} {d.got}" for d in differences)
    return False, f"{result.id}: {place}: {first.call}", expected, got, 0
