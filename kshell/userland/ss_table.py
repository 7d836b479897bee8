"""The table of ss: columns as wide as what is in them."""

from __future__ import annotations

from typing import Final

HEADS: Final = ("Netid", "State", "Recv-Q", "Send-Q", "Local Address:", "Port", "Peer Address:", "Port", "Process")
_GAPS: Final = ("", " ", " ", " ", " ", "", " ", "", "")
_RIGHT: Final = (4, 6)


class Row:
    """A line: netid, state, queues, both ends (each an address with its sign, and a port), and what comes behind."""

    def __init__(
        self, netid: str, state: str, queues: tuple[int, int], local: tuple[str, str], peer: tuple[str, str]
    ) -> None:
        self.cells = [netid, state, f"{queues[0]:<6}", f"{queues[1]:<6}", *local, *peer]
        self.behind = ""

    def all_cells(self) -> list[str]:
        """The cells of all columns."""
        return [*self.cells, self.behind]


def table(rows: list[Row], netid: bool, state: bool, header: bool) -> list[str]:
    """The lines; netid, state: whether these columns are shown. What comes behind in the last row counts for no width."""
    lines = ([list(HEADS)] if header else []) + [row.all_cells() for row in rows]
    shown = [at for at in range(len(HEADS)) if (at != 0 or netid) and (at != 1 or state)]
    widths = [max((len(line[at]) for line in lines), default=0) for at in range(len(HEADS) - 1)]
    widths.append(max((len(line[-1]) for line in lines[:-1]), default=0))
    return [_line(line, shown, widths) for line in lines]


def _line(line: list[str], shown: list[int], widths: list[int]) -> str:
    text = ""
    for at in shown:
        cell = f"{line[at]:>{widths[at]}}" if at in _RIGHT else f"{line[at]:<{widths[at]}}"
        text += (_GAPS[at] if at != shown[0] else "") + cell
    return text
