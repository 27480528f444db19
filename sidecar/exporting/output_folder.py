"""Take an output folder for an export: check what is in it, and tell interrupted, finished and
foreign exports apart.

While an export runs, ``.sidecar-export.json`` is its journal. The journal holds the digest of the
export, the start of its PNGs' names, and the digests of the PNGs that are made. The export also
holds ``.sidecar-export.lock`` (see `sidecar.storage.lease`), which keeps a second export out.
``sidecar.json`` is written last, and then the journal is removed. So the presence of
``sidecar.json`` means "complete". Files that we did not write are never overwritten or removed.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from sidecar.document import reading
from sidecar.document.model import JOURNAL, SIDECAR_NAME
from sidecar.document.tag import png_stem
from sidecar.errors import DocumentError, OutputError, reason
from sidecar.storage.lease import Lease, TakenError
from sidecar.storage.location import WritableLocation, called
from sidecar.storage.whole_file import is_part, without_part
from sidecar.viewer.names import LABELS_NAME, VIEWER_IMAGES

LOCK = ".sidecar-export.lock"
#: Files that an export may leave beside the PNGs.
COMPANIONS = frozenset(
    {
        SIDECAR_NAME,
        "viewer.html",
        ".sidecar-scratch",
        "volume.nrrd",
        "volume.nii",
        "volume.nii.gz",
        "volume.mha",
    }
)


#: The pause between two writes of the journal: at least this many seconds, and this many times the
#: duration of a write.
JOURNAL_EVERY, JOURNAL_REST = 1.0, 50


@dataclass(frozen=True, slots=True)
class Replacing:
    """What an export may remove from an output folder.

    ``overwrite``: an earlier export. ``keep_labels``: labels in the folder that belong to the
    mapping of the new export stay; without it, labels are in the way.
    """

    overwrite: bool = False
    keep_labels: bool = False


@dataclass
class Journal:
    """The journal of an unfinished export: the digest of its plan, the start of its PNGs' names,
    and the SHA-256 of every finished PNG, by name.
    """

    digest: str
    stem: str
    made: dict[str, str] = field(default_factory=dict)
    _next: float = field(default=0.0, init=False, compare=False, repr=False)

    def is_of_the_same(self, other: Journal) -> bool:
        """Whether the two journals belong to one export. The PNGs that each has made may differ."""
        return (self.digest, self.stem) == (other.digest, other.stem)

    def add(self, name: str, digest: str, folder: WritableLocation) -> None:
        """Note that a PNG is made.

        The journal is written only from time to time. PNGs that a killed run did not write down are
        made again.
        """
        self.made[name] = digest
        if time.monotonic() >= self._next:
            self.write(folder)

    def write(self, folder: WritableLocation) -> None:
        began = time.monotonic()
        facts = {"digest": self.digest, "stem": self.stem, "made": self.made}
        (folder / JOURNAL).put(json.dumps(facts).encode())
        took = time.monotonic() - began
        self._next = began + took + max(JOURNAL_EVERY, JOURNAL_REST * took)


@dataclass(frozen=True)
class OutputFolder:
    """A folder that is ours while the lease is held.

    ``left``: the PNGs that an interrupted run of the same plan left, and their digests at the time
    they were made.
    """

    location: WritableLocation
    left: Mapping[str, str]
    lease: Lease
    journal: Journal

    def made(self, name: str, digest: str) -> None:
        """Note that a PNG is made, with the digest of its bytes."""
        if not self.lease.lost:
            self.journal.add(name, digest, self.location)

    def confirm(self) -> None:
        """OutputError where another run has taken the folder, because a lease can be lost."""
        if not self.lease.holds():
            self._refuse()

    def go_on(self) -> None:
        """The same check from what is known already. It is made after every PNG."""
        if self.lease.lost:
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise OutputError(
            f"another export into {called(self.location)} began in the meantime; when it is done,"
            " start again with --overwrite"
        )

    def finish(self, names: Collection[str]) -> None:
        """Remove the journal, when the document is in place.

        Unfinished files of the PNGs ``names`` that lost workers left are removed too.
        """
        (self.location / JOURNAL).remove()
        for name in self.location.names():
            if is_part(name) and without_part(name) in names:
                (self.location / name).remove()


@contextlib.contextmanager
def take_folder(
    folder: WritableLocation,
    digest: str,
    names: Sequence[str],
    may: Replacing,
    on_wait: Callable[[], object] = lambda: None,
) -> Iterator[OutputFolder]:
    """Make or take ``folder`` for an export with this digest.

    An unfinished export of the same digest is continued. Any other export, finished or not, is
    replaced only if ``may`` allows it. ``on_wait`` is called if it takes a while to find out
    whether another export is running. An OutputError says what is in the way, and what to do.
    """
    with contextlib.ExitStack() as held:
        try:
            folder.make_folder()
            lease = held.enter_context((folder / LOCK).lease(on_wait))
        except TakenError:
            raise OutputError(
                f"another export is writing to {called(folder)} now; wait for it, or choose another"
                " folder"
            ) from None
        except OSError as error:
            raise OutputError(f"{called(folder)} cannot be written to: {reason(error)}") from None
        left, journal = _prepare(folder, digest, names, may)
        try:
            yield OutputFolder(folder, left, lease, journal)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one to report
                if lease.holds():
                    journal.write(folder)
            raise


def require_room(
    folder: WritableLocation, digest: str, names: Sequence[str], may: Replacing
) -> None:
    """OutputError where `take_folder` would find that an export cannot be written or continued in
    ``folder``. Nothing is written.
    """
    _what_stays(folder, _names_in(folder), _journal_of(digest, names), names, may)


def _journal_of(digest: str, names: Sequence[str]) -> Journal:
    return Journal(digest, str(png_stem(names[0])))


def _prepare(
    folder: WritableLocation, digest: str, names: Sequence[str], may: Replacing
) -> tuple[Mapping[str, str], Journal]:
    """Clear the folder of an earlier export of ours, if it may go, and write the journal.

    Returns the PNGs that stay, with their digests, and the journal.
    """
    mine = _journal_of(digest, names)
    left, ours = _what_stays(folder, _names_in(folder), mine, names, may)
    if left is None:
        _clear(folder, ours)
    for name in ours:
        if is_part(name):
            (folder / name).remove()
    mine.made = dict(left or {})
    mine.write(folder)
    return dict(mine.made), mine


def _what_stays(
    folder: WritableLocation,
    entries: Sequence[str],
    mine: Journal,
    names: Sequence[str],
    may: Replacing,
) -> tuple[Mapping[str, str] | None, Sequence[str]]:
    """The PNGs of an interrupted run to continue, with their digests, or None where an earlier
    export is to be replaced; and the files of an export that are there.

    An OutputError says what is in the way.
    """
    found = _journal(folder)
    is_png = _png_names(folder, entries, {mine.stem, (found or mine).stem})
    strange = [name for name in entries if not _is_ours(folder / name, is_png)]
    labels = _labels_among(folder, strange)
    foreign = [name for name in strange if name not in labels]
    if foreign:
        raise OutputError(
            f"{called(folder)} holds files that do not belong to an export"
            f" ({', '.join(foreign[:3])}{' …' if len(foreign) > 3 else ''}); nothing was touched:"
            " choose an empty folder, or move them away"
        )
    ours = [name for name in entries if name not in labels]
    goes_on = found is not None and found.is_of_the_same(mine) and SIDECAR_NAME not in ours
    if not goes_on and not all(map(is_part, ours)) and not may.overwrite:
        _refuse_earlier(folder, ours, found is not None)
    if labels:
        from sidecar.exporting.found_labels import refuse_labels

        refuse_labels(folder, labels, names, may.keep_labels)
    if found is not None and goes_on:
        there = set(ours) & found.made.keys()
        return {name: found.made[name] for name in names if name in there}, ours
    return ({} if all(map(is_part, ours)) else None), ours


def _labels_among(folder: WritableLocation, strange: Sequence[str]) -> Sequence[str]:
    """The labels among files that do not belong to an export."""
    if not strange:
        return ()
    from sidecar.exporting.found_labels import found_labels  # not loaded without such files

    return found_labels(folder, strange)


def _refuse_earlier(folder: WritableLocation, entries: Sequence[str], is_begun: bool) -> NoReturn:
    """OutputError: an earlier export is in the way. ``is_begun``: its journal is there."""
    if SIDECAR_NAME in entries:
        raise OutputError(
            f"{called(folder)} already holds a finished export. It is of another source, has other"
            " options, or was made by another version of this program; choose another folder, or"
            " replace it with --overwrite"
        )
    if is_begun:
        raise OutputError(
            f"{called(folder)} holds an unfinished export. It is of another source, has other"
            " options, or was begun by another version of this program; run the earlier command to"
            " go on with it, or start again with --overwrite"
        )
    raise OutputError(
        f"{called(folder)} holds PNGs but no sidecar.json; choose another folder, or replace them"
        " with --overwrite"
    )


def _names_in(folder: WritableLocation) -> list[str]:
    try:
        if folder.is_folder():
            return [name for name in folder.names() if name != LOCK]
        is_file = folder.is_file()
    except OSError as error:
        raise OutputError(f"{called(folder)} cannot be read: {error.strerror}") from None
    if is_file:
        raise OutputError(f"{called(folder)} cannot be written to: it is a file")
    return []  # object stores have no empty folders


def _png_names(
    folder: WritableLocation, entries: Sequence[str], stems: Collection[str]
) -> Callable[[str], bool]:
    """The test whether a file in a folder has the name of a PNG of ours.

    Such a name begins with one of ``stems``, with or without a tag, or the folder's document has
    it.
    """
    finished = _finished(folder) if SIDECAR_NAME in entries else frozenset()
    return lambda name: name in finished or png_stem(name) in stems


def _finished(folder: WritableLocation) -> frozenset[str]:
    """The PNGs that the sidecar.json of a folder names, if it can be read.

    OutputError where they are adopted images, which another program made.
    """
    try:
        document = reading.load(folder / SIDECAR_NAME)
    except DocumentError:
        return frozenset()
    if document.evidence is not None:
        raise OutputError(
            f"{called(folder)} holds images that another program made, and the sidecar.json that"
            " adopted them; nothing was touched: choose another folder"
        )
    return frozenset(image.name for image in document.images.files if png_stem(image.name))


def _is_ours(entry: WritableLocation, is_png: Callable[[str], bool]) -> bool:
    if entry.is_link():
        return False
    name = without_part(entry.name)
    if name == VIEWER_IMAGES and entry.is_folder():
        inside = entry.names()
        return all(is_png(without_part(name)) and (entry / name).is_file() for name in inside)
    if is_part(entry.name) and name == LABELS_NAME:  # left by a killed `sidecar label`
        return entry.is_file()
    return entry.is_file() and (name in COMPANIONS or name == JOURNAL or is_png(name))


def journal_digest(folder: WritableLocation) -> str | None:
    """The digest of the plan of an unfinished export; None where there is none."""
    found = _journal(folder)
    return None if found is None else found.digest


def _journal(folder: WritableLocation) -> Journal | None:
    """The journal of a folder; None where there is none that can be read.

    Journals from before PNGs had tags hold no stem and no digests of PNGs.
    """
    try:
        found = json.loads((folder / JOURNAL).read_bytes())
        made = {str(name): str(digest) for name, digest in found.get("made", {}).items()}
        return Journal(str(found["digest"]), str(found.get("stem", "slice")), made)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _clear(folder: WritableLocation, names: Sequence[str]) -> None:
    """Remove an earlier export, its document first, because it is no longer complete.

    The removal of the document is synced to the disk before anything else is removed. Otherwise a
    power failure could leave the document without its PNGs.
    """
    for name in sorted(names, key=lambda n: n != SIDECAR_NAME):
        try:
            _remove(folder / name)
        except OSError as error:
            raise OutputError(f"{name} cannot be replaced: {reason(error)}") from None
        if name == SIDECAR_NAME:
            folder.sync(())


def _remove(entry: WritableLocation) -> None:
    """Remove a file, or the viewer's images and their folder."""
    if entry.name != VIEWER_IMAGES:
        entry.remove()
        return
    for image in entry.names():
        (entry / image).remove()
    entry.remove_folder()
