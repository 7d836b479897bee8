"""Writes kshell/lens/linux_files.tsv: the C files of Linux in the model's folders, and where functions lie elsewhere.

    python scripts/lib/make_linux_files.py LINUX_SOURCE FUNCTIONS_TSV

FUNCTIONS_TSV: function name and source file by tab, as tests/conformance/functions.tsv. Lines of the result:
`dir<TAB>FOLDER<TAB>STEM STEM ...` and `function<TAB>NAME<TAB>FILE`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from kshell.lens.linux_files import HEAD, LinuxFiles
from kshell.lens.trace_twins import kernel_functions
from kshell.world.machine import Machine

ROOT = Path(__file__).resolve().parent.parent.parent


def main(source: Path, functions: Path) -> None:
    """Write the table."""
    Machine()
    model = ROOT / "kshell" / "linux"
    folders: dict[str, list[str]] = {}
    for folder in sorted({path.parent.relative_to(model).as_posix() for path in model.rglob("*.py")}):
        stems = sorted(path.stem for path in (source / folder).glob("*.c"))
        if stems and not folder.startswith("include"):
            folders[folder] = stems
    rule = LinuxFiles(folders, {})
    lines = [f"dir\t{folder}\t{' '.join(stems)}" for folder, stems in folders.items()]
    known = dict(row.split("\t") for row in functions.read_text().splitlines()[1:])
    for function in sorted(kernel_functions(), key=lambda found: found.__name__):
        files = known.get(function.__name__, "").split(",")
        if files[0] and rule.file_of(function) not in files:
            lines.append(f"function\t{function.__name__}\t{files[0]}")
    text = "\n".join([HEAD, *dict.fromkeys(lines)]) + "\n"
    (ROOT / "kshell" / "lens" / "linux_files.tsv").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
