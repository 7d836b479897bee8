"""Takes out of a module's syntax tree what only type checkers read: nothing of it is seen when the program runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeVar

FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef
_Node = TypeVar("_Node", bound=ast.AST)

_READ_FIELDS = frozenset({"dataclass"})
"""Decorators that look up what the annotations of a class name."""


def strip(tree: ast.Module) -> None:
    """Leave out annotations, but for the fields of classes, and ``cast``, Protocol, ``if TYPE_CHECKING``, TypeVar."""
    _Stripper().visit(tree)
    used = names(tree.body)
    tree.body = [s for s in tree.body if not (_is_type_variable(s) and used.isdisjoint(_targets(s)))]


def names(body: list[ast.stmt]) -> set[str]:
    """The names that statements read."""
    nodes = (node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in nodes if isinstance(node.ctx, ast.Load)}


def called(node: ast.expr) -> str:
    """The name of what is called, or stands by itself: of a decorator, say."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


class _Stripper(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._function(node)

    def _function(self, node: _Node) -> _Node:
        assert isinstance(node, FunctionDef)
        node.returns = None
        for argument in _arguments(node.args):
            argument.annotation = None
        if ast.get_docstring(node, clean=False) is not None and not node.decorator_list:
            node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node)]
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node) if node.simple else node
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.bases = [_base(base) for base in node.bases if _name(base) != "Protocol"]
        node.decorator_list = [d for d in node.decorator_list if called(d) != "dataclass_transform"]
        is_read = any(called(d) in _READ_FIELDS for d in node.decorator_list)
        body: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                body.append(statement if is_read else _as_text(statement))
            else:
                found = self.visit(statement)
                body += found if isinstance(found, list) else [found]
        node.body = body
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        match node.test:
            case ast.Name("TYPE_CHECKING"):
                return node.orelse or [ast.copy_location(ast.Pass(), node)]
            case ast.UnaryOp(ast.Not(), ast.Name("TYPE_CHECKING")):
                return node.body
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return node.args[1] if called(node) == "cast" and len(node.args) == 2 else node


def _as_text(field: ast.AnnAssign) -> ast.AnnAssign:
    """A field with its annotation as text, as ``from __future__ import annotations`` leaves it."""
    field.annotation = ast.copy_location(ast.Constant(ast.unparse(field.annotation)), field.annotation)
    return field


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    yield from (argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None)


def _base(base: ast.expr) -> ast.expr:
    """A base class without its type arguments."""
    return base.value if isinstance(base, ast.Subscript) and _name(base) != "Generic" else base


def _name(base: ast.expr) -> str:
    return called(base.value if isinstance(base, ast.Subscript) else base)


def _is_type_variable(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Assign) and called(statement.value) in {"TypeVar", "ParamSpec"}


def _targets(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
