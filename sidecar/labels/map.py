"""Label files → mapped points, and points → PNG pixels: what `map-points` and `project` do, without
the command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.document import model as documents
from sidecar.errors import DocumentError, GeometryError, LabelError, SidecarError
from sidecar.grid.axis import nearest
from sidecar.grid.space import TO_SPACE, Space
from sidecar.labels.csv_table import Table
from sidecar.labels.identity import place
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions, SliceOrigin
from sidecar.labels.readers import read_labels
from sidecar.labels.rows import Rows
from sidecar.labels.writers.csv_points import numbers
from sidecar.mapping import Sidecar

#: Columns of source voxels and of patient mm, as map-points writes them.
SOURCE_COLUMNS = ("source_column", "source_row", "source_slice")
PATIENT_COLUMNS = ("x_mm", "y_mm", "z_mm")
#: What project adds; columns of these names in the input are those of another export, and are
#: replaced.
PIXEL_COLUMNS = ("image", "slice", "x", "y")
#: Voxels and millimetres of one row that are further apart than this part of a voxel are of
#: different scans.
SAME_SCAN = 1e-3
#: No pixel, voxel or millimetre of a label is farther from 0; far larger numbers could not be
#: reckoned with.
FARTHEST = 1e7

#: What spreadsheets take for a formula: = or @ in front, or a sign in front of a call or a command.
_FORMULA = re.compile(r"^\s*(?:[=@]|[+-].*[(|!])", re.MULTILINE)
#: Where none of these is, no formula is.
_FORMULA_MARKS = b"=@+-"

#: A label file folder is searched for these endings.
LABEL_ENDINGS = frozenset(
    [
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".geojson",
        ".xml",
        ".roi",
        ".zip",
        ".tps",
        ".pts",
        ".fcsv",
        ".landmarkascii",
        ".svg",
        ".h5",
    ]
)
#: Of these endings, but beside labels and not labels; the last two are YOLO's.
_NOT_LABELS = frozenset({documents.SIDECAR_NAME, "classes.txt", "notes.json"})


@dataclass(frozen=True)
class Mapping:
    """One label file mapped: the labels as read, the points, and what the user should be told."""

    labels: Labels
    points: MappedPoints
    notes: tuple[str, ...]


def label_files(paths: Iterable[Path]) -> list[Path]:
    """The files that paths mean: a file itself, a folder the label files in it.

    LabelError where there are none.
    """
    files: list[Path] = []
    for path in paths:
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else None
            if inside is None and not path.is_file():
                raise LabelError(
                    "is not a file" if path.exists() else "there is no such file", path
                )
        except OSError as error:
            raise LabelError(f"cannot be read: {error.strerror}", path) from None
        if inside is not None:
            labels = [p for p in inside if _holds_labels(p)]
            if not labels and (path / "labels").is_dir():  # a YOLO data set
                labels = [p for p in sorted((path / "labels").iterdir()) if _holds_labels(p)]
            if not labels:
                deeper = (
                    ", and folders in it are not searched: name them"
                    if any(p.is_dir() for p in inside)
                    else ""
                )
                raise LabelError(f"holds no label files{deeper}", path)
            files += labels
        else:
            files.append(path)
    return files


def _holds_labels(path: Path) -> bool:
    """By its name. The .h5 that DeepLabCut writes beside a CSV of its name holds the same."""
    return (
        path.suffix.lower() in LABEL_ENDINGS
        and path.name not in _NOT_LABELS
        and path.is_file()
        and not (path.suffix.lower() == ".h5" and path.with_suffix(".csv").is_file())
    )


def map_file(
    path: str | Path,
    sidecar: Sidecar | None = None,
    *,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    allow_outside: bool = False,
) -> Mapping:
    """Read one label file and map it. Without ``sidecar`` the one beside the labels, or beside the
    images they name, is taken.

    Raises LabelError naming file and row for anything that cannot be mapped, DocumentError for the
    sidecar.
    """
    path = Path(path)
    if sidecar is None:
        sidecar = Sidecar.open(find_sidecar(path, format))
    options = ReadOptions(pixel_origin, slice_origin)
    labels = read_labels(path, png_stack(sidecar), format, options)
    _refuse_formulas(labels)
    placed = place(labels, sidecar)
    points = map_points(labels, placed.png, sidecar, allow_outside)
    return Mapping(labels, points, (*labels.notes, *placed.notes, *_other_landmarks(points)))


def _other_landmarks(points: MappedPoints) -> list[str]:
    """A note where labels on the stack around one landmark bear the name of another: the file may
    be that of another stack.
    """
    zoom = points.sidecar.document.zoom
    others = (
        sorted(set(points.text("label")) - {"", zoom.label})
        if zoom is not None and zoom.label
        else []
    )
    more = " …" if len(others) > 3 else ""
    return (
        [f"named {', '.join(others[:3])}{more}, but these PNGs are around {zoom.label}"]
        if others and zoom is not None
        else []
    )


def _refuse_formulas(labels: Labels) -> None:
    """LabelError for the first text that a spreadsheet would run when it opens the table: names may
    come from files of others.
    """
    if isinstance(labels.columns, Rows) and not labels.columns.hold(_FORMULA_MARKS):
        return
    for name in labels.columns:
        if name.lower() in ("x", "y", "slice", "vertex"):
            continue
        cells = labels.columns[name]
        if _FORMULA.search("\n".join(set(cells))):
            first = next((i for i, cell in enumerate(cells) if _FORMULA.match(cell)), None)
            if first is not None:
                raise labels.error(
                    first,
                    f"{name} {cells[first][:40]!r} begins as a formula does, which a spreadsheet"
                    " would run; rename it",
                )


def map_points(
    labels: Labels, png: NDArray[np.float64], sidecar: Sidecar, allow_outside: bool = False
) -> MappedPoints:
    """Labels placed at PNG pixels (N, 3) with their source voxels, patient mm and instances.

    LabelError names the first label that lies outside of the PNG stack, unless ``allow_outside``.
    """
    inside = sidecar.contains(png[:, :2], png[:, 2])
    if not allow_outside and not inside.all():
        first = int(np.argmin(inside))
        x, y, k = png[first]
        columns, rows, slices = sidecar.size
        on_margin = bool(
            np.all((png[first] >= -0.5) & (png[first] <= np.array(sidecar.size) - 0.5))
        )
        where = (
            "on a margin of the images, beyond the scan"
            if on_margin
            else f"outside of the PNGs ({columns} × {rows} × {slices})"
        )
        raise labels.error(
            first,
            f"({x:g}, {y:g}) on slice {k:g} lies {where}; correct it, or map it all the same with"
            " --allow-outside",
        )
    if not (png.min(initial=0) >= -FARTHEST and png.max(initial=0) <= FARTHEST):
        first = int(np.argmin(np.all(np.abs(png) <= FARTHEST, axis=1)))
        raise labels.error(
            first, "its coordinates are too large to be a place on any image; correct it"
        )
    source = sidecar.decimation.to_source(png)
    if sidecar.stack is None:
        patient = np.full_like(source, np.nan)
    else:
        try:
            patient = sidecar.stack.to_patient(source)
        except GeometryError as error:
            raise labels.error(int(np.argmax(source[:, 2] != 0)), str(error)) from None
    return MappedPoints(
        sidecar=sidecar,
        columns=labels.columns,
        png=png,
        source=source,
        patient=patient,
        uncertainty_mm=sidecar.uncertainty_mm(source),
        instances=sidecar.instances(source),
    )


def png_stack(sidecar: Sidecar) -> PngStack:
    """What readers may know of the PNGs."""
    columns, rows, slices = sidecar.size
    images = sidecar.document.images
    spacing = images.spacing
    even = None
    if (
        images.affine is not None and spacing is not None and None not in spacing
    ):  # uneven slices have no one distance
        even = (float(spacing[0] or 0), float(spacing[1] or 0), float(spacing[2] or 0))
    return PngStack(columns, rows, slices, even, tuple(file.name for file in images.files))


def find_sidecar(path: Path, format: str | None = None) -> Path:
    """The ``sidecar.json`` beside a label file, or beside the images it names within its own
    folder.
    """
    beside = path.parent / documents.SIDECAR_NAME
    if beside.is_file():
        return beside
    if not path.is_file():
        raise LabelError("there is no such file", path)
    for folder in _image_folders(path, format):
        candidate = (path.parent / folder / documents.SIDECAR_NAME).resolve()
        if candidate.is_relative_to(path.parent.resolve()) and candidate.is_file():
            return candidate
    raise DocumentError(
        f"no {documents.SIDECAR_NAME} beside {path.name} or beside the images it names; say where"
        " it is with --sidecar"
    )


def _image_folders(path: Path, format: str | None) -> list[str]:
    """Folders, as the file has them, of the images it names; formats that need the stack to be read
    name none.
    """
    try:
        labels = read_labels(path, PngStack(1, 1, 1 << 30), format)
    except SidecarError:
        return []
    folders = {image.replace("\\", "/").rpartition("/")[0] for image in labels.image}
    return sorted(folder for folder in folders if folder)


@dataclass(frozen=True)
class Projection:
    """Points on the PNGs: all columns as text, and what the user should be told."""

    columns: dict[str, Sequence[str]]
    png: NDArray[np.float64]
    notes: tuple[str, ...]


def project_file(path: str | Path, sidecar: Sidecar, allow_outside: bool = False) -> Projection:
    """PNG pixels of the points of a CSV with columns x_mm, y_mm, z_mm (LPS, or as its column
    ``space`` says) or source_column, source_row, source_slice. The inverse of `map_file`; where
    both are there, they must agree.

    Raises LabelError naming file and row.
    """
    table = Table(Path(path))
    source = _source_indices(table, sidecar)
    xy, slices = sidecar.from_source(source)
    png = np.column_stack([xy, slices])
    if not allow_outside:
        _refuse_outside(table, png, sidecar)
    files = sidecar.document.images.files
    shown = np.clip(nearest(slices), 0, len(files) - 1)
    added = [
        ["" if np.isnan(k) else files[int(k)].name for k in shown],
        numbers(slices),
        numbers(xy[:, 0]),
        numbers(xy[:, 1]),
    ]
    replaced = [name for name in table.columns if name.lower() in PIXEL_COLUMNS]
    kept = {name: cells for name, cells in table.columns.items() if name not in replaced}
    empty = (f"{table.empty_rows} empty row(s) left out",) if table.empty_rows else ()
    notes = (
        (f"columns {', '.join(replaced)} of the input are those of another export; replaced",)
        if replaced
        else ()
    )
    columns = {**kept, **dict(zip(PIXEL_COLUMNS, added, strict=True))}
    return Projection(columns, png, (*notes, *empty))


def _refuse_outside(table: Table, png: NDArray[np.float64], sidecar: Sidecar) -> None:
    inside = sidecar.contains(png[:, :2], png[:, 2])
    if not inside.all():
        first = int(np.argmin(inside))
        where = (
            "does not lie on this scan's only slice"
            if np.isnan(png[first]).any()
            else (
                f"falls on ({png[first, 0]:.4g}, {png[first, 1]:.4g}) of slice {png[first, 2]:.4g},"
                f" outside of the PNGs ({' × '.join(map(str, sidecar.size))})"
            )
        )
        raise LabelError(
            f"{where}; is it of another scan? --allow-outside keeps it",
            table.path,
            table.row(first),
        )


def _source_indices(table: Table, sidecar: Sidecar) -> NDArray[np.float64]:
    by_voxel = _triples(table, SOURCE_COLUMNS)
    patient = _triples(table, PATIENT_COLUMNS)
    if patient is not None:
        patient = patient * _signs(table)
    if by_voxel is None and patient is None:
        wanted = f"{', '.join(PATIENT_COLUMNS)} or {', '.join(SOURCE_COLUMNS)}"
        raise LabelError(f"has neither the columns {wanted}", table.path, "row 1")
    if patient is None or sidecar.stack is None:
        if by_voxel is None:
            raise LabelError(
                "has only millimetres, but this scan has no patient geometry", table.path
            )
        return by_voxel
    try:
        by_patient = sidecar.stack.to_index(patient)
    except GeometryError as error:
        raise LabelError(str(error), table.path) from None
    if by_voxel is None:
        return by_patient
    apart = ~(np.abs(by_voxel - by_patient).max(axis=1) <= SAME_SCAN)
    if apart.any():
        first = int(np.argmax(apart))
        raise LabelError(
            "its source voxel and its millimetres are different places in this scan; is it of"
            " another scan? Keep the columns that are meant, and leave the others out",
            table.path,
            table.row(first),
        )
    return by_voxel


def _triples(table: Table, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Three columns as (N, 3); None where they are not there, or all empty."""
    cells = [table.texts(name) for name in names]
    if any(column is None for column in cells) or (
        len(table) and not any(any(column or ()) for column in cells)
    ):
        return None
    values = np.column_stack([table.numbers(name) for name in names])
    sensible = np.all(np.abs(values) <= FARTHEST, axis=1)
    if not sensible.all():
        first = int(np.argmin(sensible))
        raise LabelError(
            f"its {', '.join(names)} are too large to be a place in any scan",
            table.path,
            table.row(first),
        )
    return values


def _signs(table: Table) -> NDArray[np.float64]:
    """What makes each row's millimetres LPS, by its column ``space``."""
    spaces = table.texts("space") or ["LPS"] * len(table)
    known: dict[str, Space] = {"lps": "lps", "ras": "ras", "": "lps"}
    for i, space in enumerate(spaces):
        if space.strip().lower() not in known:
            raise LabelError(f"space {space!r} is neither LPS nor RAS", table.path, table.row(i))
    return np.array([TO_SPACE[known[space.strip().lower()]] for space in spaces]).reshape(-1, 3)
