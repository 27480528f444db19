"""Copy columns of text from a label file to the output unchanged.

Cells are cut out or made only when they are needed, so a million rows need little memory.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from sidecar.document.tag import folded

#: Rows to process at a time, so that their cells fit the cache of the processor.
PIECE = 1 << 14
#: Up to this many different texts of a column are stored only once, because names of images and
#: landmarks repeat.
_KEPT_ONCE = 1 << 12


class Columns(Mapping[str, Sequence[str]]):
    """Columns by name, in the order of the output, N cells each."""

    @abstractmethod
    def piece(self, start: int) -> Columns:
        """`PIECE` rows, or the rest, from row ``start``, which is a multiple of `PIECE`."""

    @abstractmethod
    def pieces(self) -> Iterator[Columns]:
        """All rows in order, `PIECE` at a time."""

    @abstractmethod
    def only(self, names: Iterable[str]) -> Columns:
        """Some of the columns, in the order of ``names``."""


#: Function from rows, a slice with a start and a stop, to the cells of one column.
Maker = Callable[[slice], Sequence[str]]


class Made(Columns):
    """Columns whose cells are made when they are needed, in the order of ``makers``.

    ``rows``: the rows of the file that these columns hold, a slice with a start and a stop.
    """

    def __init__(self, makers: Mapping[str, Maker], rows: slice) -> None:
        self._makers = makers
        self._rows = rows

    @classmethod
    def of(cls, cells: Mapping[str, Sequence[str]], count: int) -> Made:
        """Columns of ``count`` cells that exist already."""
        return cls({name: column.__getitem__ for name, column in cells.items()}, slice(0, count))

    def __len__(self) -> int:
        return len(self._makers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __getitem__(self, name: str) -> Sequence[str]:
        return self._makers[name](self._rows)

    def piece(self, start: int) -> Made:
        first = self._rows.start + start
        return Made(self._makers, slice(first, min(first + PIECE, self._rows.stop)))

    def pieces(self) -> Iterator[Made]:
        return map(self.piece, range(0, self._rows.stop - self._rows.start, PIECE))

    def only(self, names: Iterable[str]) -> Made:
        return Made({name: self._makers[name] for name in names}, self._rows)


class Kept(Columns):
    """The same columns. What was made of one as a whole is kept, and not made again."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._made: dict[str, Sequence[str]] = {}

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __getitem__(self, name: str) -> Sequence[str]:
        if name not in self._made:
            self._made[name] = self._columns[name]
        return self._made[name]

    def piece(self, start: int) -> Columns:
        return self._columns.piece(start)

    def pieces(self) -> Iterator[Columns]:
        return self._columns.pieces()

    def only(self, names: Iterable[str]) -> Columns:
        return Kept(self._columns.only(names))


class SideBySide(Columns):
    """The columns of two sets of as many rows, those of ``left`` first."""

    def __init__(self, left: Columns, right: Columns) -> None:
        self._left, self._right = left, right

    def __len__(self) -> int:
        return len(self._left) + len(self._right)

    def __iter__(self) -> Iterator[str]:
        return chain(self._left, self._right)

    def __getitem__(self, name: str) -> Sequence[str]:
        return (self._left if name in self._left else self._right)[name]

    def piece(self, start: int) -> SideBySide:
        return SideBySide(self._left.piece(start), self._right.piece(start))

    def pieces(self) -> Iterator[SideBySide]:
        return map(SideBySide, self._left.pieces(), self._right.pieces())

    def only(self, names: Iterable[str]) -> SideBySide:
        wanted = list(names)
        left, right = ([n for n in wanted if n in side] for side in (self._left, self._right))
        return SideBySide(self._left.only(left), self._right.only(right))


class RepeatedTexts:
    """A column of texts that repeat. In ``cells``, equal texts are one object."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self._known: dict[str, str] = {}

    def add(self, cells: Sequence[str]) -> None:
        self.cells += (
            map(self._known.setdefault, cells, cells) if len(self._known) < _KEPT_ONCE else cells
        )


class Rows(Columns):
    """Columns by name, in the order of the header.

    ``numbers``: name of a column → number of its cell in a line.
    ``blocks``: UTF-8 lines with a newline between them, `PIECE` lines in a block and fewer in the
    last. They hold no quotes. In each line, ``delimiter`` separates ``width`` cells.
    """

    def __init__(
        self, numbers: Mapping[str, int], delimiter: str, blocks: Sequence[bytes], width: int
    ) -> None:
        self._number = numbers
        self._delimiter = delimiter
        self._blocks = blocks
        self._width = width

    @classmethod
    def of(cls, names: Sequence[str], delimiter: str, blocks: Sequence[bytes]) -> Rows:
        """Lines that have a cell for each of ``names``."""
        return cls({name: i for i, name in enumerate(names)}, delimiter, blocks, len(names))

    def __len__(self) -> int:
        return len(self._number)

    def __iter__(self) -> Iterator[str]:
        return iter(self._number)

    def __contains__(self, name: object) -> bool:
        return name in self._number

    def __getitem__(self, name: str) -> list[str]:
        number = self._number[name]
        if len(self._blocks) == 1:
            return self._cells[number]
        column = RepeatedTexts()
        for piece in self.pieces():
            column.add(piece._cells[number])
        return column.cells

    @cached_property
    def _cells(self) -> list[list[str]]:
        """All cells of the lines of a single block, by column."""
        cells = self._text().replace("\n", self._delimiter).split(self._delimiter)
        return [cells[i :: self._width] for i in range(self._width)]

    def _text(self) -> str:
        return self._blocks[0].decode()

    def pieces(self) -> Iterator[Rows]:
        return (self.piece(PIECE * i) for i in range(len(self._blocks)))

    def piece(self, start: int) -> Rows:
        blocks = self._blocks[start // PIECE : start // PIECE + 1]
        return Rows(self._number, self._delimiter, blocks, self._width)

    def only(self, names: Iterable[str]) -> Rows:
        chosen = {name: self._number[name] for name in names}
        return Rows(chosen, self._delimiter, self._blocks, self._width)

    def hold(self, marks: bytes) -> bool:
        """Whether any of these bytes is in any of the lines."""
        return any(mark in block for mark in marks for block in self._blocks)

    def contain(self, text: str) -> bool:
        """Whether a text without delimiter is in any of the rows, both `folded`."""
        sought = folded(text)
        plain = sought.encode()
        return any(
            plain in block.lower() if block.isascii() else sought in folded(block.decode())
            for block in self._blocks
        )

    def match(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether a pattern without delimiter matches in any of the rows."""
        return any(pattern.search(block) for block in self._blocks)

    def csv_lines(self) -> list[str] | None:
        """Rows of a single block as lines of a CSV with commas.

        None where a cell would need quotes, or where these columns are not all cells of a line.
        """
        if list(self._number.values()) != list(range(self._width)):
            return None
        text = self._text()
        if self._delimiter != "," and "," in text:
            return None
        return text.replace(self._delimiter, ",").split("\n")


def picked(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """The cells of columns in some rows, in the order of ``rows``."""

    def maker(name: str) -> Maker:
        whole = cache(lambda: columns[name])
        return lambda some: [whole()[k] for k in rows[some].tolist()]

    return Made({name: maker(name) for name in columns}, slice(0, len(rows)))
