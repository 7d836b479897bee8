"""The byte code cache: used when it is true, passed over when it is not, never needed."""

import builtins
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec
from itertools import pairwise
from pathlib import Path

import pytest

from kshell.shell import bytecode, bytecode_build
from kshell.shell.loader import CachedLoader

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
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.answer() if hasattr(module, "answer") else None


def test_a_built_cache_gives_the_modules_code(package: Path) -> None:
    bytecode_build.build()
    assert found() == 1


def test_a_changed_source_is_not_taken_from_the_cache(package: Path) -> None:
    bytecode_build.build()
    (package / "__init__.py").write_text(SOURCE.format(200))
    assert found() is None


def test_a_source_that_is_gone_is_not_taken_from_the_cache(package: Path) -> None:
    bytecode_build.build()
    (package / "__init__.py").unlink()
    assert found() is None


@pytest.mark.parametrize("content", [b"", b"\0", b"garbage", b"\xf3\x01", b"N"])
def test_a_damaged_cache_is_as_none(package: Path, content: bytes) -> None:
    (package / "cache.bin").write_bytes(content)
    assert found() is None


def test_modules_of_others_are_left_to_others(package: Path) -> None:
    bytecode_build.build()
    assert bytecode.BytecodeCache().find_spec("json") is None


def test_a_cache_that_cannot_be_written_is_left_out(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "CACHE", "/proc/nowhere/cache.bin")
    bytecode_build.build()


def test_the_command_runs_with_the_cache() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kshell", "-c", "getpid() = 1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "getpid() = 1" in done.stdout


# ---- what an import gives


FILES = {
    "__init__.py": "",
    "plain.py": "NUMBER = 1\n",
    "user.py": "from kshell_cached.plain import NUMBER\nfrom kshell_cached import inner\nfrom kshell_cached.inner import deep\n",
    "inner/__init__.py": "NAME = 'inner'\n",
    "inner/deep.py": "DEEP = __name__\n",
    "ring.py": "from kshell_cached import gnir\nfrom kshell_cached.gnir import LAST\nFIRST = 1\n",
    "gnir.py": "from kshell_cached import ring\nLAST = 2\n",
    "eager/__init__.py": "from kshell_cached.eager.part import Part\n",
    "eager/part.py": "class Part: pass\n",
    "broken.py": "from kshell_cached.plain import NUMBER\nraise OSError('broken')\n",
    "wanting.py": "from kshell_cached.plain import NOTHING\n",
}


def test_a_breakpoint_stops_where_functions_are_only_then_loaded() -> None:
    commands = ("fd = socket(AF_INET, SOCK_STREAM, 0)", "break tcp_v4_connect", 'connect(fd, {AF_INET, 80, "127.0.0.1"}, 16)',
                "info args", "continue", "why")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "kshell", *(word for text in commands for word in ("-c", text))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.count("Breakpoint 1, tcp_v4_connect") == 1
    assert "sk = (struct " in done.stdout
    assert "ECONNREFUSED (Connection refused) comes from" in done.stdout


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bytecode.BytecodeCache]:
    """The package of FILES, its modules to be imported from the cache; the sources are gone from the path."""
    root = tmp_path / "kshell_cached"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(bytecode, "ROOT", str(root))
    monkeypatch.setattr(bytecode, "CACHE", str(root / "cache.bin"))
    bytecode_build.build()
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)
    before = set(sys.modules)
    yield bytecode.install()
    for name in set(sys.modules) - before:
        del sys.modules[name]


def imported(statement: str) -> dict[str, object]:
    scope: dict[str, object] = {}
    exec(statement, scope)
    return scope


@pytest.mark.parametrize(
    ("statement", "name", "value"),
    [
        ("from kshell_cached.plain import NUMBER", "NUMBER", 1),
        ("from kshell_cached.user import NUMBER", "NUMBER", 1),
        ("from kshell_cached.inner import NAME", "NAME", "inner"),
        ("from kshell_cached.inner.deep import DEEP", "DEEP", "kshell_cached.inner.deep"),
        ("from kshell_cached.inner.deep import *", "DEEP", "kshell_cached.inner.deep"),
        ("from kshell_cached.ring import FIRST", "FIRST", 1),
        ("import kshell_cached.inner.deep as deep; DEEP = deep.DEEP", "DEEP", "kshell_cached.inner.deep"),
        ("from kshell_cached import user; N = user.inner.deep.DEEP", "N", "kshell_cached.inner.deep"),
    ],
)
def test_names_are_imported_from_cached_modules(
    installed: bytecode.BytecodeCache, statement: str, name: str, value: object
) -> None:
    assert imported(statement)[name] == value
    loaders = {type(module.__loader__) for n, module in sys.modules.items() if n.startswith("kshell_cached")}
    assert loaders == {CachedLoader}


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("from kshell_cached.plain import NOTHING", ImportError),
        ("from kshell_cached.wanting import ANYTHING", ImportError),
        ("from kshell_cached.missing import ANYTHING", ModuleNotFoundError),
        ("from kshell_cached.plain.deeper import ANYTHING", ModuleNotFoundError),
        ("from kshell_cached import missing", ImportError),
        ("from kshell_cached.gnir import LAST", ImportError),
        ("from kshell_cached.broken import NUMBER", OSError),
    ],
)
def test_imports_fail_as_they_do_without_the_cache(
    installed: bytecode.BytecodeCache, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        imported(statement)


def test_a_module_that_its_package_imports_is_loaded_once(installed: bytecode.BytecodeCache) -> None:
    scope = imported("from kshell_cached.eager.part import Part as one; from kshell_cached.eager import Part as other")
    assert scope["one"] is scope["other"]


def test_a_module_that_fails_is_not_left_half_loaded(installed: bytecode.BytecodeCache) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            imported("from kshell_cached.broken import NUMBER")
    assert "kshell_cached.broken" not in sys.modules


def test_a_module_knows_what_importlib_tells_it(installed: bytecode.BytecodeCache) -> None:
    imported("from kshell_cached.inner.deep import DEEP")
    package, module = sys.modules["kshell_cached.inner"], sys.modules["kshell_cached.inner.deep"]
    assert (module.__package__, package.__package__) == ("kshell_cached.inner", "kshell_cached.inner")
    assert module.__file__ is not None
    assert module.__file__.endswith("kshell_cached/inner/deep.py")
    assert package.__path__ == [str(Path(module.__file__).parent)]
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__
    assert package.deep is module


def test_a_module_whose_code_is_damaged_is_compiled_from_its_source(
    installed: bytecode.BytecodeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = bytecode.HEADER.size
    content = bytearray(installed._content)
    for start, end in pairwise(installed._places.values()):
        content[start + header : end] = bytes(end - start - header)
    monkeypatch.setattr(installed, "_content", memoryview(content))
    assert imported("from kshell_cached.plain import NUMBER")["NUMBER"] == 1


def test_what_was_loaded_past_the_cache_is_in_it_the_next_time(
    installed: bytecode.BytecodeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(bytecode.ROOT).parent))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (Path(bytecode.ROOT) / "plain.py").write_text("NUMBER = 1000\n")
    assert imported("from kshell_cached.user import NUMBER")["NUMBER"] == 1000
    installed.save()
    again = bytecode.BytecodeCache().load("kshell_cached.plain")
    assert again is not None
    assert again.NUMBER == 1000
