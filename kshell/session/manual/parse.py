"""Reads the manual's source: the files of `pages/`, one subject each.

    # bind                            a page; `# recv like recvfrom` takes that page's error rows, `substitute:` edits them
    Give a socket a local address.    the summary, one sentence; more lines follow as description
    fd: the socket                    what an argument is (its C type stands in kshell.abi.syscalls)
    result: 0                         what success gives
    example:                          indented lines are commands of a session
      fd = socket(AF_INET, SOCK_STREAM, 0)
    EINVAL: the socket has an address already
      socket(AF_INET, SOCK_STREAM, 0)
      …                               the last call of the page's name fails with that error
      > addrlen=16                    a next step: the failed command with an argument replaced,
      > socket(AF_INET, $type, 0)     or another command; $NAME is the failed call's argument
      >> listen($fd, 5)               `>>`: after this the failed command works
    see: listen connect
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kshell.abi.record import Record

_KEY: Final = re.compile(r"(\w+): ?(.*)")
_TITLE: Final = re.compile(r"# (\w+)(?: like (\w+))?$")


class Step(Record):
    """A next step as the manual writes it; again: it makes the failed command work, rather than take its place."""

    text: str
    again: bool


class ErrorRow(Record):
    """One cause of one error: commands whose last call of the page's name gives it, and what to do then."""

    call: str
    errno: str
    cause: str
    example: str
    steps: tuple[Step, ...]


class Page(Record):
    """What the manual says of one system call."""

    name: str
    summary: str
    description: str
    arguments: dict[str, str]
    result: str
    example: str
    errors: tuple[ErrorRow, ...]
    see: tuple[str, ...]


class _Draft:
    """A page while it is read."""

    def __init__(self, name: str, like: str) -> None:
        self.name = name
        self.like = like
        self.prose: list[str] = []
        self.keys: list[tuple[str, str, list[str]]] = []

    def add(self, line: str) -> None:
        key = _KEY.fullmatch(line)
        if line.startswith("  "):
            if self.keys:
                self.keys[-1][2].append(line[2:])
            else:
                self.prose.append(line)
        elif key:
            self.keys.append((key[1], key[2], []))
        elif line:
            self.prose.append(line)

    def values(self, key: str) -> list[str]:
        """What stands behind a key, each time it stands there."""
        return [" ".join([text, *more]) for name, text, more in self.keys if name == key]


def parse(text: str, known: dict[str, Page]) -> dict[str, Page]:
    """The pages of one source file; `known`: pages that `like` may name, from files before."""
    pages: dict[str, Page] = {}
    for draft in _drafts(text):
        pages[draft.name] = _page(draft, {**known, **pages})
    return pages


def _drafts(text: str) -> Iterator[_Draft]:
    draft: _Draft | None = None
    for line in text.splitlines():
        title = _TITLE.fullmatch(line)
        if title:
            if draft is not None:
                yield draft
            draft = _Draft(title[1], title[2] or "")
        elif draft is not None:
            draft.add(line)
    if draft is not None:
        yield draft


_SPECIAL: Final = frozenset({"result", "example", "see", "substitute", "without"})


def _page(draft: _Draft, known: dict[str, Page]) -> Page:
    rows = [
        _row(draft.name, key, cause, lines) for key, cause, lines in draft.keys if _is_errno(key)
    ]
    if draft.like:
        own = {row.errno for row in rows}
        rows = [*_inherited(draft, known[draft.like], own), *rows]
    arguments = {
        key: " ".join([text, *more]) for key, text, more in draft.keys if key not in _SPECIAL and not _is_errno(key)
    }
    examples = ["\n".join(lines) for key, _, lines in draft.keys if key == "example"]
    return Page(
        draft.name,
        draft.prose[0] if draft.prose else "",
        "\n".join(draft.prose[1:]),
        arguments or (known[draft.like].arguments if draft.like else {}),
        " ".join(draft.values("result")) or (known[draft.like].result if draft.like else "0"),
        "\n".join(examples),
        tuple(sorted(rows, key=lambda row: row.errno)),
        tuple(" ".join(draft.values("see")).split()),
    )


def _is_errno(key: str) -> bool:
    return key[0] == "E" and key.isupper()


def _row(call: str, errno: str, cause: str, lines: list[str]) -> ErrorRow:
    steps = tuple(Step(line.lstrip("> "), line.startswith(">>")) for line in lines if line.startswith(">"))
    example = "\n".join(line for line in lines if not line.startswith(">"))
    return ErrorRow(call, errno, cause, example, steps)


def _inherited(draft: _Draft, page: Page, own: set[str]) -> Iterator[ErrorRow]:
    """The rows of another page with `substitute: OLD -> NEW` done to their commands; those in `without`, and those
    whose error the page itself explains, left out."""
    edits = [text.split(" -> ") for text in draft.values("substitute")]
    dropped = own | set(" ".join(draft.values("without")).split())
    for row in page.errors:
        if row.errno not in dropped:
            example = _edited(row.example, edits)
            steps = tuple(Step(_edited(step.text, edits), step.again) for step in row.steps)
            yield ErrorRow(draft.name, row.errno, row.cause, example, steps)


def _edited(text: str, edits: list[list[str]]) -> str:
    for old, new in edits:
        start = r"(?<!\w)" if old[0].isalnum() else ""
        text = re.sub(start + re.escape(old), lambda _, new=new: new, text)  # type: ignore[misc]
    return text
