"""The sidecar document, version 1.1: what one export is, as JSON. The schema in ``schemas/`` is
generated from these models, which read documents of version 1.0 too.

Everything in it can be recomputed from the planes and the three axes; what repeats them (affine,
positions of the images, control points) is there for readers of other programs and to notice a
document that was changed by hand.
"""

# Annotations are values here, not text: pydantic reads them when the module is loaded, and text
# takes it a quarter longer.
import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sidecar.document.tag import TAG
from sidecar.errors import DocumentError
from sidecar.grid.space import Geometry
from sidecar.storage.locate import Place, locate
from sidecar.storage.names import PLAIN_NAME, RELATIVE_NAME

VERSION = "1.1"
SIDECAR_NAME = "sidecar.json"
#: A document larger than this is not one of ours: 100,000 slices take about 60 MB.
MAX_BYTES = 512 * 1024 * 1024

#: A longer list is counted in a repr, not shown.
_LONGEST_SHOWN = 6
#: A JSON list over several lines that holds neither lists, objects nor text; no text has lines.
_FLAT_LIST = re.compile(r'\[\n([^\[\]{}"]*)\]')

Triple = tuple[float, float, float]
Size = Annotated[int, Field(ge=1)]
Cosines = tuple[float, float, float, float, float, float]
Row = tuple[float, float, float, float]
#: The name of a specimen, as names of files can hold it on every system.
SPECIMEN = "[A-Za-z0-9][A-Za-z0-9.-]{0,39}"


class Model(BaseModel):
    """A reader accepts fields of a newer minor version, and no numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            is_long = isinstance(value, list) and len(value) > _LONGEST_SHOWN
            yield name, f"… {len(value)} items" if is_long else value


class Grid(Model):
    """Size and geometry of a stack as ITK writes it; the geometry is null where the source has
    none. Millimetres are LPS, or along columns, rows and slices where coordinate_system is null.
    """

    size: Annotated[tuple[Size, Size, Size], Field(description="columns, rows, slices")]
    origin: Annotated[
        Triple | None, Field(description="centre of the first pixel of the first plane, mm")
    ] = None
    spacing: Annotated[
        tuple[float | None, float | None, float | None] | None,
        Field(
            description=(
                "mm between columns, rows, slices; null along the slices of a single plane, a mean"
                " where gaps differ"
            )
        ),
    ] = None
    direction: Annotated[
        tuple[Triple, Triple, Triple] | None,
        Field(
            description=(
                "3 × 3 matrix by rows; its columns are the unit vectors of the column, row and"
                " slice axes"
            )
        ),
    ] = None
    affine: Annotated[
        tuple[Row, Row, Row, Row] | None,
        Field(
            description=(
                "(column, row, slice, 1) to mm; null where no affine describes every plane well"
                " enough"
            )
        ),
    ] = None
    affine_residual_mm: Annotated[
        float | None,
        Field(
            description=(
                "distance from the best affine to the planes at its worst, also where affine is"
                " null"
            )
        ),
    ] = None


class Plane(Model):
    """One source plane: where it is, and the DICOM instance it comes from."""

    sop_instance_uid: str
    frame_number: Annotated[
        int | None, Field(ge=1, description="1-based, null for a single-frame instance")
    ] = None
    instance_number: Annotated[
        int | None,
        Field(description="Instance Number, by which some programs order slices; says no place"),
    ] = None
    file: Annotated[
        str,
        Field(
            pattern=RELATIVE_NAME, description="relative to the source folder, with forward slashes"
        ),
    ]
    position: Annotated[
        Triple | None,
        Field(description="Image Position (Patient), mm; by the voxel size where that was given"),
    ] = None
    orientation: Annotated[
        Cosines | None, Field(description="only where it differs from the source's orientation")
    ] = None
    series_instance_uid: Annotated[
        str | None,
        Field(description="only where it differs from the source's: stacks that were joined"),
    ] = None


class RealWorldValue(Model):
    """Real world value = slope · value + intercept, for modality values from ``first`` to ``last``;
    or, where these are null, one of ``entries``, which lie evenly from ``first`` to ``last``.
    """

    first: float
    last: float
    slope: float | None = None
    intercept: float | None = None
    entries: list[float] = []
    unit: Annotated[str | None, Field(description="a code of UCUM")] = None
    label: str | None = None


class Source(Grid):
    """The stack of DICOM planes, in position order along the normal."""

    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str | None = None
    modality: str
    pixel_spacing: Annotated[
        tuple[float, float] | None,
        Field(description="Pixel Spacing: mm between rows, then between columns"),
    ] = None
    orientation: Annotated[
        Cosines | None, Field(description="Image Orientation (Patient) of the planes")
    ] = None
    real_world_values: Annotated[
        list[RealWorldValue],
        Field(description="what modality values stand for beyond their unit, such as SUV"),
    ] = []
    planes: Annotated[list[Plane], Field(min_length=1)]


class AxisModel(Model):
    """source index = factor · PNG pixel + offset; both count from the centre of the first
    sample.
    """

    factor: Annotated[
        float,
        Field(
            description=(
                "source samples per PNG pixel; negative where the PNG runs the other way; never 0"
            )
        ),
    ]
    offset: float
    size: Size
    method: Literal["stride", "mean", "max", "resize"]


AxisName = Literal["columns", "rows", "slices"]


class Decimation(Model):
    """How each axis of the source relates to the PNG axis that runs along it."""

    columns: AxisModel
    rows: AxisModel
    slices: AxisModel
    order: Annotated[
        tuple[AxisName, AxisName, AxisName],
        Field(description="the source axes that PNG x, PNG y and PNG number run along"),
    ] = ("columns", "rows", "slices")


class Zoom(Model):
    """A stack around one landmark: its name and where a coarser labelling put it.

    ``patient`` is mm as the document has them, also where they are not of the patient.
    """

    label: str
    patient: Triple | None = None
    source: Triple


class Value(Model):
    """value = slope · PNG + intercept, in units such as HU; null where pixels are colours."""

    slope: float
    intercept: float
    unit: str | None = None


class LookupTableModel(Model):
    """value = entries[PNG − first]; a lower PNG value takes the first of them, a higher one the
    last.
    """

    first: int
    entries: Annotated[list[float], Field(min_length=1)]
    unit: str | None = None


class Window(Model):
    """The modality values that became the lowest and highest PNG value; what lies beyond was
    clipped.
    """

    mode: Literal["auto", "dicom", "full", "given", "stored", "measured"]
    lower: float
    upper: float


class Image(Model):
    """One PNG."""

    name: Annotated[
        str, Field(pattern=PLAIN_NAME, description="of the file beside the document, in no folder")
    ]
    source_slices: Annotated[
        list[Annotated[int, Field(ge=0)]],
        Field(
            min_length=1,
            description=(
                "the source samples it is made of, along the source axis that PNG numbers run along"
            ),
        ),
    ]
    position: Annotated[Triple | None, Field(description="mm of PNG pixel (0, 0)")] = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Images(Grid):
    """The PNG stack."""

    tag: Annotated[
        Annotated[str, Field(pattern=f"^{TAG}$")] | None,
        Field(
            description=(
                "which mapping the PNGs follow: labels of two stacks with one tag are"
                " interchangeable; null in documents of 1.0"
            ),
        ),
    ] = None
    bits: Literal[8, 16]
    channels: Literal[1, 3] = 1
    value: Value | None = None
    window: Window | None = None
    lookup_table: Annotated[
        LookupTableModel | None,
        Field(description="makes the values where value is null, and no line does"),
    ] = None
    files: Annotated[list[Image], Field(min_length=1)]


class EvidenceAxis(Model):
    """Why an adopted axis is what it is.

    Lengths are in source samples, at the outer edges of the images, where they are largest.
    """

    made_by: Annotated[str, Field(description="how a program gets this line, in words")]
    exact: Annotated[
        bool,
        Field(
            description=(
                "false: no exact line fits and the measured one stands, or several do and deviation"
                " covers them"
            )
        ),
    ]
    residual_shift: Annotated[
        float, Field(ge=0, description="from the measured line to the one taken")
    ]
    deviation: Annotated[
        float,
        Field(
            ge=0,
            description=(
                "standard deviation of the line, wider than that of the measured one where it is"
                " not exact"
            ),
        ),
    ]


class EvidenceRunnerUp(Model):
    """The next best answer, and which part of the images' detail each of the two leaves
    unexplained.
    """

    made_by: str
    unexplained: float
    unexplained_by_answer: float


class Evidence(Model):
    """What speaks for a document that was not written by an export, but found from the pixels of
    images that existed before it.
    """

    columns: EvidenceAxis
    rows: EvidenceAxis
    slices: EvidenceAxis
    kernel: Annotated[str, Field(description="how source samples were weighed for a pixel")]
    intensity: Annotated[
        str,
        Field(
            description=(
                "line, line for each image, or curve: from source values to those of the images"
            )
        ),
    ]
    correlation: Annotated[
        float, Field(description="of detail, between the images looked at closely and the source")
    ]
    images_looked_at: list[int]
    image_correlation: Annotated[
        list[float],
        Field(description="of every image's thumbnail with its slice; 0 for a blank image"),
    ]
    image_confidence: Annotated[
        list[float],
        Field(
            description=(
                "by what part neighbouring slices explain each image worse: 1 is sure, 0 a guess"
            )
        ),
    ]
    runner_up: EvidenceRunnerUp | None = None


class ControlPoint(Model):
    """One PNG pixel (x, y, slice) with what it must map to.

    ``patient`` is mm as the document has them, also where they are not of the patient.
    """

    pixel: Triple
    source: Triple
    patient: Triple | None = None


class Document(Model):
    """A sidecar document."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        title="sidecar document 1.1",
        json_schema_extra={"$id": "sidecar-1.1"},
    )

    version: Annotated[str, Field(pattern=r"^1\.\d+$")]
    generator: str
    coordinate_system: Annotated[
        Literal["LPS"] | None,
        Field(
            description=(
                "null: the source has no patient geometry; units say whether it has millimetres"
                " all the same, along columns, rows and slices, by a voxel size that the user gave"
            )
        ),
    ]
    units: Literal["mm", "pixel"]
    pixel_origin: Literal["center"]
    specimen: Annotated[
        Annotated[str, Field(pattern=f"^{SPECIMEN}$")] | None,
        Field(description="the name that the user gave it"),
    ] = None
    geometry: Annotated[
        Geometry | None,
        Field(
            description=(
                "where millimetres come from, by coordinate_system and units: the source, the user"
                " (then they are none of the patient), or nowhere; null in documents of 1.0"
            )
        ),
    ] = None
    source: Source
    decimation: Decimation
    images: Images
    control_points: Annotated[list[ControlPoint], Field(min_length=1)]
    zoom: Zoom | None = None
    evidence: Annotated[
        Evidence | None, Field(description="null: an export wrote the images and knows how")
    ] = None
    warnings: list[str] = []
    made_from: Annotated[
        Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None,
        Field(
            description=(
                "SHA-256 of the source's headers and file sizes and of the options, by which this"
                " program knows a finished export again"
            ),
        ),
    ] = None
    digest: Annotated[
        str | None,
        Field(
            description=(
                "SHA-256 of all the rest, as JSON of sorted keys without spaces and whole numbers"
                " written as 1.0; null: unchecked"
            )
        ),
    ] = None

    def __repr__(self) -> str:
        images, source = len(self.images.files), len(self.source.planes)
        return f"<Document {self.version}: {images} images of {source} source planes>"

    __str__ = __repr__

    @property
    def remedy(self) -> str:
        """What to do about an image that cannot be shown."""
        if self.evidence is None:
            return "export again, or restore it from a copy"
        return "restore it from a copy, or adopt gray or RGB PNGs of these images"

    def sealed(self) -> Self:
        """The same with its digest, by which `load` notices any later change."""
        return self.model_copy(
            update={"digest": _digest(_raw(self.model_dump_json(), SIDECAR_NAME))}
        )


def _digest(raw: dict[str, Any]) -> str:
    rest = {key: value for key, value in raw.items() if key != "digest"}
    return hashlib.sha256(
        json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def parse(text: str | bytes, name: str = SIDECAR_NAME) -> Document:
    """The document in ``text``;
    DocumentError says what is wrong with it, and names a newer major version.
    """
    _raw(text, name)
    return _validated(text, name)


#: Where files are whose names follow a pattern.
_WHERE_NAMES_LEAD = {
    PLAIN_NAME: "in the folder of the document",
    RELATIVE_NAME: "in the folder of the source",
}


def _raw(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        raw = json.loads(text, parse_int=float)
    except RecursionError:
        raise DocumentError(f"{name} is nested too deeply to be a sidecar document") from None
    except ValueError as error:
        raise DocumentError(
            f"{name} is not whole JSON ({error}); export again, or restore it from a copy"
        ) from None
    version = raw.get("version") if isinstance(raw, dict) else None
    if not isinstance(version, str):
        raise DocumentError(f"{name} is not a sidecar document: it has no version")
    if version.split(".")[0] != VERSION.split(".")[0]:
        raise DocumentError(
            f"{name} is of version {version[:20]}; this program reads version 1: update"
            " dicom-sidecar"
        )
    assert isinstance(raw, dict)
    return raw


def _validated(text: str | bytes, name: str) -> Document:
    try:
        return Document.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        where = _WHERE_NAMES_LEAD.get(first.get("ctx", {}).get("pattern", ""))
        if where is not None:
            raise DocumentError(
                f"{name} names {str(first['input'])[:80]!r} at {place}, which is not the name of a"
                f" file {where}: it is not as a program writes it, and nothing is done with it"
            ) from None
        raise DocumentError(
            f"{name} is damaged at {place}: {first['msg']}; export again, or restore it from a copy"
        ) from None


def load(place: Place) -> Document:
    """Read a document from a sidecar.json, or from a folder that holds one."""
    path = file = locate(place)
    try:
        if path.is_folder():
            file = path / SIDECAR_NAME
        elif path.exists() and not path.is_file():
            raise DocumentError(f"{file.name} is neither a file nor a folder")
        if file.stamp()[0] > MAX_BYTES:
            raise DocumentError(f"{file.name} is larger than any sidecar document")
        text = file.read_bytes()
    except FileNotFoundError:
        folder = path.name or path.resolved().name
        where = f"{file.name} in folder {folder}" if file != path else path.name
        ours = file.name == SIDECAR_NAME
        why = (
            ": an export that was interrupted has none; run it again to finish it"
            if ours
            else ", neither a file nor a folder"
        )
        raise DocumentError(f"there is no {where}{why}") from None
    except OSError as error:
        raise DocumentError(f"{file.name} cannot be read: {error.strerror}") from None
    text = text.removeprefix(codecs.BOM_UTF8)
    raw = _raw(text, file.name)
    document = _validated(text, file.name)
    if document.digest is not None and document.digest != _digest(raw):
        raise DocumentError(
            f"{file.name} was changed after it was written; export again, restore it from a copy,"
            " or, where the change is meant, take its digest out"
        )
    return document


def as_text(document: Document) -> str:
    """The document as JSON that people can read: every list of numbers on a line of its own."""
    text = document.model_dump_json(indent=1)
    return (
        _FLAT_LIST.sub(
            lambda match: "[" + ", ".join(match[1].split()).replace(",,", ",") + "]", text
        )
        + "\n"
    )


def save(document: Document, path: Place) -> None:
    """Write the document: it is there whole or not at all. OutputError where it cannot be
    written.
    """
    locate(path).put(as_text(document).encode())


def schema() -> dict[str, Any]:
    """The JSON Schema of the document, as kept in ``schemas/sidecar-1.1.schema.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Document.model_json_schema(mode="validation"),
    }


#: What `Document.geometry` is for each coordinate_system and units that go together.
GEOMETRIES: dict[tuple[str | None, str], Geometry] = {
    ("LPS", "mm"): "patient",
    (None, "mm"): "given",
    (None, "pixel"): "none",
}
#: The source axes by their names in the document.
AXIS_NAMES: tuple[AxisName, AxisName, AxisName] = ("columns", "rows", "slices")
