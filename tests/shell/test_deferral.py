"""A module from the cache is what its source says, though its functions, classes and imports wait until they are needed."""

import ast
import builtins
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kshell.shell import bytecode, bytecode_build
from kshell.shell.loader import STUB_FILE, CachedLoader

Load = Callable[..., ModuleType]
Hot = dict[str, list[tuple[str, int]]]
Record = Callable[[dict[str, str]], Any]
CALLED_AT_IMPORT = {"twice", "doc"}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Load a module `main` of a package from the cache; the other modules of the package by name. All functions wait."""
    yield from loading(tmp_path, monkeypatch, {})


@pytest.fixture(params=["all functions wait", "none waits that is not called at import", "all modules are in the image"])
def load_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Load]:
    """As load."""
    recorded = {} if "all functions" in request.param else {"record_calls": hot_functions}
    if "image" in request.param:
        recorded["record_names"] = definitions
    yield from loading(tmp_path, monkeypatch, recorded)


def hot_functions(modules: dict[str, str]) -> Hot:
    nodes = {name: ast.walk(ast.parse(text)) for name, text in modules.items()}
    return {
        f"kshell_waiting.{name}": [
            (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)]))
            for node in found
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in CALLED_AT_IMPORT
        ]
        for name, found in nodes.items()
    }


def definitions(modules: dict[str, str]) -> dict[str, list[str]]:
    nodes = {name: ast.parse(text).body for name, text in modules.items()}
    return {f"kshell_waiting.{name}": [node.name for node in body if hasattr(node, "name")] for name, body in nodes.items()}


def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: dict[str, Record]) -> Iterator[Load]:
    """recorded: what functions of bytecode_build find out about the modules, by their names."""
    root = tmp_path / "kshell_waiting"
    monkeypatch.setattr(bytecode, "ROOT", str(root))
    monkeypatch.setattr(bytecode, "PACKAGE", "kshell_waiting")
    monkeypatch.setattr(bytecode, "CACHE", str(root / "cache.bin"))
    monkeypatch.setattr(bytecode, "FIRST", "kshell_waiting.main")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)
    before = set(sys.modules)

    def load(main: str, **others: str) -> ModuleType:
        root.mkdir()
        modules = {"main": main, **others}
        for name, text in {"__init__": "", **modules}.items():
            (root / f"{name}.py").write_text(text)
        monkeypatch.setattr(
            bytecode_build, "_recorded", lambda by: recorded[by](modules) if by in recorded else {}
        )
        bytecode_build.build()
        bytecode.install()
        scope: dict[str, ModuleType] = {}
        exec("from kshell_waiting import main", {}, scope)
        return scope["main"]

    yield load
    for name in set(sys.modules) - before:
        del sys.modules[name]


def is_loaded(name: str) -> bool:
    return f"kshell_waiting.{name}" in sys.modules


def test_an_import_waits_for_the_function_that_needs_it(load: Load) -> None:
    main = load("from kshell_waiting.other import value\ndef f():\n    return value\n", other="value = 5\n")
    assert not is_loaded("other")
    assert main.f() == 5
    assert is_loaded("other")
    assert main.value == 5


def test_an_import_that_the_module_itself_needs_does_not_wait(load: Load) -> None:
    main = load("from kshell_waiting.other import value\ntwice = 2 * value\n", other="value = 5\n")
    assert is_loaded("other")
    assert main.twice == 10


@pytest.mark.parametrize(
    "use",
    [
        "class C(base):\n    pass\nC()\n",
        "class C:\n    inner = base\nC()\n",
        "@base\ndef f():\n    pass\n",
        "def f(a=base):\n    pass\nf()\n",
        "x = lambda: base\n",
        "x = [base for _ in '']\n",
        "x = f'{base}'\n",
    ],
)
def test_what_runs_when_the_module_is_imported_has_its_imports(load: Load, use: str) -> None:
    load(f"from kshell_waiting.other import base\n{use}", other="class base:\n    def __init__(self, f=None): pass\n")
    assert is_loaded("other")


def test_others_get_names_that_wait(load_both: Load) -> None:
    main = load_both(
        "import kshell_waiting\nfrom kshell_waiting.other import value, f, C\nresult = (value, f(), C().x)\n",
        other="from kshell_waiting.third import value\ndef g(): return value\ndef f(): return 2\nclass C:\n    x = 3\n",
        third="value = 1\n",
    )
    assert main.result == (1, 2, 3)


def test_a_star_takes_all_names(load_both: Load) -> None:
    main = load_both(
        "from kshell_waiting.other import *\nresult = (f(), C.x)\n", other="def f(): return 1\nclass C:\n    x = 2\n"
    )
    assert main.result == (1, 2)


def test_what_hot_functions_need_is_there_before_they_are_called(load_both: Load) -> None:
    """Also where two modules need each other, and where a class's hot methods need what needs the class."""
    main = load_both(
        "from kshell_waiting.other import C, g\n"
        "def f(n): return g(n - 1) if n else C().m()\n"
        "class D:\n    def m(self): return C\n",
        other="from kshell_waiting.main import D, f\ndef g(n): return f(n)\nclass C:\n    def m(self): return D().m() is C\n",
    )
    assert main.f(3) is True


def test_a_module_that_is_being_imported_is_found_in_its_package(load_both: Load) -> None:
    """As IMPORT_FROM finds it in sys.modules: the package has it only afterwards."""
    main = load_both(
        "from kshell_waiting import other\nresult = other.result\n",
        other="from kshell_waiting.third import twice\nresult = twice()\n",
        third="from kshell_waiting import other\ndef twice(): return other.__name__\n",
    )
    assert main.result == "kshell_waiting.other"


def test_unknown_names_are_attribute_errors(load: Load) -> None:
    main = load("def f(): pass\n")
    with pytest.raises(AttributeError, match=r"module 'kshell_waiting\.main' has no attribute 'g'"):
        _ = main.g


MODULES = {
    "arguments": """
def f(a, b=2, *c, d=4, **e): return a, b, c, d, e
def result(): return f(1, x=5), f(1, 6, 7, d=8)
""",
    "defaults": """
N = 3
def f(a=N, *, b=N): return a, b
result = f
N = 4
""",
    "recursion": """
def f(n): return n * f(n - 1) if n else 1
def result(): return f(5), f(5)
""",
    "generators": """
def f():
    yield 1
    yield 2
def result(): return list(f())
""",
    "coroutines": """
async def f(a): return a
def result():
    try:
        f(3).send(None)
    except StopIteration as stop:
        return stop.value
""",
    "closures": """
def f(a):
    def g(): return a
    return g
def result(): return f(3)()
""",
    "exceptions": """
class Wrong(Exception):
    pass
def f(): raise Wrong("x")
def result():
    try:
        f()
    except Wrong as error:
        return error.args, type(error).__name__
""",
    "global variables": """
N = 1
def f():
    global N
    N += 1
    return N
def result(): return f(), f(), N
""",
    "names bound twice": """
def f(): return 1
first = f
def f(): return 2
def result(): return first(), f()
""",
    "names bound on conditions": """
try:
    def f(): return 1
except OSError:
    f = None
def result(): return f()
""",
    "tables": """
def f(): return 1
TABLE = {"f": f}
def result(): return TABLE["f"](), TABLE["f"] is f
""",
    "methods": """
class C:
    N = 7
    def __init__(self, a=N): self.a = a
    def f(self): return self.__g()
    def __g(self): return self.a
    @classmethod
    def make(cls): return cls(1)
    @staticmethod
    def same(a): return a
def result(): return C().f(), C.make().f(), C.same(5)
""",
    "super": """
class B:
    def f(self): return 1
class C(B):
    def f(self): return super().f() + 1
def result(): return C().f()
""",
    "properties": """
class C:
    a = 1
    @property
    def p(self): return self.a
    @p.setter
    def p(self, value): self.a = value
def result():
    c = C()
    before = c.p
    c.p = 5
    return before, c.p
""",
    "cached functions": """
from functools import cache
calls = []
@cache
def f(a):
    calls.append(a)
    return a
def result(): return f(1), f(1), calls
""",
    "decorators that call": """
def twice(g): return g() * 2
@twice
def f(): return 4
def result(): return f
""",
    "decorators that read": """
def doc(g): return g.__doc__, g.__code__.co_varnames
@doc
def f(a):
    'Help.'
def result(): return f
""",
    "classes that need each other": """
class A:
    def f(self): return B
class B(A):
    def g(self): return A, C
class C(B):
    x = B
def result(): return [c.__name__ for c in (A().f(), *B().g(), C.x)], type(C()) is C
""",
    "fields": """
class C:
    a: int
    b: str = "x"
def result(): return list(C.__annotations__), C.b
""",
    "fields that a decorator reads": """
from __future__ import annotations
from dataclasses import dataclass, field
from typing import ClassVar
@dataclass
class C:
    a: ClassVar[int] = 1
    b: list[C] = field(default_factory=list)
def result(): return C([1]).b, C().b, C.a
""",
    "names": """
class C:
    def m(self): pass
def f(): pass
def result():
    f(), C().m()
    return f.__name__, f.__qualname__, C.m.__qualname__, f.__module__ == C.m.__module__ == __name__
""",
}


@pytest.mark.parametrize("source", MODULES.values(), ids=MODULES)
def test_a_module_gives_what_it_gives_without_the_cache(load_both: Load, source: str) -> None:
    cached = load_both(source).result()
    scope: dict[str, Callable[[], object]] = {"__name__": "kshell_waiting.main"}  # type: ignore[dict-item]
    exec(compile(source, "plain", "exec", dont_inherit=True), scope)
    assert str(cached) == str(scope["result"]())


def test_a_function_that_was_called_is_as_if_it_had_never_waited(load: Load) -> None:
    main = load("def f(a, b=1, *, c=2):\n    return a\n")
    f = main.f
    assert f.__code__.co_filename == STUB_FILE
    assert f(0) == 0
    assert (f.__code__.co_filename, f.__defaults__, f.__kwdefaults__) == (main.__file__, (1,), {"c": 2})
    assert f.__code__.co_firstlineno == 1
    assert main.f is f


def test_a_failing_import_is_tried_again_at_the_next_call(load: Load, tmp_path: Path) -> None:
    main = load("from kshell_waiting.other import value\ndef f(): return value\n", other="raise OSError('not now')\n")
    for _ in range(2):
        with pytest.raises(OSError, match="not now"):
            main.f()


INTERRUPTED = """
import sys
if not hasattr(sys, "kshell_tried"):
    sys.kshell_tried = True
    raise KeyboardInterrupt
value = 5
"""


def test_what_hot_functions_need_is_brought_though_an_interrupt_came_in_between(
    load_both: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "kshell_tried", False, raising=False)
    monkeypatch.delattr(sys, "kshell_tried")
    main = load_both(
        "def late():\n    from kshell_waiting import outer\n    return outer\n",
        outer="from kshell_waiting.inner import f\ntable = {'f': f}\n",
        inner="from kshell_waiting.other import value\ndef f(): return value\n",
        other=INTERRUPTED,
    )
    results = []
    for _ in range(2):
        try:
            results.append(main.late().table["f"]())
        except KeyboardInterrupt:
            results.append("interrupted")
    assert results == ["interrupted", 5]


def test_a_module_can_be_completed(load: Load) -> None:
    main = load(
        "from kshell_waiting.other import value\ndef f(): return value\nclass C:\n    def m(self, a=1): return a\n",
        other="value = 1\n",
    )
    loader = main.__loader__
    assert isinstance(loader, CachedLoader)
    loader.complete()
    assert main.value == 1
    assert {function.__code__.co_filename for function in (main.f, vars(main.C)["m"])} == {main.__file__}


def output(code: str, cache: str = "") -> list[str]:
    """The lines that a process of its own prints, with the cache if one is given."""
    use = f"from kshell.shell import bytecode\nbytecode.CACHE = {cache!r}\nbytecode.install()\n" if cache else ""
    done = subprocess.run([sys.executable, "-c", use + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


SOCKET_FUNCTIONS = """
import kshell.linux.net.socket as module
print(*(name for name, value in vars(module).items() if "/socket.py" in str(getattr(value, "__code__", ""))))
"""


def test_the_functions_that_a_start_calls_do_not_wait(kshells_cache: str) -> None:
    found = set(output(SOCKET_FUNCTIONS, kshells_cache)[0].split())
    assert {"__sock_create", "sock_alloc", "__sock_release"} <= found
    assert not {"sock_recvmsg", "sock_fasync"} & found


LISTING = """
import importlib, inspect, pkgutil, sys
import kshell
for info in pkgutil.walk_packages(kshell.__path__, "kshell."):
    if not info.name.endswith("__main__"):
        importlib.import_module(info.name)
def shown(value):
    if not inspect.isfunction(value):
        return "a class" if isinstance(value, type) else type(value).__name__
    code = value.__code__
    arguments = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    defaults = len(value.__defaults__ or ()), sorted(value.__kwdefaults__ or ())
    return code.co_filename, code.co_firstlineno, code.co_flags & 0xFF, arguments, defaults
for name in sorted(n for n in sys.modules if n.startswith("kshell.")):
    module = sys.modules[name]
    if hasattr(module.__loader__, "complete"):
        module.__loader__.complete()
    for key, value in sorted(vars(module).items(), key=lambda item: item[0]):
        if not key.startswith("__") and getattr(value, "__module__", None) == name:
            print(name, key, shown(value))
            if isinstance(value, type):
                for member, inner in sorted(vars(value).items()):
                    inner = getattr(inner, "fget", None) or getattr(inner, "__func__", inner)
                    if inspect.isfunction(inner) and inner.__module__ == name:
                        print(name, key, member, shown(inner))
"""


def test_every_module_of_kshell_is_the_same_with_the_cache_and_without(kshells_cache: str) -> None:
    """Classes, functions, their files, lines and arguments: nothing is missing, nothing waits for ever."""
    plain, cached = output(LISTING), output(LISTING, kshells_cache)
    missing = [line for line in plain if line not in set(cached)]
    assert not [line for line in missing if "TypeVar" not in line and "ParamSpec" not in line]
    assert not set(cached) - set(plain)
    assert len(plain) > 9000
