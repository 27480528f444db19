"""How many calls something takes: work that is counted, where a clock would not be the same twice."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest


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


def calls_since(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> Callable[[], int]:
    """A function that returns how often a function of a module was called since the last question."""
    function, calls = getattr(module, name), 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return function(*given, **named)

    def since() -> int:
        nonlocal calls
        told, calls = calls, 0
        return told

    monkeypatch.setattr(module, name, counted)
    return since
