"""Bounds of a value within a list or tuple, as part of its type. They do not load pydantic."""

from __future__ import annotations

from typing import Any


class Bounds:
    """Bounds under the names of pydantic: ``Annotated[int, Bounds(ge=0, strict=True)]``.

    pydantic reads them where it is loaded. This class does not load it.
    """

    def __init__(self, **bounds: float | bool) -> None:
        self.bounds = bounds

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), **self.bounds}
