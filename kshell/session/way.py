"""How a command got to the stop of the debugger that it is at, so that `back` can go to the one before."""

from __future__ import annotations

from kshell.lens.debug.debugger import Action, Stop
from kshell.lens.debug.points import Point, Points
from kshell.session.commands import CommandError


class Way:
    """How a command got to its stop, so that it can be run again to the stop before.

    taken: how each stop was left; ahead: the same of stops that `back` has left. A way is made of actions and the
    number of the frame that was looked at, since frames are others when the command runs again.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[Action, int]] = []
        self.ahead: list[tuple[Action, int]] = []
        self.returning = False
        self._to_go: list[tuple[Action, int]] = []
        self._mark: dict[int, tuple[Point, int]] = {}
        self._later: dict[int, Point] = {}

    def begin(self, points: Points) -> None:
        """A command begins."""
        self.__init__()  # type: ignore[misc]
        self._mark = points.mark()

    def begin_again(self, points: Points) -> None:
        """It begins again, to go as far as it is to."""
        self.returning = False
        points.reset(self._mark)
        self._to_go, self.taken = self.taken, []

    def known(self, stop: Stop, points: Points) -> Action | None:
        """How to leave a stop on the way to the one that is wanted; None: this is it."""
        if not self._to_go:
            points.all |= self._later
            self._later = {}
            return None
        self.taken.append(self._to_go.pop(0))
        return _repeated(*self.taken[-1], stop)

    def take(self, action: Action, stop: Stop) -> None:
        """A stop is left."""
        if not self.ahead or self.ahead[0][0].kind != action.kind:
            self.ahead = []
        else:
            del self.ahead[0]
        self.taken.append((action, stop.selected))

    def back(self, points: Points) -> None:
        """Go to the stop before; CommandError if this is the first."""
        if not self.taken:
            raise CommandError("this is the first stop of the command", "undo takes the command back")
        self.ahead.insert(0, self.taken.pop())
        self._later = {number: point for number, point in points.all.items() if number not in self._mark}
        self.returning = True

    def forward(self, stop: Stop | None) -> Action:
        """Leave the stop as it was left before; CommandError if there is no other known."""
        if not self.ahead or stop is None:
            raise CommandError("nothing is known of stops after this", "continue, step, next and finish go on")
        return _repeated(*self.ahead[0], stop)


def _repeated(action: Action, selected: int, stop: Stop) -> Action:
    frame = stop.frames[selected] if action.kind == "finish" else None
    return Action(action.kind, action.count, action.line, frame)
