"""Lines of a terminal as a picture."""

import xml.etree.ElementTree as ET

from kshell.lens.svg import picture

SVG = "{http://www.w3.org/2000/svg}"


def test_every_text_with_its_style() -> None:
    root = ET.fromstring(picture([[("command", "1 init> "), ("", "a <b> & c")], [("new", "+ 漢字")]], 'a "title"'))
    texts = [(text.text, text.get("fill"), text.get("font-weight")) for text in root.iter(f"{SVG}text")]
    assert texts == [("1 init> ", "#ffffff", "bold"), ("a <b> & c", None, None), ("+ 漢字", "#7ee787", "bold")]
    assert root.get("aria-label") == 'a "title"'


def test_wide_text_is_as_wide_as_its_cells_and_escapes_are_shown() -> None:
    root = ET.fromstring(picture([[("", "漢字"), ("", "\x1b[2J")]]))
    first, second = root.iter(f"{SVG}text")
    assert first.get("textLength") == "33.6"
    assert second.text == "\\x1b[2J"
