"""Numbers and texts of a header, read as far as their meaning is certain.

A value that the standard forbids is read if it can mean only one thing, and `remark` says so. A
value that could mean something else is refused, with name and value. No message quotes text: with a
damaged length, an attribute contains the elements after it, and so perhaps the patient's identity.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from sidecar.dicom.transfer_syntaxes import READ_ERRORS
from sidecar.errors import SourceError, counted

#: Largest number that is accepted. No position, spacing or rescale of an image is larger, and much
#: larger numbers break the computation.
LARGEST = 1e12
#: Most characters of a value in a message.
_MOST_SHOWN = 60

_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_NUMERIC = re.compile(r"([-+0-9.,;\\ _]|e(?=[-+0-9])|nan|inf)*", re.IGNORECASE)
_BLANK = "\0 \t\r\n"
_NO_TEXT = (
    "holds control characters, which are not allowed in it: it was written wrongly, or the length"
    " of an element before it is wrong; correct the file, or export it again"
)


class Attributes(Protocol):
    """The interface of a header: a pydicom Dataset, or a `PlainHeader`."""

    file_meta: Any

    def get(self, keyword: str, default: Any = None, /) -> Any: ...
    def __contains__(self, keyword: Any) -> bool: ...
    def __len__(self) -> int: ...


class _Nothing:
    """No attributes: the functional groups of a classic object."""

    file_meta: Any = None

    def get(self, keyword: str, default: Any = None, /) -> Any:
        return default

    def __contains__(self, keyword: Any) -> bool:
        return False

    def __len__(self) -> int:
        return 0


NOTHING: Attributes = _Nothing()


def name_of(keyword: str) -> str:
    """The name of an attribute in the standard: "Image Position (Patient)".

    It is made from the keyword, because loading the dictionary takes long.
    """
    if keyword.endswith("UID"):
        return keyword
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword).replace(" Of ", " of ")
    return re.sub(r"(?<=tion) Patient$", " (Patient)", name)


def numbers(attributes: Attributes, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` numbers; None where the attribute is absent or blank.

    Raises SourceError, with name and value, for anything else.
    """
    parts = _components(attributes, keyword, count)
    return tuple(_number(part, keyword) for part in parts) if parts else None


def number(attributes: Attributes, keyword: str) -> float | None:
    """One number, as `numbers`."""
    found = numbers(attributes, keyword, 1)
    return found[0] if found else None


def whole(attributes: Attributes, keyword: str) -> int | None:
    """One whole number, as `numbers`."""
    found = number(attributes, keyword)
    if found is None:
        return None
    if found != int(found):
        raise SourceError(f"{name_of(keyword)} is {found:g}, which is not a whole number")
    return int(found)


def first_number(attributes: Attributes, keyword: str) -> float | None:
    """The first of several numbers, for optional attributes. None also for a value that makes no
    sense.
    """
    try:
        parts = _parts(attributes, keyword)
        return _number(parts[0], keyword) if parts else None
    except SourceError:
        return None


def remark(attributes: Attributes, keyword: str, count: int) -> str | None:
    """A remark on decimal numbers that the standard forbids but `numbers` reads."""
    written = _parts(attributes, keyword)
    in_file = getattr(attributes, "get_item", lambda _: None)(keyword)
    vr = getattr(in_file, "VR", None)
    if not written:
        return None
    if vr not in (None, "UN", "DS"):
        said = f"is written as {vr} instead of DS"
    elif len(written) == count:
        return None
    elif len(written) == 1 and _number_or_none(written[0]) is not None:
        said = "is one number for both directions"
    else:
        said = "has blanks that do not belong there"
    read = shown(_components(attributes, keyword, count))
    return f"{name_of(keyword)} {said}: read as {read}"


def _components(attributes: Attributes, keyword: str, count: int) -> list[Any]:
    """The parts of a value that should be ``count`` numbers."""
    written = _parts(attributes, keyword)
    parts = written
    if len(parts) == 1 and count > 1 and isinstance(parts[0], str):
        parts = parts[0].split()
    while len(parts) > count and parts[-1] == "":
        parts = parts[:-1]
    if len(parts) == 1 and keyword == "PixelSpacing":
        parts = parts * 2
    if parts and len(parts) != count:
        value = f"is {shown(written)}:" if shown(written) else "has"
        values = counted(len(parts), "value")
        raise SourceError(f"{name_of(keyword)} {value} {values} instead of {count}")
    return parts


def _parts(attributes: Attributes, keyword: str) -> list[Any]:
    """The values of an attribute, with blanks around text removed. [] where it is absent or
    blank.
    """
    value = value_of(attributes, keyword)
    if isinstance(value, str):
        value = value.split("\\")
    parts = [part.strip(_BLANK) if isinstance(part, str) else part for part in parts_of(value)]
    return [] if all(part == "" for part in parts) else parts


def value_of(attributes: Any, keyword: str) -> Any:
    """A value. Where it does not follow its VR, its text."""
    try:
        return attributes.get(keyword)
    except READ_ERRORS:
        value = attributes.get_item(keyword).value
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _number(part: Any, keyword: str) -> float:
    found = _number_or_none(part)
    if found is None or not abs(found) <= LARGEST:
        raise SourceError(_not_a_number(part, keyword))
    return found


def _number_or_none(part: Any) -> float | None:
    try:
        return float(part)
    except (TypeError, ValueError):
        return None


def _not_a_number(part: Any, keyword: str) -> str:
    name, value = name_of(keyword), shown([part])
    if part == "":
        return f"one of the values of {name} is blank"
    if value is None:
        return f"{name} holds text that is not a number"
    if "," in value:
        return (
            f"{name} is {value}: DICOM writes decimals with a point, so it is not certain what a"
            " comma means; correct it in the program that wrote the file"
        )
    return f"{name} is {value}, which makes no sense"


def shown(parts: list[Any] | tuple[Any, ...]) -> str | None:
    """Values for a message, as in the file. None for text, which no message quotes."""
    text = "\\".join(f"{p:.12g}" if isinstance(p, float) else str(p) for p in parts)
    if not _NUMERIC.fullmatch(text):
        return None
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def text_of(attributes: Attributes, keyword: str) -> str:
    """A text attribute with one value; "" where it is absent. SourceError for anything else."""
    value = attributes.get(keyword) or ""
    if isinstance(value, bytes | int | float):
        raise SourceError(f"{name_of(keyword)} is not text")
    if not isinstance(value, str):
        raise SourceError(f"{name_of(keyword)} has {len(value)} values instead of one")
    if not is_printable(value):
        raise SourceError(f"{name_of(keyword)} {_NO_TEXT}")
    return str(value)


def description_of(attributes: Attributes) -> str:
    """The description of a series, for people to read. A damaged one is no reason to refuse the
    file.
    """
    text = "\\".join(map(str, parts_of(attributes.get("SeriesDescription"))))
    return text if is_printable(text) else ""


def is_printable(text: str) -> bool:
    """Whether a text has no control characters. Text that contains the tag of another element
    always has some.
    """
    return _CONTROL.search(text) is None


def parts_of(value: Any) -> list[Any]:
    """The values of an attribute as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float) else list(value)


def plain_value(value: Any, keyword: str) -> int | float | str:
    """An attribute as a small hashable value."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    text = "\\".join(str(part) for part in parts_of(value))
    if not is_printable(text):
        raise SourceError(f"{name_of(keyword)} {_NO_TEXT}")
    return text
