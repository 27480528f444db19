"""Names of files that documents hold, as they may be on every system: they never lead out of the
folder that they are looked for in.

Patterns that Python, JSON Schema and pydantic read alike, so without a look ahead.
"""

from __future__ import annotations

import re

_REST = r"[^/\\\x00]"
_DOTTED = rf"\.[^./\\\x00]{_REST}*|\.\.{_REST}+"
_PART = rf"(?:[^./\\\x00]{_REST}*|{_DOTTED})"
#: A first part that is no drive of Windows, such as C:, which any one character may be.
_FIRST = rf"(?:[^./\\\x00](?:[^:/\\\x00]{_REST}*)?|\.[^./\\:\x00]{_REST}*|\.\.{_REST}+)"

#: The name of a file in a folder: no separator, no drive, neither "." nor "..".
PLAIN_NAME = rf"^{_FIRST}$"
#: The name of a file in a folder or below it, its parts separated by "/"; what Windows takes for a
#: separator is none that leads out either.
RELATIVE_NAME = rf"^{_FIRST}(?:[/\\]{_PART})*$"


def is_plain(name: str) -> bool:
    return re.fullmatch(PLAIN_NAME[1:-1], name) is not None


def is_relative(name: str) -> bool:
    return re.fullmatch(RELATIVE_NAME[1:-1], name) is not None
