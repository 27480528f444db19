"""PNG pixels to source voxels, patient millimetres and DICOM instances, and back. Pure and
vectorised.

    source = decimation(pixel)      patient = stack(source)      plane = nearest(slice of source)

All pixel coordinates here are *center*: 0 is the centre of the first pixel. `Sidecar` does all of
this. It needs neither the source files nor pydicom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidecar.dicom.stacks.same_scan import KnownScan
from sidecar.document import reading
from sidecar.document.agreement import SourcePlanes, require_agreement, tag_by_planes
from sidecar.document.axes import decimation_of
from sidecar.document.images import Pixels
from sidecar.document.model import Document
from sidecar.document.tag import PngName, image_key, split_name
from sidecar.errors import DocumentError, GeometryError, UsageError, counted
from sidecar.formats.volume_files import LPS_TO_RAS, Volume
from sidecar.grid.axis import nearest
from sidecar.grid.decimation import Decimation
from sidecar.grid.points import as_floats, as_points
from sidecar.grid.space import Geometry, not_in_the_patient
from sidecar.grid.stack import Stack, geometry_of, require_affine
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import WritableLocation

if TYPE_CHECKING:
    import nibabel
    import SimpleITK

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Instances:
    """The DICOM instance of each of N points. It is "" and 0 where a point lies beyond the first or
    the last plane.

    ``planes``: SOP Instance UID and frame number of every source plane, and last ("", 0).
    ``plane`` (N,): the index in ``planes`` for each point.
    """

    planes: Sequence[tuple[str, int]]
    plane: NDArray[np.intp]

    def __repr__(self) -> str:
        return f"<Instances of {counted(len(self.plane), 'point')}>"

    def __getitem__(self, some: slice) -> Instances:
        return Instances(self.planes, self.plane[some])

    @cached_property
    def sop_instance_uid(self) -> list[str]:
        return [self.planes[k][0] for k in self.plane.tolist()]

    @cached_property
    def frame_number(self) -> NDArray[np.int64]:
        return np.array([frame for _, frame in self.planes], dtype=np.int64)[self.plane]


@dataclass(frozen=True, eq=False)
class Sidecar:
    """One export, ready to map points. Make one with `sidecar.open(path)`.

    ``stack``: the geometry of the source. It is None for images without geometry, which map to
    source pixels only. ``geometry``: where its millimetres come from.
    ``folder``: the folder of the PNGs; None for a document from elsewhere.

    Two objects of the same document are equal, whatever their folders.
    """

    document: Document
    decimation: Decimation
    stack: Stack | None
    folder: WritableLocation | None = None

    def __repr__(self) -> str:
        columns, rows, count = self.size
        source, tag = self.document.source, self.document.images.tag
        where = "" if self.folder is None else f" {self.folder.resolved().name}"
        return (
            f"<Sidecar{where}: {counted(count, 'PNG')} of {columns} × {rows} from"
            f" {source.modality}"
            f" {' × '.join(map(str, source.size))}{'' if tag is None else f', tag {tag}'}>"
        )

    def __eq__(self, other: object) -> bool:
        return self.document == other.document if isinstance(other, Sidecar) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.document.source.series_instance_uid, self.document.images.tag, self.size))

    @classmethod
    def of(cls, document: Document, planes: SourcePlanes | None = None) -> Sidecar:
        """The mapping that a document describes. DocumentError where the document contradicts
        itself.

        ``planes``: what follows from its planes, where it is known from another document of the
        same source.
        """
        decimation = decimation_of(document.decimation)
        try:
            # absurd numbers give NaN, which does not agree with anything
            with np.errstate(all="ignore"):
                planes = planes or SourcePlanes.of(document)
                require_agreement(document, decimation, planes)
        except GeometryError as error:
            raise DocumentError(
                f"sidecar.json contradicts itself: {error}; export again, or restore the file from"
                " a copy"
            ) from None
        return cls(document, decimation, planes.stack)

    @classmethod
    def open(cls, path: Place) -> Sidecar:
        """Read ``sidecar.json``, or the one in a folder, check it, and make the mapping."""
        place = locate(path)
        made = cls.of(reading.load(place))
        return replace(made, folder=place if place.is_folder() else place.parent)

    @property
    def known_scan(self) -> KnownScan:
        """The exported scan, so that it can be recognised in a source: see
        `dicom.Source.matching`.
        """
        source = self.document.source
        columns, rows, _ = source.size
        return KnownScan(
            tuple((plane.sop_instance_uid, plane.frame_number) for plane in source.planes),
            tuple(plane.file for plane in source.planes),
            columns,
            rows,
            self.stack,
        )

    @property
    def geometry(self) -> Geometry:
        """Where millimetres come from: the patient, a voxel size that the user gave, or nowhere."""
        return geometry_of(self.stack)

    @cached_property
    def tag(self) -> str:
        """The tag of this mapping. It is computed where the document, of version 1.0, does not
        state it.
        """
        return self.document.images.tag or tag_by_planes(self.document, self.decimation)

    @property
    def size(self) -> tuple[int, int, int]:
        """PNG columns and rows, and number of PNGs."""
        return self.decimation.size

    def to_source(self, xy: ArrayLike, slice: ArrayLike) -> Floats:
        """Source indices (N, 3), column, row, slice, of PNG pixels.

        ``xy``: (N, 2). ``slice``: 0-based PNG slices (N,), or one number for all points.
        """
        return self.decimation.to_source(_points(xy, slice))

    def to_patient(self, xy: ArrayLike, slice: ArrayLike) -> Floats:
        """Patient mm (N, 3), LPS, of PNG pixels.

        Places beyond the PNGs are computed too, along the same axes; `contains` tells which are on
        the PNGs. GeometryError where the source has no patient geometry.
        """
        self._require_patient()
        return self.to_mm(xy, slice)

    def to_mm(self, xy: ArrayLike, slice: ArrayLike) -> Floats:
        """Millimetres (N, 3) of PNG pixels. They are LPS. Where ``geometry`` is *given*, they are
        along columns, rows and slices of the source.

        GeometryError where the source has no millimetres.
        """
        return self._require_mm().to_patient(self.to_source(xy, slice))

    def from_source(self, index: ArrayLike) -> tuple[Floats, Floats]:
        """PNG pixels (N, 2) and slices (N,) of source indices (N, 3): the inverse of
        `to_source`.
        """
        pixel = self.decimation.to_pixel(index)
        return pixel[:, :2], pixel[:, 2]

    def from_patient(self, patient: ArrayLike) -> tuple[Floats, Floats]:
        """PNG pixels (N, 2) and slices (N,) of patient mm (N, 3), LPS: the inverse of
        `to_patient`.
        """
        self._require_patient()
        return self.from_mm(patient)

    def from_mm(self, mm: ArrayLike) -> tuple[Floats, Floats]:
        """PNG pixels (N, 2) and slices (N,) of millimetres (N, 3): the inverse of `to_mm`."""
        return self.from_source(self._require_mm().to_index(mm))

    @overload
    def read(self) -> Pixels: ...
    @overload
    def read(self, slice: int) -> NDArray[Any]: ...
    def read(self, slice: int | None = None) -> Pixels | NDArray[Any]:
        """The pixels of one PNG, (rows, columns[, 3]), 3 for colours, uint8 or uint16.

        Without ``slice`` they are the pixels of all PNGs. Each PNG is then read when its pixels are
        asked for (see `Pixels`).

        UsageError where the folder of the PNGs is not known, and for a slice that does not exist.
        DocumentError where a PNG is not as the export wrote it.
        """
        if self.folder is None:
            raise UsageError(
                "this mapping was made from a document alone, so it does not know where its PNGs"
                " are; use the mapping that sidecar.open gives for their folder"
            )
        pixels = Pixels(self.document, self.folder, range(self.size[2]))
        if slice is None:
            return pixels
        if not 0 <= slice < len(pixels):
            raise UsageError(f"there is no PNG {slice}; the PNGs are 0 to {len(pixels) - 1}")
        return np.asarray(pixels[slice])

    def affine(self, space: Literal["LPS", "RAS"]) -> Floats:
        """(4, 4) for the whole stack: patient mm = matrix · (x, y, slice, 1). LPS as in DICOM and
        ITK, or RAS as in NIfTI.

        GeometryError where no single matrix is true: for slices that are not evenly spaced or not
        parallel, for a single slice, and without patient geometry. `to_patient` needs no matrix.
        """
        if space not in ("LPS", "RAS"):
            raise UsageError(f"space={space!r}: give 'LPS' or 'RAS'")
        lps = require_affine(self.stack, self.document.images.affine, "an affine")
        return lps if space == "LPS" else np.asarray(LPS_TO_RAS @ lps)

    def to_sitk(self) -> SimpleITK.Image:
        """The PNG stack as a SimpleITK image in its place in the patient. Reads all PNGs.

        Raises the errors of `affine` and `read`, and MissingExtraError without SimpleITK.
        """
        from sidecar.formats.toolkits import sitk_image

        return sitk_image(volume_of(self, "SimpleITK"), self.read())

    def to_nibabel(self) -> nibabel.Nifti1Image:
        """The PNG stack as a NIfTI image of nibabel, (columns, rows, slices), in its place in the
        patient. Reads all PNGs.

        Raises the errors of `affine` and `read`, MissingExtraError without nibabel, and OutputError
        for pixels that NIfTI cannot hold.
        """
        from sidecar.formats.toolkits import nifti_image

        return nifti_image(volume_of(self, "NIfTI"), self.read())

    def contains(self, xy: ArrayLike, slice: ArrayLike) -> NDArray[np.bool_]:
        """Whether each point lies on the PNG stack, from the outer edge of its first pixel to the
        outer edge of its last, and not on its margins.

        A margin consists of pixels whose centres lie beyond the source. Only adopted stacks have
        margins.
        """
        points = _points(xy, slice)
        within = (points >= -0.5) & (points <= np.array(self.size) - 0.5)
        on = np.asarray(within[:, 0] & within[:, 1] & within[:, 2])
        return on & self._on_source(points) if self.document.evidence is not None else on

    def _on_source(self, points: Floats) -> NDArray[np.bool_]:
        """Whether the centre of the pixel on which each point lies is within the source."""
        pixels = np.clip(nearest(points), 0, np.array(self.size) - 1)
        centres = self.decimation.to_source(pixels)
        return np.asarray(
            np.all(
                (centres >= -0.5) & (centres <= np.array(self.document.source.size) - 0.5), axis=1
            )
        )

    def instances(self, source: ArrayLike) -> Instances:
        """The DICOM instance nearest to each source index (N, 3). Halfway between two it is the
        lower slice.
        """
        along = as_points(source, "column, row, slice")[:, 2]
        count = len(self.document.source.planes)
        outside = ~((along >= -0.5) & (along <= count - 0.5))
        inside = np.clip(nearest(along), 0, count - 1)
        return Instances(self._instances, np.where(outside, count, inside).astype(np.intp))

    @cached_property
    def _instances(self) -> tuple[tuple[str, int], ...]:
        """`Instances.planes`, the same tuple for all points."""
        planes = self.document.source.planes
        return (*((plane.sop_instance_uid, plane.frame_number or 0) for plane in planes), ("", 0))

    def uncertainty_mm(self, source: ArrayLike) -> Floats:
        """Half the longest diagonal of the output voxel at each source index (N, 3), in mm. This is
        the error that decimation alone can hide.

        Along the slices, the thickness of a voxel is the larger distance to its neighbours. A
        single slice counts only in its plane. An axis of adopted images without an exact line makes
        the voxel wider by its deviation at either end. NaN without millimetres.
        """
        along = as_points(source, "column, row, slice")[:, 2]
        if self.stack is None:
            return np.full(len(along), np.nan)
        slices = self.decimation.slices
        shown = np.clip(nearest(slices.to_pixel(along)), 0, slices.size - 1).astype(np.intp)
        return np.asarray(self._half_diagonals[shown])

    @cached_property
    def _half_diagonals(self) -> Floats:
        """Half the longest diagonal in mm, for each decimated slice.

        Gantry tilt shears voxels, so that their four diagonals differ.
        """
        assert self.stack is not None
        columns, rows, slices = (
            self.decimation.columns,
            self.decimation.rows,
            self.decimation.slices,
        )
        vague_columns, vague_rows, vague_slices = self._vague
        centres = slices.to_source(np.arange(slices.size, dtype=np.float64))
        plane = np.clip(nearest(centres), 0, self.stack.slices - 1).astype(np.intp)
        across, down = np.moveaxis(
            self.stack.axes[plane]
            * (abs(columns.factor) + 2 * vague_columns, abs(rows.factor) + 2 * vague_rows),
            2,
            0,
        )
        steps = self._slice_steps(centres) * (1 + 2 * vague_slices / abs(slices.factor))
        diagonals = [
            across + i * down + j * step
            for i in (-1, 1)
            for j in (-1, 1)
            for step in (steps[:-1], steps[1:])
        ]
        return np.asarray(np.linalg.norm(diagonals, axis=2).max(axis=0) / 2)

    def _slice_steps(self, centres: Floats) -> Floats:
        """(n + 1, 3) mm from each decimated slice to the next. The steps before the first and
        after the last slice repeat their neighbours.
        """
        assert self.stack is not None
        if len(centres) == 1:
            step = (
                np.zeros(3)
                if self.stack.slice_step is None
                else self.stack.slice_step * abs(self.decimation.slices.factor)
            )
            return np.tile(step, (2, 1))
        steps = np.diff(
            self.stack.to_patient(np.column_stack([np.zeros((len(centres), 2)), centres])), axis=0
        )
        return np.concatenate([steps[:1], steps, steps[-1:]])

    @property
    def _vague(self) -> tuple[float, float, float]:
        """Source samples by which each adopted axis may be off; 0 where an exact line was found
        for it.
        """
        found = self.document.evidence
        axes = () if found is None else (found.columns, found.rows, found.slices)
        columns, rows, slices = (
            (0.0 if axis.exact else axis.deviation for axis in axes) if axes else (0.0, 0.0, 0.0)
        )
        return columns, rows, slices

    def slice_of(self, image: str) -> int | None:
        """The PNG slice that an image name means, with or without extension and folders. None when
        no PNG has that name.

        A name without a tag means the PNG with its number: ``slice_0003`` is
        ``slice_0003_bcdfgh.png``. `sidecar.labels.identity.resolver` decides whether this is proof
        enough.
        """
        key = image_key(image)
        parts = split_name(key)
        if key in self._slice_by_name or parts is None:
            return self._slice_by_name.get(key)
        return self._slice_by_parts.get(parts)

    @cached_property
    def _slice_by_name(self) -> dict[str, int]:
        return {image_key(file.name): i for i, file in enumerate(self.document.images.files)}

    @cached_property
    def _slice_by_parts(self) -> dict[PngName, int]:
        """Slices by the names of tagged PNGs, without their tag.

        Images of other programs have no tag, even where their names look as if they had one.
        """
        if self.document.evidence is not None:
            return {}
        names = ((split_name(key), i) for key, i in self._slice_by_name.items())
        return {name._replace(tag=None): i for name, i in names if name and name.tag}

    def _require_mm(self) -> Stack:
        if self.stack is None:
            raise GeometryError(
                "the source has no patient geometry, so points map to source pixels only"
            )
        return self.stack

    def _require_patient(self) -> None:
        why = not_in_the_patient(self._require_mm().geometry, "to_patient")
        if why is not None:
            raise GeometryError(f"{why}; use to_mm and from_mm")


def volume_of(sidecar: Sidecar, format: str) -> Volume:
    """The header of an export's PNGs as one volume.

    GeometryError says why there is none. ``format``: the name of the format for the user.
    """
    images = sidecar.document.images
    dtype = np.dtype(np.uint8 if images.bits == 8 else np.uint16)
    return Volume(
        sidecar.size, dtype, require_affine(sidecar.stack, images.affine, format), images.channels
    )


def _points(xy: ArrayLike, slice: ArrayLike) -> Floats:
    pixels = as_points(xy, "x, y")
    slices = as_floats(slice, "slices")
    if slices.shape not in ((), (len(pixels),)):
        raise UsageError(
            f"slice has the shape {slices.shape}, but there are {counted(len(pixels), 'point')};"
            " give one number for all points, or one for each"
        )
    return np.column_stack([pixels, np.broadcast_to(slices, len(pixels))])
