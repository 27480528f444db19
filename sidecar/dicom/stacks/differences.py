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
#: What puts a value into words.
Say = Callable[[Value], str]


def plain(values: Collection[Value]) -> Say:
    """Values as a header has them. Several numbers have backslashes between them."""
    return _as_written


def _as_written(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "\\".join(map(_as_written, value))
    return f"{value + 0.0:.10g}" if isinstance(value, float) else str(value)  # 0, not -0


def short_uid(values: Collection[Value]) -> Say:
    """The ends of UIDs, from where they differ."""
    texts = [str(value).split(".") for value in values if value]
    if len(texts) < 2:
        return lambda value: str(value or "none")
    same = 0
    while len({tuple(text[: same + 1]) for text in texts}) == 1 and same + 1 < min(map(len, texts)):
        same += 1
    before = "…." * bool(same)
    return lambda value: before + ".".join(str(value).split(".")[same:]) if value else "none"


def class_name(values: Collection[Value]) -> Say:
    """The names of SOP classes or transfer syntaxes."""
    from pydicom._uid_dict import UID_dictionary

    def say(value: Value) -> str:
        text = str(value or "none")
        return str(UID_dictionary.get(text, (text,))[0])

    return say


def numbered(values: Collection[Value]) -> Say:
    """The numbers of free texts. The texts themselves may name somebody, and messages become part
    of documents.
    """
    numbers = {value: n for n, value in enumerate(sorted(values, key=in_order), 1)}
    return lambda value: f"text {numbers[value]}"


@dataclass(frozen=True)
class Aspect:
    """A property in which frames can differ.

    ``of``: its value in a frame. ``say``: by all values that occur, what puts each of them into
    words. ``word``: its everyday name.
    """

    name: str
    of: Callable[[Frame], Value]
    say: Callable[[Collection[Value]], Say] = plain
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
            say = aspect.say(files)
            for differences, group in zip(found, groups, strict=True):
                here = aspect.of(group[0])
                named = own if here in alone and len(alone) > 2 else listed
                differences.append(Difference(named, printable(say(here)), aspect.word))
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
    *first, last = map(printable, map(aspect.say(files), sorted(files, key=in_order)))
    return f"{', '.join(first)} or {last}"


def in_order(value: Value) -> tuple[object, ...]:
    """A sort key: numbers before text, each in its own order."""
    if isinstance(value, tuple):
        return (1, *(in_order(part) for part in value))
    if isinstance(value, int | float):
        return (0, float(value))
    return (2, natural_order("" if value is None else str(value)))
