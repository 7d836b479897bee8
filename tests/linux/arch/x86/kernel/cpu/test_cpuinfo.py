"""/proc/cpuinfo: one processor, in the lines that programs look for."""

from kshell.session import events as ev
from kshell.session.session import Session


def test_one_processor() -> None:
    session = Session()
    (text,) = [event.text for event in session.run("cat /proc/cpuinfo") if isinstance(event, ev.Output)]
    lines = dict(line.split("\t", 1) if "\t" in line else (line, "") for line in text.splitlines() if line)
    assert text.count("processor\t: ") == 1
    assert lines["processor"] == ": 0"
    assert lines["cpu MHz"] == "\t: 2596.122"
    assert lines["bogomips"] == ": 5192.24"
    assert lines["siblings"] == ": 1"
    assert "sse2" in lines["flags"].split()
