"""What can go wrong in a step, and how long one may take."""

import signal
import traceback
from contextlib import contextmanager


class Failure(Exception):
    """An oops, a hang or a broken invariant; `where` tells one cause from another."""

    def __init__(self, where, text):
        super().__init__(where)
        self.where, self.text = where, text


class Hang(BaseException):
    """A step took too long."""


@contextmanager
def limit(seconds):
    """Hang after so much CPU time."""

    def stop(*_):
        raise Hang

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def where_of(error):
    """The place in kshell that an exception comes from."""
    frames_ = [f for f in traceback.extract_tb(error.__traceback__) if "/kshell/" in f.filename]
    if not frames_:
        return repr(error)
    last = frames_[-1]
    return (
        f"{type(error).__name__} {str(error)[:80]} at {last.filename.split('/kshell/', 1)[1]}:{last.name}:{last.lineno}"
    )
