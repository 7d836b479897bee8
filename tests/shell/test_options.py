"""The command line is understood, or refused with a reason."""

import pytest

from kshell.shell.options import PANELS, UsageError, parse


def test_texts_repeat() -> None:
    options = parse(["-c", "ps", "-cfds", "--json", "-q"])
    assert (options.texts, options.json, options.quiet) == (["ps", "fds"], True, True)


def test_files_behind_a_subcommand() -> None:
    options = parse(["check", "a.ks", "-", "--", "-b"])
    assert (options.subcommand, options.files) == ("check", ["a.ks", "-", "-b"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-c", "ps"], {"line", "signals"}),
        (["run", "x"], {"line", "objects", "signals"}),
        (["check", "x"], set()),
        (["run", "x", "-q"], set()),
        (["run", "x", "--show", "packets,log"], {"packets", "log"}),
        (["run", "x", "--show=+packets"], {"line", "objects", "signals", "packets"}),
        (["run", "x", "--show", "-objects"], {"line", "signals"}),
        (["-c", "x", "--show", "all"], set(PANELS)),
        (["run", "x", "--show", "none"], set()),
    ],
)
def test_panels(arguments: list[str], expected: set[str]) -> None:
    assert parse(arguments).panels() == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "no option --nonsense"),
        (["-c"], "-c wants a value"),
        (["--color", "pink"], "--color is one of"),
        (["--seed", "x"], "--seed wants a number"),
        (["run"], "run wants at least one FILE"),
        (["check"], "check wants at least one FILE"),
        (["file.ks"], "kshell run file.ks"),
        (["boot", "x"], "boot takes no FILE"),
        (["run", "x", "--chain"], "--chain goes with boot"),
        (["run", "x", "-c", "ps"], "-c goes alone"),
        (["run", "x", "--show", "moon"], "no panel 'moon'"),
    ],
)
def test_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(arguments)
