"""The kernel's struct classes as their source declares them: fields and the types they are given."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

KERNEL_DIR = Path(__file__).resolve().parents[1] / "linux"


@dataclass(slots=True)
class StructClass:
    """A class of kshell.linux. `fields` maps a name to the type names it may have; empty when undeclared."""

    name: str
    file: str
    bases: tuple[str, ...]
    fields: dict[str, frozenset[str]] = field(default_factory=dict)

    def declare(self, name: str, types: frozenset[str] = frozenset()) -> None:
        if name.startswith("__") and name.endswith("__"):
            return
        self.fields[name] = self.fields.get(name, frozenset()) | types


@dataclass(slots=True)
class KernelSource:
    """All classes and type aliases of the kernel."""

    classes: list[StructClass] = field(default_factory=list)
    aliases: dict[str, ast.expr] = field(default_factory=dict)

    def named(self) -> dict[str, StructClass]:
        return {found.name: found for found in self.classes}

    def resolve(self, types: frozenset[str]) -> frozenset[str]:
        """The types with aliases replaced by what they stand for."""
        known = self.named()
        found: set[str] = set()
        for name in types:
            if name in self.aliases and name not in known:
                found |= type_names(self.aliases[name])
            else:
                found.add(name)
        return frozenset(found)

    def lineage(self, name: str) -> list[str]:
        """The class and all it inherits from."""
        known, queue, seen = self.named(), [name], []
        while queue:
            current = queue.pop(0)
            if current in known and current not in seen:
                seen.append(current)
                queue.extend(known[current].bases)
        return seen


def read_kernel(directory: Path = KERNEL_DIR) -> KernelSource:
    """Parse every module of the kernel."""
    source = KernelSource()
    for path in sorted(directory.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for statement in tree.body:
            _add_alias(source, statement)
            if isinstance(statement, ast.ClassDef):
                source.classes.append(_read_class(statement, str(path.relative_to(directory))))
    return source


def _add_alias(source: KernelSource, statement: ast.stmt) -> None:
    if isinstance(statement, ast.If):
        for inner in statement.body:
            _add_alias(source, inner)
    if isinstance(statement, ast.ImportFrom):
        for name in statement.names:
            if name.asname and name.asname != name.name:
                source.aliases[name.asname] = ast.Name(name.name)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name) and isinstance(statement.value, ast.Subscript | ast.Name | ast.BinOp):
            source.aliases[target.id] = statement.value


def _read_class(node: ast.ClassDef, file: str) -> StructClass:
    made = StructClass(node.name, file, tuple(base.id for base in node.bases if isinstance(base, ast.Name)))
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if not _is_class_variable(statement.annotation):
                made.declare(statement.target.id, type_names(statement.annotation))
        elif isinstance(statement, ast.Assign):
            _read_assignment(made, statement)
        elif isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            _read_init(made, statement)
    return made


def _is_class_variable(annotation: ast.expr) -> bool:
    return "ClassVar" in ast.unparse(annotation)


def _read_assignment(made: StructClass, statement: ast.Assign) -> None:
    for target in statement.targets:
        if not isinstance(target, ast.Name):
            continue
        if target.id == "__slots__":
            for constant in _strings(statement.value):
                made.declare(constant)
        else:
            made.declare(target.id, value_types(statement.value))


def _strings(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _read_init(made: StructClass, function: ast.FunctionDef) -> None:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    given = {a.arg: type_names(a.annotation) for a in arguments if a.annotation is not None}
    for statement in ast.walk(function):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if _is_self(target):
                    made.declare(target.attr, value_types(statement.value, given))  # type: ignore[attr-defined]
        elif isinstance(statement, ast.AnnAssign) and _is_self(statement.target):
            made.declare(statement.target.attr, type_names(statement.annotation))  # type: ignore[union-attr]


def _is_self(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"


def type_names(annotation: ast.expr | None) -> frozenset[str]:
    """The outermost type names of an annotation: `list[file | None] | None` gives list and None."""
    if isinstance(annotation, ast.BinOp):
        return type_names(annotation.left) | type_names(annotation.right)
    if isinstance(annotation, ast.Constant):
        if isinstance(annotation.value, str):
            return type_names(ast.parse(annotation.value, mode="eval").body)
        return frozenset({"None"})
    if isinstance(annotation, ast.Name):
        return frozenset({annotation.id})
    if isinstance(annotation, ast.Attribute):
        return frozenset({annotation.attr})
    if isinstance(annotation, ast.Subscript):
        outer = type_names(annotation.value)
        return type_names(annotation.slice) if outer & {"Final", "Optional"} else outer
    return frozenset()


def value_types(value: ast.expr, given: dict[str, frozenset[str]] | None = None) -> frozenset[str]:
    """What a default or initial value says about the type of its field."""
    if isinstance(value, ast.Constant):
        return frozenset({type(value.value).__name__.replace("NoneType", "None")})
    displays: dict[type[ast.expr], str] = {
        ast.List: "list", ast.ListComp: "list", ast.Tuple: "tuple", ast.Dict: "dict", ast.DictComp: "dict",
        ast.Set: "set", ast.JoinedStr: "str", ast.Lambda: "Callable", ast.Compare: "bool",
    }  # fmt: skip
    if type(value) in displays:
        return frozenset({displays[type(value)]})
    if isinstance(value, ast.Name) and given and value.id in given:
        return given[value.id]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id[:1].islower():
        return frozenset() if "_" in value.func.id and value.func.id.startswith("init") else frozenset({value.func.id})
    return frozenset()
