"""Plan an export from headers alone. ``--dry-run`` shows the plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.stacks.series import Series
from sidecar.document.tag import png_names
from sidecar.errors import GeometryError, UsageError, counted
from sidecar.exporting.options import ExportOptions, Range, is_whole
from sidecar.exporting.source_facts import SourceFacts, sha256_of
from sidecar.grid.axis import Axis
from sidecar.grid.axis_order import AS_STORED, AxisOrder
from sidecar.grid.decimation import Decimation
from sidecar.grid.named_planes import order_of
from sidecar.values.value_maps import Bits

#: This number changes when the same input and options give other pixels. Then an interrupted export
#: does not mix old and new pixels.
PIXELS_VERSION = 2
#: Larger than any number of samples along an axis, but small enough for exact arithmetic.
MAX_FACTOR = 2.0**31


@dataclass(frozen=True)
class Plan:
    """One export of one stack.

    ``reduction``: the decimation along the axes of the source. ``order``: the orientation of the
    PNGs in the reduced stack. ``stem``: the start of the names of the PNGs. ``shared``: the facts
    of ``series``, where several plans use it.
    """

    series: Series
    options: ExportOptions
    reduction: Decimation
    warnings: tuple[str, ...]
    order: AxisOrder = AS_STORED
    stem: str = "slice"
    shared: SourceFacts | None = None

    @cached_property
    def facts(self) -> SourceFacts:
        """What goes through all frames of the series."""
        return self.shared or SourceFacts(self.series)

    @cached_property
    def decimation(self) -> Decimation:
        """How PNG pixels relate to source indices."""
        return self.reduction @ self.order

    @property
    def channels(self) -> Literal[1, 3]:
        return 1 if self.series.common.layout.photometric in ("MONOCHROME1", "MONOCHROME2") else 3

    @property
    def bits(self) -> Bits:
        """Bits per PNG sample: those of the options for gray images, those of the source for
        colour.
        """
        if self.channels == 1:
            return self.options.bits
        return (
            16
            if self.series.common.layout.bits_allocated == 16
            and self.series.common.layout.photometric == "RGB"
            else 8
        )

    @property
    def keeps_stored(self) -> bool:
        """Whether gray PNGs hold stored values without loss.

        They do if the user asks for nothing else and the values fit: with 16 bits, or with 8 bits
        if the source has no more than 8 and one straight line makes its values.
        """
        common = self.series.common
        return (
            self.channels == 1
            and self.options.window is None
            and common.layout.keyword == "PixelData"
            and common.layout.bits_stored <= self.bits
            and len(self.series.rescales) == 1
            and (common.table is None or self.bits == 16)
        )

    @property
    def png_bytes(self) -> int:
        """Uncompressed PNG bytes."""
        return int(np.prod(self.reduction.size)) * self.channels * self.bits // 8

    @property
    def scratch_bytes(self) -> int:
        """Size in bytes of the scratch file for PNGs along another axis
        (`sidecar.exporting.images.reslice`); 0 for the plane of the source slices.
        """
        return 0 if self.order == AS_STORED else self.png_bytes

    @cached_property
    def tag(self) -> str:
        """The tag of the PNGs."""
        return self.facts.tag(self.decimation)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """PNG names in slice order."""
        return png_names(self.stem, self.decimation.size[2], self.tag)

    def frames_of(self, decimated_slice: int) -> tuple[Frame, ...]:
        """The source frames of one decimated slice. In the plane of the source slices, this is one
        PNG.
        """
        samples = self.reduction.slices.samples(decimated_slice)
        return self.series.frames[samples.start : samples.stop]

    def samples_of(self, png: int) -> range:
        """The source samples of one PNG along the source axis that is the axis of PNG numbers."""
        along = self.order.along[2]
        at = self.order.map((0, 0, png), self.reduction.size)[along]
        return self.reduction.axes[along].samples(int(at))

    def frames_read(self) -> Iterator[Frame]:
        """Every source frame that will be read, in order."""
        for k in range(self.reduction.slices.size):
            yield from self.frames_of(k)

    @cached_property
    def made_from(self) -> str:
        """A digest of the source and the options. It identifies a finished export.

        It does not depend on the place of the scan or on the time of a copy: see
        `SourceFacts.digest`.
        """
        facts = self.facts
        asked = self.options.asked(
            but=frozenset(
                {"jobs", "overwrite", "keep_labels", "series", "join", "viewer", "volume"}
            )
        )
        return sha256_of([PIXELS_VERSION, self.stem, asked, asdict(self.decimation), facts.digest])

    @cached_property
    def digest(self) -> str:
        """The same digest with the time of change of each file. An interrupted export continues
        only if this digest is the same.
        """
        return sha256_of([self.made_from, self.facts.times])


def make_plan(series: Series, options: ExportOptions) -> Plan:
    """The plan for one stack.

    UsageError where the options do not fit the stack. GeometryError where they need a geometry that
    the stack does not have.
    """
    layout = series.common.layout
    size = (layout.columns, layout.rows, len(series.frames))
    ranges = _cropped(size, options)
    factors = _factors(series, options, ranges)
    for name, (start, stop), factor in zip(("column", "row"), ranges, factors, strict=False):
        if stop - start < factor / 2:
            raise _nothing_left(stop - start, name, factor)
    columns, rows = (
        _in_plane(start, stop, factor)
        for (start, stop), factor in zip(ranges[:2], factors[:2], strict=True)
    )
    start, stop = ranges[2]
    step = round(factors[2])
    slices = (
        Axis.stride(start, stop, step)
        if options.z_filter == "stride"
        else Axis.blocks(start, stop, step, options.z_filter)
    )
    decimation = Decimation(columns, rows, slices)
    for name, axis, (start, stop) in zip(
        ("column", "row", "slice"), decimation.axes, ranges, strict=True
    ):
        if axis.size < 1:
            raise _nothing_left(stop - start, name, axis.factor)
    warnings = (*series.warnings, *_left_out(decimation, ranges))
    plan = Plan(series, options, decimation, warnings, stem=options.specimen or "slice")
    order = AS_STORED if options.plane is None else order_of(options.plane, series.stack)
    return replace(plan, warnings=(*plan.warnings, *_option_warnings(plan)), order=order)


def _nothing_left(length: int, name: str, factor: float) -> UsageError:
    return UsageError(
        f"nothing is left of {counted(length, name)} at 1/{factor:g}: decimate or crop less"
    )


def _cropped(size: tuple[int, int, int], options: ExportOptions) -> list[tuple[int, int]]:
    asked: tuple[Range, ...] = options.crop or ((0, None),) * 3
    ranges = []
    names = ("column", "row", "slice")
    for axis, name, length, (start, stop) in zip("XYZ", names, size, asked, strict=True):
        end = length if stop is None else stop
        if end > length or start >= length:
            raise UsageError(
                f"--crop: {axis}{start}:{end} reaches beyond the source, which has"
                f" {counted(length, name)}"
            )
        ranges.append((start, end))
    return ranges


def _factors(
    series: Series, options: ExportOptions, ranges: list[tuple[int, int]]
) -> tuple[float, float, float]:
    """Source samples per PNG pixel along columns, rows and slices."""
    z_step = float(min(options.z_step or 1, MAX_FACTOR))
    if options.spacing is not None:
        voxel = _voxel(series)
        if voxel is None:
            raise GeometryError(
                "--spacing needs a source with patient geometry, or a voxel size given with"
                " --voxel X,Y,Z; else use --scale and --z-step"
            )
        x, y, z = (
            min(max(1.0, options.spacing / edge), MAX_FACTOR) if edge else 1.0 for edge in voxel
        )
        return x, y, z_step if options.z_step else float(round(z))
    if options.budget is not None:
        return _fitting(series, options, options.budget, ranges)
    factor = min(1 / (options.scale or 1.0), MAX_FACTOR)
    return factor, factor, z_step


def _voxel(series: Series) -> tuple[float, float, float] | None:
    """mm between columns, rows, slices (0 for a single slice)."""
    stack = series.stack
    if stack is None:
        return None
    return stack.pixel_spacing[1], stack.pixel_spacing[0], stack.median_gap


def _fitting(
    series: Series, options: ExportOptions, budget: int, ranges: list[tuple[int, int]]
) -> tuple[float, float, float]:
    """The smallest integer factors whose output fits ``budget`` bytes and keeps voxels isotropic.

    For a target spacing s, the factor of each axis is round(s / edge); s increases until the output
    fits. Frames that are not a patient stack (ultrasound, secondary capture) are never dropped to
    save space.
    """
    voxel = _voxel(series) or (1.0, 1.0, 0.0)
    probe = Plan(series, options, Decimation.whole(1, 1, 1), ())
    lengths = [stop - start for start, stop in ranges]
    sample_bytes = probe.channels * probe.bits // 8

    def factors_at(target: float) -> tuple[float, float, float]:
        x, y, z = (
            max(1.0, float(np.floor(target / edge + 0.5))) if edge else 1.0 for edge in voxel
        )
        return x, y, float(min(options.z_step or z, MAX_FACTOR))

    steps = sorted(
        {
            edge * (k + 0.5)
            for edge, n in zip(voxel, lengths, strict=True)
            if edge
            for k in range(min(n, 512))
        }
    )
    for target in [0.0, *steps]:
        factors = factors_at(target)
        sizes = [n // f for n, f in zip(lengths[:2], factors[:2], strict=True)] + [
            -(-lengths[2] // factors[2])
        ]
        if min(sizes) < 1:
            break
        if np.prod(sizes) * sample_bytes <= budget:
            return factors
    raise UsageError(
        f"--fit: {budget:,} bytes cannot hold this scan at any useful size; allow more, or crop"
    )


def _in_plane(start: int, stop: int, factor: float) -> Axis:
    if is_whole(factor):
        return Axis.blocks(start, stop, round(factor), "mean")
    return Axis.resize(start, stop, round((stop - start) / factor))


def _left_out(decimation: Decimation, ranges: list[tuple[int, int]]) -> list[str]:
    notes = []
    for name, axis, (start, stop) in zip(
        ("columns", "rows", "slices"), decimation.axes, ranges, strict=True
    ):
        rest = stop - axis.stop
        if axis.method in ("mean", "max") and rest:
            notes.append(
                f"the last of {stop - start} {name} is not on the PNGs: it does not fill a block of"
                f" {axis.factor:g}"
                if rest == 1
                else f"the last {rest} of {stop - start} {name} are not on the PNGs: they do not"
                f" fill a block of {axis.factor:g}"
            )
    return notes


def _option_warnings(plan: Plan) -> list[str]:
    options, voxel = plan.options, _voxel(plan.series)
    notes = []
    if options.spacing is not None and voxel is not None and options.spacing < 0.999 * max(voxel):
        coarse = ", ".join(f"{edge:.4g}" for edge in voxel)
        notes.append(
            f"--spacing {options.spacing:g} mm is finer than the source ({coarse} mm) on some axes,"
            " which stay as they are"
        )
    if plan.channels == 3 and options.bits != plan.bits:
        notes.append(f"colour images are written with {plan.bits} bits, as they are stored")
    reduced = any(a.method != "stride" and a.factor != 1 for a in plan.reduction.axes)
    if plan.series.common.table is not None and plan.keeps_stored and reduced:
        notes.append(
            "a table (Modality LUT) turns stored values into modality values, and these PNGs have"
            " stored values. If a PNG pixel is the mean of several stored values, the table gives"
            " the modality value of that mean, and not the mean of the modality values; --bits 8 or"
            " --window makes PNGs of modality values instead"
        )
    rescales = plan.series.rescales
    if plan.channels == 1 and len(rescales) > 1:
        notes.append(
            f"Rescale Slope or Intercept differs between slices ({len(rescales)} kinds): PNG values"
            " follow one common line"
        )
    return notes
