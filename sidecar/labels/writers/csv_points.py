"""Mapped points as CSV: the input's columns, then the contract's.

Written column by column, a million rows in a second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pydantic_core
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.grid.space import TO_SPACE, Space, axes_of
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.shifts import shifts_mm, shifts_voxels
from sidecar.labels.tables.columns import PIECE, Columns, Rows
from sidecar.labels.tables.number_texts import DECIMALS, numbers, rounded
from sidecar.labels.writers.specimens import refuse_two_of_one_name
from sidecar.mapping import Sidecar

#: The cells of a column, for a piece of the points.
Cells = Callable[[MappedPoints, slice], Sequence[str]]

#: What map-points adds, in this order.
COLUMNS = (
    "source_column", "source_row", "source_slice", "x_mm", "y_mm", "z_mm", "uncertainty_mm",
    "sop_instance_uid", "frame_number", "space",
)  # fmt: skip


def csv_text(*tables: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The CSV in pieces: header, then the rows of all tables, one below the other; a column that
    one of them lacks is empty there.
    """
    names = list(dict.fromkeys(name for table in tables for name in table))
    yield ",".join(_quoted(names)) + "\n"
    for table in tables:
        for piece in table.pieces() if isinstance(table, Columns) else [table]:
            there = {name: _quoted(piece[name]) for name in piece}
            empty = [""] * len(next(iter(there.values()), ()))
            rows = map(",".join, zip(*(there.get(name, empty) for name in names), strict=True))
            text = "\n".join(rows)
            if text:
                yield text + "\n"


def _quoted(cells: Sequence[str]) -> Sequence[str]:
    """Cells with quotes where RFC 4180 wants them; most columns want none, which one look at all of
    it tells.
    """
    together = "".join(cells)
    if not any(mark in together for mark in ',"\r\n') and not (
        cells and cells[0] != cells[0].strip()
    ):
        return cells
    return [
        '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell
        for cell in cells
    ]


def _write(parts: Sequence[MappedPoints], path: Path, space: Space) -> Notes:
    carried = list(dict.fromkeys(name for part in parts for name in part.columns))
    taken = [name for name in COLUMNS if name in {column.strip().lower() for column in carried}]
    if taken:
        raise LabelError(
            f"the input already has a column {taken[0]}, which map-points writes; remove it, or"
            " map the original labels"
        )
    extras = {
        name: make
        for name, (wanted, make) in _EXTRAS.items()
        if any(wanted(part.sidecar) for part in parts)
    }
    origins = origins_of(parts, carried)
    extras |= {name: make for name, make in origins.items() if name not in carried}
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(_quoted([*carried, *COLUMNS, *extras])) + "\n")
        for part in parts:
            axes = axes_of(part.sidecar.geometry, space)
            on_plane = [f"{uid},{frame or ''},{axes}" for uid, frame in part.instances.planes]
            for start in range(0, len(part), PIECE):
                rows = slice(start, min(start + PIECE, len(part)))
                instances = [on_plane[k] for k in part.instances.plane[rows].tolist()]
                told = [_quoted(make(part, rows)) for make in extras.values()]
                behind = _rows([instances, *told])
                commas, line_ends = [","] * len(instances), ["\n"] * len(instances)
                front = [_carried(part, rows, carried, origins), commas] if carried else []
                file.write(
                    _interleaved(*front, _number_rows(part, rows, space), commas, behind, line_ends)
                )
    return ()


def _write_landmarks(landmarks: Landmarks, path: Path) -> Notes:
    count = len(landmarks.names)
    places = landmarks.mm.reshape(-1, 3)
    columns: dict[str, Sequence[str]] = {
        "specimen": [specimen for specimen in landmarks.specimens for _ in range(count)],
        "label": [*landmarks.names] * len(landmarks.specimens),
        **{f"{axis}_mm": numbers(places[:, i]) for i, axis in enumerate("xyz")},
        "space": [axes for axes in landmarks.axes for _ in range(count)],
    }
    path.write_text("".join(csv_text(columns)), encoding="utf-8", newline="")
    return ()


def origins_of(parts: Sequence[MappedPoints], carried: Sequence[str]) -> Mapping[str, Cells]:
    """The columns of where labels are from, where they are of several exports: by the input's own
    spelling of their names where it has them.

    LabelError where the input tells of another export, and for two specimens of one name.
    """
    if len({id(part.sidecar) for part in parts}) < 2:
        return {}
    spelled = {name.strip().lower(): name for name in reversed(carried)}
    origins = {spelled.get(name, name): make for name, make in ORIGINS.items()}
    for part in parts:
        for name, make in origins.items():
            (expected,) = make(part, slice(0, 1))
            for row, cell in enumerate(part.columns.get(name) or ()):
                if cell != expected:
                    raise part.labels.error(
                        row,
                        f"{name} is {cell[:80]!r}, but the label belongs to {expected!r}"
                        + (_OF_ITS_FOLDER if _is_of_folder(name, part) else ""),
                    )
    refuse_two_of_one_name((part.specimen, part) for part in parts)
    return origins


_OF_ITS_FOLDER = (
    ", which is the name of the export's folder. Rename the folder to its former name, or remove"
    " the column specimen. An export with --specimen keeps its name"
)


def _is_of_folder(name: str, part: MappedPoints) -> bool:
    """Whether the name of a specimen is that of a folder, since the export states none."""
    return name.lower() == "specimen" and part.sidecar.document.specimen is None


def _interleaved(*columns: Sequence[str]) -> str:
    """The first of each column, the second of each, and so on, with nothing in between: the fastest
    way to join them.
    """
    texts = [""] * sum(map(len, columns))
    for i, column in enumerate(columns):
        texts[i :: len(columns)] = column
    return "".join(texts)


def _rows(columns: Sequence[Sequence[str]]) -> Sequence[str]:
    """Cells side by side, joined by commas."""
    return columns[0] if len(columns) == 1 else list(map(",".join, zip(*columns, strict=True)))


def _carried(
    points: MappedPoints, rows: slice, names: list[str], origins: Mapping[str, Cells]
) -> Sequence[str]:
    """What stands in front of the numbers of each point: its line of the input as it was, or cell
    by cell where that would not do. Where it is from is filled in if only other files say it.
    """
    columns = points.columns.piece(rows.start)
    lines = columns.csv_lines() if isinstance(columns, Rows) and list(columns) == names else None
    if lines is not None:
        return lines
    return _rows(
        [_quoted(columns.get(name) or origins.get(name, nothing)(points, rows)) for name in names]
    )


def nothing(points: MappedPoints, rows: slice) -> Sequence[str]:
    """Empty cells."""
    return [""] * (rows.stop - rows.start)


def _number_rows(points: MappedPoints, rows: slice, space: Space) -> Sequence[str]:
    """The seven numbers of each point, joined by commas; without millimetres the last four are
    empty.
    """
    source = points.source[rows]
    if points.sidecar.stack is None:
        return [row + ",,,," for row in _joined(source)]
    patient = points.patient[rows] * TO_SPACE[space]
    return _joined(np.column_stack([source, patient, points.uncertainty_mm[rows]]))


def _joined(values: NDArray[np.float64]) -> Sequence[str]:
    """Each row of (N, K) finite numbers as text, rounded and joined by commas: one flat list in one
    call, with a null behind each row to cut at.
    """
    ended = np.column_stack(
        [np.round(values, DECIMALS) + 0.0, np.full(len(values), np.nan)]
    )  # 0.0 added: no minus zero
    text = pydantic_core.to_json(ended.ravel().tolist(), inf_nan_mode="null").decode()
    return text[1 : -len(",null]")].split(",null,")


def _neighbours(points: MappedPoints, rows: slice) -> Sequence[str]:
    """The source slices that each point lies between, or the one that it lies on."""
    along = points.source[rows, 2]
    below, above = np.floor(along).astype(int).tolist(), np.ceil(along).astype(int).tolist()
    return [
        str(low) if low == high else f"{low} {high}" for low, high in zip(below, above, strict=True)
    ]


def _is_around_landmark(sidecar: Sidecar) -> bool:
    return sidecar.document.zoom is not None


#: Columns behind the contract's, for labels on stacks made by `sidecar zoom` and on stacks cut
#: across the source slices.
_EXTRAS: dict[str, tuple[Callable[[Sidecar], bool], Cells]] = {
    "shift_mm": (_is_around_landmark, lambda part, rows: rounded(shifts_mm(part)[rows])),
    "shift_voxels": (_is_around_landmark, lambda part, rows: rounded(shifts_voxels(part)[rows])),
    "between_slices": (lambda sidecar: sidecar.decimation.along[2] != 2, _neighbours),
}


#: All that is computed for a point, whatever it lies on; the names of where it is from aside.
COMPUTED = frozenset({*COLUMNS, *_EXTRAS})


#: Columns behind all others, where labels are of several exports.
ORIGINS: dict[str, Cells] = {
    "specimen": lambda part, rows: [part.specimen] * (rows.stop - rows.start),
    "series_uid": lambda part, rows: [part.series_uid] * (rows.stop - rows.start),
}


WRITER = Writer("csv", (".csv",), _write, _write_landmarks)
