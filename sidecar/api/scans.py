"""From scans to PNGs: look, export, open, adopt, look at, check."""

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
    """Every stack of slices in a DICOM source, and what an export would write, from headers alone.

    Args:
        source: a folder (searched recursively, links followed), a zip, one file or a DICOMDIR, or
            its URL.
        progress: what is told while it works.

    Returns:
        The stacks found, each with its `facts()`; the files that were passed by, by kind; and the
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

    Without ``scale``, ``spacing``, ``fit`` or ``z_step`` the smallest decimation is taken that fits
    in 2 GB. An export of the same source and options that is finished already is left as it is; one
    that was interrupted goes on where it stopped.

    Args:
        source: a folder (searched recursively, links followed), a zip, one file or a DICOMDIR, or
            its URL.
        output: the folder for the PNGs and sidecar.json, or its URL.
        scale: PNG size over source size: 0.5, "1/3".
        spacing: mm to aim at on all axes.
        fit: bytes that the uncompressed PNGs may take, or text such as "2GB".
        z_step: one PNG for every so many source slices.
        z_filter: take one of these slices ("stride"), or their mean or maximum.
        bits: 8, one window for the whole series, or 16, stored values without loss.
        window: what 8 bits show, in modality units such as HU; two numbers are centre and width.
        crop: source voxels, ends not included: ((100, 900), (100, 900), (0, None)), or
            "100:900,100:900,:".
        plane: "axial", "coronal", "sagittal", letters such as "LFP", or axes such as "xzy".
        voxel: mm between columns, rows and slices, where headers have none or wrong ones.
        order: of slices whose voxel size is given: by file name or Instance Number.
        specimen: the name that stands in the names of the PNGs.
        series: which stack: its number of `inspect`, or its Series Instance UID.
        join: all stacks, or those of ``series="1,3-5"``, are one.
        compression: of the PNGs; "small" takes up to three times as long.
        jobs: workers; as many as there are processors.
        scheduler: address of the scheduler of a Dask cluster to work on.
        cluster_wait: with ``scheduler``: give up when it has had no worker for so many seconds;
            300.
        volume: also write the PNG stack as one volume that knows its place.
        viewer: write viewer.html beside PNGs of 8 bits.
        overwrite: replace an earlier export in ``output``; labels in it are in the way.
        keep_labels: labels in ``output`` that are of the same mapping, by their tags, stay there.
        progress: what is told while it works.

    Returns:
        The mapping between the PNGs and the scan.

    Raises:
        UsageError: options that contradict each other or make no sense.
        SourceError: the source; AmbiguousSeriesError where it holds several stacks, GeometryError
            where slices make none, PixelError for pixels that cannot be decoded.
        OutputError: the output.
        WorkersLostError: the cluster.

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
            "series='all' is several exports: call this once for each of the stacks that"
            " sidecar.inspect finds, with series=NUMBER and a folder of its own"
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
    """The mapping of a finished export. From then on neither DICOM nor pydicom is needed.

    Args:
        path: the folder of the PNGs, or the sidecar.json in it; or its URL.

    Returns:
        The mapping between the PNGs and the scan.

    Raises:
        DocumentError: there is no sidecar.json, or it cannot be trusted.

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
    """Find, from the pixels, how PNG, JPEG or TIFF slices that another program made come from a
    DICOM stack, and write the sidecar.json they lack. The images are not changed.

    Args:
        source: the scan, as for `export`.
        images: the folder of the images, one file for each slice.
        output: where to write, instead of sidecar.json beside the images.
        series: which stack: its number of `inspect`, or its Series Instance UID.
        join: all stacks, or those of ``series="1,3-5"``, are one.
        factor: what you know: source pixels that one image pixel covers, along source columns and
            rows.
        z_step: what you know: source slices from one image to the next.
        flip: what you know: the source axes that run backwards on the images, letters of "xyz",
            and "t" where rows and columns are exchanged; or "none".
        voxel: mm between columns, rows and slices, as for `export`.
        order: of slices whose voxel size is given.
        progress: what is told while it works.

    Returns:
        The mapping between the images and the scan; `document.evidence` says how sure it is.

    Raises:
        ImageError: images that cannot be read, or are not, or not surely, slices of this stack.
        UsageError: options that make no sense.
        SourceError: the source, and its kinds.
        OutputError: there is a document already, or it cannot be written.
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
    in any browser, without a server. 16-bit PNGs get copies that browsers can show in full.

    Args:
        output: the folder of an export, or its sidecar.json.

    Returns:
        Where the page is.

    Raises:
        DocumentError: there is no sidecar.json, or a PNG is missing or not what it says.
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
    """Whether an export is still what its sidecar.json says, and what its source makes.

    Args:
        output: the folder of an export, or its sidecar.json.
        source: the scan, to be held against it; without it only the export is looked at.
        slices: how many slices are made again from the source, spread from the first to the last.
        progress: what is told while it works.

    Returns:
        One finding for each thing that was looked at; `passed` is None where that could not be
        done.

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
        raise UsageError(f"slices={slices!r}: a number such as 3, or 'all'")
    return check_export(output, source, None if slices == "all" else slices, progress)
