"""Scoring a call tree against a recorded one: how much of each stands in the other, in the same order.

precision  of the tree's functions that the recordings know, the share that stands in the recorded chain
recall     of the recorded functions that a socket and file model should show, the share that the tree shows
nesting    of the functions in both, the share whose nearest caller in both is the same
"""

from collections.abc import Mapping
from dataclasses import dataclass

Row = tuple[int, str]

IN_SCOPE = (
    "net/socket.c", "net/core/", "net/ipv4/", "net/unix/", "net/netlink/", "net/packet/", "net/sysctl_net.c",
    "net/ethernet/", "drivers/net/", "init/", "fs/", "kernel/fork.c", "kernel/exit.c", "kernel/signal.c",
    "kernel/sysctl.c", "kernel/softirq.c", "kernel/sys.c", "kernel/task_work.c", "kernel/nsproxy.c",
)  # fmt: skip
OUT_OF_SCOPE = (
    "fs/notify/", "net/core/filter.c", "net/core/netclassid", "net/core/gro.c", "net/core/gen_estimator.c", "fs/exec.c",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChainScore:
    """The three shares, and the names behind them for whoever wants to raise them."""

    precision: float
    recall: float
    nesting: float
    extra: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read_rows(text: str) -> list[Row]:
    """Depth and name of each line of a chain; sibling subtrees that repeat are folded into one."""
    rows = []
    for line in text.splitlines():
        body = line.lstrip(" ")
        words = body.lstrip("~").split()
        if words and not body.startswith("#"):
            rows.append(((len(line) - len(body)) // 2, words[0].rstrip("()")))
    return fold(rows)


def fold(rows: list[Row]) -> list[Row]:
    """Drop a sibling subtree that equals the one right before it."""
    folded: list[Row] = []
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and rows[end][0] > rows[start][0]:
            end += 1
        tree = [rows[start], *fold(rows[start + 1 : end])]
        if folded[-len(tree) :] != tree:
            folded += tree
        start = end
    return folded


def common(real: list[Row], model: list[Row]) -> list[tuple[int, int]]:
    """Index pairs of a longest common subsequence of the names."""
    width = len(model)
    best = [[0] * (width + 1) for _ in range(len(real) + 1)]
    names = [name for _, name in model]
    for i in range(len(real) - 1, -1, -1):
        row, below, wanted = best[i], best[i + 1], real[i][1]
        for j in range(width - 1, -1, -1):
            if names[j] == wanted:
                row[j] = below[j + 1] + 1
            else:
                row[j] = row[j + 1] if row[j + 1] > below[j] else below[j]
    pairs, i, j = [], 0, 0
    while i < len(real) and j < width:
        if real[i][1] == names[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def callers(rows: list[Row], kept: set[int]) -> dict[int, int | None]:
    """For each kept index the nearest kept index above it in the tree."""
    stack: list[int] = []
    found: dict[int, int | None] = {}
    for index, (depth, _) in enumerate(rows):
        while stack and rows[stack[-1]][0] >= depth:
            stack.pop()
        if index in kept:
            found[index] = stack[-1] if stack else None
            stack.append(index)
    return found


def score_chain(recorded: str, model: str, files: Mapping[str, str]) -> ChainScore:
    """Score the text of a chain; `files` maps every known function to its Linux source file."""
    real, mine = read_rows(recorded), read_rows(model)
    if not mine:
        return ChainScore(0.0, 0.0, 0.0)
    pairs = common(real, mine)
    real_hit, model_hit = {i for i, _ in pairs}, {j: i for i, j in pairs}
    known = [j for j, (_, name) in enumerate(mine) if name in files]
    wanted = [i for i, (_, name) in enumerate(real) if in_scope(files.get(name, ""))]
    up_real, up_model = callers(real, real_hit), callers(mine, set(model_hit))
    nested = 0
    for j, i in model_hit.items():
        above = up_model[j]
        nested += up_real[i] == (None if above is None else model_hit[above])
    return ChainScore(
        _share(sum(j in model_hit for j in known), len(known)),
        _share(sum(i in real_hit for i in wanted), len(wanted)),
        _share(nested, len(pairs)),
        tuple(mine[j][1] for j in known if j not in model_hit),
        tuple(real[i][1] for i in wanted if i not in real_hit),
    )


def in_scope(file: str) -> bool:
    """Whether a model of the socket layer, its files and protocols should show functions of this file."""
    return file.endswith(".c") and file.startswith(IN_SCOPE) and not file.startswith(OUT_OF_SCOPE)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
