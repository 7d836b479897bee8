"""Leads what a module takes from the standard library to where it is cheap: for the byte code cache.

A start has no time for some modules of the standard library: re takes as long as the boot of the kernel. What they take
from a module in C is imported from there; some functions have stand-ins; regular expressions are compiled beforehand.
"""

from __future__ import annotations

import ast
import re
from importlib import import_module
from re import _compiler  # type: ignore[attr-defined]  # typeshed leaves it out
from unittest.mock import patch

from kshell.shell import stand_ins

_MADE_IN = {
    "bisect": "_bisect",
    "collections": "_collections",
    "collections.abc": "_collections_abc",
    "functools": "_functools",
    "operator": "_operator",
    "struct": "_struct",
}
"""The module from which one of the standard library takes what it gives."""


def lead(tree: ast.Module) -> None:
    """Change the imports, and the calls of re.compile with constants, in a module's syntax tree."""
    _Leader().visit(tree)


class _Leader(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        found: dict[str | None, list[ast.alias]] = {}
        for alias in node.names:
            found.setdefault(_source(node, alias.name), []).append(alias)
        return [ast.copy_location(ast.ImportFrom(module, names, node.level), node) for module, names in found.items()]

    def visit_Import(self, node: ast.Import) -> ast.Import:
        for alias in node.names:
            if alias.name in _MADE_IN and all(_is_from_there(alias.name, name) for name in _given(alias.name)):
                alias.asname = alias.asname or alias.name
                alias.name = _MADE_IN[alias.name]
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(ast.Name("re"), "compile"):
                return ast.copy_location(_compiled(node), node)
        return node


def _source(node: ast.ImportFrom, name: str) -> str | None:
    module = node.module or ""
    if node.level:
        return node.module
    if name in stand_ins.NAMES.get(module, ()):
        return stand_ins.__name__
    return _MADE_IN[module] if module in _MADE_IN and _is_from_there(module, name) else module


def _given(module: str) -> list[str]:
    names: list[str] = import_module(module).__all__
    return names


def _is_from_there(module: str, name: str) -> bool:
    there = vars(import_module(_MADE_IN[module]))
    return name in there and there[name] is getattr(import_module(module), name)


def _compiled(call: ast.Call) -> ast.expr:
    """Of re.compile the call with which it ends, if its arguments are constants: of the function in C, with the program."""
    try:
        arguments = eval(ast.unparse(ast.Expression(ast.Tuple(call.args, ast.Load()))), {"re": re, "__builtins__": {}})
    except NameError:
        return call
    with patch("_sre.compile") as compile_in_c:
        _compiler.compile(*arguments)
    pattern, flags, program, *groups = compile_in_c.call_args.args
    given = pattern, int(flags), [int(word) for word in program], *groups
    return ast.parse(f"__import__('_sre').compile{given!r}", mode="eval").body
