"""The image of the byte code cache: what every start imports, loaded at once when its first module is wanted."""

import builtins
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from kshell.shell import bytecode, bytecode_build

FILES = {
    "__init__": "",
    "first": "from kshell_image.second import two\ndef one(): return two()\n",
    "second": "from kshell_image.third import three\nfrom kshell_image.other import four\ndef two(): return three(), four()\n",
    "third": "from kshell_image import first\ndef three(): return first.__name__\n",
    "other": "def four(): return 4\n",
    "alone": "NUMBER = 1\n",
}
IN_IMAGE = ("first", "second", "third", "alone")


def record(by: str) -> dict[str, list[object]]:
    """A start that calls all functions but those of `other`, and imports no more than IN_IMAGE first."""
    names = {"first": "one", "second": "two", "third": "three"}
    if by == "record_calls":
        return {f"kshell_image.{name}": [(function, FILES[name].count("\n"))] for name, function in names.items()}
    return {f"kshell_image.{name}": [] for name in IN_IMAGE}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "kshell_image"
    root.mkdir()
    for name, text in FILES.items():
        (root / f"{name}.py").write_text(text)
    monkeypatch.setattr(bytecode, "ROOT", str(root))
    monkeypatch.setattr(bytecode, "PACKAGE", "kshell_image")
    monkeypatch.setattr(bytecode, "CACHE", str(root / "cache.bin"))
    monkeypatch.setattr(bytecode, "FIRST", "kshell_image.first")
    monkeypatch.setattr(bytecode_build, "_recorded", record)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    bytecode_build.build()
    yield root
    for name in set(sys.modules) - before:
        del sys.modules[name]


def first() -> ModuleType:
    exec("from kshell_image.first import one", {})
    return sys.modules["kshell_image.first"]


def loaded() -> set[str]:
    return {name.removeprefix("kshell_image.") for name in sys.modules if name.startswith("kshell_image.")}


def test_the_image_comes_whole_with_what_its_functions_need(root: Path) -> None:
    cache = bytecode.install()
    module = first()
    assert loaded() == {*IN_IMAGE, "other"}
    assert set(module.__loader__.bound()) == {"two"}  # type: ignore[union-attr]
    assert module.one() == ("kshell_image.first", 4)
    assert not cache.soon


def test_other_modules_do_not_bring_the_image(root: Path) -> None:
    bytecode.install()
    exec("from kshell_image.alone import NUMBER", {})
    assert loaded() == {"alone"}
    assert first().one() == ("kshell_image.first", 4)


@pytest.mark.parametrize("name", IN_IMAGE)
def test_with_one_changed_source_each_module_comes_by_itself(root: Path, name: str) -> None:
    (root / f"{name}.py").write_text(FILES[name] + "CHANGED = True\n")
    bytecode.install()
    module = first()
    assert module.one() == ("kshell_image.first", 4)
    assert ("alone" in loaded()) is False
    scope: dict[str, object] = {}
    exec(f"from kshell_image.{name} import CHANGED", scope)
    assert scope["CHANGED"] is True


def test_a_changed_module_is_in_the_image_the_next_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (root / "third.py").write_text("def three(): return 33\n")
    cache = bytecode.install()
    assert first().one() == (33, 4)
    cache.save()
    for name in loaded():
        del sys.modules[f"kshell_image.{name}"]
    bytecode.install()
    assert first().one() == (33, 4)
    assert "alone" in loaded()


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"N"])
def test_without_a_readable_image_each_module_comes_by_itself(root: Path, content: bytes) -> None:
    cache = bytecode.install()
    cache._content = memoryview(bytes(cache._content[: cache._places[bytecode.IMAGE]]) + content)
    assert first().one() == ("kshell_image.first", 4)
    assert "alone" not in loaded()


def test_an_import_that_fails_can_be_tried_again(root: Path) -> None:
    (root / "second.py").write_text("import kshell_nowhere\n" + FILES["second"])
    bytecode_build.build()
    bytecode.install()
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="kshell_nowhere"):
            first().one()
        assert not loaded()
    sys.modules["kshell_nowhere"] = sys
    assert first().one() == ("kshell_image.first", 4)
