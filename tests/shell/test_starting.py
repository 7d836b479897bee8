"""How scripts/kshell starts Python: wherever the user stands, and with site-packages only when something is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = re.search(
    r'^exec "\$root/\.venv/bin/python" (-\w+) -c \'(.*?)\' "\$root" "\$@"$',
    (ROOT / "scripts/kshell").read_text(),
    re.S | re.M,
)


def start(*arguments: str, cwd: Path = ROOT, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python as scripts/kshell does; code: to run instead of kshell's entry."""
    assert START is not None
    flags, text = START.groups()
    text = text.replace("entry()", f"entry\n{code}") if code else text
    return subprocess.run(
        [sys.executable, flags, "-c", text, str(ROOT), *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.mark.parametrize("name", ["struct", "enum", "random", "rich", "kshell"])
def test_modules_of_the_same_name_where_the_user_stands_do_not_matter(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    done = start("-c", "getpid() = 1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "getpid() = 1" in done.stdout


def test_a_script_needs_nothing_of_site_packages() -> None:
    code = "import os\nos._exit = lambda status: print('site' in sys.modules)\nentry()"
    assert start("check", "kshell/lessons/tour.ks", code=code).stdout.endswith("False\n")


def test_modules_that_the_standard_library_lacks_here_are_not_looked_for_in_site_packages() -> None:
    code = """
sys.meta_path.append(sys.modules['kshell.shell.main'].LateSite())
import pathlib
try:
    import nt
except ModuleNotFoundError:
    print('site' in sys.modules)
"""
    done = start(code=code)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_what_is_in_site_packages_is_found_when_it_is_wanted() -> None:
    code = """
sys.meta_path.append(sys.modules['kshell.shell.main'].LateSite())
import rich.console, prompt_toolkit, json
try:
    import kshell_nowhere
except ModuleNotFoundError as error:
    print(rich.console.__file__, error)
"""
    done = start(code=code)
    assert done.stderr == ""
    assert "site-packages" in done.stdout
    assert "No module named 'kshell_nowhere'" in done.stdout


DEAR = {
    "array", "bisect", "collections", "contextlib", "enum", "functools", "importlib", "operator", "re", "struct", "types",
    "typing", "warnings", "zlib",
}  # fmt: skip
"""What a start could have of the standard library without these takes longer to import than the kernel to boot."""


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_script_loads_little_of_the_standard_library(kshells_cache: str, tmp_path: Path, command: str) -> None:
    (tmp_path / "script.ks").write_text("fd = socket(AF_INET, SOCK_STREAM, 0) = 3\nclose(fd) = 0\n")
    code = f"""
import os
os._exit = lambda status: print(*sorted(sys.modules.keys() & {DEAR!r}), sep="\\n")
from kshell.shell import bytecode
bytecode.CACHE = {kshells_cache!r}
entry()
"""
    done = start(command, str(tmp_path / "script.ks"), code=code)
    assert "close(3) = 0" in done.stdout or "2 of 2" in done.stdout
    assert done.stdout.splitlines()[-1] == ""
