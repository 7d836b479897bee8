"""Walking the kernel's lists and hash tables: one line for each element, with what tells it from the others.

`walk(scope, "inetsw[SOCK_STREAM]")` and `walk_hash(scope, "tcp_hashinfo.ehash")`; both raise LangError for an
expression that means nothing, and NotWalkable for one that is no list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kshell.lang.lexer import Source
from kshell.lang.parser import parse_expression
from kshell.lens import names, values
from kshell.lens.expr import Scope, evaluate

MOST: Final = 64
"""Lines that are shown of one list; the rest is counted."""

HASHES: Final = {
    "ehash": "tcp_hashinfo.ehash",
    "bhash": "tcp_hashinfo.bhash",
    "bhash2": "tcp_hashinfo.bhash2",
    "listening": "tcp_hashinfo.lhash2",
    "lhash2": "tcp_hashinfo.lhash2",
    "listening_hash": "tcp_hashinfo.lhash2",
    "udp": "udp_table.hash",
    "udp_table": "udp_table.hash",
    "udp_hash2": "udp_table.hash2",
    "unix": "init_net.unx.table.buckets",
    "unix_bsd": "bsd_socket_buckets",
    "dentry": "dentry_hashtable",
    "raw": "raw_v4_hashinfo.ht",
}
"""Short names of the tables that students meet."""

MASKS: Final = {"tcp_hashinfo.ehash": "tcp_hashinfo.ehash_mask", "tcp_hashinfo.lhash2": "tcp_hashinfo.lhash2_mask"}
"""Tables whose buckets are found by a part of the hash."""


class NotWalkable(Exception):
    """The expression gives no list: `message` says what it gives, `hint` what to try."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def walk(scope: Scope, text: str) -> list[str]:
    """The elements of a list of the kernel, one a line: `list net_families`, `list inetsw[SOCK_STREAM]`."""
    found = elements(_value(scope, text))
    if found is None:
        what = values.plain(_value(scope, text))
        raise NotWalkable(f"{text.strip()} is no list: {what}", f"print {text.strip()} shows it")
    return _lines(found, text.strip())


def walk_hash(scope: Scope, text: str) -> list[str]:
    """The chains of a hash table, one bucket a line; elements of one chain below one another."""
    path = HASHES.get(text.strip(), text.strip())
    table = _value(scope, path)
    chains = list(_chains(table))
    if not isinstance(table, (Mapping, list)):
        raise NotWalkable(f"{path} is no hash table", f"there are: {', '.join(HASHES)}")
    mask = _value(scope, MASKS[path]) if path in MASKS else None
    lines = []
    for bucket, chain in chains[:MOST]:
        if isinstance(mask, int):
            bucket = str(int(bucket) & mask)
        for index, element in enumerate(chain):
            head = f"[{bucket}]" if index == 0 else " " * (len(str(bucket)) + 1) + "→"
            lines.append(f"{head} {values.summary(element)}")
    if len(chains) > MOST:
        lines.append(f"… {len(chains) - MOST} more buckets")
    count = sum(len(chain) for _, chain in chains)
    return [f"{path}: {_count(count, 'element')} in {_count(len(chains), 'bucket')}", *lines]


def elements(value: object) -> list[tuple[str, object]] | None:
    """The elements of a list, array, queue or wait queue with their labels, NULLs left out; None if it is none."""
    if isinstance(value, Mapping):
        return _nested([(_label(key), element) for key, element in value.items()])
    head = getattr(value, "head", None)
    if names.struct_name(value) == "wait_queue_head":
        return _numbered(head or ())
    if isinstance(value, (list, tuple, set, frozenset)) or names.struct_name(value) == "sk_buff_head":
        return _nested(_numbered(value))  # type: ignore[arg-type]
    return _numbered(value) if type(value).__name__ == "deque" else None  # type: ignore[arg-type]


def _numbered(found: Iterable[object]) -> list[tuple[str, object]]:
    return [(str(index), element) for index, element in enumerate(found) if element is not None]


def _nested(found: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """Lists of lists as one: the elements of inetsw have labels such as `2][0`."""
    flat: list[tuple[str, object]] = []
    for label, element in found:
        if isinstance(element, list):
            flat += [(f"{label}][{index}", inner) for index, inner in enumerate(element)]
        else:
            flat.append((label, element))
    return flat


def _label(key: object) -> str:
    return values.plain(key) if not isinstance(key, tuple) else ", ".join(values.plain(part) for part in key)


def _lines(found: list[tuple[str, object]], text: str) -> list[str]:
    if not found:
        return [f"{text} is empty"]
    width = max(len(label) for label, _ in found[:MOST]) + 2
    lines = [f"{f'[{label}]':{width}} {values.summary(element)}" for label, element in found[:MOST]]
    return lines + ([f"… {len(found) - MOST} more"] if len(found) > MOST else [])


def _chains(table: object) -> Iterator[tuple[str, list[object]]]:
    """Buckets that hold something."""
    buckets = table.items() if isinstance(table, Mapping) else enumerate(table) if isinstance(table, list) else ()
    for bucket, chain in buckets:
        held = getattr(chain, "head", chain)
        if held is None:
            continue
        found = list(held) if isinstance(held, (Mapping, list, tuple, set)) else [held]
        if found:
            yield _label(bucket), found


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _value(scope: Scope, text: str) -> object:
    return evaluate(parse_expression(text), scope, Source(text))
