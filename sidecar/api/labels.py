"""Map labels from the PNGs to the scan, and back."""

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
    """Map labels made on the PNGs to source voxels, patient millimetres and DICOM instances. No
    DICOM files are needed.

    Any label that cannot be mapped is an error, and then nothing is mapped.

    Args:
        labels: files of any label tool, or folders of them; one or several. The tool is recognised
            from the content.
        exports: the exports that the labels may belong to: mappings, folders of exports, or folders
            of such folders; one or several. Without it, the export beside each label file, or
            beside the images that the file names.
        format: the format of the labels. Without it, the format is recognised.
        pixel_origin: where (0, 0) of the labels is, if the tool does not say: the "center" of the
            first pixel, or its outer "corner".
        slice_origin: the number of the first PNG in a table of slice numbers, if the table does not
            say.
        images: take only labels on images whose path matches, such as "beetle-7/*".
        trust_names: accept image names without a tag: the number in the name says which PNG it is.
        allow_outside: also map points beyond the edges of the PNGs.
        curve_points: how many points replace each line and polygon, at equal distances along it in
            mm, ends included. 0 keeps the vertices as drawn. None takes the number from the labels.

    Returns:
        The points, with their columns as arrays.

    Raises:
        LabelError: a label cannot be mapped, or an image is not certainly one of the exports. The
            message names file and row.
        DocumentError: a sidecar.json is missing or cannot be trusted.
        UsageError: the options make no sense.

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
    """Map one label file of one export, and also return its labels as they were read.

    Args:
        path: the label file.
        sidecar: the export. Without it, the one beside the file, or beside the images it names.
        format: as for `map_points`.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        trust_names: as for `map_points`.
        allow_outside: as for `map_points`.

    Returns:
        The labels as read, their points, and notes.

    Raises:
        LabelError: a label cannot be mapped. The message names file and row.
        DocumentError: a sidecar.json is missing or cannot be trusted.
        UsageError: the options make no sense, or the labels belong to several exports.

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
    """Place points in patient millimetres or source voxels on the PNGs: the inverse of
    `map_points`.

    Args:
        points: a file with the columns x_mm, y_mm, z_mm or source_column, source_row, source_slice,
            such as `Points.write` makes.
        sidecar: the export, or its place. Without it, the export beside ``points``.
        allow_outside: also keep points beyond the edges of the PNGs.

    Returns:
        PNG pixels (N, 3) x, y, slice, *center*; all columns as text; and notes.

    Raises:
        LabelError: a point cannot be placed. The message names file and row.
        DocumentError: a sidecar.json is missing or cannot be trusted.

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
    """The earlier name of `project`.

    Args:
        path: the file of points.
        sidecar: the export, or its place. Without it, the export beside ``path``.
        allow_outside: also keep points beyond the edges of the PNGs.

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
    """The output of `map_mask`.

    ``path``      the file or folder.
    ``segments``  the names of the segments, in order.
    ``sizes``     voxels and volume of each segment, if ``statistics`` was given.
    ``notes``     sentences on what was assumed, left out or unusual.
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
    dicom: Place | None = None,
    pseudonym: str | None = None,
    statistics: str | Path | None = None,
    format: str | None = None,
    pixel_origin: PixelOrigin | None = None,
    slice_origin: SliceOrigin | None = None,
    images: str | None = None,
    trust_names: bool = False,
    progress: Progress | None = None,
) -> MappedMask:
    """Put masks and regions painted on the PNGs back on the scan.

    Masks with soft edges and masks that were resized are refused.

    Args:
        masks: a folder of label PNGs named after the slices; or a volume painted over the exported
            stack (multi-page TIFF, NRRD, .seg.nrrd or NIfTI); or label files with polygons, boxes
            or brush masks. One or several.
        output: the file, or the folder for PNGs. Its ending decides the format.
        exports: the exports that the masks may belong to, as for `map_points`.
        to: the format. Without it, the ending of ``output`` decides.
        grid: the voxels of the output: "source" (full resolution) or "png" (as painted).
        fill: what source slices without a PNG get. "repeat": the mask of the nearest PNG; halfway
            between two PNGs, the interpolated shape. "interpolate": always the interpolated shape.
            "none": nothing.
        config: a YAML file of segments with name, value or colour, and codes. Other labels are
            refused.
        dicom: the folder of the source's DICOM files, or its URL, for dicom-seg and dicom-rtstruct.
        pseudonym: the patient's name and ID in dicom-seg and dicom-rtstruct, instead of those of
            the source.
        statistics: a CSV file for the voxels and volume of each segment.
        format: as for `map_points`.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        images: as for `map_points`.
        trust_names: as for `map_points`.
        progress: receives the progress of the work.

    Returns:
        The output: its path, its segments, their sizes, and notes.

    Raises:
        LabelError: the masks cannot be placed, or their labels cannot be told apart.
        GeometryError: the output needs equal distances between slices, and the scan has none.
        UsageError: the options make no sense.
        OutputError: the output cannot hold the mask, or cannot be written.
        DocumentError: a sidecar.json is missing or cannot be trusted.

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
        dicom=dicom,
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
    """Export a full-resolution stack around each landmark, to refine it on original pixels.

    Each landmark gets a folder with PNGs and a sidecar.json of its own. zooms.html shows all stacks
    one after the other.

    Args:
        labels: as for `map_points`.
        source: the scan: a folder, a zip, one file or a DICOMDIR, or its URL.
        output: the folder for these folders.
        size: the edge of the box around each landmark, mm.
        exports: as for `map_points`.
        format: as for `map_points`.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        images: as for `map_points`.
        trust_names: as for `map_points`.
        allow_outside: as for `map_points`.
        overwrite: replace earlier exports in those folders. Labels in them are refused.
        keep_labels: keep labels in those folders whose tags show that they belong to the same
            mapping.
        progress: receives the progress of the work.

    Returns:
        The mapping of each stack, in the order of the landmarks.

    Raises:
        LabelError: labels cannot be mapped, or lie outside the scan.
        GeometryError: the scan has no millimetres.
        SourceError: the scan is missing or has changed.
        UsageError: the size is too small to show anything, or there are too many landmarks.
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
        output: the file of the page.
        size: how many mm to show around each label. Without it, about 64 source pixels.
        limit: show only the first ``limit`` labels.
        sessions: CSVs of labelling sessions on the scan, as for `measure_repeats`. The page then
            has a table of the error of labelling.
        observers: who labelled, in the order of the sessions.
        exports: as for `map_points`.
        format: as for `map_points`.
        pixel_origin: as for `map_points`.
        slice_origin: as for `map_points`.
        images: as for `map_points`.
        trust_names: as for `map_points`.
        allow_outside: as for `map_points`.
        progress: receives the progress of the work.

    Returns:
        The path of the page.

    Raises:
        LabelError: labels cannot be mapped, or there are none; or a session is on another scan.
        SourceError: the scan has changed since the sidecar.json was written.
        UsageError: labels belong to several exports, or are too many for one page.
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
        raise UsageError("--observer goes only with --session")
    files = [Path(path) for path in sessions]
    of_scan = read_sessions(files, observers or ()) if files else []
    page = report_on(loaded, source, size, limit, progress or Silent(), of_scan).html.encode(
        "utf-8", "replace"
    )
    target = Path(output)
    inputs = [*loaded.paths, *documents_of(exports), *files]
    write_output(target, inputs, lambda part: part.write_bytes(page))
    return target
