"""getopt_long(), as glibc has it: options anywhere among the words, and its own words for those that are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from kshell.userland.runtime import UsageError

Found = list[tuple[str, str]]
_NO_LONG: Final[Mapping[str, str]] = {}


class Getopt:
    """The options that a program knows.

    short: letters, with a colon behind those that want an argument. long: name → what it is called where it is
    found, a letter mostly; "=" behind the name: it wants an argument. status, usage: of the program that ends
    because of a wrong one.
    """

    def __init__(self, short: str, long: Mapping[str, str] = _NO_LONG, status: int = 1, usage: str = "") -> None:
        self.plus = short.startswith("+")
        self.letters = {letter for letter in short if letter not in ":+"}
        self.wanting = {letter for letter, behind in pairwise(short) if behind == ":"}
        self.long = {name.rstrip("="): (key, name.endswith("=")) for name, key in long.items()}
        self.status = status
        self.usage = usage

    def parse(self, argv: list[str]) -> tuple[Found, list[str]]:
        """Options with their arguments in order, and the other words. UsageError."""
        found: Found = []
        operands: list[str] = []
        rest = argv[1:]
        while rest:
            word = rest.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                found.append(self._long(argv[0], word[2:], rest))
            elif word.startswith("-") and word != "-":
                found += self._short(argv[0], word[1:], rest)
            elif self.plus:
                return found, [word, *rest]
            else:
                operands.append(word)
        return found, operands + rest

    def _short(self, program: str, letters: str, rest: list[str]) -> Found:
        found: Found = []
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter not in self.letters:
                raise self.error(program, f"invalid option -- '{letter}'")
            if letter not in self.wanting:
                found.append((letter, ""))
                continue
            if not letters and not rest:
                raise self.error(program, f"option requires an argument -- '{letter}'")
            found.append((letter, letters or rest.pop(0)))
            break
        return found

    def _long(self, program: str, word: str, rest: list[str]) -> tuple[str, str]:
        given, equals, value = word.partition("=")
        names = [given] if given in self.long else [name for name in self.long if name.startswith(given)]
        if not names:
            raise self.error(program, f"unrecognized option '--{given}'")
        if len({self.long[name] for name in names}) > 1:
            listed = " ".join(f"'--{name}'" for name in names)
            raise self.error(program, f"option '--{given}' is ambiguous; possibilities: {listed}")
        key, wants = self.long[names[0]]
        if equals and not wants:
            raise self.error(program, f"option '--{names[0]}' doesn't allow an argument")
        if wants and not equals:
            if not rest:
                raise self.error(program, f"option '--{names[0]}' requires an argument")
            value = rest.pop(0)
        return key, value

    def error(self, program: str, message: str) -> UsageError:
        """What is told of a wrong option."""
        return UsageError(f"{program}: {message}" + (f"\n{self.usage}" if self.usage else ""), self.status)
