"""Colours of the editor, by ANSI names, so that the terminal's own palette decides; readable on dark and on light."""

from __future__ import annotations

from functools import cache

from prompt_toolkit.styles import BaseStyle, Style

_BOTH = {
    "prompt.number": "",
    "prompt.task": "bold",
    "signature.current": "reverse bold",
    "signature.name": "bold",
    "problem": "ansired",
    "toolbar.key": "reverse",
    "toolbar": "noreverse",
    "bottom-toolbar": "noreverse",
    "matching-bracket.cursor": "reverse",
    "matching-bracket.other": "reverse",
    "matching-bracket": "",
    "completion-menu": "noreverse",
    "completion-menu.completion.current": "reverse bold",
    "pygments.name.function": "bold",
    "pygments.keyword": "bold",
    "pygments.comment": "italic",
}
_DARK = {
    "prompt.task": "bold ansigreen",
    "prompt.asleep": "ansiyellow",
    "continuation": "ansibrightblack",
    "clock": "ansibrightblack",
    "tip": "ansibrightblack",
    "signature": "ansibrightblack",
    "signature.type": "ansicyan",
    "auto-suggestion": "ansibrightblack",
    "completion-menu.completion": "bg:ansibrightblack ansigray",
    "completion-menu.meta.completion": "bg:ansiblack ansigray",
    "completion-menu.meta.completion.current": "bg:ansiblack ansiwhite bold",
    "scrollbar.background": "bg:ansibrightblack",
    "scrollbar.button": "bg:ansigray",
    "pygments.name.function": "bold ansibrightblue",
    "pygments.name.constant": "ansicyan",
    "pygments.literal.string": "ansigreen",
    "pygments.literal.number": "ansimagenta",
    "pygments.keyword": "bold ansibrightblue",
    "pygments.name.label": "ansiyellow",
    "pygments.comment": "italic ansibrightblack",
}
_LIGHT = {
    "prompt.task": "bold ansigreen",
    "prompt.asleep": "ansimagenta",
    "continuation": "ansibrightblack",
    "clock": "ansibrightblack",
    "tip": "ansibrightblack",
    "signature": "ansibrightblack",
    "signature.type": "ansiblue",
    "auto-suggestion": "ansibrightblack",
    "completion-menu.completion": "bg:ansigray ansiblack",
    "completion-menu.meta.completion": "bg:ansiwhite ansiblack",
    "completion-menu.meta.completion.current": "bg:ansiwhite ansiblack bold",
    "scrollbar.background": "bg:ansigray",
    "scrollbar.button": "bg:ansibrightblack",
    "pygments.name.function": "bold ansiblue",
    "pygments.name.constant": "ansiblue",
    "pygments.literal.string": "ansigreen",
    "pygments.literal.number": "ansimagenta",
    "pygments.keyword": "bold ansiblue",
    "pygments.name.label": "ansimagenta",
    "pygments.comment": "italic ansibrightblack",
}


@cache
def style(colours: bool, background: str) -> BaseStyle:
    """The style sheet: without colours only bold and reverse are used."""
    if not colours:
        return Style.from_dict(_BOTH)
    return Style.from_dict(_BOTH | (_LIGHT if background == "light" else _DARK))
