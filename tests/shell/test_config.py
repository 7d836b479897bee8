"""Settings: their file, its errors with line and column, and `set`."""

import tomllib
from pathlib import Path

import pytest

from kshell.session import events as ev
from kshell.session import settings
from kshell.session.session import Session
from kshell.shell import config
from kshell.shell.config import ConfigError
from kshell.shell.options import Options


def test_the_file_that_is_written_changes_nothing_until_a_line_is_uncommented() -> None:
    assert tomllib.loads(config.template()) == {}
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line and line.startswith("# ") and line.split()[1] in settings.BY_NAME else line
        for line in config.template().split("\n")
    )
    assert config.read(uncommented.encode(), "x") == settings.defaults()


def test_every_setting_stands_in_it_with_its_help() -> None:
    for setting in settings.TABLE:
        assert f"# {setting.name} = " in config.template()
        assert f"# {setting.summary}" in config.template()


@pytest.mark.parametrize("setting", settings.TABLE, ids=lambda setting: setting.name)
def test_every_setting_is_whole(setting: settings.Setting) -> None:
    assert setting.default in setting.values
    assert setting.summary.endswith(".")
    session = Session()
    for value in setting.values:
        session.run(f"set {setting.name} {value}")
        assert session.settings[setting.name] == value
    events = session.run(f"set {setting.name}")
    assert setting.help in next(event.text for event in events if isinstance(event, ev.Output))
    assert session.errors == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ('editing = "vi"', {"editing": "vi"}),
        ("tips = false\nclock = true", {"tips": "off", "clock": "on"}),
        ('tips = "off"', {"tips": "off"}),
        ("color = false", {"color": "never"}),
        ('# editing = "vi"', {}),
    ],
)
def test_values(text: str, expected: dict[str, str]) -> None:
    assert config.read(text.encode(), "x") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('editing = "vim"', "c.toml:1:11: editing is one of: emacs, vi"),
        ('\n\n  editng = "vi"', "c.toml:3:1: there is no setting 'editng'; did you mean editing?"),
        ("tips = 3", "c.toml:1:8: tips is one of: on, off"),
        ("tips = ", "c.toml:1:8: "),
        ("tips", "c.toml:1:5: "),
        ('a = "b', "c.toml:1:7: "),
        ("[tips]\nx = 1", "c.toml:1:1: tips is one of"),
    ],
)
def test_errors_have_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.read(text.encode(), "c.toml")
    assert str(caught.value).startswith(message) or message in str(caught.value)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ConfigError, match=r"c\.toml:2:1: not UTF-8"):
        config.read(b"# a\n\xff", "c.toml")


def test_kshell_config_writes_once_and_then_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "kshell" / "config.toml"
    assert config.configure(Options()) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    path.write_text(path.read_text().replace('# editing = "emacs"', 'editing = "vi"'))
    assert config.configure(Options()) == 0
    shown = capsys.readouterr().out
    assert str(path) in shown
    assert any(line.split()[:2] == ["editing", "vi"] for line in shown.splitlines())
    path.write_text("nonsense")
    assert config.configure(Options()) == 2
    assert f"{path}:1:9" in capsys.readouterr().out


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert config.load(tmp_path / "none.toml") == {}


def test_what_changes_calls_is_saved_with_the_session() -> None:
    session = Session(configured={"abi": "x86_64", "editing": "vi"})
    session.run("getpid()")
    assert session.script() == "set abi x86_64\ngetpid()\n"


def test_near_names_are_offered() -> None:
    session = Session()
    events = session.run("set editng vi\nset editing vim")
    hints = [(event.message, event.hint) for event in events if isinstance(event, ev.Error)]
    assert hints[0][1] == "did you mean editing?"
    assert hints[1][0] == "editing is one of: emacs, vi"
