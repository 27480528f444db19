"""Rules for file names in documents: valid on every system, and never leading out of the folder in
which the file is looked for.

Python, JSON Schema and pydantic must read the patterns alike. So they use no look-ahead.
"""

from __future__ import annotations

import re

_REST = r"[^/\\\x00]"
_DOTTED = rf"\.[^./\\\x00]{_REST}*|\.\.{_REST}+"
_PART = rf"(?:[^./\\\x00]{_REST}*|{_DOTTED})"
#: The first part of a name. It is no drive of Windows, such as C:, whose letter may be any
#: character.
_FIRST = rf"(?:[^./\\\x00](?:[^:/\\\x00]{_REST}*)?|\.[^./\\:\x00]{_REST}*|\.\.{_REST}+)"

#: The name of a file in a folder. It has no separator and no drive, and is neither "." nor "..".
PLAIN_NAME = rf"^{_FIRST}$"
#: The name of a file in a folder or below it, with its parts separated by "/". A backslash, which
#: separates parts on Windows, cannot lead out of the folder either.
RELATIVE_NAME = rf"^{_FIRST}(?:[/\\]{_PART})*$"


def is_plain(name: str) -> bool:
    return re.fullmatch(PLAIN_NAME[1:-1], name) is not None


def is_relative(name: str) -> bool:
    return re.fullmatch(RELATIVE_NAME[1:-1], name) is not None
