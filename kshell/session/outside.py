"""Files outside the simulation: what goes wrong with them is an error of the command that named them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kshell.session.commands import CommandError


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be written: full disk, no right, a name that no file can have."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


@contextmanager
def writing(name: str) -> Iterator[None]:
    """What fails inside is a CommandError that names the file."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise CommandError(f"can't write {name}: {reason(error)}") from None


def write_text(name: str, text: str) -> None:
    """Make a file of text; bytes that were no UTF-8 when they were read are written as they were. CommandError."""
    with writing(name), open(name, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
