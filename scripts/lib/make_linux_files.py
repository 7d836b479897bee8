"""Writes kshell/lens/linux_files.tsv: the C files of Linux in the model's folders, and where recorded functions lie.

    python scripts/lib/make_linux_files.py LINUX_SOURCE FUNCTIONS_TSV

FUNCTIONS_TSV: function name and source files by tab, as tests/conformance/functions.tsv. Lines of the result:
`dir<TAB>FOLDER<TAB>STEM STEM ...` and `function<TAB>NAME<TAB>FILE,FILE`.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from kshell.lens.linux_files import HEAD, TABLE  # noqa: E402


def main(source: Path, functions: Path) -> None:
    """Write the table."""
    model = ROOT / "kshell" / "linux"
    lines = [HEAD]
    for folder in sorted({path.parent.relative_to(model).as_posix() for path in model.rglob("*.py")}):
        stems = sorted(path.stem for path in (source / folder).glob("*.c"))
        if stems and not folder.startswith("include"):
            lines.append(f"dir\t{folder}\t{' '.join(stems)}")
    lines += [f"function\t{row}" for row in functions.read_text().splitlines()[1:]]
    TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
