"""Print messages for people on stderr, whatever text from a file they hold.

No message moves the cursor, looks like another message, or fills the screen.
"""

from __future__ import annotations

import re
import sys
from typing import TextIO

from sidecar.errors import printable

#: Most characters in a line, and most lines in a message. Longer ones lose their middle.
LONGEST, MOST = 1200, 60
_END, _LAST = 300, 5
#: Our own line breaks stand before an indented line or a list item. All others come from elsewhere.
_OWN_BREAK = re.compile(r"\n(?=  |- )")


def tell(message: str) -> None:
    say(as_told(message), sys.stderr)


def say(text: str, stream: TextIO | None) -> None:
    """Print a line on stdout or stderr at once, or nothing where the caller closed the stream."""
    if stream is not None:
        stream.write(f"{text}\n")
        stream.flush()


def as_told(message: str) -> str:
    """The message, shortened, with escapes for all characters that a terminal would not print."""
    lines = [_shortened(printable(line)) for line in _OWN_BREAK.split(message)]
    if len(lines) > MOST:
        left_out = len(lines) - MOST + 1
        lines[MOST - _LAST - 1 : -_LAST] = [f"  … {left_out} more lines …"]
    return "\n".join(lines)


def _shortened(line: str) -> str:
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST - _END]} … {line[-_END:]}"
