"""Takes a module apart for the byte code cache: what it needs when it is imported, and what can wait.

Of the kernel's functions a start calls one in five, and it makes objects of one class in two. So the code of functions,
and the imports and classes that only they need, wait until a function is called (for the reason for which PEP 810 has
lazy imports). `CachedLoader` in loader.py puts back what waits.
"""

from __future__ import annotations
import __future__

import ast
import marshal
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from inspect import CO_OPTIMIZED
from types import CodeType

from kshell.shell.imports import lead
from kshell.shell.loader import COROUTINE, FUNCTION, IMPORT, LOADER, STATEMENT, Later
from kshell.shell.stripping import FunctionDef, called, names, strip

_TRANSPARENT = frozenset({
    "SYSCALL_DEFINE", "COMPAT_SYSCALL_DEFINE", "property", "setter", "cache", "lru_cache", "classmethod",
    "staticmethod", "contextmanager",
})  # fmt: skip
"""Decorators that look neither at a function's code nor at its docstring."""

_ONLY_NAMES = frozenset({"typing", "collections.abc", "types"})
"""Modules of whose import nothing is left when their names are not used."""

_LOOKS_AROUND = frozenset({"globals", "__getattr__"})

_Import = tuple[str, str | None]
Place = tuple[str, int]
"""Name and first line of a function."""


def take_apart(
    source: bytes,
    path: str,
    numbers: Mapping[str, int],
    hot: Collection[Place] = (),
    needed: Collection[str] = (),
) -> tuple[bytes, int]:
    """A module's bytes for the cache, and where in them that begins which does not wait.

    What waits is marshalled tuples. A function: the names that it needs of those that wait, and its code. Another
    definition: the names that it needs, those that its hot functions need, and its code. Behind them lies a dict of all
    that waits by name with its `Later`. What does not wait is a tuple: the place of that dict, the names that hot functions
    need, and the module's code.

    numbers: of the modules in the index. hot: the functions that do not wait, as every start calls them, though never
    while a module is imported. needed: the definitions that do not wait, as every start needs them.
    """
    tree = ast.parse(source, path)
    compiled = _Compiler(path, _take_future(tree))
    read = names(tree.body)
    strip(tree)
    lead(tree)
    used, bound = names(tree.body), Counter(_bound(tree.body))
    codes = dict(_codes(compiled(tree.body)))
    functions = _Functions(tree, hot)
    once = {name for name, times in bound.items() if times == 1 and _LOOKS_AROUND.isdisjoint(read | bound.keys())}
    statements = _take_statements(tree, functions, once - set(needed))
    imports = _take_imports(tree, (once & read) - functions.reads(tree.body)[0], used)

    packed = _Packed(imports.keys() | statements.keys())
    later = {name: _numbered(name, found, numbers) for name, found in imports.items()}
    for function in functions.waiting:
        number = packed.add(codes[function.place], function.reads) << 2 | function.kind
        function.later.value = number
        if function.is_plain and statements.get(function.name) is function.assignment:
            del statements[function.name]
            later[function.name] = number
    for name, statement in statements.items():
        now, soon = functions.reads([statement])
        later[name] = packed.add(compiled([statement]), now - {name}, soon) << 2 | STATEMENT
    _, soon = functions.reads(tree.body)
    parts = marshal.dumps((packed.size, packed.needs(soon), compiled(tree.body)))
    packed.put(marshal.dumps(later))
    return b"".join(packed.parts) + parts, packed.size


class _Functions:
    """The functions of a module, and of its classes: assignments stand in the place of those that wait."""

    def __init__(self, tree: ast.Module, hot: Collection[Place]) -> None:
        self.waiting: list[_Function] = []
        self._hot = set[int]()
        self._replace(tree, hot)

    def _replace(self, scope: ast.Module | ast.ClassDef, hot: Collection[Place]) -> None:
        for index, statement in enumerate(scope.body):
            if isinstance(statement, ast.ClassDef):
                self._replace(statement, hot)
            elif isinstance(statement, FunctionDef) and _can_wait(statement):
                if _place(statement) in hot:
                    self._hot.add(id(statement))
                else:
                    self.waiting.append(_Function(statement))
                    scope.body[index] = self.waiting[-1].assignment

    def reads(self, body: Sequence[ast.AST]) -> tuple[set[str], set[str]]:
        """The names that statements read when they run, and those that hot functions in them read when they are called."""
        now, soon = set[str](), set[str]()
        nodes = list(body)
        while nodes:
            node = nodes.pop()
            if isinstance(node, FunctionDef) and id(node) in self._hot:
                soon |= names(node.body)
                nodes += [node.args, *node.decorator_list]
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                now.add(node.id)
            else:
                nodes += ast.iter_child_nodes(node)
        return now, soon


class _Function:
    """A function whose code waits; the assignment that stands for its definition gets a stub from the loader."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.name, self.place, self.reads = node.name, _place(node), names(node.body)
        self.kind = COROUTINE if isinstance(node, ast.AsyncFunctionDef) else FUNCTION
        self.later = ast.Constant(0)
        defaults = _defaults(node.args)
        self.is_plain = not node.decorator_list and not defaults
        value = ast.Call(ast.Name(LOADER, ast.Load()), [self.later, ast.Constant(node.name), *defaults], [])
        for decorator in reversed(node.decorator_list):
            value = ast.Call(decorator, [value], [])
        assignment = ast.Assign([ast.Name(node.name, ast.Store())], value)
        self.assignment = ast.fix_missing_locations(ast.copy_location(assignment, node))


def _place(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Place:
    return node.name, min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    """Expressions for a function's __defaults__ and __kwdefaults__; none if it has none."""
    named = {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    if not arguments.defaults and not named:
        return []
    given = ast.Tuple(arguments.defaults, ast.Load()) if arguments.defaults else ast.Constant(None)
    if not named:
        return [given]
    return [given, ast.Dict([ast.Constant(name) for name in named], list(named.values()))]


class _Packed:
    """What waits, packed one after the other; waiting: the names of imports and statements that wait."""

    def __init__(self, waiting: set[str]) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self._waiting = waiting

    def add(self, code: CodeType, *reads: set[str]) -> int:
        """Put code behind the rest, with those of the names it reads that wait; returns its place."""
        place = self.size
        self.put(marshal.dumps((*map(self.needs, reads), code)))
        return place

    def put(self, packed: bytes) -> None:
        """Put bytes behind the rest."""
        self.parts.append(packed)
        self.size += len(packed)

    def needs(self, reads: set[str]) -> tuple[str, ...]:
        """Those of some names that wait."""
        return tuple(sorted(reads & self._waiting))


class _Compiler:
    """Compiles parts of a module; flags: what its imports from __future__ mean to the compiler."""

    def __init__(self, path: str, flags: int) -> None:
        self._path, self._flags = path, flags

    def __call__(self, body: list[ast.stmt]) -> CodeType:
        code: CodeType = compile(ast.Module(body, []), self._path, "exec", self._flags, dont_inherit=True)
        return code


def _take_future(tree: ast.Module) -> int:
    """Take the imports from __future__ out of a module; returns their flags."""
    imports = [s for s in tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    tree.body = [s for s in tree.body if s not in imports]
    flags = {getattr(__future__, alias.name).compiler_flag for statement in imports for alias in statement.names}
    return sum(flags)


def _codes(code: CodeType) -> Iterator[tuple[Place, CodeType]]:
    """The code of the functions of a module, and of its classes, by name and first line."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if const.co_flags & CO_OPTIMIZED:
                yield (const.co_name, const.co_firstlineno), const
            else:
                yield from _codes(const)


def _can_wait(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    is_closure = not names(function.body).isdisjoint({"super", "__class__"})
    is_generator = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
    return not (is_closure or is_generator) and all(
        called(decorator) in _TRANSPARENT for decorator in function.decorator_list
    )


def _take_statements(tree: ast.Module, functions: _Functions, once: set[str]) -> dict[str, ast.stmt]:
    """Take out the definitions that nothing needs when the module is imported."""
    found = {name: statement for statement in tree.body if (name := _defined(statement)) in once}
    while needed := functions.reads([s for s in tree.body if s not in found.values()])[0] & found.keys():
        found = {name: statement for name, statement in found.items() if name not in needed}
    tree.body = [s for s in tree.body if s not in found.values()]
    return found


def _defined(statement: ast.stmt) -> str:
    """The name of the class, function, regular expression or type that a statement defines, if it can wait; else an empty one."""
    match statement:
        case ast.ClassDef(name) | ast.FunctionDef(name, decorator_list=[ast.Name("contextmanager")]):
            return name
        case ast.Assign([ast.Name(name)], ast.Call(ast.Name(function))) if function == LOADER:
            return name
        case ast.Assign([ast.Name(name)], ast.Call() as call) if called(call) == "compile":
            return name
        case ast.Assign([ast.Name(name)], ast.Subscript(ast.Name("Literal"))):
            return name
    return ""


def _take_imports(tree: ast.Module, can_wait: set[str], used: set[str]) -> dict[str, _Import]:
    """Take out the imports that can wait, and those of types that nothing uses."""
    taken: dict[str, _Import] = {}
    for statement in list(tree.body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            found = _imports(statement)
            unused = found.keys() - used if getattr(statement, "module", "") in _ONLY_NAMES else set[str]()
            waits = found.keys() & can_wait - unused
            taken.update({name: found[name] for name in waits})
            statement.names = [a for a in statement.names if (a.asname or a.name) not in waits | unused]
            if not statement.names:
                tree.body.remove(statement)
    return taken


def _imports(statement: ast.Import | ast.ImportFrom) -> dict[str, _Import]:
    """What a statement binds that can be imported one by one."""
    if isinstance(statement, ast.ImportFrom):
        module = statement.module if not statement.level else None
        return {a.asname or a.name: (module, a.name) for a in statement.names if a.name != "*"} if module else {}
    return {a.asname or a.name: (a.name, None) for a in statement.names if "." not in a.name}


def _numbered(name: str, found: _Import, numbers: Mapping[str, int]) -> Later:
    number = numbers.get(found[0])
    return found if number is None or found[1] != name else number << 2 | IMPORT


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """The names that a module's statements bind, once for each statement."""
    for statement in body:
        for node in (statement,) if isinstance(statement, FunctionDef | ast.ClassDef) else ast.walk(statement):
            if isinstance(node, FunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield from (alias.asname or alias.name for alias in node.names)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                yield node.id
    yield from (name for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Global) for name in node.names)
