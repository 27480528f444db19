"""From scans to PNGs: inspect, export, open, adopt, view and check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sidecar.api.spelling import in_python
from sidecar.errors import UsageError

if TYPE_CHECKING:
    from sidecar.checks.finding import Finding
    from sidecar.exporting.inspect import Inspection
    from sidecar.mapping import Sidecar
    from sidecar.progress import Progress
    from sidecar.storage.locate import Place
    from sidecar.storage.location import WritableLocation


@in_python
def inspect(source: Place, *, progress: Progress | None = None) -> Inspection:
    """Find every stack of slices in a DICOM source, and say what an export would write. Only
    headers are read.

    Args:
        source: a folder (searched recursively, links followed), a zip, one file or a DICOMDIR, or
            its URL.
        progress: receives the progress of the work.

    Returns:
        The stacks, each with its `facts()`; the files that are not used, grouped by kind; and the
        DICOM files that cannot be used.

    Raises:
        SourceError: there is no such place.

    Examples:
        >>> facts = sidecar.inspect("scan").found[0].facts()
        >>> facts["modality"], facts["size"], facts["spacing"]
        ('CT', [406, 302, 24], [0.02, 0.02, 0.02])
    """
    from sidecar.exporting import inspect as inspecting

    return inspecting.inspect(source, progress)


@in_python
def export(
    source: Place,
    output: Place,
    *,
    scale: float | str | None = None,
    spacing: float | None = None,
    fit: int | str | None = None,
    z_step: int | None = None,
    z_filter: Literal["stride", "mean", "max"] | None = None,
    bits: Literal[8, 16] | None = None,
    window: Literal["auto", "dicom", "full"] | tuple[float, float] | None = None,
    crop: str | tuple[tuple[int, int | None], ...] | None = None,
    plane: str | None = None,
    voxel: tuple[float, ...] | str | None = None,
    order: Literal["name", "number"] | None = None,
    specimen: str | None = None,
    series: str | int | None = None,
    join: bool = False,
    compression: Literal["fast", "small"] | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    cluster_wait: float | None = None,
    volume: Literal["nrrd", "nifti", "mha"] | None = None,
    viewer: bool = True,
    overwrite: bool = False,
    keep_labels: bool = False,
    progress: Progress | None = None,
) -> Sidecar:
    """Write a DICOM stack as small PNG slices and one sidecar.json that says exactly how they
    relate to it.

    Without ``scale``, ``spacing``, ``fit`` or ``z_step``, sidecar chooses the smallest decimation
    whose PNGs fit in 2 GB. A finished export of the same source with the same options is left as it
    is. An interrupted export goes on where it stopped.

    Args:
        source: a folder (searched recursively, links followed), a zip, one file or a DICOMDIR, or
            its URL.
        output: the folder for the PNGs and sidecar.json, or its URL.
        scale: PNG size over source size: 0.5, "1/3".
        spacing: mm to aim at on all axes.
        fit: bytes that the uncompressed PNGs may take, or text such as "2GB".
        z_step: source slices for each PNG.
        z_filter: take one of these slices ("stride"), or their mean or maximum.
        bits: 8: one window for the whole series. 16: stored values without loss.
        window: the range of values that 8 bits show, in modality units such as HU. Two numbers are
            centre and width.
        crop: source voxels, ends not included: ((100, 900), (100, 900), (0, None)), or
            "100:900,100:900,:".
        plane: plane of the PNGs: "axial", "coronal", "sagittal", patient directions such as "LFP",
            or source axes such as "xzy". Without it, the plane of the source slices.
        voxel: mm between columns, rows and slices, where headers have none or wrong ones.
        order: with ``voxel``: order slices by file name or by Instance Number.
        specimen: the name of the specimen, used in the names of the PNGs.
        series: which stack: its number from `inspect`, or its Series Instance UID.
        join: join all stacks, or those of ``series="1,3-5"``, into one stack.
        compression: compression of the PNGs; "small" takes up to three times as long.
        jobs: number of workers. Without it, one more than there are processors.
        scheduler: address of the scheduler of a Dask cluster to work on.
        cluster_wait: with ``scheduler``: give up when the cluster has had no worker for this many
            seconds. Without it, 300.
        volume: also write the PNG stack as one volume file with its position in the patient.
        viewer: write viewer.html beside PNGs of 8 bits.
        overwrite: replace an earlier export in ``output``. Labels in it are refused.
        keep_labels: keep labels in ``output`` whose tags show that they belong to the same mapping.
        progress: receives the progress of the work.

    Returns:
        The mapping between the PNGs and the scan.

    Raises:
        UsageError: options contradict each other or make no sense.
        SourceError: the source cannot be used. AmbiguousSeriesError: it holds several stacks.
            GeometryError: its slices do not make a stack. PixelError: pixels cannot be decoded.
        OutputError: the output cannot be written, or something is in the way.
        WorkersLostError: the cluster has lost its workers or its scheduler.

    Examples:
        >>> png = sidecar.export("scan", "half", scale=0.5, z_step=2)
        >>> png.size
        (203, 151, 12)
    """
    from sidecar.exporting.images.workers import patience_of
    from sidecar.exporting.options import make_options
    from sidecar.exporting.run import plan_export, run_jobs

    if series == "all" and not join:
        raise UsageError(
            "series='all' means several exports, but this function writes one; call it for each"
            " stack that sidecar.inspect finds, with series=NUMBER and a folder of its own"
        )
    given: dict[str, Any] = {
        "scale": scale, "spacing": spacing, "fit": fit, "z_step": z_step, "z_filter": z_filter,
        "bits": bits, "window": window, "crop": crop, "plane": plane, "voxel": voxel,
        "order": order, "specimen": specimen, "series": series, "join": join,
        "compression": compression, "jobs": jobs, "volume": volume, "viewer": viewer,
        "overwrite": overwrite, "keep_labels": keep_labels,
    }  # fmt: skip
    options = make_options(**{name: value for name, value in given.items() if value is not None})
    patience = patience_of(cluster_wait, scheduler)
    planned = plan_export(source, output, options, progress)
    (sidecar,) = run_jobs(planned, progress, scheduler, patience)
    return sidecar


@in_python
def open(path: Place) -> Sidecar:
    """Open the mapping of a finished export. The mapping needs neither DICOM files nor pydicom.

    Args:
        path: the folder of the PNGs, or the sidecar.json in it; or its URL.

    Returns:
        The mapping between the PNGs and the scan.

    Raises:
        DocumentError: a sidecar.json is missing or cannot be trusted.

    Examples:
        >>> png = sidecar.open("png")
        >>> png.to_patient([[101.5, 75.5]], slice=3).round(6)
        array([[0.07, 0.03, 0.12]])
    """
    from sidecar.mapping import Sidecar

    return Sidecar.open(path)


@in_python
def adopt(
    source: Place,
    images: str | Path,
    *,
    output: str | Path | None = None,
    series: str | None = None,
    join: bool = False,
    factor: float | tuple[float, float] | None = None,
    z_step: float | None = None,
    flip: str | None = None,
    voxel: tuple[float, ...] | str | None = None,
    order: Literal["name", "number"] | None = None,
    progress: Progress | None = None,
) -> Sidecar:
    """Find from the pixels how PNG, JPEG or TIFF slices of another program come from a DICOM stack,
    and write the sidecar.json they lack.

    The images are not changed.

    Args:
        source: the scan, as for `export`.
        images: the folder of the images, one file for each slice.
        output: the file to write. Without it, sidecar.json beside the images.
        series: which stack: its number from `inspect`, or its Series Instance UID.
        join: join all stacks, or those of ``series="1,3-5"``, into one stack.
        factor: if known: the source pixels that one image pixel covers, along source columns and
            rows.
        z_step: if known: source slices from one image to the next.
        flip: if known: the source axes that run backwards on the images, letters of "xyz", and "t"
            where rows and columns are exchanged; or "none".
        voxel: mm between columns, rows and slices, as for `export`.
        order: as for `export`.
        progress: receives the progress of the work.

    Returns:
        The mapping between the images and the scan. `document.evidence` says how certain it is.

    Raises:
        ImageError: images cannot be read, or are not certainly slices of this stack.
        UsageError: the options make no sense.
        SourceError: the source cannot be used; its subclasses as for `export`.
        OutputError: there is a sidecar.json already, or it cannot be written.
        MissingExtraError: scipy is not installed.

    Examples:
        >>> old = sidecar.adopt("beetle", "old_pngs")
        >>> old.to_source([[30, 20]], slice=2)
        array([[60., 40.,  2.]])
    """
    from sidecar import adoption

    return adoption.adopt(
        source,
        images,
        output=output,
        series=series,
        join=join,
        factor=factor,
        z_step=z_step,
        flip=flip,
        voxel=voxel,
        order=order,
        progress=progress,
    )


@in_python
def view(output: Place) -> WritableLocation:
    """Write viewer.html beside the PNGs of an export: a page to look at them and place landmarks,
    in any browser, without a server.

    For 16-bit PNGs, which browsers cannot show in full, it also writes copies that browsers can
    show.

    Args:
        output: the folder of an export, or its sidecar.json.

    Returns:
        The place of the page.

    Raises:
        DocumentError: there is no sidecar.json, or a PNG is missing or differs from it.
        OutputError: the page cannot be written.

    Examples:
        >>> sidecar.view("png").name
        'viewer.html'
    """
    from sidecar.storage.locate import locate
    from sidecar.viewer.page import write_viewer

    place = locate(output)
    return write_viewer(open(place), place if place.is_folder() else place.parent)


@in_python
def check(
    output: Place,
    source: Place | None = None,
    *,
    slices: int | Literal["all"] = 3,
    progress: Progress | None = None,
) -> list[Finding]:
    """Check that an export still agrees with its sidecar.json, and with its source.

    Args:
        output: the folder of an export, or its sidecar.json.
        source: the scan to compare it with. Without it, only the export is checked.
        slices: how many slices to make again from the source, spread from the first to the last.
        progress: receives the progress of the work.

    Returns:
        One finding for each check. `passed` is None where the check could not be made.

    Raises:
        DocumentError: there is no such folder.
        SourceError: there is no such source.
        UsageError: ``slices`` is less than 1.

    Examples:
        >>> [finding.check for finding in sidecar.check("png") if not finding.passed]
        []
    """
    from sidecar.checks import check_export

    if slices != "all" and (not isinstance(slices, int) or slices < 1):
        raise UsageError(f"slices={slices!r}: give a number such as 3, or 'all'")
    return check_export(output, source, None if slices == "all" else slices, progress)
