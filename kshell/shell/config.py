"""`~/.config/kshell/config.toml`: written commented by `kshell config`, read when the prompt starts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kshell.session import settings

if TYPE_CHECKING:
    from kshell.shell.options import Options

HEAD = """\
# Settings of kshell's prompt. Take the # away before a line, and change its value.
# `set` at the prompt shows them all; `set NAME VALUE` changes one for a session.
# What `kshell -c`, `run` and `check` do never depends on this file.
"""


class ConfigError(Exception):
    """The file cannot be used; the text begins with file:line:column."""


def path() -> Path:
    """$XDG_CONFIG_HOME/kshell/config.toml, usually ~/.config/kshell/config.toml."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "kshell" / "config.toml"


def template() -> str:
    """The file with every setting, commented out, at its default."""
    parts = [HEAD]
    for setting in settings.TABLE:
        comment = "".join(f"# {line}\n" for line in setting.help.split("\n"))
        rest = " or ".join(_toml(value) for value in setting.values if value != setting.default)
        parts.append(f"{comment}# {setting.name} = {_toml(setting.default)}    # or {rest}\n")
    return "\n".join(parts)


def _toml(value: str) -> str:
    return {"on": "true", "off": "false"}.get(value, f'"{value}"')


def load(file: Path | None = None) -> dict[str, str]:
    """The settings of the file, {} if there is none; ConfigError says what is wrong with it and where."""
    file = file or path()
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    return read(data, str(file))


def read(data: bytes, name: str) -> dict[str, str]:
    """The settings in the bytes of a file."""
    import tomllib

    try:
        text = data.decode()
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}:{data.count(10, 0, error.start) + 1}:1: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_placed(name, text, str(error))) from None
    return {key: _held(key, value, text, name) for key, value in table.items()}


def _placed(name: str, text: str, message: str) -> str:
    """tomllib says `… (at line 3, column 9)`; editors understand file:3:9."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if found is None:
        return f"{name}:1:1: {message}"
    lines = text.split("\n")
    line, column = found[2] or len(lines), found[3] or len(lines[-1]) + 1
    return f"{name}:{line}:{column}: {found[1]}"


def _held(key: str, value: object, text: str, name: str) -> str:
    """The value of one setting; ConfigError at its place if it can't be."""
    spelled = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
    if spelled == "off" and "never" in settings.BY_NAME.get(key, settings.TABLE[0]).values:
        spelled = "never"
    problem = settings.problem(key, spelled)
    if problem is None:
        return spelled
    found = re.search(rf'^[ \t]*["\']?{re.escape(key)}["\']?\s*=?\s*', text, re.MULTILINE)
    at = 0 if found is None else found.start() if key not in settings.BY_NAME else found.end()
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    raise ConfigError(f"{name}:{line}:{column}: {'; '.join(problem)}")


def configure(options: Options) -> int:
    """`kshell config`: write the file if there is none, say where it is and what it sets."""
    from kshell.shell.main import OK, UNREADABLE

    file = path()
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(template(), encoding="utf-8")
            print(f"wrote {file}")
            return OK
        print(f"{file}\n")
        print("\n".join(settings.rows(settings.defaults() | load(file))))
    except (ConfigError, OSError) as error:
        print(f"kshell: {error}")
        return UNREADABLE
    return OK
