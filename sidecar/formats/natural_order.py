"""The order of file names in which numbers count as numbers."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]+)")

#: A key to sort names by.
Natural = tuple[tuple[bool, int, str], ...]


def natural_order(name: str) -> Natural:
    """Numbers in a name count as numbers: slice_9 comes before slice_10, 1.2.9 before 1.2.10."""
    return tuple(
        _counted(part) if part.isdecimal() else (True, 0, part.lower())
        for part in _NUMBER.split(name)
        if part
    )


def _counted(digits: str) -> tuple[bool, int, str]:
    """Digits, of any length, as a number to sort by."""
    number = digits.lstrip("0")
    return False, len(number), number


def apart_from_numbers(name: str) -> str:
    """A name in lower case with every number replaced by 0. Names that differ only in numbers
    are equal.
    """
    return _NUMBER.sub("0", name).lower()
