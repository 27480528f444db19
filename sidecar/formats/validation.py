"""Validation of values against a model by pydantic, with errors in words for the user.

Models that are dataclasses state their annotations as text, so that a command loads pydantic only
where it needs it. This module evaluates that text.
"""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from sidecar.errors import UsageError, counted

#: Names in the annotations of models. The modules of the models import them for type checkers only.
_PYDANTIC = {
    "AfterValidator": AfterValidator,
    "BeforeValidator": BeforeValidator,
    "Field": Field,
}
#: The adapters made so far, by model.
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
#: Our words for faults, by the type that pydantic gives them.
_WORDS = {
    "unexpected_keyword_argument": "Extra inputs are not permitted",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_parsing_size": "give a smaller number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "float_parsing": "give a number",
}
#: At most so many faults are listed; the others are counted.
_MOST_TOLD = 5


def validated(model: type[Any], values: Any, prefix: str = "", where: str = "") -> Any:
    """``values`` as an object of ``model``. All faults become one UsageError, which names each
    wrong key.
    """
    try:
        return adapter(model).validate_python(values)
    except ValidationError as error:
        faults: dict[tuple[str, ...], str] = {}
        for one in error.errors(include_url=False, include_input=False, include_context=False):
            keys = _keys(one)
            # a value of a union has one fault per choice: the first is kept
            if not any(keys[:n] in faults for n in range(len(keys) + 1)):
                faults[keys] = _told(one, keys, prefix)
        told = list(faults.values())
        others = len(told) - _MOST_TOLD
        more = f"; and {counted(others, 'more fault')}" if others > 0 else ""
        raise UsageError(where + "; ".join(told[:_MOST_TOLD]) + more) from None


def adapter(model: type[Any]) -> TypeAdapter[Any]:
    """The object of pydantic that validates values of a model and makes its schema."""
    if model not in _ADAPTERS:
        made = TypeAdapter(model)
        names = [vars(sys.modules[one.__module__]) for one in model.__mro__]
        made.rebuild(_types_namespace=dict(ChainMap(*names, _PYDANTIC)))
        _ADAPTERS[model] = made
    return _ADAPTERS[model]


def _keys(fault: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        str(part)
        for part in fault["loc"]
        if not str(part).startswith(("tuple[", "literal[", "function-"))
    )


def _told(fault: Mapping[str, Any], keys: tuple[str, ...], prefix: str) -> str:
    name = ".".join(keys).replace("_", "-")
    words = _WORDS.get(fault["type"], fault["msg"])
    message = words.removeprefix("Value error, ").replace("Input should", "it should", 1)
    return f"{prefix + name + ': ' if name else ''}{message}"
