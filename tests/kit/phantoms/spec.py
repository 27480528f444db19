"""What a phantom is to be: one frozen `Spec`, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydicom.uid import ExplicitVRLittleEndian

Orientation = tuple[float, float, float, float, float, float]
Photometric = Literal["MONOCHROME2", "MONOCHROME1", "RGB", "PALETTE COLOR", "YBR_FULL"]

#: ImageOrientationPatient by name. "oblique" is turned about all three axes, and orthonormal in
#: these few digits.
ORIENTATIONS: dict[str, Orientation] = {
    "axial": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "coronal": (1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    "sagittal": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    "oblique": (0.36, 0.928, -0.096, -0.8, 0.36, 0.48),
}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A phantom to be written. Every default is the plain case, except that file names and order
    are never helpful.

    Grid. ``pixel_spacing``: mm between rows, mm between columns, as in the DICOM attribute.
    ``slice_gaps``: mm between the positions of neighbouring planes, one number or one for each of
    the slices - 1 gaps. ``orientation``: a name or the six cosines. ``tilt_degrees``: gantry tilt;
    the stack's axis leans from the slice normal towards growing rows, and the gaps are measured
    along that axis, as a table moves. ``missing``: slices, counted in the whole stack, for which
    nothing is written; source indices then count the slices that remain. ``position_decimals``:
    decimals that positions are rounded to (some scanners do); the rounded ones are the truth.

    Encoding. ``planar``: colour stored plane by plane. ``rescale``: slope and intercept, or None
    for no such attributes.
    ``per_slice_rescale``: a different slope in every slice for the same modality values, as in PET.
    ``frame_of_reference``: False leaves its UID out.

    Files. ``order``: how InstanceNumber, or the frames of an enhanced file, run along the stack.
    ``shuffled_names``: random file names in nested folders, instead of image_0000.dcm in position
    order. ``duplicates``: that many files are there twice. ``localizer``: one image of another
    orientation and size in the same series. ``time_points``, ``echoes``: that many whole volumes at
    the same positions. ``junk``: files around the series that are no images.

    Markers. ``sigma``: of the Gaussians, (pixels in the plane, slices). ``markers``: False for
    grids too small for any.
    """

    columns: int = 61
    rows: int = 47
    slices: int = 9
    pixel_spacing: tuple[float, float] = (0.7, 0.4)
    slice_gaps: float | tuple[float, ...] = 1.3
    origin: tuple[float, float, float] = (-31.5, 18.25, -407.0)
    orientation: str | Orientation = "axial"
    tilt_degrees: float = 0.0
    missing: tuple[int, ...] = ()
    position_decimals: int | None = None

    modality: Literal["CT", "MR", "PT"] = "CT"
    layout: Literal["classic", "enhanced"] = "classic"
    transfer_syntax: str = ExplicitVRLittleEndian
    photometric: Photometric = "MONOCHROME2"
    planar: bool = False
    bits_stored: int = 16
    signed: bool = False
    rescale: tuple[float, float] | None = (1.0, -1024.0)
    per_slice_rescale: bool = False
    frame_of_reference: bool = True

    order: Literal["ascending", "descending", "shuffled"] = "shuffled"
    shuffled_names: bool = True
    duplicates: int = 0
    localizer: bool = False
    time_points: int = 1
    echoes: int = 1
    junk: bool = True

    sigma: tuple[float, float] = (2.5, 0.7)
    markers: bool = True
    seed: int = 0
    series_uid: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would not be the DICOM file it says it is: ValueError."""
        contradictions = {
            "slice_gaps needs slices - 1 gaps": (
                not isinstance(self.slice_gaps, float | int)
                and len(self.slice_gaps) != self.slices - 1
            ),
            "gaps are positive": not all(gap > 0 for gap in self.gaps),
            "missing names a slice that is not there": (
                not set(self.missing) < set(range(self.slices))
            ),
            "colour is unsigned, 8 bits and without rescale": (
                self.is_colour
                and (self.signed or self.bits_stored != 8 or self.rescale is not None)
            ),
            "colour is written slice by slice only": self.is_colour and self.layout == "enhanced",
            "per_slice_rescale needs a rescale": self.per_slice_rescale and self.rescale is None,
            "planar is for three samples per pixel": self.planar and self.samples == 1,
            "duplicates and a localizer are files of their own": (
                self.layout == "enhanced" and (self.duplicates > 0 or self.localizer)
            ),
            "echoes are MR": self.echoes > 1 and self.modality != "MR",
            "bits_stored is 2 to 16": not 2 <= self.bits_stored <= 16,
        }
        if broken := [rule for rule, is_broken in contradictions.items() if is_broken]:
            raise ValueError("; ".join(broken))

    @property
    def gaps(self) -> tuple[float, ...]:
        """Mm between neighbouring planes of the whole stack, slices - 1 of them."""
        if isinstance(self.slice_gaps, float | int):
            return (float(self.slice_gaps),) * (self.slices - 1)
        return self.slice_gaps

    @property
    def cosines(self) -> Orientation:
        """ImageOrientationPatient: direction of a row (growing column), then of a column (growing
        row).
        """
        return (
            ORIENTATIONS[self.orientation]
            if isinstance(self.orientation, str)
            else self.orientation
        )

    @property
    def is_colour(self) -> bool:
        return not self.photometric.startswith("MONOCHROME")

    @property
    def samples(self) -> int:
        """SamplesPerPixel."""
        return 3 if self.photometric in ("RGB", "YBR_FULL") else 1

    @property
    def bits_allocated(self) -> int:
        return 8 if self.bits_stored <= 8 else 16

    @property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that the stored bits can hold."""
        half = 1 << (self.bits_stored - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)
