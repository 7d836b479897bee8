"""Writes kshell/lens/linux_files.tsv: the files of Linux in the model's folders, and where functions lie.

    python scripts/lib/make_linux_files.py LINUX_SOURCE FUNCTIONS_TSV UNRECORDED_TSV

Function name and source files by tab: tests/conformance/functions.tsv, and unrecorded.tsv (by make_unrecorded.py), of
which those are kept whose file is not the one that the model's module mirrors. Lines of the result:
`dir<TAB>FOLDER<TAB>STEM STEM ...` and `function<TAB>NAME<TAB>FILE,FILE`.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from kshell.lens.linux_files import HEAD, KERNEL, TABLE, LinuxFiles  # noqa: E402

MODEL = ROOT / "kshell" / "linux"
FUNCTION = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)


def folders_of(source: Path) -> dict[str, list[str]]:
    """The files of Linux, without suffix, in each folder that the model has."""
    folders = {}
    for folder in sorted({path.parent.relative_to(MODEL).as_posix() for path in MODEL.rglob("*.py")}):
        stems = sorted(path.stem for path in (source / folder).glob("*.h" if folder.startswith("include") else "*.c"))
        if stems:
            folders[folder] = stems
    return folders


def main(source: Path, recorded: Path, unrecorded: Path) -> None:
    """Write the table."""
    folders = folders_of(source)
    lines = [HEAD, *(f"dir\t{folder}\t{' '.join(stems)}" for folder, stems in folders.items())]
    lines += [f"function\t{row}" for row in recorded.read_text().splitlines()[1:]]
    mirrored = LinuxFiles(folders, {})
    files = defaultdict[str, set[str]](set)
    for path in sorted(MODEL.rglob("*.py")):
        module = KERNEL + path.relative_to(MODEL).with_suffix("").as_posix().replace("/", ".")
        for name in FUNCTION.findall(path.read_text()):
            files[name].add(mirrored.file_of_module(module))
    for row in unrecorded.read_text().splitlines()[1:]:
        name, where = row.split("\t")
        if not files[name] <= set(where.split(",")):
            lines.append(f"function\t{row}")
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
