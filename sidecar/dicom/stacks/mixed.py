"""What slices of one stack should share and do not: they may be of several scans. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.stacks.differences import Aspect, Value, numbered, values_of
from sidecar.errors import counted

#: Attributes of a whole volume. Times that go on from slice to slice are not among them.
_OF_VOLUMES = (
    "TemporalPositionIdentifier", "TemporalPositionIndex", "TemporalPositionTimeOffset",
    "EchoNumbers", "EchoTime", "EffectiveEchoTime", "InversionTime", "InversionTimes",
    "DiffusionBValue", "NominalPercentageOfCardiacPhase", "NominalPercentageOfRespiratoryPhase",
    "KVP", "ConvolutionKernel", "ImageType", "FrameType", "StackID",
)  # fmt: skip
_SERIES = (
    Aspect("Series Number", lambda f: f.common.series_number),
    Aspect("Series Description", lambda f: f.common.description, numbered),
)
_UNIT = Aspect("Rescale Type", lambda f: f.common.rescale_unit or f.common.implied_unit)


def mixed(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Warnings about slices that no position sets apart, but their headers do."""
    return (*_patients(frames), *_volumes(frames), *_units(frames), *_parts(frames))


def _patients(frames: Sequence[Frame]) -> Iterator[str]:
    count = len({frame.common.patient for frame in frames})
    if count > 1:
        yield (
            f"the slices of this stack have {count} different Patient IDs: if they are of several"
            " patients or specimens, put the files of each into a folder, and export each folder by"
            " itself"
        )


def _volumes(frames: Sequence[Frame]) -> Iterator[str]:
    there = {name for frame in frames for name, _ in frame.keys}
    aspects = [Aspect(name, _key(name)) for name in _OF_VOLUMES if name in there]
    if len({f.common.series_instance_uid for f in frames}) == 1:
        aspects += _SERIES
    found = [text for aspect in aspects if (text := values_of(aspect, frames))]
    if found:
        yield (
            f"the slices of this stack differ in {' and in '.join(found)}, and are taken as one"
            " stack; if they are of several scans, put the files of each into a folder, and export"
            " each folder by itself"
        )


def _key(name: str) -> Callable[[Frame], Value]:
    return lambda frame: dict(frame.keys).get(name)


def _units(frames: Sequence[Frame]) -> Iterator[str]:
    text = values_of(_UNIT, frames)
    if text:
        yield f"the unit of values differs between slices ({text}): the document states none"


def _parts(frames: Sequence[Frame]) -> Iterator[str]:
    """Concatenations of which files are missing (PS3.3 C.7.6.16.2.2.4)."""
    there: dict[tuple[Hashable, int], set[int]] = defaultdict(set)
    for frame in frames:
        if frame.common.concatenation and frame.common.part is not None:
            number, count = frame.common.part
            there[frame.common.concatenation, count].add(number)
    for (_, count), numbers in there.items():
        if len(numbers) < count:
            yield (
                f"a concatenation of {counted(count, 'file')} lacks {count - len(numbers)} of them"
                " (In-concatenation Total Number), and so their slices"
            )
