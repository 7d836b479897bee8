"""The colours of the language: one pygments lexer for the prompt and for exports."""

from __future__ import annotations

from pygments.lexer import RegexLexer, words  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

from kshell.abi.syscalls import BY_NAME

COMMAND_WORDS = (
    "assert", "cat", "dmesg", "echo", "exit", "fds", "goto", "help", "history", "ls", "lsmod", "modprobe", "print",
    "ps", "quit", "redo", "rmmod", "save", "set", "show", "slab", "sleep", "task", "undo", "wait", "why",
)  # fmt: skip


class KshellLexer(RegexLexer):  # type: ignore[misc]  # pygments has no types
    """System calls as strace writes them, and kshell's commands."""

    name = "kshell"
    aliases = ["kshell"]
    filenames = ["*.ks"]
    tokens = {
        "root": [
            (r"(#|//).*$", Comment.Single),
            (r"/\*(.|\n)*?\*/", Comment.Multiline),
            (r"@\w+", Name.Label),
            (r'"(\\.|[^"\\])*"?', String),
            (r"'(\\.|[^'\\])*'?", String.Char),
            (r"-?(0x[0-9a-fA-F]+|\d+)(ns|us|ms|s)?\b", Number),
            (words(tuple(BY_NAME), prefix=r"\b", suffix=r"(?=\s*\()"), Name.Function),
            (words(COMMAND_WORDS, prefix=r"^\s*", suffix=r"\b"), Keyword),
            (r"\b(NULL|sizeof|offsetof|container_of|current)\b", Keyword.Constant),
            (r"\b[A-Z][A-Z0-9_]{2,}\b", Name.Constant),
            (r"[A-Za-z_]\w*", Name),
            (r"[-+*/%=<>!&|^~?:.]+", Operator),
            (r"[()\[\]{},;]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ]
    }
