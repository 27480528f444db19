"""Load labels: read the files, identify their images, place their points, check and map them.

All labels come in through this module. Notes for the user come with them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError, UsageError, counted
from sidecar.grid.axis import nearest
from sidecar.labels.curves import with_semilandmarks
from sidecar.labels.files import find_exports, label_files
from sidecar.labels.identity.candidates import Candidates
from sidecar.labels.identity.exports import Export
from sidecar.labels.identity.identified import Identified, Unidentified, notes_of
from sidecar.labels.identity.resolver import Resolver
from sidecar.labels.identity.rewritten import rewritten_notes
from sidecar.labels.identity.surroundings import Surroundings
from sidecar.labels.map import map_points, png_pixels
from sidecar.labels.mapped import MappedPoints
from sidecar.labels.model import Labels, PixelOrigin, Reader, ReadOptions, SliceOrigin
from sidecar.labels.readers import reader_for, refuse_nothing_read
from sidecar.labels.references import matches, named_path
from sidecar.labels.unfit_texts import refuse_unfit_texts
from sidecar.labels.vertices import refuse_incomplete
from sidecar.mapping import Sidecar


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the user states about label files.

    ``format``         one of `READERS`; None to recognise the format.
    ``reading``        facts that the files do not state.
    ``images``         take only labels whose image path matches this shell pattern.
    ``trust_names``    accept image names without a tag.
    ``allow_outside``  also map labels beyond the edges of the PNGs.
    ``curve_points``   how many equidistant points replace each line and polygon; None takes the
                       number from the labels; 0 keeps the vertices as drawn.
    """

    format: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    images: str | None = None
    trust_names: bool = False
    allow_outside: bool = False
    curve_points: int | None = 0


@dataclass(frozen=True)
class Mapping:
    """The mapped labels of one file on one export, and notes for the user.

    ``format``: the name of the file's reader.
    """

    points: MappedPoints
    notes: tuple[str, ...]
    format: str
    export: Export

    def __repr__(self) -> str:
        return (
            f"<Mapping {self.labels.path.name}: {counted(len(self.points), 'point')} on"
            f" {self.export.name}>"
        )

    @property
    def labels(self) -> Labels:
        """The labels as read."""
        return self.points.labels


@dataclass(frozen=True)
class Loaded:
    """Mapped label files, in the order given. A file with labels of several exports has one
    `Mapping` for each export.
    """

    files: tuple[Mapping, ...]

    @property
    def points(self) -> list[MappedPoints]:
        """The points of each mapping."""
        return [file.points for file in self.files]

    @property
    def paths(self) -> list[Path]:
        """The label files, including each file of a folder."""
        return list(dict.fromkeys(file.labels.path for file in self.files))

    @property
    def exports(self) -> list[Export]:
        """The exports that have labels."""
        return list(dict.fromkeys(file.export for file in self.files))

    def only_export(self, what: str) -> Export:
        """The only export that has labels, as `the_only`."""
        return the_only(self.exports, what)


def the_only(exports: Sequence[Export], what: str) -> Export:
    """The only one of ``exports``. UsageError where there are several, because ``what`` (such as "a
    report") needs exactly one.
    """
    first, *more = exports
    if more:
        raise UsageError(
            f"the labels belong to more than one export ({first.name}, {more[0].name}), but {what}"
            " takes those of one; give the labels of each export separately, or choose with"
            " --images GLOB"
        )
    return first


def load(
    paths: Iterable[Path],
    exports: Sequence[Export] = (),
    options: LoadOptions | None = None,
) -> Loaded:
    """Read label files and folders of them, and map them. There is at least one file.

    ``exports``: the exports that the labels may belong to. Without them, the export beside each
    file, or the exports beside the images that it names.

    Raises a LabelError with file and row for a label that cannot be mapped, and for an image that
    is not certainly one of the exports; DocumentError for faults of a sidecar.json; UsageError for
    an unknown format.
    """
    options = options or LoadOptions()
    surroundings, given = Surroundings(), Candidates(exports)
    files: list[Mapping] = []
    for path in label_files(paths):
        candidates = given or find_exports(path, surroundings, options.format)
        files += _LabelFile(path, candidates, options, surroundings).mapped()
    return Loaded(tuple(_told_of_each_other(files)))


def load_points(
    paths: Iterable[Path],
    exports: Sequence[Export] = (),
    options: LoadOptions | None = None,
) -> Loaded:
    """As `load`, for callers that need points and outlines.

    LabelError where a file is not empty, but none of it was read. (Painted masks are no points;
    `load` returns no points for them.)
    """
    loaded = load(paths, exports, options)
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
    trust_names: bool = False,
    allow_outside: bool = False,
) -> Mapping:
    """Read one label file of one export and map it. It works as `load_points`."""
    if Path(path).is_dir():
        raise LabelError("is a folder, not a file", Path(path))
    options = LoadOptions(
        format,
        ReadOptions(pixel_origin, slice_origin),
        trust_names=trust_names,
        allow_outside=allow_outside,
    )
    loaded = load_points([Path(path)], [] if sidecar is None else [Export(sidecar)], options)
    loaded.only_export("this function")
    return loaded.files[0]


@dataclass(frozen=True, eq=False)
class _Reading:
    """The labels of a file, as read for the PNG stack of one export, and the PNG of each image.

    ``asked``: the facts about this stack that readers asked for.
    """

    labels: Labels
    found: Sequence[Identified]
    asked: dict[str, Hashable]

    @classmethod
    def of(cls, labels: Labels, found: Sequence[Identified], export: Export) -> _Reading:
        return cls(labels, found, export.png_stack.told())

    def serves(self, export: Export) -> bool:
        """Whether the file is read in the same way for another export."""
        return export.png_stack.agrees(self.asked)

    def on(self, export: int) -> Labels:
        """The labels on one of the exports, by its index."""
        return self._shared.only(self._exports == export)

    @cached_property
    def _shared(self) -> Labels:
        return self.labels.with_columns_kept()

    @cached_property
    def _exports(self) -> NDArray[np.intp]:
        """(N,) the index of the export of each label."""
        return np.array([png.export for png in self.found], np.intp)[self.labels.reference]


@dataclass(frozen=True)
class _LabelFile:
    """One label file, and the exports that it may belong to."""

    path: Path
    exports: Candidates
    options: LoadOptions
    surroundings: Surroundings

    def mapped(self) -> Iterator[Mapping]:
        """Its labels on each export that has some; on the first export where it has no labels."""
        reader = reader_for(self.path, self.options.format)
        start, labels = self._first_reading(reader)
        found = self._identified(labels)
        used = sorted({found[k].export for k in labels.labelled}) or [start]
        readings = [_Reading.of(labels, found, self.exports[start])]
        for index in used:
            export = self.exports[index]
            reading = next((one for one in readings if one.serves(export)), None)
            if reading is None:
                labels = self._read(reader, export)
                reading = _Reading.of(labels, self._identified(labels), export)
                readings.append(reading)
            part = reading.on(index) if len(used) > 1 else reading.labels
            yield self._mapping(part, reading.found, export, reader.name)

    def _first_reading(self, reader: Reader) -> tuple[int, Labels]:
        """The labels as read for the first suitable export, and the index of that export.

        An export is suitable if the file names its images, or can be read at all.
        """
        readings: list[tuple[int, Labels]] = []
        failures: list[LabelError] = []
        for index, export in enumerate(self.exports):
            try:
                labels = self._read(reader, export)
            except LabelError as error:
                failures.append(error)
                continue
            readings.append((index, labels))
            if all(labels.images[k].name.strip() for k in labels.labelled):
                return readings[-1]
        if not readings:
            raise failures[0]
        return readings[0]

    def _read(self, reader: Reader, export: Export) -> Labels:
        labels = reader.read(self.path, export.png_stack, self.options.reading)
        refuse_incomplete(labels.shapes, self.path)
        refuse_unfit_texts(labels.columns, labels.error)
        return labels if self.options.images is None else _matching(labels, self.options.images)

    def _identified(self, labels: Labels) -> list[Identified]:
        """The PNG of each image. Images without a label are not identified."""
        used = labels.labelled
        resolver = Resolver(self.path, self.exports, self.surroundings, self.options.trust_names)
        found = [Identified(0, None)] * len(labels.images)
        try:
            for k, png in zip(
                used, resolver.identify([labels.images[k] for k in used]), strict=True
            ):
                found[k] = png
        except Unidentified as error:
            first = int(np.argmax(labels.reference == used[error.reference]))
            raise labels.error(first, str(error)) from None
        return found

    def _mapping(
        self, labels: Labels, found: Sequence[Identified], export: Export, format: str
    ) -> Mapping:
        png = png_pixels(labels, found)
        points = map_points(labels, png, export, self.options.allow_outside)
        points, of_curves = with_semilandmarks(points, self.options.curve_points)
        used = labels.labelled
        notes = [
            *labels.notes,
            *notes_of([labels.images[k] for k in used], [found[k] for k in used]),
            *_counted(labels, export),
            *rewritten_notes(export.sidecar, _slices(points)),
            *_other_landmarks(points),
            *of_curves,
        ]
        return Mapping(points, tuple(dict.fromkeys(notes)), format, export)


def _matching(labels: Labels, pattern: str) -> Labels:
    """The labels whose image path matches a pattern."""
    fits = [matches(image.name, image.entry, pattern) for image in labels.images]
    kept = np.array(fits, np.bool_)[labels.reference]
    if len(labels) and not kept.any():
        names = [named_path(image.name) for image in labels.images]
        raise LabelError(
            f"--images {pattern} matches none of its images; they are"
            f" {', '.join(map(repr, names[:3]))}",
            labels.path,
        )
    left = len(labels) - int(np.count_nonzero(kept))
    note = f"--images {pattern}: {counted(left, 'label')} on other images left out"
    return replace(labels.only(kept), notes=(*labels.notes, note)) if left else labels


def _counted(labels: Labels, export: Export) -> list[str]:
    """A note where labels count slices instead of naming images."""
    slices = export.sidecar.size[2]
    if slices == 1 or all(labels.images[k].name.strip() for k in labels.labelled):
        return []
    return [
        "it has slice numbers and no image names; they were taken as numbers in the whole stack of"
        f" {slices} PNGs, opened in order"
    ]


def _slices(points: MappedPoints) -> list[int]:
    """The PNGs that have points."""
    return [int(k) for k in np.unique(nearest(points.png[:, 2]))]


def _other_landmarks(points: MappedPoints) -> list[str]:
    """A note where labels on the stack around one landmark have the name of another landmark: the
    file may belong to another stack.
    """
    zoom = points.sidecar.document.zoom
    if zoom is None or not zoom.label:
        return []
    others = sorted(set(points.names) - {"", zoom.label})
    more = " …" if len(others) > 3 else ""
    return (
        [
            f"its labels are named {', '.join(others[:3])}{more}, but these PNGs are the stack"
            f" around {zoom.label}"
        ]
        if others
        else []
    )


def _told_of_each_other(files: Sequence[Mapping]) -> Iterator[Mapping]:
    """The mappings, with a note where PNGs also have labels in an earlier file."""
    labelled: dict[tuple[Export, int], Path] = {}
    for file in files:
        path = file.labels.path
        before = [labelled.setdefault((file.export, k), path) for k in _slices(file.points)]
        others = [other for other in before if other != path]
        if others:
            names = ", ".join(
                _name_beside(other, path) for other in list(dict.fromkeys(others))[:3]
            )
            note = (
                f"some PNGs have labels in {names} too ({counted(len(others), 'PNG')}); the labels"
                " of all files were taken"
            )
            yield replace(file, notes=(*file.notes, note))
        else:
            yield file


def _name_beside(other: Path, path: Path) -> str:
    """The name of another label file, with its folder where both files have one name."""
    return other.name if other.name != path.name else f"{other.parent.name}/{other.name}"
