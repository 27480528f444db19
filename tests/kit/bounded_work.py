"""100 kB of whatever is nasty, and a bound on the work that it may cause.

Processor time of this process is what is bounded, not the clock: a pattern or loop that is
quadratic takes minutes of it, and a linear one a few hundredths of a second.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

SIZE, SECONDS = 100_000, 10.0
_KINDS = {
    "comments": "<!-- a -->\n", "lines": "\n", "lines of Windows": "\r\n", "spaces": " ", "tabs": "\t",
    "brackets": "[", "braces": "{", "parentheses": "(", "tags": "<a>", "digits": "9", "cells": "1,",
    "numbers": "1 ", "points": "1 2\n", "quotes": '"', "quoted cells": '"a",', "escapes": '"\\',
    "keys": '"a":', "assignments": "a=", "letters": "a", "dots": ".", "minus": "-", "e": "e",
    "declarations": "<!", "entities": "&", "semicolons": ";", "separators": "\u2028", "rows": "a,b\n",
}  # fmt: skip
#: Kind → `SIZE` bytes of it.
NASTY = {name: text * (SIZE // len(text.encode())) for name, text in _KINDS.items()}

needs_a_bound = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="processor time cannot be bounded here"
)


class _TooLongError(BaseException):
    """Nothing that is tried catches it."""


@contextlib.contextmanager
def bounded(what: object) -> Iterator[None]:
    """The test fails where what is within takes more than `SECONDS` of processor time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    except _TooLongError:  # where it was raised may be no line that pytest could show
        pytest.fail(f"more than {SECONDS} s of processor time: {what}", pytrace=False)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
