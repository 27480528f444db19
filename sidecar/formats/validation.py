"""Values against a model: the first fault in words for the user."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from sidecar.errors import UsageError


def validated(model: type[Any], values: Any, prefix: str = "", where: str = "") -> Any:
    """``model`` made of ``values``; the first fault becomes a UsageError that names the key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        keys = [
            str(part)
            for part in first["loc"]
            if not str(part).startswith(("tuple[", "literal[", "function-"))
        ]
        name = ".".join(keys).replace("_", "-")
        message = first["msg"].removeprefix("Value error, ").replace("Input should", "it should", 1)
        raise UsageError(f"{where}{prefix + name + ': ' if name else ''}{message}") from None
