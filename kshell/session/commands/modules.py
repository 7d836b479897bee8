"""Kernel modules: modprobe, rmmod, lsmod, through the system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import command
from kshell.session.commands.files import run_program, wants_words

if TYPE_CHECKING:
    from kshell.session.session import Session


@command("modprobe NAME", section="modules", completion="module")
def do_modprobe(session: Session, arguments: str) -> None:
    """Load a module: its file is found by name or alias and given to init_module()."""
    wants_words("modprobe", arguments)
    run_program(session, "modprobe", arguments)


@command("rmmod NAME", section="modules", completion="module")
def do_rmmod(session: Session, arguments: str) -> None:
    """Remove a module by delete_module(); EWOULDBLOCK while it is in use."""
    wants_words("rmmod", arguments)
    run_program(session, "rmmod", arguments)


@command("lsmod", section="modules")
def do_lsmod(session: Session, arguments: str) -> None:
    """List the loaded modules with their sizes and reference counts, from /proc/modules."""
    run_program(session, "lsmod", arguments)
