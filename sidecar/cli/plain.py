"""Read plain command lines without typer, whose import takes half as long as a small export.

A command line is plain where it is right beyond doubt. typer reads all others: a request for help,
an invalid value, an unknown option, an option that is given twice. It accepts them or says what is
wrong. A test compares this module with typer on made-up command lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from sidecar.cli.declared import Argument, Option
from sidecar.errors import UsageError


class NotPlainError(Exception):
    """The command line is not plain: typer must read it."""


def _whole(text: str) -> int:
    return int(_matching(r"[0-9]{1,9}", text))


def _number(text: str) -> float:
    return float(_matching(r"[0-9]{1,9}(\.[0-9]{1,17})?", text))


def _matching(pattern: str, text: str) -> str:
    if re.fullmatch(pattern, text) is None:
        raise NotPlainError
    return text


#: Characters that typer may expand on Windows, where the shells do not.
_EXPANDED = frozenset("*?[~$%")
#: The function that turns text into a value, by the type of the value.
_KINDS: dict[type, Callable[[str], Any]] = {str: str, Path: Path, int: _whole, float: _number}


def plain_values(run: Callable[..., None], words: Sequence[str]) -> dict[str, Any] | None:
    """The values to call ``run`` with.

    None where the words are not plain, or where the command declares something unknown here.
    """
    try:
        return _values(run, words)
    except (NotPlainError, UsageError):
        return None


def _values(run: Callable[..., None], words: Sequence[str]) -> dict[str, Any]:
    if os.name == "nt" and any(set(word) & _EXPANDED for word in words):
        raise NotPlainError
    arguments, options, values = _declared(run)
    given, left = dict[str, Any](), iter(words)
    places = iter(arguments)
    for word in left:
        if word.startswith("-"):
            name, parse, value = _option(options, word, left)
        else:
            name, parse = next(places, ("", None))
            value = word
        if name in given or not name:
            raise NotPlainError
        given[name] = value if parse is None else _parsed(parse, value)
    values |= given
    if Parameter.empty in values.values():
        raise NotPlainError
    return values


_Parse = Callable[[str], Any] | None
#: Name of an option → its parameter, and the function that makes its value; or None and its value.
_Known = dict[str, tuple[str, _Parse, Any]]


def _option(options: _Known, word: str, left: Iterator[str]) -> tuple[str, _Parse, Any]:
    """The option that a word names, and its text. The text may be the next word."""
    long = word.startswith("--")
    key, equals, text = word.partition("=") if long else (word, "", "")
    name, parse, value = options.get(key, ("", None, None))
    if parse is None:
        return "" if equals else name, None, value
    return name, parse, text if equals else next(left, "")


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    if not text or text.startswith("-"):
        raise NotPlainError
    return parse(text)


def _declared(run: Callable[..., None]) -> tuple[list[tuple[str, _Parse]], _Known, dict[str, Any]]:
    """The arguments of a command in order, its options by their names, and its defaults."""
    hints = get_type_hints(run, include_extras=True)
    arguments, options, defaults = list[tuple[str, _Parse]](), _Known(), dict[str, Any]()
    for name, parameter in signature(run).parameters.items():
        kind, *declared = get_args(hints[name])
        kinds = [one for one in get_args(kind) or (kind,) if one is not NoneType]
        if len(declared) != 1 or len(kinds) != 1:
            raise NotPlainError
        defaults[name] = parameter.default
        (one,) = declared
        if isinstance(one, Argument):
            arguments.append((name, one.parser or _kind(kinds[0])))
        elif not isinstance(one, Option):
            raise NotPlainError
        elif kinds[0] is bool:
            options |= _switches(name, one)
        else:
            made = (name, one.parser or _kind(kinds[0]), None)
            options |= dict.fromkeys(one.names or [_long(name)], made)
    return arguments, options, defaults


def _kind(kind: type) -> Callable[[str], Any]:
    if kind not in _KINDS:
        raise NotPlainError
    return _KINDS[kind]


def _switches(name: str, option: Option) -> _Known:
    """Names of an option without a value. In ``--a/--b`` the second name turns it off."""
    found = _Known()
    for names in option.names:
        on, _, off = names.partition("/")
        found[on] = (name, None, True)
        if off:
            found[off] = (name, None, False)
    if not found:  # typer adds a name that turns it off
        raise NotPlainError
    return found


def _long(name: str) -> str:
    return f"--{name.replace('_', '-')}"
