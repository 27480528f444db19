"""From labels on the PNGs to the scan, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sidecar.api.spelling import as_keywords, in_python
from sidecar.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sidecar.api.inputs import Exports, Paths
    from sidecar.api.points import Points
    from sidecar.labels.load import Mapping
    from sidecar.labels.model import PixelOrigin, SliceOrigin
    from sidecar.labels.project import Projection
    from sidecar.mapping import Sidecar
    from sidecar.masks.statistics import SegmentSize
    from sidecar.progress import Progress
    from sidecar.storage.locate import Place


@in_python
def map_points(
    labels: Paths,
    exports: Exports | None = None,
    *,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    images: str | None = None,
    trust_names: bool = False,
    allow_outside: bool = False,
    curve_points: int | None = None,
) -> Points:
    """Map labels made on the PNGs to source voxels, patient millimetres and DICOM instances. All or
    nothing: any label that cannot be mapped is an error. Needs no DICOM.

    Args:
        labels: files of any label tool, recognised by content, or folders of them; one or several.
        exports: what the labels may be of: mappings, their folders, folders of exports; one or
            several. Without it the one beside each label file, or beside the images it names.
        format: the format of the labels, instead of recognising it.
        pixel_origin: where the labels' (0, 0) is, where the tool leaves it open: "center" of the
            first pixel, or its outer "corner".
        slice_origin: what a table of slice numbers calls the first PNG, where it does not tell.
        images: only labels on images whose path matches, such as "beetle-7/*".
        trust_names: take images without a tag in their name for the PNGs of their number.
        allow_outside: map what lies beyond the edges of the PNGs too.
        curve_points: how many points each line and polygon becomes, the same length apart in mm,
            ends included; 0: its vertices as they were drawn; None: as many as the labels say.

    Returns:
        The points, their columns as arrays.

    Raises:
        LabelError: names file and row; also for an image that is not surely one of the exports.
        DocumentError: a sidecar.json that cannot be trusted, or none.
        UsageError: options that make no sense.

    Examples:
        >>> points = sidecar.map_points("png/labels.csv")
        >>> points["label"].tolist(), points["x_mm"].round(6).tolist()
        (['bregma', 'lambda', 'nasion'], [0.07, 2.02, -1.93])
    """
    from sidecar.api.inputs import documents_of, exports_of, load_options, paths_of
    from sidecar.api.points import Points
    from sidecar.labels.load import load_points

    options = load_options(
        format, pixel_origin, slice_origin, images, trust_names, allow_outside, curve_points
    )
    loaded = load_points(paths_of(labels), exports_of(exports), options)
    return Points(loaded, tuple(documents_of(exports)))


@in_python
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
    """`map_points` for one file of one export, as it is read.

    Args:
        path: the label file.
        sidecar: the export; without it the one beside the file, or beside the images it names.
        format: as for `map_points`, as are the others.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        trust_names: as for `map_points`.
        allow_outside: as for `map_points`.

    Returns:
        The labels as read, their points, and notes.

    Raises:
        LabelError: names file and row.
        DocumentError: a sidecar.json that cannot be trusted, or none.
        UsageError: options that make no sense, or labels of several exports.

    Examples:
        >>> mapping = sidecar.map_file("png/labels.csv")
        >>> mapping.labels.tool, mapping.points.source[0].tolist()
        ('generic CSV', [203.5, 151.5, 6.0])
    """
    from sidecar.api.inputs import load_options
    from sidecar.labels import load

    load_options(format, pixel_origin, slice_origin, None, trust_names)
    return load.map_file(
        path,
        sidecar,
        format=format,
        pixel_origin=pixel_origin,
        slice_origin=slice_origin,
        trust_names=trust_names,
        allow_outside=allow_outside,
    )


@in_python
def project(
    points: str | Path, sidecar: Sidecar | Place | None = None, *, allow_outside: bool = False
) -> Projection:
    """Place points of patient millimetres or source voxels on the PNGs: the inverse of
    `map_points`.

    Args:
        points: a file with x_mm, y_mm, z_mm or source_column, source_row, source_slice, such as
            `Points.write` makes.
        sidecar: the export, or where it lies; without it the one beside ``points``.
        allow_outside: keep what lies beyond the edges of the PNGs too.

    Returns:
        PNG pixels (N, 3) x, y, slice, *center*; all columns as text; and notes.

    Raises:
        LabelError: names file and row.
        DocumentError: a sidecar.json that cannot be trusted, or none.

    Examples:
        >>> sidecar.project("mapped.csv", "png").png[0].round(9).tolist()
        [101.5, 75.5, 3.0]
    """
    from sidecar.labels.project import project_file
    from sidecar.mapping import Sidecar

    if sidecar is None:
        sidecar = Path(points).parent
    export = sidecar if isinstance(sidecar, Sidecar) else Sidecar.open(sidecar)
    return project_file(points, export, allow_outside)


@in_python
def project_file(
    path: str | Path, sidecar: Sidecar | Place | None = None, allow_outside: bool = False
) -> Projection:
    """`project`, by its earlier name.

    Args:
        path: the file of points.
        sidecar: the export, or where it lies; without it the one beside ``path``.
        allow_outside: keep what lies beyond the edges of the PNGs too.

    Returns:
        As `project`.

    Raises:
        LabelError: as `project`.
        DocumentError: as `project`.

    Examples:
        >>> sidecar.project_file("mapped.csv", sidecar.open("png")).png[1].round(9).tolist()
        [150.25, 99.75, 5.0]
    """
    return project(path, sidecar, allow_outside=allow_outside)


@dataclass(frozen=True, eq=False)
class MappedMask:
    """What `map_mask` wrote.

    ``path``      the file or folder.
    ``segments``  the names of the segments, in order.
    ``sizes``     voxels and volume of each segment, where statistics were asked for.
    ``notes``     what was assumed, left out or found strange, a sentence each.
    """

    path: Path
    segments: tuple[str, ...]
    sizes: tuple[SegmentSize, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<MappedMask {self.path.name}: {len(self.segments)} segments>"


@in_python
def map_mask(
    masks: Paths,
    output: str | Path,
    exports: Exports | None = None,
    *,
    to: Literal["dicom-seg", "seg.nrrd", "nifti", "png", "dicom-rtstruct"] | None = None,
    grid: Literal["source", "png"] = "source",
    fill: Literal["repeat", "interpolate", "none"] = "repeat",
    config: str | Path | None = None,
    dicom: str | Path | None = None,
    pseudonym: str | None = None,
    statistics: str | Path | None = None,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    images: str | None = None,
    trust_names: bool = False,
    progress: Progress | None = None,
) -> MappedMask:
    """Put masks and regions painted on the PNGs back on the scan. Masks with soft edges and resized
    ones are refused.

    Args:
        masks: a folder of label PNGs named after the slices, a multi-page TIFF, a NRRD, .seg.nrrd
            or NIfTI painted over the exported stack, or label files with polygons, boxes or brush
            masks; one or several.
        output: the file, or the folder for PNGs, whose ending says what is written.
        exports: what the masks are of, as for `map_points`.
        to: the format, instead of that of the ending of ``output``.
        grid: full resolution, or as painted, with its own true geometry.
        fill: what source slices without a PNG get: the nearest, and halfway between two the shapes
            between ("repeat"); always the shapes between; or nothing.
        config: a YAML file of segments: name, value or colour, and codes. Other labels are refused.
        dicom: where the DICOM files of the source are, for dicom-seg and dicom-rtstruct.
        pseudonym: what the patient is called in these, instead of as in the source.
        statistics: a CSV file to write voxels and volume of each segment to.
        format: as for `map_points`, as are the others.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        images: as for `map_points`.
        trust_names: as for `map_points`.
        progress: what is told while it works.

    Returns:
        What was written: its segments, their sizes, and notes.

    Raises:
        LabelError: masks that cannot be placed, or whose labels are not told apart.
        GeometryError: the output needs an even geometry, and the scan has none.
        UsageError: options that make no sense.
        OutputError: the output cannot hold the mask, or cannot be written.
        DocumentError: a sidecar.json that cannot be trusted, or none.

    Examples:
        >>> sidecar.map_mask("masks", "bones.seg.nrrd", "png").segments
        ('label 1', 'label 2')
    """
    from sidecar.api.inputs import exports_of, load_options, paths_of
    from sidecar.masks.job import Options, plan_job
    from sidecar.progress import Silent

    options = Options(
        to=to,
        grid=grid,
        fill=fill,
        config=None if config is None else Path(config),
        dicom=None if dicom is None else Path(dicom),
        pseudonym=pseudonym,
        loading=load_options(format, pixel_origin, slice_origin, images, trust_names),
        statistics=None if statistics is None else Path(statistics),
    )
    job = plan_job(paths_of(masks), Path(output), exports_of(exports), options)
    sizes = job.run(progress or Silent())
    names = tuple(segment.name for segment in job.mapped.painted.segments)
    return MappedMask(job.output, names, sizes, tuple(map(as_keywords, job.notes)))


@in_python
def zoom(
    labels: Paths,
    source: Place,
    output: Place = "zooms",
    *,
    size: float = 4.0,
    exports: Exports | None = None,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    images: str | None = None,
    trust_names: bool = False,
    allow_outside: bool = False,
    overwrite: bool = False,
    keep_labels: bool = False,
    progress: Progress | None = None,
) -> list[Sidecar]:
    """Export a full-resolution stack around each landmark, to refine it on original pixels. Each
    gets a folder with PNGs and a sidecar.json of its own; zooms.html shows all in turn.

    Args:
        labels: as for `map_points`.
        source: the scan: a folder, a zip, one file or a DICOMDIR, or its URL.
        output: where the folders go.
        size: mm, the edge of the box around each landmark.
        exports: as for `map_points`, as are the options of labels.
        format: as for `map_points`.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        images: as for `map_points`.
        trust_names: as for `map_points`.
        allow_outside: as for `map_points`.
        overwrite: replace earlier exports in those folders; labels in them are in the way.
        keep_labels: labels there that are of the same mapping, by their tags, stay.
        progress: what is told while it works.

    Returns:
        The mapping of each stack, in the order of the landmarks.

    Raises:
        LabelError: labels that cannot be mapped, or lie outside of the scan.
        GeometryError: the scan has no millimetres.
        SourceError: the scan is not there as it was.
        UsageError: a size that shows nothing, or more landmarks than are refined one by one.
        OutputError: the folders cannot be written.

    Examples:
        >>> around = sidecar.zoom("png/labels.csv", "scan", size=0.4)
        >>> [png.document.zoom.label for png in around], around[0].size
        (['bregma', 'lambda', 'nasion'], (20, 20, 17))
    """
    from sidecar.api.inputs import exports_of, load_options, paths_of
    from sidecar.exporting.zoom import plan_zooms, run_zooms
    from sidecar.labels.load import load_points

    options = load_options(format, pixel_origin, slice_origin, images, trust_names, allow_outside)
    loaded = load_points(paths_of(labels), exports_of(exports), options)
    jobs = plan_zooms(loaded.points, source, output, size, progress, overwrite, keep_labels)
    return run_zooms(jobs, output, progress)


@in_python
def report(
    labels: Paths,
    source: Place,
    output: str | Path = "report.html",
    *,
    size: float | None = None,
    limit: int | None = None,
    sessions: Sequence[str | Path] = (),
    observers: Sequence[str] | None = None,
    exports: Exports | None = None,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    images: str | None = None,
    trust_names: bool = False,
    allow_outside: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Show every label on its PNG beside the original DICOM pixels it was mapped to, on one HTML
    page. Only the source slices around labels are read.

    Args:
        labels: as for `map_points`, of one export.
        source: the scan: a folder, a zip, one file or a DICOMDIR, or its URL.
        output: where to write the page.
        size: mm that are shown around each label; about 64 source pixels without it.
        limit: show the first so many labels only.
        sessions: CSVs of sessions on the scan, for a table of the error of labelling, as for
            `measure_repeats`.
        observers: who labelled, in the order of the sessions.
        exports: as for `map_points`, as are the options of labels.
        format: as for `map_points`.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        images: as for `map_points`.
        trust_names: as for `map_points`.
        allow_outside: as for `map_points`.
        progress: what is told while it works.

    Returns:
        The path of the page.

    Raises:
        LabelError: labels that cannot be mapped, or none; sessions on another scan.
        SourceError: the scan is not as it was when the sidecar.json was written.
        UsageError: labels of several exports, or more of them than a page is good for.
        OutputError: the page cannot be written.

    Examples:
        >>> sidecar.report("png/labels.csv", "scan").name
        'report.html'
    """
    from sidecar.api.inputs import documents_of, exports_of, load_options, paths_of
    from sidecar.api.writing import write_output
    from sidecar.labels.load import load_points
    from sidecar.morphometrics.sessions import read_sessions
    from sidecar.progress import Silent
    from sidecar.reports.report_on import report_on

    options = load_options(format, pixel_origin, slice_origin, images, trust_names, allow_outside)
    loaded = load_points(paths_of(labels), exports_of(exports), options)
    if observers is not None and not sessions:
        raise UsageError("--observer goes with --session")
    files = [Path(path) for path in sessions]
    of_scan = read_sessions(files, observers or ()) if files else []
    page = report_on(loaded, source, size, limit, progress or Silent(), of_scan).html.encode(
        "utf-8", "replace"
    )
    target = Path(output)
    inputs = [*loaded.paths, *documents_of(exports), *files]
    write_output(target, inputs, lambda part: part.write_bytes(page))
    return target
