"""Adoption of a stack of images from another program: which source slice each image shows and how
it was made, found from the pixels.

Thumbnails give candidates, and trials test the likely ones. A few images are then examined at full
resolution. Last, the measured lines are compared with the exact lines that a program can have
meant:

    match           all of it, in this order
    coarse/         thumbnails → candidates: where in the plane, on which line of slices
    fine/           registration: a trial of a candidate, images at full resolution, their joint
                    result, the kernel and the exact lines that explain them best
    model/          pure: placements, kernels, tone curves, exact lines; the interface of the stacks
    acceptance      pure: when an answer is refused, and the words for it
    verify          every image against its own slice and the slices of its neighbours
    stacks          the two stacks as files
    build_document  the sidecar document of the result

docs/adoption-glossary.md explains these words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.errors import MissingExtraError, OutputError, UsageError
from sidecar.progress import Progress, Silent

if TYPE_CHECKING:
    from sidecar.mapping import Sidecar
    from sidecar.storage.locate import Place


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
    order: str | None = None,
    progress: Progress | None = None,
) -> Sidecar:
    """Find how the images in a folder were made from a DICOM stack, and write ``sidecar.json`` for
    them, beside the images or to ``output``. The images are not changed.

    ``series`` and ``join``: the stack, as for an export.
    ``factor``, if it is known: source pixels per image pixel, along source columns and rows.
    ``z_step``, if it is known: source slices from one image to the next.
    ``flip``, if it is known: the source axes that run backwards on the images, as letters of "xyz".
    "t" means that rows and columns are exchanged. "none" means that no axis is reversed.
    ``voxel`` and ``order``: the voxel size of the stack by hand, as for an export.

    Raises ImageError for images that cannot be read, or are not, or not surely, slices of this
    stack. UsageError for options. SourceError and its kinds for the source. OutputError where there
    is a document already. MissingExtraError without scipy.
    """
    if find_spec("scipy") is None:
        raise MissingExtraError("Adopting a stack", "adopt")
    from sidecar.adoption.build_document import make_document
    from sidecar.adoption.coarse.candidates import Pins
    from sidecar.adoption.fine.value_line import intensity_of
    from sidecar.adoption.match import match
    from sidecar.adoption.stacks import (
        SourceSlices,
        check_source,
        open_images,
        require_unchanged_images,
    )
    from sidecar.adoption.verify import verify
    from sidecar.dicom.source import Source, require_unchanged
    from sidecar.dicom.stacks.given_voxel import arrangement
    from sidecar.document import writing
    from sidecar.document.model import SIDECAR_NAME
    from sidecar.exporting.options import make_options
    from sidecar.parallel import in_order
    from sidecar.storage.digest import file_digest
    from sidecar.storage.local import Local
    from sidecar.storage.locate import locate

    progress = progress or Silent()
    pins = Pins.make(factor, z_step, flip)
    folder = Path(images)
    target = folder / SIDECAR_NAME if output is None else Path(output)
    if target.exists():
        raise OutputError(
            f"there is a {target.name} already; move it away, or write another with -o"
        )
    pictures = open_images(folder)
    if series == "all" and not join:
        raise UsageError("--series all: images come from one stack; give its number")
    given = make_options(voxel=voxel, order=order).given
    opened = Source.open(locate(source), progress, arrangement(given))
    (chosen,) = opened.choose(series, join)
    slices = SourceSlices(opened.root, chosen)
    check_source(slices)
    spacing = (*(slices.spacing or (None, None)), slices.slice_spacing)
    found = match(slices, pictures, spacing, pins, progress)
    verified = verify(slices, pictures, found, progress)
    digests = list(in_order(lambda name: file_digest(Local.at(folder / name)), pictures.names))
    intensity = intensity_of(found.samples, found.placement, found.kernel)
    sidecar = make_document(chosen, pictures, found, verified, intensity, digests)
    require_unchanged_images(pictures)
    require_unchanged(opened.root, chosen.stamps, "run the command again")
    writing.save(sidecar.document, target)
    return replace(sidecar, folder=locate(folder))


def describe(sidecar: Sidecar) -> Iterator[str]:
    """The result, in lines for people."""
    evidence = sidecar.document.evidence
    assert evidence is not None
    decimation = sidecar.document.decimation
    for name, axis, seen in (
        ("columns", decimation.columns, evidence.columns),
        ("rows", decimation.rows, evidence.rows),
        ("slices", decimation.slices, evidence.slices),
    ):
        shift = (
            f"off by {seen.residual_shift:.3f} ± {seen.deviation:.3f}"
            if seen.exact
            else f"± {seen.deviation:.3f}"
        )
        yield (
            f"{name:<10} source = {axis.factor:.9g} · pixel {axis.offset:+.9g}   {seen.made_by}"
            f" ({shift})"
        )
    if decimation.order[0] != "columns":
        yield "turned     rows of the images run along columns of the source"
    yield f"kernel     {evidence.kernel}; values: {evidence.intensity}"
    sure = [
        c
        for c, r in zip(evidence.image_confidence, evidence.image_correlation, strict=True)
        if r > 0
    ]
    yield (
        f"evidence   correlation {evidence.correlation:.4f}; confidence of slices"
        f" {min(sure, default=0):.2f} or more"
    )
    if evidence.runner_up is not None:
        second = evidence.runner_up
        yield (
            f"runner-up  {second.made_by} (leaves {100 * second.unexplained:.3g} % unexplained, "
            f"the answer {100 * second.unexplained_by_answer:.3g} %)"
        )
