"""Types of the fields of sidecar documents, transcribed from the tables of docs/sidecar-format.md by
the reader `kit.stranger`. Nothing of the package is used.

A check takes a value and where it stands, and raises Refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from .tag_by_the_words import AXES

Check = Callable[[Any, str], None]

TAG = "[bcdfghjklmnpqrstvwxz]{6}"


class Refused(Exception):
    """A document that must not be used; ``rule`` is the name of the rule on the page."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(f"{rule}: {why}")
        self.rule = rule


# Types, as the tables of fields have them.


def number(value: Any, at: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("type", f"{at} is no finite number")


def not_negative(value: Any, at: str) -> None:
    number(value, at)
    if value < 0:
        raise Refused("type", f"{at} is negative")


def whole(least: float = -math.inf) -> Check:
    def check(value: Any, at: str) -> None:
        number(value, at)
        if value != int(value) or value < least:
            raise Refused("type", f"{at} is no whole number from {least}")

    return check


def text(pattern: str = "(?s:.*)", rule: str = "type") -> Check:
    def check(value: Any, at: str) -> None:
        if not isinstance(value, str):
            raise Refused("type", f"{at} is no text")
        if not re.fullmatch(pattern, value):
            raise Refused(rule, f"{at} is {value!r}")

    return check


def one_of(*values: Any, rule: str = "type") -> Check:
    def check(value: Any, at: str) -> None:
        if isinstance(value, bool) or value not in values:
            raise Refused(rule, f"{at} is {value!r}")

    return check


def listed(item: Check, least: int = 0, most: float = math.inf) -> Check:
    def check(value: Any, at: str) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise Refused("type", f"{at} is no list of {least} to {most}")
        for k, one in enumerate(value):
            item(one, f"{at}[{k}]")

    return check


def these(item: Check, count: int) -> Check:
    return listed(item, count, count)


def or_null(item: Check) -> Check:
    def check(value: Any, at: str) -> None:
        if value is not None:
            item(value, at)

    check.may_be_left_out = True  # type: ignore[attr-defined]
    return check


def left_out(item: Check) -> Check:
    """Of a field that may be missing, but is not null where it is there."""

    def check(value: Any, at: str) -> None:
        item(value, at)

    check.may_be_left_out = True  # type: ignore[attr-defined]
    return check


def an_object(**fields: Check) -> Check:
    """Fields that are not known are passed by."""

    def check(value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise Refused("type", f"{at} is no object")
        for name, item in fields.items():
            if name in value:
                item(value[name], f"{at}.{name}")
            elif not hasattr(item, "may_be_left_out"):
                raise Refused("type", f"{at} has no {name}")

    return check


def _led_out(parts: list[str]) -> bool:
    return any(part in ("", ".", "..") or "\0" in part for part in parts) or parts[0][1:2] == ":"


def plain_name(value: Any, at: str) -> None:
    text()(value, at)
    if _led_out([value]) or "/" in value or "\\" in value:
        raise Refused("name", f"{at} is {value!r}")


def relative_name(value: Any, at: str) -> None:
    text()(value, at)
    if _led_out(re.split(r"[/\\]", value)):
        raise Refused("name", f"{at} is {value!r}")


SHA256 = text("[0-9a-f]{64}")
TRIPLE = these(number, 3)
GRID = {
    "size": these(whole(1), 3),
    "origin": or_null(TRIPLE),
    "spacing": or_null(these(or_null(number), 3)),
    "direction": or_null(these(TRIPLE, 3)),
    "affine": or_null(these(these(number, 4), 4)),
    "affine_residual_mm": or_null(number),
}
REAL_WORLD_VALUE = an_object(
    first=number,
    last=number,
    slope=or_null(number),
    intercept=or_null(number),
    entries=left_out(listed(number)),
    unit=or_null(text()),
    label=or_null(text()),
)
PLANE = an_object(
    sop_instance_uid=text(),
    frame_number=or_null(whole(1)),
    instance_number=or_null(whole()),
    file=relative_name,
    position=or_null(TRIPLE),
    orientation=or_null(these(number, 6)),
    series_instance_uid=or_null(text()),
)
SOURCE = an_object(
    **GRID,
    study_instance_uid=text(),
    series_instance_uid=text(),
    frame_of_reference_uid=or_null(text()),
    modality=text(),
    pixel_spacing=or_null(these(number, 2)),
    orientation=or_null(these(number, 6)),
    real_world_values=left_out(listed(REAL_WORLD_VALUE)),
    planes=listed(PLANE, 1),
)
AXIS = an_object(
    factor=number, offset=number, size=whole(1), method=one_of("stride", "mean", "max", "resize")
)
IMAGES = an_object(
    **GRID,
    tag=or_null(text(TAG)),
    bits=one_of(8, 16),
    channels=left_out(one_of(1, 3)),
    value=or_null(an_object(slope=number, intercept=number, unit=or_null(text()))),
    window=or_null(
        an_object(
            mode=one_of("auto", "dicom", "full", "given", "stored", "measured"),
            lower=number,
            upper=number,
        )
    ),
    lookup_table=or_null(an_object(first=whole(), entries=listed(number, 1), unit=or_null(text()))),
    files=listed(
        an_object(
            name=plain_name,
            source_slices=listed(whole(0), 1),
            position=or_null(TRIPLE),
            sha256=SHA256,
        ),
        1,
    ),
)


def yes_or_no(value: Any, at: str) -> None:
    if not isinstance(value, bool):
        raise Refused("type", f"{at} is neither true nor false")


EVIDENCE_AXIS = an_object(
    made_by=text(), exact=yes_or_no, residual_shift=not_negative, deviation=not_negative
)
DOCUMENT = an_object(
    generator=text(),
    coordinate_system=one_of("LPS", None),
    units=one_of("mm", "pixel"),
    specimen=or_null(text("[A-Za-z0-9][A-Za-z0-9.-]{0,39}")),
    geometry=or_null(one_of("patient", "given", "none")),
    source=SOURCE,
    decimation=an_object(
        columns=AXIS, rows=AXIS, slices=AXIS, order=left_out(these(one_of(*AXES), 3))
    ),
    images=IMAGES,
    control_points=listed(an_object(pixel=TRIPLE, source=TRIPLE, patient=or_null(TRIPLE)), 1),
    zoom=or_null(an_object(label=text(), patient=or_null(TRIPLE), source=TRIPLE)),
    evidence=or_null(
        an_object(
            columns=EVIDENCE_AXIS,
            rows=EVIDENCE_AXIS,
            slices=EVIDENCE_AXIS,
            kernel=text(),
            intensity=text(),
            correlation=number,
            images_looked_at=listed(whole()),
            image_correlation=listed(number),
            image_confidence=listed(number),
            runner_up=or_null(
                an_object(made_by=text(), unexplained=number, unexplained_by_answer=number)
            ),
        )
    ),
    warnings=left_out(listed(text())),
    made_from=or_null(SHA256),
    digest=or_null(text()),
)
