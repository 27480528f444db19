"""No text goes to the output that a spreadsheet would run: names may come from files of others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sidecar.errors import LabelError
from sidecar.labels.columns import Rows

#: What spreadsheets take for a formula: = or @ in front, or a sign in front of a call or a command.
_FORMULA = re.compile(r"^\s*(?:[=@]|[+-].*[(|!])", re.MULTILINE)
#: Where none of these is, no formula is.
_FORMULA_MARKS = b"=@+-"
#: Columns of numbers, which readers have checked.
_NUMBERS = ("x", "y", "slice", "vertex")


def refuse_formulas(
    columns: Mapping[str, Sequence[str]], error: Callable[[int, str], LabelError]
) -> None:
    """Raise ``error(row, message)`` for the first text that a spreadsheet would run when it opens
    the table.
    """
    if isinstance(columns, Rows) and not columns.hold(_FORMULA_MARKS):
        return
    for name in columns:
        if name.lower() in _NUMBERS:
            continue
        cells = columns[name]
        if _FORMULA.search("\n".join(set(cells))):
            first = next((i for i, cell in enumerate(cells) if _FORMULA.match(cell)), None)
            if first is not None:
                raise error(
                    first,
                    f"{name} {cells[first][:40]!r} begins as a formula does, which a spreadsheet"
                    " would run; rename it",
                )
