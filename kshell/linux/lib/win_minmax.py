"""A running minimum over a time window, with three samples (lib/win_minmax.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import minmax


def minmax_reset(m: minmax, t: int, meas: int) -> int:
    """Forget all but this sample."""
    sample = (t, meas)
    m.s = [sample, sample, sample]
    return meas


def minmax_subwin_update(m: minmax, win: int, val: tuple[int, int]) -> int:
    """Let samples age: the second best moves up when the best is older than the window."""
    dt = val[0] - m.s[0][0] & 0xFFFFFFFF
    s = m.s
    if dt > win:
        m.s = s = [s[1], s[2], val]
        if val[0] - s[0][0] & 0xFFFFFFFF > win:
            m.s = [s[1], s[2], val]
    elif s[1][0] == s[0][0] and dt > win // 4:
        m.s = [s[0], val, val]
    elif s[2][0] == s[1][0] and dt > win // 2:
        m.s = [s[0], s[1], val]
    return m.s[0][1]


def minmax_running_min(m: minmax, win: int, t: int, meas: int) -> int:
    """Take a sample at time `t`; the minimum of the last `win` ticks."""
    s = m.s
    if meas <= s[0][1] or t - s[2][0] & 0xFFFFFFFF > win:
        return minmax_reset(m, t, meas)
    val = (t, meas)
    if meas <= s[1][1]:
        m.s = [s[0], val, val]
    elif meas <= s[2][1]:
        m.s = [s[0], s[1], val]
    return minmax_subwin_update(m, win, val)
