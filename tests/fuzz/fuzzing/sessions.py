"""A session that is fed with lines: no oops, nothing sent to the terminal, nothing touched outside."""

import json
import re
import sys
import tempfile
import traceback
from random import Random

from fuzzing.failures import Failure, Hang, limit, where_of
from fuzzing.lines import line
from kshell.session.session import Session
from kshell.shell.plain import PlainText

ALLOWED = re.compile("\x1b\\[[0-9;]*m")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
PANELS = frozenset({"line", "objects", "changes", "packets", "log", "wakeups", "signals", "output", "causes"})
LINE_SECONDS = 25.0
touched = []


def watch_outside():
    """Have every file opened for writing, program started and connection made be noted."""

    def hook(name, args):
        if name == "open" and isinstance(args[0], str) and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            if (
                args[0].startswith("/")
                and not args[0].startswith(("/dev/full", "/nix", tempfile.gettempdir(), "/proc/self"))
                and ".pyc" not in args[0]
            ):
                touched.append(f"{name} {args[0]}")
        elif name in (
            "subprocess.Popen", "os.system", "socket.connect", "os.exec", "os.fork", "os.remove", "os.rename",
            "os.rmdir", "shutil.rmtree", "os.kill",
        ):
            touched.append(f"{name} {args}")

    sys.addaudithook(hook)


def run(seeds, verbose=False):
    """Run the lines that the seeds stand for; the Failure or None."""
    texts = [line(Random(seed)) for seed in seeds]
    return run_lines(texts, Random(seeds[0] if seeds else 0))


def run_lines(texts, r):
    session = Session(show=PANELS if r.randrange(2) else frozenset())
    plain = PlainText(PANELS, colour=True, width=r.choice((0, 80, 30)), glyphs=r.choice(("boxes", "ascii", "words")))
    done = []
    for text in texts:
        done.append(text)
        try:
            with limit(LINE_SECONDS):
                for event in session.execute(text):
                    check(event, plain)
        except Failure as failure:
            failure.trace = done
            return failure
        except Hang as error:
            failure = Failure("hang " + re.sub(r":\d+$", "", where_of(error)), traceback.format_exc())
            failure.trace = done
            return failure
        except Exception as error:
            failure = Failure(where_of(error), traceback.format_exc())
            failure.trace = done
            return failure
        if touched:
            failure = Failure(f"touched {touched[0][:60]}", "")
            touched.clear()
            failure.trace = done
            return failure
        session.ended = False
    return None


def check(event, plain):
    """An event is no oops, can be JSON, and is shown without control characters."""
    if event.kind == "oops":
        lines = [
            part
            for part in event.traceback.strip().splitlines()
            if part.strip().startswith("File") and "/kshell/" in part
        ]
        place = re.sub(r".*/kshell/", "", lines[-1]) if lines else ""
        raise Failure(f"oops {event.message[:80]} at {place}", event.traceback)
    json.dumps(event.to_json())
    for shown in [*plain.lines(event), *plain.message(event)]:
        found = CONTROLS.search(ALLOWED.sub("", shown))
        if found:
            raise Failure(f"control character {found[0]!r} in {event.kind}", shown)


def shrink(texts, where, r_seed, tries=200):
    size = max(len(texts) // 2, 1)
    while tries > 0:
        at, cut = 0, False
        while at < len(texts) and tries > 0:
            rest = texts[:at] + texts[at + size :]
            tries -= 1
            failure = run_lines(rest, Random(r_seed))
            if failure is not None and failure.where == where:
                texts, cut = rest, True
            else:
                at += size
        if size == 1 and not cut:
            break
        size = max(size // 2, 1)
    return texts

