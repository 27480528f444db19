"""Writers of mapped points, one small file per format;
`WRITERS` is the whole extension mechanism.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sidecar.errors import UsageError
from sidecar.grid.space import Space, not_in_the_patient
from sidecar.labels.imagej_stamp import Over
from sidecar.labels.landmarks import Landmarks
from sidecar.labels.mapped import MappedPoints, Notes, Writer
from sidecar.labels.writers import (
    csv_points,
    fcsv,
    geomorph,
    imagej_rois,
    json_points,
    landmark_ascii,
    morphoj,
    slicer,
    tps,
)

if TYPE_CHECKING:
    from sidecar.labels.writers.source_headers import HeaderSource
    from sidecar.storage.locate import Place

#: Every point format by the name ``--to`` has for it.
WRITERS: dict[str, Writer] = {
    writer.name: writer
    for writer in (
        csv_points.WRITER,
        json_points.WRITER,
        slicer.WRITER,
        fcsv.WRITER,
        tps.WRITER,
        morphoj.WRITER,
        geomorph.WRITER,
        landmark_ascii.WRITER,
        imagej_rois.WRITER,
    )
}


def _write_sr(
    parts: Sequence[MappedPoints], path: Path, space: Space, source: HeaderSource
) -> Notes:
    from sidecar.labels.writers.sr import write_sr  # loads pydicom

    return write_sr(parts, path, space, source)


def _write_rtstruct(
    parts: Sequence[MappedPoints], path: Path, space: Space, source: HeaderSource
) -> Notes:
    from sidecar.labels.writers.rtstruct import write_rtstruct  # loads pydicom

    return write_rtstruct(parts, path, space, source)


class SourceWriter(Protocol):
    """Writes a format that needs the source's headers, which are looked for in ``source`` by SOP
    Instance UID.
    """

    def __call__(
        self, parts: Sequence[MappedPoints], path: Path, space: Space, source: HeaderSource
    ) -> Notes: ...


#: Formats that also need the headers of the source, which ``--dicom DIR`` says where to find, and
#: name its patient.
SOURCE_WRITERS: dict[str, SourceWriter] = {"dicom-sr": _write_sr, "dicom-rtstruct": _write_rtstruct}


def writer_for(
    path: Path | None,
    name: str | None = None,
    dicom: Place | None = None,
    pseudonym: str | None = None,
    over: Over | None = None,
) -> Writer:
    """The writer named, or the one that the ending of ``path`` means;
    CSV where there is no path. UsageError where that is none, and for ``dicom`` (where the source
    is), ``pseudonym`` (what its patient is called) and ``over`` (which stack ImageJ has open) where
    they say nothing of the format.
    """
    writer = _named(name, dicom, pseudonym) or _by_ending(path)
    if over is None:
        return writer
    if writer is not imagej_rois.WRITER:
        raise UsageError("--over goes only with --to imagej")
    return imagej_rois.OVER[over]


def _named(name: str | None, dicom: Place | None, pseudonym: str | None) -> Writer | None:
    if name in SOURCE_WRITERS:
        if dicom is None:
            raise UsageError(
                f"--to {name} needs the headers of the source; give the folder of its DICOM files"
                " with --dicom DIR"
            )
        from sidecar.labels.writers.source_headers import HeaderSource  # loads pydicom

        source = HeaderSource(dicom, pseudonym)
        write = partial(SOURCE_WRITERS[name], source=source)
        return Writer(name, (".dcm",), write)
    for option, value in (("--dicom", dicom), ("--pseudonym", pseudonym)):
        if value is not None:
            raise UsageError(
                f"{option} goes only with --to {' or '.join(SOURCE_WRITERS)}; other outputs do not"
                " name the patient"
            )
    if name is not None:
        if name not in WRITERS:
            raise UsageError(f"--to {name}: there is no such format; the formats are {_names()}")
        return WRITERS[name]
    return None


def landmark_writer_for(path: Path | None, name: str | None, *, is_given: bool) -> Writer:
    """As `writer_for`, for landmarks that lie on no scan any more. ``is_given``: whether they lie
    along the axes of one whose voxel size was given by hand.

    UsageError also for formats that say where something is in its scan, or in a patient who is not
    known.
    """
    writer = None if name in SOURCE_WRITERS else _named(name, None, None) or _by_ending(path)
    if writer is None or writer.write_landmarks is None:
        able = "|".join(sorted(one.name for one in WRITERS.values() if one.write_landmarks))
        raise UsageError(
            f"{name or (writer and writer.name)} states places in a scan, but aligned points are"
            f" not in their scan; write {able}"
        )
    if is_given and writer in (slicer.WRITER, fcsv.WRITER):
        problem = not_in_the_patient("given", writer.name)
        raise UsageError(f"{problem}; write csv, json or tps")
    return writer


def write_landmarks_of(writer: Writer) -> Callable[[Landmarks, Path], Notes]:
    """How a writer that `landmark_writer_for` gave writes landmarks."""
    assert writer.write_landmarks is not None
    return writer.write_landmarks


def _by_ending(path: Path | None) -> Writer:
    if path is None:
        return csv_points.WRITER
    endings = {
        ending: writer
        for writer in WRITERS.values()
        for ending in writer.endings
        if path.name.lower().endswith(ending)
    }
    if path.suffix.lower() == ".dcm":
        raise UsageError(
            f"{path.name}: DICOM has two formats for points, Structured Report and RT Structure"
            " Set. Choose with --to dicom-sr or --to dicom-rtstruct, and give the folder of the"
            " scan's DICOM files with --dicom DIR"
        )
    if not endings:
        raise UsageError(
            f"{path.name}: this ending belongs to no output format; choose one with --to {_names()}"
        )
    return endings[max(endings, key=len)]


def _names() -> str:
    return "|".join(sorted((*WRITERS, *SOURCE_WRITERS)))
