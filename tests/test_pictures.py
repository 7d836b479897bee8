"""The pictures of the README and the manual show what kshell does now."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PICTURES = sorted((ROOT / "kshell" / "lessons").glob("*.svg"))


def test_pictures_are_current() -> None:
    if not (ROOT / "scripts").exists():
        pytest.skip("not a checkout")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "pictures"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_well_formed_and_names_what_it_shows(path: Path) -> None:
    root = ET.parse(path).getroot()
    assert root.get("aria-label")
    assert root.get("role") == "img"
    assert "\x1b" not in path.read_text(encoding="utf-8")
