"""kshell: a Linux 6.1 kernel you can type system calls at.

    machine = kshell.Machine(seed=0)      boots; machine.init is pid 1
    session = kshell.Session(machine)     executes command text and yields events
    session.goto(3)                       travels; kshell.session.face tells what else can be asked of a session
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is imported by those who need it
if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.world.machine import Machine

__version__ = "0.1.0"
__all__ = ["Machine", "Session", "__version__"]


def __getattr__(name: str) -> object:
    """Machine and Session are imported when they are first used, so that `import kshell` stays cheap."""
    if name == "Machine":
        from kshell.world.machine import Machine

        return Machine
    if name == "Session":
        from kshell.session.session import Session

        return Session
    raise AttributeError(f"module 'kshell' has no attribute {name!r}")
