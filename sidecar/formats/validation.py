"""Values against a model: the faults in words for the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sidecar.errors import UsageError

#: More faults than this are counted, not told.
_MOST_TOLD = 5


def validated(model: type[Any], values: Any, prefix: str = "", where: str = "") -> Any:
    """``model`` made of ``values``; faults become one UsageError that names each key at fault."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults: dict[tuple[str, ...], str] = {}
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            keys = _keys(one)
            if not any(keys[:n] in faults for n in range(len(keys) + 1)):  # of a choice the first
                faults[keys] = _told(one, keys, prefix)
        told = list(faults.values())
        more = f"; and {len(told) - _MOST_TOLD} more faults" if len(told) > _MOST_TOLD else ""
        raise UsageError(where + "; ".join(told[:_MOST_TOLD]) + more) from None


def _keys(fault: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(part)
        for part in fault["loc"]
        if not str(part).startswith(("tuple[", "literal[", "function-"))
    )


def _told(fault: Mapping[str, Any], keys: tuple[str, ...], prefix: str) -> str:
    name = ".".join(keys).replace("_", "-")
    message = fault["msg"].removeprefix("Value error, ").replace("Input should", "it should", 1)
    return f"{prefix + name + ': ' if name else ''}{message}"
