"""The one way in for labels: files are read, their images identified, their points placed, checked
and mapped, and what is to be told comes with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import UsageError
from sidecar.labels.files import find_sidecar, label_files
from sidecar.labels.formulas import refuse_formulas
from sidecar.labels.identity import place
from sidecar.labels.map import map_points
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import Labels, PixelOrigin, PngStack, ReadOptions, SliceOrigin
from sidecar.labels.readers import reader_for, refuse_nothing_read
from sidecar.labels.vertices import refuse_incomplete
from sidecar.mapping import Sidecar


@dataclass(frozen=True)
class Mapping:
    """One label file mapped: its points, and what the user should be told of it.

    ``format``: the name of its reader. ``found``: the ``sidecar.json`` that was found for it; None
    where the caller gave the export.
    """

    points: MappedPoints
    notes: tuple[str, ...]
    format: str
    found: Path | None = None

    @property
    def labels(self) -> Labels:
        """The labels as read."""
        return self.points.labels


@dataclass(frozen=True)
class Loaded:
    """Label files mapped, in the order given, each with what the user should be told of it."""

    files: tuple[Mapping, ...]

    @property
    def points(self) -> list[MappedPoints]:
        """The points of each file."""
        return [file.points for file in self.files]

    @property
    def paths(self) -> list[Path]:
        """The label files, those in folders one by one."""
        return [file.labels.path for file in self.files]

    def only_export(self, what: str) -> Mapping:
        """A file of the one export that all labels are of.

        UsageError where they lie beside several, and ``what`` ("a report") is of one.
        """
        if len({file.found for file in self.files}) > 1:
            raise UsageError(
                f"the labels lie beside more than one sidecar.json; {what} is of one export: give"
                " the labels of each on their own"
            )
        return self.files[0]


def load(
    paths: Iterable[Path],
    sidecar: Sidecar | None = None,
    *,
    format: str | None = None,
    options: ReadOptions | None = None,
    allow_outside: bool = False,
) -> Loaded:
    """Read label files, and those in folders, and map them. There is one at least.

    ``sidecar``: the export that all are of; without it the one beside each file, or beside the
    images it names. ``format``: one of `READERS`, instead of recognising it. ``options``: what
    the user says that the files leave open.

    Raises LabelError naming file and row for anything that cannot be mapped, with points outside of
    the PNGs unless ``allow_outside``; DocumentError for the sidecar; UsageError for a format that
    there is not.
    """
    options = options or ReadOptions()
    opened: dict[Path, Sidecar] = {}
    files = []
    for path in label_files(paths):
        export, found = _export_of(path, sidecar, format, opened)
        files.append(_mapped(path, export, found, format, options, allow_outside))
    return Loaded(tuple(files))


def load_points(
    paths: Iterable[Path],
    sidecar: Sidecar | None = None,
    *,
    format: str | None = None,
    options: ReadOptions | None = None,
    allow_outside: bool = False,
) -> Loaded:
    """The same, for who needs points and outlines: LabelError where a file holds something, and
    none of it was read. (Masks that tools paint are no points, and `load` gives none.)
    """
    loaded = load(paths, sidecar, format=format, options=options, allow_outside=allow_outside)
    for file in loaded.files:
        refuse_nothing_read(file.labels)
    return loaded


def map_file(
    path: str | Path,
    sidecar: Sidecar | None = None,
    *,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    allow_outside: bool = False,
) -> Mapping:
    """Read one label file and map it; all is as in `load_points`."""
    path = Path(path)
    export, found = _export_of(path, sidecar, format, {})
    options = ReadOptions(pixel_origin, slice_origin)
    file = _mapped(path, export, found, format, options, allow_outside)
    refuse_nothing_read(file.labels)
    return file


def _export_of(
    path: Path, sidecar: Sidecar | None, format: str | None, opened: dict[Path, Sidecar]
) -> tuple[Sidecar, Path | None]:
    """The export that a file is of, and its sidecar.json where it had to be found.

    ``opened``: exports that were opened before; it grows.
    """
    if sidecar is not None:
        return sidecar, None
    found = find_sidecar(path, format).resolve()
    if found not in opened:
        opened[found] = Sidecar.open(found)
    return opened[found], found


def _mapped(
    path: Path,
    sidecar: Sidecar,
    found: Path | None,
    format: str | None,
    options: ReadOptions,
    allow_outside: bool,
) -> Mapping:
    reader = reader_for(path, format)
    labels = reader.read(path, png_stack(sidecar), options)
    refuse_incomplete(labels.shapes, path)
    refuse_formulas(labels.columns, labels.error)
    placed = place(labels, sidecar)
    points = map_points(labels, placed.png, sidecar, allow_outside)
    notes = (*labels.notes, *placed.notes, *_other_landmarks(points))
    return Mapping(points, tuple(dict.fromkeys(notes)), reader.name, found)


def _other_landmarks(points: MappedPoints) -> list[str]:
    """A note where labels on the stack around one landmark bear the name of another: the file may
    be that of another stack.
    """
    zoom = points.sidecar.document.zoom
    if zoom is None or not zoom.label:
        return []
    others = sorted(set(points.names) - {"", zoom.label})
    more = " …" if len(others) > 3 else ""
    return (
        [f"named {', '.join(others[:3])}{more}, but these PNGs are around {zoom.label}"]
        if others
        else []
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
