"""Attributes that pydicom looks up once.

What places and describes a frame is asked for again and again, and what its object says is asked
for by every frame: pydicom goes a long way for each answer.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

_ABSENT = object()


class Remembered:
    """A pydicom Dataset whose values, and those of the items of its sequences, are looked up once.
    See `Attributes`.
    """

    __slots__ = ("_dataset", "_values", "file_meta", "original_encoding")

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.file_meta: Any = getattr(dataset, "file_meta", None)
        self.original_encoding: Any = getattr(dataset, "original_encoding", None)
        self._values: dict[str, Any] = {}

    def get(self, keyword: str, default: Any = None, /) -> Any:
        if keyword not in self._values:
            self._values[keyword] = _remembered(self._dataset.get(keyword, _ABSENT))
        value = self._values[keyword]
        return default if value is _ABSENT else value

    def get_item(self, keyword: str) -> Any:
        """The element as it stands in the file."""
        return self._dataset.get_item(keyword)

    def __contains__(self, keyword: Any) -> bool:
        return keyword in self._dataset

    def __len__(self) -> int:
        return len(self._dataset)


def _remembered(value: Any) -> Any:
    """The items of a sequence remembered too; any other value as it is."""
    is_sequence = isinstance(value, MutableSequence) and value and hasattr(value[0], "get_item")
    return [Remembered(item) for item in value] if is_sequence else value
