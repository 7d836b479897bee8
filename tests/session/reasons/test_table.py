"""For each error of each call that the model can raise - every row of the manual - `why` names the function that raised
it, and the command that it suggests, run next, does not fail with the same error."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

import kshell.linux
from kshell.linux.include.linux.err import KernelError
from kshell.session import events as ev
from kshell.session.manual import ErrorRow, pages
from kshell.session.manual.examples import Outcome, origin, run
from kshell.session.reasons import cause
from kshell.session.reasons.explain import explain
from kshell.session.tasks import UserTask

KERNEL = Path(kshell.linux.__file__).parent


@pytest.fixture(scope="module", autouse=True)
def _no_collections() -> Iterator[None]:
    """Thousands of machines boot here, all of them garbage at once: collecting while they boot would double the time."""
    gc.disable()
    yield
    gc.enable()


def raised_in(error: KernelError) -> tuple[str, int]:
    """Function and line of the innermost frame that is a function of Linux, read off the traceback."""
    trace, found = error.__traceback__, ("", 0)
    while trace is not None:
        code = trace.tb_frame.f_code
        ours = code.co_name.startswith("_") and not code.co_name.startswith("__")
        if Path(code.co_filename).is_relative_to(KERNEL) and not ours:
            found = (code.co_name, trace.tb_lineno)
        trace = trace.tb_next
    return found


def user_of(outcome: Outcome) -> UserTask:
    assert outcome.call is not None
    return outcome.session.find_user(outcome.call.task)


@pytest.mark.parametrize("name", [name for name, page in pages().items() if page.errors])
def test_errors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = [(row, run(row.example, name)) for row in pages()[name].errors]
    for row, outcome in outcomes:
        assert not outcome.faults, (row.example, outcome.faults)
        assert outcome.call is not None, row.example
        assert outcome.call.errno == row.errno, (row.example, outcome.call.text)
        assert outcome.reason is not None, row.example
    places = {row: place(outcome) for row, outcome in outcomes}
    monkeypatch.setattr(cause, "origin", lambda row: places.get(row) or origin(row))  # what running it again gives
    for row, outcome in outcomes:
        _explained(row, outcome)


def place(outcome: Outcome) -> tuple[str, str, int]:
    assert outcome.reason is not None
    step = outcome.reason.origin
    assert step is not None
    return step.function, step.file, step.line


def _explained(row: ErrorRow, outcome: Outcome) -> None:
    user = user_of(outcome)
    found = explain(outcome.session, user)
    assert found is not None, row.example
    assert found.failure.errno == row.errno, row.example
    error = user.task._last_error
    assert isinstance(error, KernelError)
    function, line = raised_in(error)
    assert found.failure.function == function, row.example
    assert found.failure.reason is not None
    assert found.failure.reason.origin is not None
    assert found.failure.reason.origin.line == line, row.example
    assert row.cause in [each.cause for each in found.rows], row.example
    assert found.cause == row.cause, (row.example, found.cause)
    assert found.step is not None, row.example
    _tried(row, outcome, found.step.text)


def _tried(row: ErrorRow, outcome: Outcome, text: str) -> None:
    """The step, in the session itself."""
    events = outcome.session.run(text)
    assert not [e for e in events if isinstance(e, ev.Error | ev.Oops)], (row.example, text)
    results = [e.errno for e in events if isinstance(e, ev.CallFinished)]
    assert row.errno not in results, (row.example, text)
