"""What only type checkers read is left out of the cached byte code; what runs stays as it is."""

import ast

import pytest

from kshell.shell.stripping import strip

CASES = {
    "annotations of functions": (
        "def f(a: int, *b: str, c: float = 1, **d: bytes) -> None:\n    return a",
        "def f(a, *b, c=1, **d):\n    return a",
    ),
    "annotations of coroutines": ("async def f(a: int) -> str:\n    await a", "async def f(a):\n    await a"),
    "of variables": ("x: int = 1\ny: Final = 2", "x = 1\ny = 2"),
    "of local variables": (
        "def f():\n    x: int = 1\n    y: str\n    return x", "def f():\n    x = 1\n    pass\n    return x",
    ),
    "annotations of fields become text": (
        "class C:\n    a: list[int]\n    b: str = ''", "class C:\n    a: 'list[int]'\n    b: 'str' = ''",
    ),
    "but for those that a decorator reads": (
        "@dataclass\nclass C:\n    a: ClassVar[int] = 1", "@dataclass\nclass C:\n    a: ClassVar[int] = 1",
    ),
    "docstrings of functions": ("def f():\n    'Text.'\n    return 1", "def f():\n    return 1"),
    "of functions of nothing else": ("def f():\n    'Text.'", "def f():\n    pass"),
    "not of decorated functions": ("@command\ndef f():\n    'Help.'", '@command\ndef f():\n    """Help."""'),
    "not of modules": ("'Text.'\nx = 1", '"""Text."""\nx = 1'),
    "casts": ("x = cast('list[int]', y)", "x = y"),
    "not other functions of two arguments": ("x = call('list[int]', y)", "x = call('list[int]', y)"),
    "blocks for type checkers": ("if TYPE_CHECKING:\n    import a\nx = 1", "pass\nx = 1"),
    "with an alternative": ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", "import b"),
    "or the other way round": ("if not TYPE_CHECKING:\n    import b", "import b"),
    "in classes": ("class C:\n    if TYPE_CHECKING:\n        a: int\n    b = 1", "class C:\n    pass\n    b = 1"),
    "conditions stay": ("if x:\n    import a", "if x:\n    import a"),
    "protocols are plain classes": ("class C(Protocol):\n    def f(self): ...", "class C:\n\n    def f(self):\n        ..."),
    "with type arguments too": ("class C(Protocol[T], Base):\n    pass", "class C(Base):\n    pass"),
    "type arguments of bases": ("class C(Mapping[K, V]):\n    pass", "class C(Mapping):\n    pass"),
    "not of Generic, which others subscribe": (
        "T = TypeVar('T')\nclass C(Generic[T]):\n    pass", "T = TypeVar('T')\n\nclass C(Generic[T]):\n    pass",
    ),
    "type variables that nothing uses": ("T = TypeVar('T')\ndef f(a: T) -> T:\n    return a", "def f(a):\n    return a"),
    "dataclass_transform": ("@dataclass_transform()\nclass C:\n    pass", "class C:\n    pass"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "stripped"), CASES.values(), ids=CASES)
def test_what_type_checkers_read_is_left_out(source: str, stripped: str) -> None:
    tree = ast.parse(source)
    strip(tree)
    assert ast.unparse(tree) == stripped
    compile(tree, "stripped", "exec")
