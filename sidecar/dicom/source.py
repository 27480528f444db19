"""A source of DICOM images: its stacks, the choice among them, and the search for a known scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sidecar.dicom.deflated import INFLATED_LIMIT
from sidecar.dicom.pixels.pixel_file import PixelFile
from sidecar.dicom.scan import MAY_BE_SLICES, Unusable, scan
from sidecar.dicom.stacks.given_voxel import arrangement_of, as_given
from sidecar.dicom.stacks.joining import choose_joined, with_joined
from sidecar.dicom.stacks.ordering import Arrange, in_slice_order
from sidecar.dicom.stacks.same_scan import KnownScan, ScanMatch, closest
from sidecar.dicom.stacks.series import Series, choose, find_series
from sidecar.errors import SourceError, counted, named
from sidecar.progress import Progress, Silent
from sidecar.storage.local import Local
from sidecar.storage.locate import Place, locate
from sidecar.storage.location import Location, Stamp, called

if TYPE_CHECKING:
    from sidecar.storage.fetched import Fetched

#: The file that shows that a folder is an export. The layers above read and write it.
_OF_AN_EXPORT = "sidecar.json"


@dataclass(frozen=True)
class Source:
    """A folder, file, DICOMDIR or zip whose headers were read, without pixels.

    ``name``: the name for messages. ``root``: the folder that the file names of frames are relative
    to. ``series``: every stack in it. ``passed_by``: names of files that are no images, by kind.
    ``damaged``: DICOM files that cannot be used, and why. ``arrange``: makes stacks of frames.
    ``told``: how the source was read, where the user must know that.
    """

    name: str
    root: Location
    series: tuple[Series, ...]
    passed_by: dict[str, list[str]]
    damaged: tuple[Unusable, ...]
    arrange: Arrange = in_slice_order
    told: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        location: Place,
        progress: Progress | None = None,
        arrange: Arrange = in_slice_order,
    ) -> Source:
        """Read the headers of every DICOM image at a location.

        ``arrange`` makes stacks of them. For scans whose headers have no geometry, see
        `sidecar.dicom.stacks.given_voxel`.

        SourceError when there is no such place.
        """
        progress = progress or Silent()
        location = locate(location)
        copy = _copy_of(location, progress)
        progress.start("reading headers", None)
        found = scan(copy.archive if copy else location, lambda: progress.advance(1, 0))
        return cls(
            called(location),
            found.root,
            tuple(find_series(found.frames, arrange)),
            dict(found.passed_by),
            tuple(found.damaged),
            arrange,
            (str(copy),) if copy else (),
        )

    def choose(self, asked: str | None, join: bool = False) -> list[Series]:
        """The stacks that the user ``asked`` for: a UID, a number, "all", or None for the only
        stack.

        With ``join``, the result is the one stack that these make together.

        Raises SourceError where there are no stacks or a file cannot be used. AmbiguousSeriesError
        where the user must choose one. UsageError where no stack fits ``asked``.
        """
        self._refuse_unusable()
        if not self.series:
            raise SourceError(no_images_in(self.name, self.passed_by))
        chosen = (
            [choose_joined(self.series, asked, self.arrange)]
            if join
            else choose(self.series, asked)
        )
        for series in chosen:
            self.refuse_packed(series)
        left_out = self._left_out() if asked == "all" and not join else ()
        told = [*self.told, *self._may_be_slices(), *left_out]
        return [replace(one, warnings=(*one.warnings, *told)) for one in chosen]

    def _left_out(self) -> list[str]:
        """A warning for each stack that cannot be exported, where the user asked for all."""
        return [
            f"not exported with the others: stack {one.name}: {one.problem}"
            for one in self.series
            if one.problem is not None
        ]

    def _may_be_slices(self) -> list[str]:
        """A warning for each kind of file that was passed by but may be or contain slices."""
        return [
            f"not read, but may hold slices: {len(names)} × {kind} ({named(names)})"
            for kind in MAY_BE_SLICES
            if (names := self.passed_by.get(kind))
        ]

    def refuse_packed(self, series: Series) -> None:
        """SourceError where an archive packs more of a stack than may be held in memory.

        Each packed file of many frames is unpacked once, and all of these files are held: any of
        them may hold the next slice.
        """
        files = {f.file: f.locator for f in series.frames if f.locator.frames > 1}
        packed = [
            PixelFile.of(self.root / file, locator)
            for file, locator in files.items()
            if (self.root / file).is_packed()
        ]
        size = sum(file.unpacked_bytes for file in packed)
        if size > INFLATED_LIMIT:
            raise SourceError(
                f"{self.name}: the frames of this stack are in"
                f" {counted(len(packed), 'packed file')}. {size:,} bytes would have to be in memory"
                f" at once, and the limit is {INFLATED_LIMIT >> 20} MiB; unpack the archive, and"
                " give the folder"
            )

    def closest(self, known: KnownScan) -> ScanMatch:
        """The stack that is the known scan, or the most similar one, and how it differs."""
        stacks = with_joined(self.series, set(known.planes), arrangement_of(known))
        return closest(known, as_given(known, stacks))

    def matching(self, known: KnownScan) -> Series:
        """The stack that is the known scan: the same slices in the same order, of the same size and
        geometry.

        SourceError states how the most similar stack differs. SourceError also for files that
        cannot be used, as they may be slices of the scan.
        """
        self._refuse_unusable()
        if not known.has_own_uids:
            raise SourceError(
                "some slices of the scan that the sidecar describes have no SOPInstanceUID, or"
                f" share one. So it cannot be known whether {self.name} holds that scan; give every"
                " file its own UID (dcmodify -gin of DCMTK does this), and export again"
            )
        match = self.closest(known)
        if match.difference is None:
            assert match.series is not None
            self.refuse_packed(match.series)
            return match.series
        wrong = match.difference
        what = {
            "instances": "does not hold the scan that the sidecar describes",
            "copies": "holds the scan that the sidecar describes more than once",
        }.get(wrong.about, "is not as it was when the sidecar was written")
        raise SourceError(f"{self.name} {what}: {wrong.found}; {wrong.remedy}")

    def _refuse_unusable(self) -> None:
        """SourceError where a DICOM file cannot be used. It may be one of the slices, so nothing
        is done without it.
        """
        if self.damaged:
            first, others = self.damaged[0], len(self.damaged) - 1
            more = f" (and {counted(others, 'more file')} cannot be used)" if others else ""
            raise SourceError(
                f"{first.file} cannot be used: {first.reason}{more}. It may be one of the slices,"
                " so nothing is done without it: repair it, or move it out of the source"
            )


def no_images_in(name: str, passed_by: Mapping[str, Sequence[str]]) -> str:
    """The message that a source has no images, with what it holds instead. ``passed_by``: as in
    `Source`.
    """
    files = (file for names in passed_by.values() for file in names)
    if any(file.rpartition("/")[2] == _OF_AN_EXPORT for file in files):
        return (
            f"no DICOM images found in {name}: it holds an export of PNGs; give the DICOM scan that"
            " they were made of"
        )
    others = Counter({kind: len(names) for kind, names in passed_by.items()})
    met = ", ".join(f"{count} × {kind}" for kind, count in others.most_common(4))
    return f"no DICOM images found in {name} (it holds {met or 'nothing at all'})"


def _copy_of(location: Location, progress: Progress) -> Fetched | None:
    """A copy of a source that cannot be read in place. See `sidecar.storage.fetched`."""
    if isinstance(location, Local):
        return None
    from sidecar.storage.fetched import fetched  # not needed to read a disk

    progress.start(f"opening {location.name}", None)
    return fetched(location, lambda count: progress.advance(0, count))


def require_unchanged(root: Location, stamps: Mapping[str, Stamp], way_out: str) -> None:
    """SourceError where a file has another size, time of change or ETag than when its header was
    read.

    The results of a changed source may mix two scans. ``way_out`` ends the message.
    """
    try:
        now = root.stamps(stamps.keys())
    except OSError as error:
        raise SourceError(
            f"the source can no longer be read ({error.strerror}), so no sidecar.json is written;"
            " run the same command again when the source is back"
        ) from None
    changed = [file for file in stamps if now[file] != stamps[file]]
    if changed:
        others = len(changed) - 1
        more = f" and {counted(others, 'more source file')}" if others else ""
        raise SourceError(
            f"{changed[0]}{more} changed after the headers were read, so no sidecar.json is"
            f" written; {way_out}"
        )
