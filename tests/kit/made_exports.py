"""Exports of any geometry without DICOM: a document made with the models, and PNGs by Pillow.

`Export` says what one is made of, `GEOMETRIES` has one of every kind that the mapping must get
right, `oblique_sidecar` the sidecar of one in which nothing is simple.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from sidecar.document.control_points import control_points
from sidecar.document.model import (
    AXIS_NAMES,
    AxisModel,
    Cosines,
    Decimation,
    Document,
    Image,
    Images,
    Plane,
    Source,
    Value,
    Window,
)
from sidecar.document.writing import save
from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation as Axes
from sidecar.grid.stack import Stack
from sidecar.mapping import Sidecar

#: The pixels of a slice, by its number and (rows, columns).
Draw = Callable[[int, tuple[int, int]], NDArray[np.generic]]
#: The fixture that writes an export and opens its page.
Opened = Callable[..., Sidecar]
STUDY = "1.2.826.0.1.3680043.8.498.9"
AXIAL: Cosines = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def turned(*degrees: float) -> Cosines:
    """Direction cosines of an axial plane turned about x, y and z in turn."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        i, j = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    a, b, c, d, e, f = (float(part) for part in (*matrix[:, 0], *matrix[:, 1]))
    return a, b, c, d, e, f


@dataclass(frozen=True)
class Export:
    """What an export is made of. ``heights`` are mm along the normal, ``drift`` mm per plane along
    the columns (gantry tilt), ``order`` the source axes along PNG x, y and number, ``multiframe``
    one instance with a frame for every plane, ``files`` the names of the source files,
    ``instance_numbers`` those of the planes, or none at all.
    """

    columns: Axis = field(default_factory=lambda: Axis.stride(0, 64, 1))
    rows: Axis = field(default_factory=lambda: Axis.stride(0, 64, 1))
    slices: Axis = field(default_factory=lambda: Axis.stride(0, 9, 1))
    source_size: tuple[int, int, int] = (64, 64, 9)
    pixel_spacing: tuple[float, float] = (0.5, 0.5)
    orientation: Cosines = AXIAL
    other_orientations: dict[int, Cosines] = field(default_factory=dict)
    origin: tuple[float, float, float] = (-12.5, 31.25, -104.0)
    order: tuple[int, int, int] = (0, 1, 2)
    heights: tuple[float, ...] | None = None
    drift: float = 0.0
    geometry: bool = True
    bits: Literal[8, 16] = 8
    channels: Literal[1, 3] = 1
    value: Value | None = None
    names: tuple[str, ...] | None = None
    series: str = "1.2.826.0.1.3680043.8.498.1"
    frame_of_reference: str | None = None
    multiframe: bool = False
    files: str = "DOE^JANE/IM{:04d}"
    modality: str = "CT"
    generator: str = "sidecar test"
    warnings: tuple[str, ...] = ()
    specimen: str | None = None
    instance_numbers: tuple[int | None, ...] = ()

    def stack(self) -> Stack:
        count = self.source_size[2]
        heights = np.arange(count) * 1.0 if self.heights is None else np.array(self.heights)
        row, column = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        along = (
            heights[:, None] * np.cross(row, column)
            + np.arange(count)[:, None] * self.drift * column
        )
        orientations = [self.other_orientations.get(i, self.orientation) for i in range(count)]
        return Stack(
            self.source_size[0],
            self.source_size[1],
            self.pixel_spacing,
            np.array(self.origin) + along,
            np.array(orientations),
        )

    def write(self, folder: Path, draw: Draw | None = None) -> Sidecar:
        """Write PNGs and sidecar.json to ``folder``."""
        columns, rows, _ = self.axes.size
        for i, name in enumerate(self.png_names):
            pixels = (draw or self.plain)(i, (rows, columns))
            Pillow.fromarray(pixels).save(folder / name)
        digests = [
            hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in self.png_names
        ]
        document = self.document(digests)
        save(document, folder / "sidecar.json")
        return Sidecar.of(document)

    def sidecar(self) -> Sidecar:
        """The sidecar alone, without any file."""
        return Sidecar.of(self.document(["0" * 64] * len(self.png_names)))

    @property
    def axes(self) -> Axes:
        return Axes(self.columns, self.rows, self.slices, self.order)

    @property
    def png_names(self) -> tuple[str, ...]:
        return self.names or tuple(f"slice_{i:04d}.png" for i in range(self.axes.size[2]))

    def plain(self, slice: int, shape: tuple[int, int]) -> NDArray[np.generic]:
        """Grey that differs from slice to slice."""
        grey = np.full(shape, 40 + 12 * (slice % 16), np.uint8)
        if self.bits == 16:
            return grey.astype(np.uint16) * 257
        return np.dstack([grey] * 3) if self.channels == 3 else grey

    def document(self, digests: list[str]) -> Document:
        axes, names, (x, y, along) = self.axes, self.png_names, self.order
        stack = self.stack() if self.geometry else None
        corners = np.column_stack([np.zeros((len(names), 2)), np.arange(len(names))])
        positions = None if stack is None else stack.to_patient(axes.to_source(corners)).tolist()
        planes = [
            Plane(
                sop_instance_uid=f"{self.series}.{1 if self.multiframe else i + 1}",
                frame_number=i + 1 if self.multiframe else None,
                instance_number=self.instance_numbers[i] if self.instance_numbers else None,
                file=self.files.format(0 if self.multiframe else i),
                position=None if stack is None else tuple(stack.positions[i].tolist()),
                orientation=self.other_orientations.get(i),
            )
            for i in range(self.source_size[2])
        ]
        source = Source(
            size=self.source_size,
            study_instance_uid=STUDY,
            series_instance_uid=self.series,
            frame_of_reference_uid=self.frame_of_reference,
            modality=self.modality,
            pixel_spacing=self.pixel_spacing if self.geometry else None,
            orientation=self.orientation if self.geometry else None,
            planes=planes,
        )
        between_rows, between_columns = self.pixel_spacing
        gap = None if stack is None or stack.slices == 1 else float(stack.gaps.mean())
        spacings = [
            apart and apart * abs(axis.factor)
            for axis, apart in zip(axes.axes, (between_columns, between_rows, gap), strict=True)
        ]
        number = axes.png_axes[2]
        files = [
            Image(
                name=name,
                source_slices=[round(number.offset + number.factor * i)],
                position=None if positions is None else tuple(positions[i]),
                sha256=digests[i],
            )
            for i, name in enumerate(names)
        ]
        return Document(
            version="1.0",
            generator=self.generator,
            coordinate_system="LPS" if self.geometry else None,
            units="mm" if self.geometry else "pixel",
            pixel_origin="center",
            specimen=self.specimen,
            source=source,
            decimation=Decimation(
                columns=_model(axes.columns),
                rows=_model(axes.rows),
                slices=_model(axes.slices),
                order=(AXIS_NAMES[x], AXIS_NAMES[y], AXIS_NAMES[along]),
            ),
            images=Images(
                size=axes.size,
                spacing=(spacings[x], spacings[y], spacings[along]) if self.geometry else None,
                bits=self.bits,
                channels=self.channels,
                value=self.value,
                window=Window(mode="full", lower=0.0, upper=2.0**self.bits - 1),
                files=files,
            ),
            control_points=control_points(axes, stack),
            warnings=list(self.warnings),
        )


def _model(axis: Axis) -> AxisModel:
    return AxisModel(factor=axis.factor, offset=axis.offset, size=axis.size, method=axis.method)


#: One export of every kind of geometry that the mapping must get right.
GEOMETRIES: dict[str, Export] = {
    "axial": Export(),
    "oblique": Export(orientation=turned(17, -23, 8), origin=(81.5, -37.25, 12.0)),
    "tilted": Export(drift=0.3, orientation=turned(-16, 0, 0), columns=Axis.blocks(0, 64, 2, "mean"), rows=Axis.blocks(0, 64, 2, "mean")),
    "not square": Export(
        pixel_spacing=(0.8, 0.25), source_size=(96, 40, 9), columns=Axis.stride(0, 96, 1), rows=Axis.stride(0, 40, 1)
    ),
    "cropped": Export(
        columns=Axis.blocks(7, 63, 3, "max"), rows=Axis.resize(5, 60, 23), slices=Axis.stride(2, 8, 1), orientation=turned(0, 90, 0)
    ),
    "z-step": Export(slices=Axis.blocks(0, 9, 2, "mean"), columns=Axis.resize(0, 64, 27), rows=Axis.resize(0, 64, 27)),
    "uneven": Export(heights=(0, 0.5, 1, 3, 3.5, 4, 4.5, 7, 7.5), slices=Axis.stride(1, 9, 3)),
    "nearly parallel": Export(other_orientations={3: turned(0.02, 0, 0.01), 4: turned(0, 0.03, 0)}),
    "flipped": Export(orientation=(1.0, 0.0, 0.0, 0.0, -1.0, 0.0)),
    "one slice": Export(source_size=(64, 64, 1), slices=Axis.stride(0, 1, 1), orientation=turned(5, 6, 7)),
    "turned over": Export(
        columns=Axis(-2.0, 62.5, 32, "mean"), slices=Axis(-1.0, 7.0, 6, "stride"), orientation=turned(17, -23, 8)
    ),
    "coronal": Export(order=(0, 2, 1), slices=Axis(-1.0, 8.0, 9, "stride"), drift=0.1, rows=Axis.stride(3, 64, 7)),
    "sagittal": Export(order=(1, 2, 0), heights=(0, 0.5, 1, 3, 3.5, 4, 4.5, 7, 7.5), orientation=turned(4, -3, 8)),
    "far away": Export(origin=(1e4, -2e4, 1.5e4), pixel_spacing=(0.0011, 0.0011), heights=tuple(0.0011 * i for i in range(9))),
}  # fmt: skip


def oblique_sidecar(**changes: Any) -> Sidecar:
    """40 × 36 × 9 source voxels, oblique, tilted, with uneven gaps, at half size."""
    export = Export(
        columns=Axis.blocks(0, 40, 2, "mean"),
        rows=Axis.blocks(0, 36, 2, "mean"),
        source_size=(40, 36, 9),
        pixel_spacing=(0.5, 0.4),
        orientation=turned(17, -23, 8),
        heights=(0, 0.8, 1.6, 2.4, 3.1, 4.4, 5.2, 6.0, 6.8),
        drift=0.2,
    )
    return replace(export, **changes).sidecar()
