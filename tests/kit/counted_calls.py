"""How many calls something takes: work that is counted, where a clock would not be the same twice."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable


def calls_of(call: Callable[[], object]) -> int:
    """The calls of functions, and the ends of calls, while ``call`` runs."""
    heard = 0

    def hear(*_: object) -> None:
        nonlocal heard
        heard += 1

    before = sys.getprofile()
    gc.disable()  # a collection calls what other tests have left
    sys.setprofile(hear)
    try:
        call()
    finally:
        sys.setprofile(before)
        gc.enable()
    return heard
