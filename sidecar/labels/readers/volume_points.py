"""Labels of tools that open the PNG stack as a volume: three coordinates for each point, and a
spacing that the file does not state.

Such a tool places the middle of the first voxel at (0, 0, 0), and voxel (column, row, slice) at
these numbers times the spacing. A plain PNG stack states no spacing, so it is 1, unless the user
typed another. The points decide between the two only if there is no doubt. `readers` makes two
further readers, with which the user decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PixelOrigin, PngStack, Reader, ReadOptions, to_center
from sidecar.labels.references import refuse_other_first_png
from sidecar.labels.shapes import Shape, labels_of

Spacing = tuple[float, float, float]
Point = tuple[float, float, float]

_PIXELS: Spacing = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Vertex:
    """One vertex of a shape in the volume of the tool. The vertices of one shape share ``id`` and
    ``type``.

    ``xyz``     along columns, rows and slices, in the tool's unit; (0, 0, 0) is the middle of the
                first voxel.
    The other fields are as in `sidecar.labels.shapes.Shape`.
    """

    type: str
    xyz: Point
    where: str
    label: str = ""
    id: str = ""
    number: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """The content of a file of such a tool: the vertices of its shapes, notes for the user, and
    notes on what was left out.
    """

    vertices: Sequence[Vertex]
    notes: Sequence[str] = ()
    left_out: Sequence[str] = ()

    @property
    def xyz(self) -> NDArray[np.float64]:
        """(N, 3), as in the file."""
        return np.array([vertex.xyz for vertex in self.vertices], np.float64).reshape(-1, 3)


def readers(
    name: str,
    tool: str,
    recognises: Callable[[Path, bytes], bool],
    parse: Callable[[Path], VolumeFile],
) -> tuple[Reader, Reader, Reader]:
    """Three readers of one format, which differ only in the spacing by which they divide.

    ``name``         recognises the format, and refuses a file if its points do not tell the
                     spacing.
    ``name-pixels``  only by name: spacing 1, the coordinates are voxel numbers.
    ``name-mm``      only by name: the spacing of the PNG stack, the coordinates are its
                     millimetres.
    """

    def reader(
        suffix: str, spacing_of: _SpacingOf, recognises: Callable[[Path, bytes], bool]
    ) -> Reader:
        def read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
            refuse_other_first_png(path, stack)
            file = parse(path)
            spacing = spacing_of(path, file, stack, options.pixel_origin, name)
            told = (
                "1, as in a plain PNG stack"
                if spacing == _PIXELS
                else f"{_told(spacing)} mm, the spacing of the PNG stack"
            )
            notes = (
                (
                    f"Coordinates were taken as voxel number times a spacing of {told}, counted"
                    " from the middle of the first voxel. To choose it yourself, give --from"
                    f" {name}-pixels or --from {name}-mm"
                ),
                *file.notes,
            )
            return labels_in_volume(
                path,
                file.vertices,
                file.xyz / spacing,
                tool=tool,
                forced=options.pixel_origin,
                notes=notes,
                left_out=file.left_out,
            )

        return Reader(name + suffix, tool, "center", recognises, read)

    return (
        reader("", _spacing_told_by_points, recognises),
        reader("-pixels", _spacing_one, _by_name_only),
        reader("-mm", _spacing_of_stack, _by_name_only),
    )


def labels_in_volume(
    path: Path,
    vertices: Sequence[Vertex],
    index: NDArray[np.float64],
    *,
    tool: str,
    forced: PixelOrigin | None,
    notes: Iterable[str] = (),
    left_out: Iterable[str] = (),
) -> Labels:
    """Labels at ``index``, (N, 3) voxel numbers (column, row, slice).

    ``forced`` applies to all three axes.
    """
    slices = to_center(index[:, 2], forced or "center").tolist()
    shapes = [
        Shape(v.type, [(x, y)], "center", v.where, v.label, "", slice_, v.id, v.number, v.extra)
        for v, (x, y), slice_ in zip(vertices, index[:, :2].tolist(), slices, strict=True)
    ]
    return labels_of(
        path,
        shapes,
        tool=tool,
        origin="center",
        forced=forced,
        notes=notes,
        left_out=left_out,
    )


_SpacingOf = Callable[[Path, VolumeFile, PngStack, PixelOrigin | None, str], Spacing]


def _spacing_one(
    path: Path, file: VolumeFile, stack: PngStack, origin: PixelOrigin | None, name: str
) -> Spacing:
    return _PIXELS


def _spacing_of_stack(
    path: Path, file: VolumeFile, stack: PngStack, origin: PixelOrigin | None, name: str
) -> Spacing:
    if stack.spacing is None:
        raise LabelError(
            f"the PNG stack has no spacing in millimetres; use --from {name}-pixels",
            path,
        )
    return stack.spacing


def _spacing_told_by_points(
    path: Path, file: VolumeFile, stack: PngStack, origin: PixelOrigin | None, name: str
) -> Spacing:
    """The spacing 1, if all points lie in the stack with it, and a smaller stack in millimetres
    would not hold them. LabelError otherwise.

    With a spacing below 1 on an axis, the stack is smaller in millimetres than in voxels. If all
    points lie in this small corner, they may be in millimetres; points with spacing 1 would be
    spread over the whole stack.
    """
    spacing = stack.spacing or _PIXELS
    outside = _outside(file.xyz, stack, _PIXELS, origin)
    fits_pixels = not outside.any()
    fits_mm = (
        not np.allclose(spacing, 1.0, rtol=1e-6)
        and not _outside(file.xyz, stack, spacing, origin).any()
    )
    if not file.vertices or (fits_pixels and not (fits_mm and min(spacing) < 1.0)):
        return _PIXELS
    ways_out = (
        f"give --from {name}-pixels if the coordinates are voxel numbers, or --from {name}-mm if"
        " they are millimetres on the PNG stack"
    )
    if fits_mm:
        how = "both as voxel numbers and as" if fits_pixels else "only as"
        raise LabelError(
            f"the points fit the PNG stack {how} millimetres of its spacing ({_told(spacing)}),"
            f" but the file does not say which they are; {ways_out}",
            path,
        )
    raise LabelError(
        f"lies outside the PNG stack of {stack.columns} x {stack.rows} x {stack.slices} voxels. If"
        " the coordinates are patient millimetres, use `sidecar project`, which takes .mrk.json,"
        f" .fcsv, and tables with columns x_mm, y_mm, z_mm. Otherwise {ways_out}",
        path,
        file.vertices[int(np.argmax(outside))].where,
    )


def _outside(
    xyz: NDArray[np.float64], stack: PngStack, spacing: Spacing, origin: PixelOrigin | None
) -> NDArray[np.bool_]:
    """Which of the (N, 3) points lie outside all voxels with this spacing."""
    index = to_center(xyz / spacing, origin or "center")
    size = np.array((stack.columns, stack.rows, stack.slices))
    outside: NDArray[np.bool_] = np.any((index < -0.5) | (index > size - 0.5), axis=1)
    return outside


def _told(spacing: Spacing) -> str:
    return " x ".join(f"{step:g}" for step in spacing)


def _by_name_only(path: Path, head: bytes) -> bool:
    return False
