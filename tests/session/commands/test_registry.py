"""The registry of commands: its table of families is what the modules define."""

import pytest

from kshell.session.commands import FAMILIES, SECTIONS, Registry, family_commands


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_defines_the_commands_that_the_table_gives_it(family: str) -> None:
    assert tuple(family_commands(family)) == FAMILIES[family]


def test_every_command_has_usage_help_and_a_section_of_the_manual() -> None:
    for entry in Registry():
        assert entry.usage.split()[0] == entry.name
        assert entry.summary.endswith((".", ":")), entry.name
        assert entry.section in SECTIONS


def test_no_name_is_given_twice() -> None:
    names = [name for family in FAMILIES.values() for name in family]
    assert len(names) == len(set(names))
