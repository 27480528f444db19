"""Names, colours and codes of segments, from a YAML config."""

from __future__ import annotations

import colorsys
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sidecar.formats.validation import validated
from sidecar.formats.yaml_file import read_yaml
from sidecar.masks.model import COLORS, Code, Rgb, Segment


def _color(value: Any) -> Any:
    """ "#d04030", or [208, 64, 48]."""
    if not isinstance(value, str):
        return value
    digits = value.removeprefix("#")
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        raise ValueError('a colour is "#d04030", in quotes, or [208, 64, 48]') from None
    return red, green, blue


def _code(value: Any) -> Any:
    """[SCT, 71341001, Femur]; a number without quotes is a code too."""
    return (
        [str(part) for part in value]
        if isinstance(value, list) and not any(isinstance(part, bool) for part in value)
        else value
    )


Byte = Annotated[int, Field(ge=0, le=255)]
Color = Annotated[
    tuple[Byte, Byte, Byte],
    BeforeValidator(_color, json_schema_input_type=str | tuple[int, int, int]),
]
Coded = Annotated[
    tuple[
        Annotated[str, Field(min_length=1, max_length=16)],
        Annotated[str, Field(min_length=1, max_length=16)],
        Annotated[str, Field(min_length=1, max_length=64)],
    ],
    BeforeValidator(_code, json_schema_input_type=tuple[str, str | int, str]),
]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SegmentEntry(Strict):
    """One class of labels."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="the name that is shown, and the label of its regions",
        ),
    ]
    value: Annotated[
        int | None,
        Field(
            ge=1,
            le=65535,
            description="gray value or palette index; without it, the place in the list",
        ),
    ] = None
    color: Annotated[
        Color | None,
        Field(description="the colour that it is shown in, and that it has in RGB masks"),
    ] = None
    category: Annotated[
        Coded | None, Field(description="[scheme, code, meaning] of CID 7150, for DICOM and Slicer")
    ] = None
    type: Annotated[
        Coded | None, Field(description="[scheme, code, meaning] of CID 7151, for DICOM and Slicer")
    ] = None


class MaskConfig(Strict):
    """A YAML config for ``sidecar map-mask --config``: what the labels mean.

    Labels that are not in it are refused.
    """

    model_config = ConfigDict(
        title="sidecar mask config 1.0", json_schema_extra={"$id": "mask-config-1.0"}
    )

    segments: Annotated[list[SegmentEntry], Field(min_length=1)]
    background: Annotated[
        Color | int, Field(description="what is not labelled: a gray value, an index or a colour")
    ] = 0

    @model_validator(mode="after")
    def _distinct(self) -> MaskConfig:
        _refuse_twice("name", [entry.name for entry in self.segments])
        _refuse_twice("value", self.values)
        _refuse_twice("colour", [entry.color for entry in self.segments if entry.color is not None])
        return self

    @property
    def values(self) -> list[int]:
        """The label of each segment."""
        return [
            place if entry.value is None else entry.value
            for place, entry in enumerate(self.segments, 1)
        ]

    @property
    def by_color(self) -> bool:
        """Whether segments are identified by colour, also in images with a palette: all have a
        colour, and none has a value.
        """
        return all(entry.color is not None and entry.value is None for entry in self.segments)

    def as_segments(self) -> tuple[Segment, ...]:
        return tuple(
            Segment(
                value,
                entry.name,
                entry.color or color_of(value),
                _as_code(entry.category),
                _as_code(entry.type),
            )
            for value, entry in zip(self.values, self.segments, strict=True)
        )


def _refuse_twice(what: str, keys: Sequence[Hashable]) -> None:
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ValueError(f"two segments have the {what} {twice}")


def load_mask_config(path: Path) -> MaskConfig:
    """The config in a YAML file. UsageError names the key that is wrong."""
    config: MaskConfig = validated(MaskConfig, read_yaml(path), where=f"{path.name}: ")
    return config


def mask_config_schema() -> dict[str, Any]:
    """The JSON Schema of the config, as kept in ``schemas/mask-config-1.0.schema.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **MaskConfig.model_json_schema(mode="validation"),
    }


def color_of(value: int) -> Rgb:
    """A colour for a label value. The first few are chosen by hand. The others go around the
    circle of hues by the golden angle.
    """
    if value <= len(COLORS):
        return COLORS[value - 1]
    red, green, blue = colorsys.hsv_to_rgb(value * 0.381966 % 1, 0.65, 0.85)
    return round(255 * red), round(255 * green), round(255 * blue)


def _as_code(coded: tuple[str, str, str] | None) -> Code | None:
    return None if coded is None else Code(*coded)
