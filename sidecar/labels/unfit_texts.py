"""Refuse texts that a spreadsheet would run as a formula, or that no text file can hold.

Names may come from files of other people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sidecar.errors import LabelError
from sidecar.labels.tables.columns import Columns, Rows

#: Text that spreadsheets take for a formula: = or @ at the start, or a sign before a call or a
#: command.
_FORMULA = re.compile(r"^[^\S\n]*(?:[=@]|[+-].*[(|!])", re.MULTILINE)
#: NUL, because our own readers take a file with NUL for a binary file; and halves of characters.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
#: A formula holds one of the first bytes, or one of the second bytes behind a sign.
_ALONE, _BEHIND_A_SIGN, _SIGNS = b"=@\0", b"(|!", b"+-"
#: Columns of numbers. The readers have checked them.
_NUMBERS = ("x", "y", "slice", "vertex")


def refuse_unfit_texts(
    columns: Mapping[str, Sequence[str]], error: Callable[[int, str], LabelError]
) -> None:
    """Raise ``error(row, message)`` for the first text or column name that a spreadsheet would run
    when it opens the table, or that no text file can hold.
    """
    for name in columns:
        if _FORMULA.match(name) and len(columns[name]):
            raise error(0, f"the column {_as_formula(name)}")
        if _UNWRITABLE.search(name) and len(columns[name]):
            raise error(0, f"the column {_as_unwritable(name)}")
    if isinstance(columns, Rows) and not (
        columns.hold(_ALONE) or (columns.hold(_SIGNS) and columns.hold(_BEHIND_A_SIGN))
    ):
        return
    texts = [name for name in columns if name.lower() not in _NUMBERS]
    pieces = columns.pieces() if isinstance(columns, Columns) else [columns]
    unfit = {name for piece in pieces for name in texts if _may_be_unfit(piece[name])}
    for name in filter(unfit.__contains__, texts):
        cells = columns[name]
        for pattern, said in ((_FORMULA, _as_formula), (_UNWRITABLE, _as_unwritable)):
            first = next((i for i, cell in enumerate(cells) if pattern.search(cell)), None)
            if first is not None:
                raise error(first, f"{name} {said(cells[first])}")


def _may_be_unfit(cells: Sequence[str]) -> bool:
    together = "\n".join(set(cells))
    return any(pattern.search(together) for pattern in (_FORMULA, _UNWRITABLE))


def _as_formula(text: str) -> str:
    return f"{text[:40]!r} begins like a formula, and a spreadsheet would run it; rename it"


def _as_unwritable(text: str) -> str:
    return (
        f"{text[:40]!r} holds a NUL character or half of a character (a lone surrogate), and no"
        " text file can hold these; correct it"
    )
