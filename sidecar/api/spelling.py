"""The ways out that messages name, in the words of the library.

The house writes them as options of the command line, where most users meet them. Whoever calls a
function has keywords instead: ``--slice-origin 1`` is ``slice_origin=1`` there. This is the one
place that turns one into the other, by the signatures of the functions that are decorated with
`in_python`.
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

#: Options whose keyword has another name: these are words of Python, or say more there.
OTHER_NAMES = {
    "from": "format",
    "sidecar": "exports",
    "session": "sessions",
    "observer": "observers",
}
#: What a function offers in place of what a command does: it makes one export.
OTHER_WAYS = {"all with --series all": "all by one call for each"}
#: The keywords of all functions, and whether they are True or False.
KEYWORDS: dict[str, bool] = {}

#: What follows an option and is its value: a word in capitals that stands for one, a number, one of
#: the values that options have, or whatever stands before a colon.
_VALUE = (
    r"[A-Z][A-Z0-9]*(?:[,:;][A-Z][A-Z0-9]*)*…?(?![\w.])"
    r"|\d[\w.,%/]*(?<![.,])"
    r"|(?:center|corner|name|number|source|png|none|all|repeat|interpolate|lps|ras|imagej)(?![\w-])"
    r"|[^\s:;]*[*/][^\s:;]*|\w+(?:[-.|]\w+)+|[^\s:;,]+(?=:)"
)
_OPTION = re.compile(rf"(?<![\w-])(?:--(?P<name>[a-z]+(?:-[a-z]+)*)|-o\b)(?: (?P<value>{_VALUE}))?")


def in_python(function: Callable[P, T]) -> Callable[P, T]:
    """The function, whose errors name keywords where they named options."""
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
    """A message in which every option that a function has is its keyword."""
    for command, function in OTHER_WAYS.items():
        text = text.replace(command, function)
    return _OPTION.sub(_keyword, text)


def one_of(keyword: str, value: object, allowed: Sequence[object]) -> None:
    """UsageError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        shown = ", ".join(map(repr, allowed))
        raise UsageError(f"{keyword}={value!r}: it is one of {shown}")


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
