"""Names in the order that people mean."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([0-9]+)")

#: A name as something to sort by.
Natural = tuple[tuple[bool, int, str], ...]


def natural_order(name: str) -> Natural:
    """Numbers in a name count as numbers: slice_9 comes before slice_10, 1.2.9 before 1.2.10."""
    return tuple(
        _counted(part) if part.isdecimal() else (True, 0, part.lower())
        for part in _NUMBER.split(name)
        if part
    )


def _counted(digits: str) -> tuple[bool, int, str]:
    """Digits as a number of any length."""
    number = digits.lstrip("0")
    return False, len(number), number


def apart_from_numbers(name: str) -> str:
    """What is left of a name whose numbers are taken for one and the same."""
    return _NUMBER.sub("0", name).lower()
