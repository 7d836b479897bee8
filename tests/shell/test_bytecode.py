"""The byte code cache: used when it is true, passed over when it is not, never needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from kshell.shell import bytecode

SOURCE = "def answer():\n    return {}\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "kshell_cached"
    root.mkdir()
    (root / "__init__.py").write_text(SOURCE.format(1))
    monkeypatch.setattr(bytecode, "ROOT", str(root))
    monkeypatch.setattr(bytecode, "CACHE", str(root / "cache.bin"))
    return root


def found(name: str = "kshell_cached") -> object:
    spec = bytecode.BytecodeCache().find_spec(name)
    if spec is None:
        return None
    assert isinstance(spec.loader, bytecode.CachedLoader)
    scope: dict[str, object] = {}
    exec(spec.loader.get_code(name), scope)  # type: ignore[arg-type]
    return scope["answer"]() if "answer" in scope else None  # type: ignore[operator]


def test_a_built_cache_gives_the_modules_code(package: Path) -> None:
    bytecode.build()
    assert found() == 1


def test_a_changed_source_is_not_taken_from_the_cache(package: Path) -> None:
    bytecode.build()
    (package / "__init__.py").write_text(SOURCE.format(200))
    assert found() is None


def test_a_source_that_is_gone_is_not_taken_from_the_cache(package: Path) -> None:
    bytecode.build()
    (package / "__init__.py").unlink()
    assert found() is None


@pytest.mark.parametrize("content", [b"", b"\0", b"garbage", b"\xf3\x01", b"N"])
def test_a_damaged_cache_is_as_none(package: Path, content: bytes) -> None:
    (package / "cache.bin").write_bytes(content)
    assert found() is None


def test_modules_of_others_are_left_to_others(package: Path) -> None:
    bytecode.build()
    assert bytecode.BytecodeCache().find_spec("json") is None


def test_a_cache_that_cannot_be_written_is_left_out(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "CACHE", "/proc/nowhere/cache.bin")
    bytecode.build()


def test_the_command_runs_with_the_cache() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kshell", "-c", "getpid() = 1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "getpid() = 1" in done.stdout
