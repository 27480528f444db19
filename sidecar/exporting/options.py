"""The options of an export, checked in the same way for the command line, the YAML config and the
library.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from sidecar.dicom.stacks.given_voxel import GivenVoxel, Order
from sidecar.document.model import SPECIMEN
from sidecar.errors import UsageError
from sidecar.exporting.output_folder import Replacing
from sidecar.formats.bounds import Bounds
from sidecar.values.value_maps import dicom_window

if TYPE_CHECKING:  # annotations are text, in which `sidecar.formats.validation` has these names
    from pydantic import AfterValidator, BeforeValidator, Field

#: Bytes that the uncompressed PNGs may take if the user sets no decimation.
DEFAULT_FIT = 2_000_000_000

_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}


def _scale(value: Any) -> Any:
    """The scale from 0.5, "0.5", "1/3" or "50%"."""
    if not isinstance(value, str):
        return value
    number, slash, divisor = value.strip().partition("/")
    try:
        if number.endswith("%") and not slash:
            return float(number[:-1]) / 100
        return float(number) / float(divisor) if slash else float(number)
    except (ValueError, ZeroDivisionError):
        raise ValueError("a number such as 0.5 or a fraction such as 1/3 is expected") from None


def _byte_size(value: Any) -> Any:
    """The bytes from 2000000, "2GB", "500 MB" or "1.5GiB"."""
    if not isinstance(value, str):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", value.strip())
    if match is None or match[2].upper() not in _UNITS:
        raise ValueError("a size such as 500MB, 2GB or 1.5GiB is expected")
    size = float(match[1]) * _UNITS[match[2].upper()]
    if not math.isfinite(size):
        raise ValueError("a size that a disk could hold is expected")
    return int(size)


Index = Annotated[int, Bounds(ge=0, strict=True)]
Range = tuple[Index, Index | None]
Millimetres = Annotated[float, Bounds(gt=0)]


def _crop(value: Any) -> Any:
    """Source voxels "X0:X1,Y0:Y1,Z0:Z1", ends not included. An empty end means all voxels there."""
    if not isinstance(value, str):
        return value
    parts = value.split(",")
    matches = [re.fullmatch(r"(\d*)\s*:\s*(\d*)", part.strip()) for part in parts]
    if len(parts) != 3 or not all(matches):
        raise ValueError(
            "X0:X1,Y0:Y1,Z0:Z1 in whole source voxels is expected, such as 100:900,100:900,: "
        )
    return tuple((int(m[1] or 0), int(m[2]) if m[2] else None) for m in matches if m)


def _not_empty(crop: tuple[Range, Range, Range] | None) -> tuple[Range, Range, Range] | None:
    for axis, (start, stop) in zip("XYZ", crop or (), strict=False):
        if stop is not None and stop <= start:
            raise ValueError(f"{axis}{start}:{stop} is empty")
    return crop


def _window(value: Any) -> Any:
    """auto, dicom, full, or CENTER,WIDTH in modality units."""
    if not isinstance(value, str) or value in ("auto", "dicom", "full"):
        return value
    try:
        center, width = (float(part) for part in value.split(","))
    except ValueError:
        raise ValueError("auto, dicom, full or CENTER,WIDTH such as 40,400 is expected") from None
    return center, width


def _wide_enough(window: Any) -> Any:
    if isinstance(window, tuple):
        lower, upper = dicom_window(*window)
        if not lower < upper < math.inf:
            raise ValueError("this window is too narrow for two different numbers; widen it")
    return window


def _numbers(text: str) -> list[float]:
    """Numbers above 0, with commas between them; empty if anything else is in the text."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return numbers if min(numbers) > 0 else []


def _voxel(value: Any) -> Any:
    """mm between columns, rows and slices, "X,Y,Z", or "XY,Z" for square pixels."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _numbers(value)
    if not isinstance(value, list | tuple) or len(value) not in (2, 3):
        raise ValueError(
            "X,Y,Z or XY,Z is expected: mm between columns, rows and slices, with a decimal point,"
            " such as 0.012,0.012,0.024"
        )
    return (value[0], *value) if len(value) == 2 else tuple(value)


def _specimen(value: Any) -> Any:
    """The name of the specimen. Only text is accepted, because YAML reads 007 as the number 7."""
    if isinstance(value, int | float):
        raise ValueError("text is expected; put a number in quotes, such as '007'")
    if isinstance(value, str) and not re.fullmatch(SPECIMEN, value):
        raise ValueError(
            f"{value[:60]!r} cannot be the name of a specimen: a name has at most 40 letters A to"
            " Z, digits, hyphens and dots, and begins with a letter or digit, such as beetle-7"
        )
    return value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """The options of ``sidecar export``, by the same names. The text after ``description`` is the
    help of an option.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "allow_inf_nan": False,
        "alias_generator": lambda name: name.replace("_", "-"),
        "populate_by_name": True,
    }

    scale: Annotated[
        Annotated[float, Field(gt=0, le=1, strict=True)] | None,
        BeforeValidator(_scale, json_schema_input_type=float | str | None),
        Field(description="PNG size over source size, such as 0.5 or 1/3"),
    ] = None
    spacing: Annotated[
        Annotated[float, Field(gt=0, strict=True)] | None,
        Field(description="aim at this spacing in mm on all axes"),
    ] = None
    fit: Annotated[
        Annotated[int, Field(gt=0, strict=True)] | None,
        BeforeValidator(_byte_size, json_schema_input_type=int | str | None),
        Field(
            description="smallest decimation whose uncompressed PNGs fit in this size, such as 2GB"
        ),
    ] = None
    z_step: Annotated[
        Annotated[int, Field(ge=1, strict=True)] | None,
        Field(description="one PNG for every N source slices"),
    ] = None
    z_filter: Annotated[
        Literal["stride", "mean", "max"],
        Field(description="take one of N slices, or their mean or maximum"),
    ] = "stride"
    bits: Annotated[
        Literal[8, 16],
        Field(description="8: one window for the series; 16: stored values without loss"),
    ] = 8
    window: Annotated[
        Literal["auto", "dicom", "full"] | tuple[float, Annotated[float, Field(gt=0)]] | None,
        BeforeValidator(_window, json_schema_input_type=str | tuple[float, float] | None),
        AfterValidator(_wide_enough),
        Field(description="auto, dicom, full or CENTER,WIDTH in modality units"),
    ] = None
    crop: Annotated[
        tuple[Range, Range, Range] | None,
        BeforeValidator(_crop, json_schema_input_type=str | None),
        AfterValidator(_not_empty),
        Field(description="X0:X1,Y0:Y1,Z0:Z1 in source voxels, ends not included"),
    ] = None
    plane: Annotated[
        str | None,
        Field(
            description=(
                "axial, coronal, sagittal, three of LRPAHF, or x, y, z in an order such as xzy; as"
                " stored without it"
            )
        ),
    ] = None
    specimen: Annotated[
        Annotated[str, Field(pattern=f"^{SPECIMEN}$")] | None,
        BeforeValidator(_specimen),
        Field(description="name of the specimen, in place of slice in the names of the PNGs"),
    ] = None
    voxel: Annotated[
        tuple[Millimetres, Millimetres, Millimetres] | None,
        BeforeValidator(_voxel, json_schema_input_type=str | list[float] | None),
        Field(
            description=(
                "X,Y,Z or XY,Z: mm between columns, rows and slices, where headers do not have"
                " them or have wrong ones"
            )
        ),
    ] = None
    order: Annotated[
        Order | None,
        Field(description="of slices whose voxel size is given: by file name or Instance Number"),
    ] = None
    series: Annotated[
        str | None,
        BeforeValidator(_text, json_schema_input_type=str | int | None),
        Field(description="Series Instance UID, number in the inspect table, or all"),
    ] = None
    join: Annotated[
        bool,
        Field(strict=True, description="the stacks of series, numbers such as 1,3-5, are one"),
    ] = False
    compression: Annotated[
        Literal["fast", "small"],
        Field(description="of the PNGs: fast, or smaller in less than three times the time"),
    ] = "fast"
    jobs: Annotated[
        Annotated[int, Field(ge=1, le=1024, strict=True)] | None,
        Field(description="workers; as many as there are processors"),
    ] = None
    viewer: Annotated[bool, Field(description="write viewer.html beside PNGs of 8 bits")] = True
    volume: Annotated[
        Literal["nrrd", "nifti", "mha"] | None,
        Field(description="also write the PNG stack as one volume that knows its place"),
    ] = None
    overwrite: Annotated[
        bool, Field(strict=True, description="replace an earlier export in the output folder")
    ] = False
    keep_labels: Annotated[
        bool,
        Field(strict=True, description="labels of the same mapping stay in the output folder"),
    ] = False

    def __post_init__(self) -> None:
        given = [name for name in ("scale", "spacing", "fit") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} contradict each other; give one of them")

    @property
    def replacing(self) -> Replacing:
        """What the export may remove from the output folder."""
        return Replacing(self.overwrite, self.keep_labels)

    @property
    def given(self) -> GivenVoxel | None:
        """The voxel size given by hand, and the order of slices that goes with it.

        UsageError for an order without a voxel size.
        """
        if self.voxel is not None:
            return GivenVoxel(self.voxel, self.order)
        if self.order is not None:
            raise UsageError(
                f"--order {self.order} needs --voxel, the voxel size by hand: without it, the"
                " headers say where the slices are"
            )
        return None

    @property
    def budget(self) -> int | None:
        """The size limit in bytes, if it decides the decimation; None otherwise."""
        if self.fit is None and self.scale is None and self.spacing is None and self.z_step is None:
            return DEFAULT_FIT
        return self.fit

    def asked(self, but: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The options that differ from their defaults, by name, without the options ``but``."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in but}
        return {name: value for name, value in values.items() if value != _DEFAULTS[name]}


_DEFAULTS = {field.name: field.default for field in fields(ExportOptions)}


def make_options(**values: Any) -> ExportOptions:
    """ExportOptions from keywords. A UsageError names the option at fault."""
    return _plain_options(values) or _read_options(values)


def _read_options(values: dict[str, Any]) -> ExportOptions:
    from sidecar.formats.validation import validated  # this loads pydantic

    options: ExportOptions = validated(ExportOptions, values, prefix="--")
    return options


#: Checks for values that are right beyond doubt, by option. pydantic checks all other values.
_PLAIN: dict[str, Callable[[Any], bool]] = {
    "scale": lambda value: type(value) is float and 0 < value <= 1,
    "z_step": lambda value: type(value) is int and value >= 1,
    "z_filter": lambda value: type(value) is str and value in ("stride", "mean", "max"),
    "bits": lambda value: type(value) is int and value in (8, 16),
    "compression": lambda value: type(value) is str and value in ("fast", "small"),
    "jobs": lambda value: type(value) is int and 1 <= value <= 1024,
    "viewer": lambda value: type(value) is bool,
    "overwrite": lambda value: type(value) is bool,
    "keep_labels": lambda value: type(value) is bool,
}


def _plain_options(values: dict[str, Any]) -> ExportOptions | None:
    """The options if all values are right beyond doubt; None if pydantic must check them."""
    named = {name.replace("-", "_"): value for name, value in values.items()}
    if len(named) < len(values):
        return None
    try:
        named |= {"scale": _scale(named["scale"])} if "scale" in named else {}
    except ValueError:
        return None
    if not all(name in _PLAIN and _PLAIN[name](value) for name, value in named.items()):
        return None
    return ExportOptions(**named)


def is_whole(number: float) -> bool:
    """Whether a factor is an integer, up to the rounding of the decimal number the user wrote."""
    return math.isclose(number, round(number), rel_tol=1e-6)
