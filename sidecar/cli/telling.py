"""What people read on stderr: nothing in it moves the cursor or looks like another message, and no
message fills the screen, whatever the file holds that it is about.
"""

from __future__ import annotations

import re
import sys
from typing import TextIO

from sidecar.errors import printable

#: Characters of a line and lines of a message; of longer ones beginning and end are told.
LONGEST, MOST = 1200, 60
_END, _LAST = 300, 5
#: Our own further lines are indented or items of a list; other line breaks are of somebody else.
_OWN_BREAK = re.compile(r"\n(?=  |- )")


def tell(message: str) -> None:
    say(as_told(message), sys.stderr)


def say(text: str, stream: TextIO | None) -> None:
    """A line on stdout or stderr, at once; nowhere where the caller closed it."""
    if stream is not None:
        stream.write(f"{text}\n")
        stream.flush()


def as_told(message: str) -> str:
    """The message with everything in it escaped that a terminal would not print."""
    lines = [_shortened(printable(line)) for line in _OWN_BREAK.split(message)]
    if len(lines) > MOST:
        left_out = len(lines) - MOST + 1
        lines[MOST - _LAST - 1 : -_LAST] = [f"  … {left_out} more lines …"]
    return "\n".join(lines)


def _shortened(line: str) -> str:
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST - _END]} … {line[-_END:]}"
