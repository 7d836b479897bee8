"""Writes tests/conformance/unrecorded.tsv: where Linux has the model's functions that no recording lists.

    python scripts/lib/make_unrecorded.py LINUX_SOURCE

They are looked for with Universal Ctags: C functions and macros, and what SYSCALL_DEFINE and DEFINE_BATCHED_ENTROPY
make. One that Linux does not have gets no row, and fails tests/lens/test_linux_files.py. make_linux_files.py comes next.
"""

import re
import subprocess
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import FunctionType

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import kshell.linux  # noqa: E402
from kshell.lens.linux_files import LinuxFiles  # noqa: E402
from kshell.lens.trace_twins import is_shown  # noqa: E402
from lib.make_linux_files import folders_of  # noqa: E402

CONFORMANCE = ROOT / "tests" / "conformance"
FOLDERS = (
    "arch/x86", "block", "drivers/base", "drivers/char", "drivers/connector", "drivers/net", "drivers/pci", "drivers/tty",
    "fs", "include", "init", "ipc", "kernel", "lib", "mm", "net", "security",
)  # fmt: skip
NOT_BUILT = re.compile(r"_32\.[ch]$|nommu|^mm/sl[ao]b\.c$|^arch/x86/(um|tools)/|^include/linux/(raid/|genl_magic)")
"""What a 64-bit kernel with an MMU and SLUB leaves out, and what is compiled into tools."""

OURS = {"kernel/module/procfs.c": "m_start m_next m_stop m_show"}
"""Of files far from the model's module that define the same names: the one which has the model's functions."""

SYSCALL = re.compile(r"^(COMPAT_)?SYSCALL_DEFINE\d\((\w+)", re.MULTILINE)
RANDOM = re.compile(r"^DEFINE_BATCHED_ENTROPY\((\w+)\)", re.MULTILINE)


def main(source: Path) -> None:
    """Write the table."""
    defined = _definitions(source)
    files = LinuxFiles(folders_of(source), {})
    recorded = {row.split("\t")[0] for row in (CONFORMANCE / "functions.tsv").read_text().splitlines()[1:]}
    found = defaultdict[str, set[str]](set)
    for name, module in _functions_of_model():
        found[name] |= _likeliest(defined[name], files.file_of_module(module))
    lines = ["function\tsource file"]
    for name in sorted(found.keys() - recorded):
        if found[name]:
            lines.append(f"{name}\t{','.join(sorted(found[name], key=lambda file: (file.endswith('.h'), file)))}")
    (CONFORMANCE / "unrecorded.tsv").write_text("\n".join(lines) + "\n")


def _functions_of_model() -> set[tuple[str, str]]:
    """Name and module of each that has a name of Linux."""
    found = set()
    for info in walk_packages(kshell.linux.__path__, "kshell.linux."):
        for name, value in vars(import_module(info.name)).items():
            own = isinstance(value, FunctionType) and (value.__name__, value.__module__) == (name, info.name)
            if own and is_shown(name):
                found.add((name, info.name))
    return found


def _likeliest(defined: set[str], mirrored: str) -> set[str]:
    """Of files that define a name: the one that the model's module mirrors, or those of its folder, or all."""
    folder = mirrored.rpartition("/")[0]
    return defined & {mirrored} or {file for file in defined if file.rpartition("/")[0] == folder} or defined


def _definitions(source: Path) -> defaultdict[str, set[str]]:
    """The files that define a function or a macro of a name."""
    found = defaultdict[str, set[str]](set)
    ctags = ("ctags", "--languages=C", "--langmap=C:.c.h", "--kinds-C=fd", "-R", "-f", "-", *FOLDERS)
    done = subprocess.run(ctags, cwd=source, check=True, capture_output=True, text=True, errors="replace")
    for line in done.stdout.splitlines():
        name, file, _ = line.split("\t", 2)
        found[name].add(file)
    for path in (path for folder in FOLDERS for path in (source / folder).rglob("*.c")):
        text, file = path.read_text(errors="replace"), path.relative_to(source).as_posix()
        for compat, call in SYSCALL.findall(text):
            found[f"{'compat_' if compat else ''}sys_{call}"].add(file)
        for kind in RANDOM.findall(text):
            found[f"get_random_{kind}"].add(file)
    for file, names in OURS.items():
        for name in names.split():
            found[name] &= {file}
    for name, files in found.items():
        found[name] = {file for file in files if not NOT_BUILT.search(file)}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
