"""Turn command-line options in error messages into keywords of the library's functions.

Messages name options, because most users meet them on the command line. In Python,
``--slice-origin 1`` is ``slice_origin=1``. This module alone makes that change. It knows the
keywords from the signatures of the functions that are decorated with `in_python`.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from sidecar.errors import BatchError, SidecarError, UsageError

P = ParamSpec("P")
T = TypeVar("T")

#: Options whose keyword has another name: a reserved word of Python, or a clearer name.
OTHER_NAMES = {
    "from": "format",
    "sidecar": "exports",
    "session": "sessions",
    "observer": "observers",
}
#: Advice for commands → advice for functions. A function makes only one export.
OTHER_WAYS = {"all with --series all": "all by one call for each"}
#: The keywords of all functions, and whether each is a switch (True or False).
KEYWORDS: dict[str, bool] = {}

#: The value behind an option: a placeholder in capitals, a number, one of the values that options
#: have, or any text before a colon.
_VALUE = (
    r"[A-Z][A-Z0-9]*(?:[,:;][A-Z][A-Z0-9]*)*…?(?![\w.])"
    r"|\d[\w.,%/]*(?<![.,])"
    r"|(?:center|corner|name|number|source|png|none|all|repeat|interpolate|lps|ras|imagej)(?![\w-])"
    r"|[^\s:;]*[*/][^\s:;]*|\w+(?:[-.|]\w+)+|[^\s:;,]+(?=:)"
)
_OPTION = re.compile(rf"(?<![\w-])(?:--(?P<name>[a-z]+(?:-[a-z]+)*)|-o\b)(?: (?P<value>{_VALUE}))?")


def in_python(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, but its errors name keywords instead of options."""
    for name, parameter in inspect.signature(function).parameters.items():
        KEYWORDS[name] = parameter.default is False or parameter.default is True

    @functools.wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except SidecarError as error:
            _retell(error)
            raise

    return told


def as_keywords(text: str) -> str:
    """The message with a keyword in place of every option that a function has."""
    for command, function in OTHER_WAYS.items():
        text = text.replace(command, function)
    return _OPTION.sub(_keyword, text)


def one_of(keyword: str, value: object, allowed: Sequence[object]) -> None:
    """UsageError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        shown = ", ".join(map(repr, allowed))
        raise UsageError(f"{keyword}={value!r}: give one of {shown}")


def _retell(error: SidecarError) -> None:
    error.args = tuple(as_keywords(part) if isinstance(part, str) else part for part in error.args)
    for fault in error.faults if isinstance(error, BatchError) else ():
        _retell(fault)


def _keyword(found: re.Match[str]) -> str:
    option, value = found["name"] or "output", found["value"]
    name = OTHER_NAMES.get(option, option.replace("-", "_"))
    if name not in KEYWORDS:
        return found[0]
    if KEYWORDS[name]:
        return f"{name}=True" + (f" {value}" if value else "")
    if value is not None:
        return f"{name}={_literal(value)}"
    return name if found.string[found.end() :].startswith(":") else f"{name}=…"


def _literal(value: str) -> str:
    parts = value.split(",")
    if all(re.fullmatch(r"[A-Z][A-Z0-9]*…?|\d+(\.\d+)?", part) for part in parts):
        return value if len(parts) == 1 else f"({', '.join(parts)})"
    return repr(value)
