"""The differences between groups of frames in words: the attribute, and its values. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass

from sidecar.dicom.headers.frame import Frame
from sidecar.errors import printable
from sidecar.formats.natural_order import natural_order

#: A message lists up to so many values. If there are more, it counts them.
_MOST_LISTED = 4

Value = Hashable


def plain(value: Value, others: Collection[Value]) -> str:
    """A value as a header has it. Several numbers have backslashes between them."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "\\".join(plain(part, ()) for part in value)
    return f"{value + 0.0:.10g}" if isinstance(value, float) else str(value)  # 0, not -0


def short_uid(value: Value, others: Collection[Value]) -> str:
    """The end of a UID, from where it differs from the others."""
    texts = [str(other).split(".") for other in others if other]
    if not value or len(texts) < 2:
        return str(value or "none")
    same = 0
    while len({tuple(text[: same + 1]) for text in texts}) == 1 and same + 1 < min(map(len, texts)):
        same += 1
    tail = ".".join(str(value).split(".")[same:])
    return f"….{tail}" if same else tail


def class_name(value: Value, others: Collection[Value]) -> str:
    """The name of a SOP class or transfer syntax."""
    from pydicom._uid_dict import UID_dictionary

    text = str(value or "none")
    return str(UID_dictionary.get(text, (text,))[0])


def numbered(value: Value, others: Collection[Value]) -> str:
    """The number of a free text among all texts. The text itself may name somebody, and messages
    become part of documents.
    """
    return f"text {sorted(others, key=in_order).index(value) + 1}"


@dataclass(frozen=True)
class Aspect:
    """A property in which frames can differ.

    ``of``: its value in a frame. ``say``: one of its values as text, given all values. ``word``:
    its everyday name.
    """

    name: str
    of: Callable[[Frame], Value]
    say: Callable[[Value, Collection[Value]], str] = plain
    word: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of one group from others: an attribute with its values, and the value of
    the group.
    """

    attribute: str
    here: str
    word: str = ""

    def __str__(self) -> str:
        """ "Bits Stored 12 or 16 (12 here)", "time point 1 (TemporalPositionIdentifier 1 or 2)" """
        if self.word:
            return f"{self.word} {self.here} ({self.attribute})"
        return f"{self.attribute} ({self.here} here)"


def apart(
    aspects: Sequence[Aspect], groups: Sequence[Sequence[Frame]]
) -> list[tuple[Difference, ...]]:
    """For each group, the aspects in which the groups differ. Each group has one value of each
    aspect.
    """
    found: list[list[Difference]] = [[] for _ in groups]
    for aspect in aspects:
        files: dict[Value, set[str]] = defaultdict(set)
        for group in groups:
            files[aspect.of(group[0])].update(frame.file for frame in group)
        if len(files) > 1:
            alone = _alone(files)
            listed = f"{aspect.name} {_values(aspect, files)}"
            own = f"{aspect.name} differs in {_where(files, alone)}"
            for differences, group in zip(found, groups, strict=True):
                here = aspect.of(group[0])
                named = own if here in alone and len(alone) > 2 else listed
                say = printable(aspect.say(here, files))
                differences.append(Difference(named, say, aspect.word))
    return [tuple(differences) for differences in found]


def values_of(aspect: Aspect, frames: Sequence[Frame]) -> str | None:
    """An aspect in which frames differ, with its values: "EchoTime 5 or 10". None where they do
    not differ.
    """
    files: dict[Value, set[str]] = defaultdict(set)
    for frame in frames:
        files[aspect.of(frame)].add(frame.file)
    return f"{aspect.name} {_values(aspect, files)}" if len(files) > 1 else None


def _alone(files: dict[Value, set[str]]) -> set[Value]:
    """The values that occur in one file only, where that file has no other value."""
    values_in = Counter(file for names in files.values() for file in names)
    return {v for v, names in files.items() if len(names) == 1 == max(values_in[f] for f in names)}


def _where(files: dict[Value, set[str]], alone: set[Value]) -> str:
    return "every file" if len(alone) == len(files) else f"each of {len(alone)} files"


def _values(aspect: Aspect, files: dict[Value, set[str]]) -> str:
    if len(files) > _MOST_LISTED:
        return f"has {len(files)} values"
    *first, last = [printable(aspect.say(value, files)) for value in sorted(files, key=in_order)]
    return f"{', '.join(first)} or {last}"


def in_order(value: Value) -> tuple[object, ...]:
    """A sort key: numbers before text, each in its own order."""
    if isinstance(value, tuple):
        return (1, *(in_order(part) for part in value))
    if isinstance(value, int | float):
        return (0, float(value))
    return (2, natural_order("" if value is None else str(value)))
