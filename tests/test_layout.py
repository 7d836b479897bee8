"""The shape of the house: which package may import which, how long a file may be, what lies at the top."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kshell"
SOURCES = sorted(PACKAGE.rglob("*.py"))

TOP_LEVEL = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "kshell", "tests", "scripts"}
GENERATED = {"build", "dist"}

# What each package may import besides itself: shell → session → {lang, userland, lens} → world → linux → abi.
BELOW = {
    "abi": set(),
    "linux": {"abi"},
    "world": {"abi", "linux"},
    "lang": {"abi", "linux", "world"},
    "userland": {"abi", "linux", "world"},
    "lens": {"abi", "linux", "world", "lang"},  # lang: parsed expressions over kernel objects
    "session": {"abi", "linux", "world", "lang", "userland", "lens"},
    "lessons": {"abi", "linux", "world", "lang", "userland", "lens", "session"},
    "shell": {"abi", "linux", "world", "lang", "userland", "lens", "session", "lessons"},
}
TERMINAL = {"rich", "prompt_toolkit", "pygments"}
MAY_USE_TERMINAL = {"shell", "lens"}

MAX_LINES = 650
MAX_LINES_OF_HEADERS = 900  # abi and linux/include: tables and declarations


def imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


def layer_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def located(path: Path, line: int, text: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {text}"


def limit_of(path: Path) -> int:
    inside = path.relative_to(PACKAGE).parts
    return MAX_LINES_OF_HEADERS if inside[0] == "abi" or inside[:2] == ("linux", "include") else MAX_LINES


def test_imports_go_one_way() -> None:
    wrong = []
    for path in SOURCES:
        layer = layer_of(path)
        if not layer:
            continue
        for line, module in imported(path):
            parts = module.split(".")
            if parts[0] == "kshell" and len(parts) > 1 and parts[1] != layer and parts[1] not in BELOW[layer]:
                wrong.append(located(path, line, f"{layer} imports {module}"))
    assert not wrong, "\n".join(wrong)


def test_only_the_shell_and_renderers_know_a_terminal() -> None:
    wrong = [
        located(path, line, f"imports {module}")
        for path in SOURCES
        for line, module in imported(path)
        if module.split(".")[0] in TERMINAL and layer_of(path) not in MAY_USE_TERMINAL
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_is_known() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages <= set(BELOW)


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    assert not [located(path, n, "too long") for path, n in lengths.items() if n > limit_of(path)]


def test_the_top_level_is_as_agreed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    seen = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert {name for name in seen if not name.endswith(".egg-info")} - GENERATED == TOP_LEVEL


@pytest.mark.parametrize(
    "module",
    ["net.core.sock", "net.core.sock_free", "net.ipv4.route_output", "net.ipv4.udplite", "fs.proc.namespaces", "include.net.ip"],
)
def test_any_module_of_the_kernel_can_be_imported_first(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import kshell.linux.{module}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
