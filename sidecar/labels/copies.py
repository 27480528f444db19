"""Recognise the names that browsers and file managers give to a second file of one name.

The second ``slice_0004.png`` in a folder may be a copy of the first, or the PNG of another export.
It becomes ``slice_0004 (1).png`` (Chrome, Edge, KDE), ``slice_0004(1).png`` (Firefox), ``slice_0004
2.png`` or ``slice_0004 copy.png`` (macOS), ``slice_0004 - Copy.png`` (Windows), ``slice_0004
(copy).png`` (GNOME) or ``Copy of slice_0004.png`` (Google Drive), the word in the language of the
user.
"""

from __future__ import annotations

import re

from sidecar.document.tag import TAG

_WORD = "(?:copy|copi[ea]|cópia|kopi[ea]?)"
_COUNT = "[0-9]{1,3}"
_MARK = (
    rf"(?: ?\({_COUNT}\)"
    rf"| ?\((?:another |{_COUNT}[a-z]{{2}} )?{_WORD}(?: {_COUNT})?\)"
    rf"| (?:- )?{_WORD}(?: {_COUNT})?"
    # names of adopted images may end in such a number themselves
    rf"|(?:(?<=[0-9]{{4}})|(?<=_{TAG})) {_COUNT}(?=[_.]|$))"
)
_AFTER = re.compile(rf"(?P<mark>{_MARK}{{1,4}})(?![^\W_])", re.I)
_AT_END = re.compile(rf"(?P<mark>{_MARK}{{1,4}})$", re.I)
_BEFORE = re.compile(rf"(?:{_WORD}(?: \({_COUNT}\))? (?:of|von|de|di|van|av) )+", re.I)


def original_of(name: str) -> str:
    """The name, without an extension, that a file had before its name was taken; the same name if
    it has no mark of a copy.
    """
    start = len(mark_before(name))
    return _AT_END.sub("", name[start:])


def mark_before(name: str) -> str:
    """The mark of a copy that a name begins with, or ""."""
    found = _BEFORE.match(name)
    return found[0] if found else ""


def mark_after(name: str, start: int) -> str:
    """The mark of a copy at place ``start`` of a name, or else at its end, or ""."""
    found = _AFTER.match(name, start) or _AT_END.search(name, start)
    return found["mark"] if found else ""
