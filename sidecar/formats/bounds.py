"""Bounds of a value inside of a list or tuple, as types state them: told to pydantic, and no reason
to load it.
"""

from __future__ import annotations

from typing import Any


class Bounds:
    """By the names that pydantic has for them: ``Annotated[int, Bounds(ge=0, strict=True)]``."""

    def __init__(self, **bounds: float | bool) -> None:
        self.bounds = bounds

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), **self.bounds}
