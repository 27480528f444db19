"""The sidecar document, version 1.1: the facts of one export, as dataclasses.

`sidecar.document.writing` writes it as JSON. `sidecar.document.reading` reads that JSON, and
documents of version 1.0 too. The schema in ``schemas/`` is generated from these models.

Everything in a document can be computed from the planes and the three axes. Affine, image positions
and control points repeat these facts. They are there for readers of other programs, and they show
whether a document was changed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from sidecar.document.tag import TAG
from sidecar.formats.bounds import Bounds
from sidecar.grid.space import Geometry
from sidecar.storage.names import PLAIN_NAME, RELATIVE_NAME

VERSION = "1.1"
SIDECAR_NAME = "sidecar.json"
#: The journal of an export. It lies in place of the document until all PNGs are written.
JOURNAL = ".sidecar-export.json"
#: The name of a specimen. It can be part of a file name on every system.
SPECIMEN = "[A-Za-z0-9][A-Za-z0-9.-]{0,39}"
SHA256 = "[0-9a-f]{64}"

#: A repr shows lists up to this length. Of longer lists it shows the length.
_LONGEST_SHOWN = 6

Triple = tuple[float, float, float]
Cosines = tuple[float, float, float, float, float, float]
Row = tuple[float, float, float, float]
#: Schema of a list that a document may leave out. It is then empty.
_MAY_BE_LEFT_OUT: dict[str, Any] = {"json_schema_extra": {"default": []}}

Size = Annotated[int, Bounds(ge=1)]
Index = Annotated[int, Bounds(ge=0)]


class Model:
    """Facts of a document.

    mypy checks the types of facts that are built here. `sidecar.document.reading` checks facts that
    are read, against the types and the metadata.

    A reader accepts fields of a newer minor version. It accepts no numbers that are not finite.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "ignore", "allow_inf_nan": False}

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={_shown(value)}" for name, value in vars(self).items())
        return f"{type(self).__name__}({told})"


def _shown(value: Any) -> str:
    is_long = isinstance(value, list) and len(value) > _LONGEST_SHOWN
    return f"… {len(value)} items" if is_long else repr(value)


@dataclass(frozen=True, kw_only=True, repr=False)
class Grid(Model):
    """Size and geometry of a stack as ITK states them. The geometry is null where the source has
    none.

    Millimetres are LPS, or along columns, rows and slices where coordinate_system is null.
    """

    size: tuple[Size, Size, Size] = field(metadata={"description": "columns, rows, slices"})
    origin: Triple | None = field(
        default=None, metadata={"description": "centre of the first pixel of the first plane, mm"}
    )
    spacing: tuple[float | None, float | None, float | None] | None = field(
        default=None,
        metadata={
            "description": (
                "mm between columns, rows, slices; null along the slices of a single plane, a mean"
                " where gaps differ"
            )
        },
    )
    direction: tuple[Triple, Triple, Triple] | None = field(
        default=None,
        metadata={
            "description": (
                "3 × 3 matrix by rows; its columns are the unit vectors of the column, row and"
                " slice axes"
            )
        },
    )
    affine: tuple[Row, Row, Row, Row] | None = field(
        default=None,
        metadata={
            "description": (
                "(column, row, slice, 1) to mm; null where no affine describes every plane well"
                " enough"
            )
        },
    )
    affine_residual_mm: float | None = field(
        default=None,
        metadata={
            "description": (
                "distance from the best affine to the planes at its worst, also where affine is"
                " null"
            )
        },
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Plane(Model):
    """One source plane: where it is, and the DICOM instance it comes from."""

    sop_instance_uid: str
    frame_number: int | None = field(
        default=None, metadata={"ge": 1, "description": "1-based, null for a single-frame instance"}
    )
    instance_number: int | None = field(
        default=None,
        metadata={
            "description": "Instance Number, by which some programs order slices; says no place"
        },
    )
    file: str = field(
        metadata={
            "pattern": RELATIVE_NAME,
            "description": "relative to the source folder, with forward slashes",
        }
    )
    position: Triple | None = field(
        default=None,
        metadata={
            "description": "Image Position (Patient), mm; by the voxel size where that was given"
        },
    )
    orientation: Cosines | None = field(
        default=None,
        metadata={"description": "only where it differs from the source's orientation"},
    )
    series_instance_uid: str | None = field(
        default=None,
        metadata={
            "description": "only where it differs from the source's: stacks that were joined"
        },
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class RealWorldValue(Model):
    """Real world value = slope · value + intercept, for modality values from ``first`` to ``last``;
    or, where these are null, one of ``entries``, which lie evenly from ``first`` to ``last``.
    """

    first: float
    last: float
    slope: float | None = None
    intercept: float | None = None
    entries: list[float] = field(default_factory=list, metadata=_MAY_BE_LEFT_OUT)
    unit: str | None = field(default=None, metadata={"description": "a code of UCUM"})
    label: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Source(Grid):
    """The stack of DICOM planes, in position order along the normal."""

    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str | None = None
    modality: str
    pixel_spacing: tuple[float, float] | None = field(
        default=None,
        metadata={"description": "Pixel Spacing: mm between rows, then between columns"},
    )
    orientation: Cosines | None = field(
        default=None, metadata={"description": "Image Orientation (Patient) of the planes"}
    )
    real_world_values: list[RealWorldValue] = field(
        default_factory=list,
        metadata={
            "description": "what modality values stand for beyond their unit, such as SUV",
            **_MAY_BE_LEFT_OUT,
        },
    )
    planes: list[Plane] = field(metadata={"min_length": 1})


@dataclass(frozen=True, kw_only=True, repr=False)
class AxisModel(Model):
    """source index = factor · PNG pixel + offset; both count from the centre of the first
    sample.
    """

    factor: float = field(
        metadata={
            "description": (
                "source samples per PNG pixel; negative where the PNG runs the other way; never 0"
            )
        }
    )
    offset: float
    size: Size
    method: Literal["stride", "mean", "max", "resize"]


AxisName = Literal["columns", "rows", "slices"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Decimation(Model):
    """How each axis of the source relates to the PNG axis that runs along it."""

    columns: AxisModel
    rows: AxisModel
    slices: AxisModel
    order: tuple[AxisName, AxisName, AxisName] = field(
        default=("columns", "rows", "slices"),
        metadata={"description": "the source axes that PNG x, PNG y and PNG number run along"},
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Zoom(Model):
    """A stack around one landmark: its name and where a coarser labelling put it.

    ``patient`` is mm as the document has them, also where they are not of the patient.
    """

    label: str
    patient: Triple | None = None
    source: Triple


@dataclass(frozen=True, kw_only=True, repr=False)
class Value(Model):
    """value = slope · PNG + intercept, in units such as HU; null where pixels are colours."""

    slope: float
    intercept: float
    unit: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class LookupTableModel(Model):
    """value = entries[PNG − first]; a lower PNG value takes the first of them, a higher one the
    last.
    """

    first: int
    entries: list[float] = field(metadata={"min_length": 1})
    unit: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Window(Model):
    """The modality values that became the lowest and highest PNG value; what lies beyond was
    clipped.
    """

    mode: Literal["auto", "dicom", "full", "given", "stored", "measured"]
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Image(Model):
    """One PNG."""

    name: str = field(
        metadata={
            "pattern": PLAIN_NAME,
            "description": "of the file beside the document, in no folder",
        }
    )
    source_slices: list[Index] = field(
        metadata={
            "min_length": 1,
            "description": (
                "the source samples it is made of, along the source axis that PNG numbers run along"
            ),
        }
    )
    position: Triple | None = field(
        default=None, metadata={"description": "mm of PNG pixel (0, 0)"}
    )
    sha256: str = field(metadata={"pattern": f"^{SHA256}$"})


@dataclass(frozen=True, kw_only=True, repr=False)
class Images(Grid):
    """The PNG stack."""

    tag: str | None = field(
        default=None,
        metadata={
            "pattern": f"^{TAG}$",
            "description": (
                "which mapping the PNGs follow: labels of two stacks with one tag are"
                " interchangeable; null in documents of 1.0"
            ),
        },
    )
    bits: Literal[8, 16]
    channels: Literal[1, 3] = 1
    value: Value | None = None
    window: Window | None = None
    lookup_table: LookupTableModel | None = field(
        default=None,
        metadata={"description": "makes the values where value is null, and no line does"},
    )
    files: list[Image] = field(metadata={"min_length": 1})


@dataclass(frozen=True, kw_only=True, repr=False)
class EvidenceAxis(Model):
    """Why an adopted axis is what it is.

    Lengths are in source samples, at the outer edges of the images, where they are largest.
    """

    made_by: str = field(metadata={"description": "how a program gets this line, in words"})
    exact: bool = field(
        metadata={
            "description": (
                "false: no exact line fits and the measured one stands, or several do and deviation"
                " covers them"
            )
        }
    )
    residual_shift: float = field(
        metadata={"ge": 0, "description": "from the measured line to the one taken"}
    )
    deviation: float = field(
        metadata={
            "ge": 0,
            "description": (
                "standard deviation of the line, wider than that of the measured one where it is"
                " not exact"
            ),
        }
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class EvidenceRunnerUp(Model):
    """The next best answer, and which part of the images' detail each of the two leaves
    unexplained.
    """

    made_by: str
    unexplained: float
    unexplained_by_answer: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Evidence(Model):
    """What speaks for a document that was not written by an export, but found from the pixels of
    images that existed before it.
    """

    columns: EvidenceAxis
    rows: EvidenceAxis
    slices: EvidenceAxis
    kernel: str = field(metadata={"description": "how source samples were weighed for a pixel"})
    intensity: str = field(
        metadata={
            "description": (
                "line, line for each image, or curve: from source values to those of the images"
            )
        }
    )
    correlation: float = field(
        metadata={"description": "of detail, between the images looked at closely and the source"}
    )
    images_looked_at: list[int]
    image_correlation: list[float] = field(
        metadata={"description": "of every image's thumbnail with its slice; 0 for a blank image"}
    )
    image_confidence: list[float] = field(
        metadata={
            "description": (
                "by what part neighbouring slices explain each image worse: 1 is sure, 0 a guess"
            )
        }
    )
    runner_up: EvidenceRunnerUp | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class ControlPoint(Model):
    """One PNG pixel (x, y, slice) with what it must map to.

    ``patient`` is mm as the document has them, also where they are not of the patient.
    """

    pixel: Triple
    source: Triple
    patient: Triple | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Document(Model):
    """A sidecar document."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        **Model.__pydantic_config__,
        "title": "sidecar document 1.1",
        "json_schema_extra": {"$id": "sidecar-1.1"},
    }

    version: str = field(metadata={"pattern": r"^1\.\d+$"})
    generator: str
    coordinate_system: Literal["LPS"] | None = field(
        metadata={
            "description": (
                "null: the source has no patient geometry; units say whether it has millimetres"
                " all the same, along columns, rows and slices, by a voxel size that the user gave"
            )
        }
    )
    units: Literal["mm", "pixel"]
    pixel_origin: Literal["center"]
    specimen: str | None = field(
        default=None,
        metadata={"pattern": f"^{SPECIMEN}$", "description": "the name that the user gave it"},
    )
    geometry: Geometry | None = field(
        default=None,
        metadata={
            "description": (
                "where millimetres come from, by coordinate_system and units: the source, the user"
                " (then they are none of the patient), or nowhere; null in documents of 1.0"
            )
        },
    )
    source: Source
    decimation: Decimation
    images: Images
    control_points: list[ControlPoint] = field(metadata={"min_length": 1})
    zoom: Zoom | None = None
    evidence: Evidence | None = field(
        default=None, metadata={"description": "null: an export wrote the images and knows how"}
    )
    warnings: list[str] = field(default_factory=list, metadata=_MAY_BE_LEFT_OUT)
    made_from: str | None = field(
        default=None,
        metadata={
            "pattern": f"^{SHA256}$",
            "description": (
                "SHA-256 of the source's headers and file sizes and of the options, by which this"
                " program knows a finished export again"
            ),
        },
    )
    digest: str | None = field(
        default=None,
        metadata={
            "description": (
                "SHA-256 of all the rest, as JSON of sorted keys without spaces and whole numbers"
                " written as 1.0; null: unchecked"
            )
        },
    )

    def __repr__(self) -> str:
        images, source = len(self.images.files), len(self.source.planes)
        return f"<Document {self.version}: {images} images of {source} source planes>"

    __str__ = __repr__

    @property
    def remedy(self) -> str:
        """What the user can do about an image that cannot be shown."""
        if self.evidence is None:
            return "export again, or restore it from a copy"
        return "restore it from a copy, or adopt gray or RGB PNGs of these images"


#: `Document.geometry` for each valid pair of coordinate_system and units.
GEOMETRIES: dict[tuple[str | None, str], Geometry] = {
    ("LPS", "mm"): "patient",
    (None, "mm"): "given",
    (None, "pixel"): "none",
}
#: The source axes by their names in the document.
AXIS_NAMES: tuple[AxisName, AxisName, AxisName] = ("columns", "rows", "slices")
