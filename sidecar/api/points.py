"""Mapped labels as arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sidecar.api.spelling import as_keywords, in_python, one_of
from sidecar.api.writing import write_output
from sidecar.errors import ColumnError, MissingExtraError, counted
from sidecar.grid.space import Space, axes_of
from sidecar.labels.load import Loaded
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.writers import writer_for
from sidecar.labels.writers.csv_points import COLUMNS

if TYPE_CHECKING:
    import pandas

    from sidecar.storage.locate import Place

Floats = NDArray[np.float64]

#: Columns with the PNG pixel (*center*) and the number of the PNG.
PIXEL_COLUMNS = ("x", "y", "slice")
#: The last columns: the export that each point belongs to.
ORIGIN_COLUMNS = ("specimen", "series_uid")


class Points:
    """N mapped points, in the order of their files, and their columns as arrays.

    ``points["x_mm"]`` is one column; `columns` has the names of all. The columns of the label files
    come first, as text; x, y and slice are the PNG pixel (*center*). Then come the columns of a
    mapped CSV. `png`, `source` and `patient` each join three columns in one array. `files` has each
    label file with its own notes and export.
    """

    def __init__(self, loaded: Loaded, inputs: tuple[Path, ...] = ()) -> None:
        self.files = loaded.files
        self._loaded = loaded
        self._inputs = (*loaded.paths, *inputs)

    def __repr__(self) -> str:
        exports = ", ".join(export.name for export in self._loaded.exports)
        return f"<Points: {len(self)} of {exports}, {counted(len(self.columns), 'column')}>"

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was assumed, left out or unusual."""
        notes = (note for file in self.files for note in file.notes)
        return tuple(dict.fromkeys(map(as_keywords, notes)))

    @property
    def names(self) -> list[str]:
        """The N names, "" where a label has none."""
        return [name for part in self._parts for name in part.names]

    @cached_property
    def png(self) -> Floats:
        """(N, 3) PNG pixel x, y and slice, *center*."""
        return np.concatenate([part.png for part in self._parts])

    @cached_property
    def source(self) -> Floats:
        """(N, 3) source column, row and slice; 0 is the centre of the first voxel."""
        return np.concatenate([part.source for part in self._parts])

    @cached_property
    def patient(self) -> Floats:
        """(N, 3) mm, LPS. Where the voxel size was given by hand, mm along columns, rows and
        slices. NaN where the scan has no millimetres.
        """
        return np.concatenate([part.patient for part in self._parts])

    @cached_property
    def uncertainty_mm(self) -> Floats:
        """(N,) mm, half the longest diagonal of the output voxel: the largest error that decimation
        alone can cause.
        """
        return np.concatenate([part.uncertainty_mm for part in self._parts])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        carried = [name for part in self._parts for name in part.columns]
        return tuple(dict.fromkeys([*carried, *PIXEL_COLUMNS, *COLUMNS, *ORIGIN_COLUMNS]))

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    __iter__ = None

    def __getitem__(self, column: str) -> NDArray[Any]:
        """One column (N,): float64, int64 for frame_number, or text. Text is "" where a file has no
        such column.

        ColumnError, which is a KeyError, for a column that no file has.
        """
        if column not in self.columns:
            raise ColumnError(
                f"there is no column {column!r}; the columns are {', '.join(self.columns)}"
            )
        make = _MADE.get(column)
        parts = (_carried(part, column) if make is None else make(part) for part in self._parts)
        return np.concatenate(list(parts))

    def to_dataframe(self) -> pandas.DataFrame:
        """All columns as a pandas DataFrame. MissingExtraError without pandas."""
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("A data frame", "notebook") from None
        return pandas.DataFrame({name: self[name] for name in self.columns})

    @in_python
    def write(
        self,
        output: str | Path,
        *,
        to: str | None = None,
        space: Space = "lps",
        over: Literal["png", "source"] | None = None,
        dicom: Place | None = None,
        pseudonym: str | None = None,
    ) -> tuple[str, ...]:
        """Write the points as ``sidecar map-points -o`` does, whole or not at all.

        Args:
            output: the file. An existing file is replaced, but never a label file or a
                sidecar.json.
            to: the format. Without it, the ending of the file decides.
            space: axes of the millimetres, where the format leaves the choice.
            over: for to="imagej": the stack that ImageJ has open, the PNGs or the source.
            dicom: the folder of the source's DICOM files, or its URL, for to="dicom-sr" and
                to="dicom-rtstruct".
            pseudonym: the patient's name and ID in these two formats, instead of those of the
                source.

        Returns:
            Notes on the file, a sentence each.

        Raises:
            UsageError: there is no such format, or an input would be overwritten.
            LabelError: the points do not fit the format.
            OutputError: the file cannot be written.
        """
        one_of("space", space, ("lps", "ras"))
        one_of("over", over, (None, "png", "source"))
        target = Path(output)
        writer = writer_for(target, to, dicom, pseudonym=pseudonym, over=over)
        notes = write_output(
            target, self._inputs, lambda part: writer.write(self._parts, part, space)
        )
        return tuple(map(as_keywords, notes))

    @property
    def _parts(self) -> list[MappedPoints]:
        return self._loaded.points


def _text(cells: list[str]) -> NDArray[Any]:
    return np.array(cells, dtype=np.str_)


def _carried(part: MappedPoints, column: str) -> NDArray[Any]:
    return _text(list(part.columns.get(column) or [""] * len(part)))


def _of_all(text: Callable[[MappedPoints], str]) -> Callable[[MappedPoints], NDArray[Any]]:
    return lambda part: _text([text(part)] * len(part))


#: How to make the columns that the label file does not have.
_MADE: dict[str, Callable[[MappedPoints], NDArray[Any]]] = {
    "x": lambda part: part.png[:, 0],
    "y": lambda part: part.png[:, 1],
    "slice": lambda part: part.png[:, 2],
    "source_column": lambda part: part.source[:, 0],
    "source_row": lambda part: part.source[:, 1],
    "source_slice": lambda part: part.source[:, 2],
    "x_mm": lambda part: part.patient[:, 0],
    "y_mm": lambda part: part.patient[:, 1],
    "z_mm": lambda part: part.patient[:, 2],
    "uncertainty_mm": lambda part: part.uncertainty_mm,
    "sop_instance_uid": lambda part: _text(part.instances.sop_instance_uid),
    "frame_number": lambda part: part.instances.frame_number,
    "space": _of_all(lambda part: axes_of(part.sidecar.geometry, "lps")),
    "specimen": _of_all(lambda part: part.specimen),
    "series_uid": _of_all(lambda part: part.sidecar.document.source.series_instance_uid),
}
