"""The virtual clock: order, cancelling, jumping."""

from hypothesis import given
from hypothesis import strategies as st

from kshell.world.clock import VirtualClock


def test_events_of_one_moment_run_in_the_order_of_their_making() -> None:
    clock, seen = VirtualClock(), []
    for name in "abc":
        clock.call_at(5, lambda name=name: seen.append(name))
    while clock.run_next():
        pass
    assert seen == ["a", "b", "c"]
    assert clock.now == 5


def test_timers_of_one_tick_run_newest_first_as_in_a_timer_wheel() -> None:
    clock, seen = VirtualClock(), []
    for name in "abc":
        clock.call_at(5, lambda name=name: seen.append(name), newest_first=name != "a")
    while clock.run_next():
        pass
    assert seen == ["c", "b", "a"]


def test_an_event_in_the_past_runs_without_turning_time_back() -> None:
    clock = VirtualClock()
    clock.call_at(10, lambda: clock.call_at(3, lambda: None))
    while clock.run_next():
        assert clock.now == 10


def test_a_cancelled_event_never_runs_and_cancelling_twice_is_harmless() -> None:
    clock = VirtualClock()
    timer = clock.call_at(1, lambda: (_ for _ in ()).throw(AssertionError))
    timer.cancel()
    timer.cancel()
    assert clock.next_event() is None
    assert not clock.run_next()


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=300))
def test_what_is_not_cancelled_runs_in_order_of_time(plan: list[tuple[int, bool]]) -> None:
    clock, seen = VirtualClock(), []
    timers = [clock.call_at(when, lambda when=when: seen.append(when)) for when, _ in plan]
    for timer, (_, keep) in zip(timers, plan, strict=True):
        if not keep:
            timer.cancel()
    while clock.run_next():
        pass
    assert seen == sorted(when for when, keep in plan if keep)
    assert not clock._queue
