"""The output folder: whose it is, what may be in it, and how an interrupted export is told from a
finished or a foreign one.

While an export runs, ``.sidecar-export.json`` names its digest and what its PNGs' names begin with,
and ``.sidecar-export.lock`` keeps a second one out. ``sidecar.json`` comes last and the journal
goes: its presence means "complete". Nothing that we did not write is ever overwritten or removed.

Behind a URL, where there are no locks, the lock is a claim (see `sidecar.storage.lease`).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from filelock import FileLock, Timeout

from sidecar.document import model as documents
from sidecar.document.model import SIDECAR_NAME
from sidecar.document.tag import png_stem
from sidecar.errors import DocumentError, OutputError, reason
from sidecar.storage.lease import Claim, TakenError, claim
from sidecar.storage.location import remote
from sidecar.storage.whole_file import PART_SUFFIX
from sidecar.viewer.names import VIEWER_IMAGES

JOURNAL = ".sidecar-export.json"
LOCK = ".sidecar-export.lock"
#: Files an export may leave beside the PNGs.
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


@dataclass(frozen=True)
class Journal:
    """Of an unfinished export: the digest of its plan, and what its PNGs' names begin with."""

    digest: str
    stem: str


_PART = re.compile(r"(\.[0-9a-f]{8})?" + re.escape(PART_SUFFIX) + "$")


@dataclass(frozen=True)
class OutputFolder:
    """A folder that is ours for as long as it is locked. ``whole`` are the PNGs of an interrupted
    run of the same plan.

    ``claim``: the lock of a remote folder.
    """

    path: Path
    whole: frozenset[str]
    claim: Claim | None

    def confirm(self) -> None:
        """OutputError where another run took the folder meanwhile, as claims can be lost."""
        if self.claim is not None and not self.claim.holds():
            self._refuse()

    def go_on(self) -> None:
        """The same as far as it is known already: asked after every PNG."""
        if self.claim is not None and self.claim.lost.is_set():
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise OutputError(
            f"another export into {self.path.name} began meanwhile; when it is done, start anew"
            " with --overwrite"
        )

    def finish(self, names: Collection[str]) -> None:
        """The document is in place: the journal has served.

        What a lost worker had begun of the PNGs ``names`` goes too.
        """
        (self.path / JOURNAL).unlink(missing_ok=True)
        if self.claim is None:
            for part in self.path.glob(f"*{PART_SUFFIX}"):
                if _PART.sub("", part.name) in names:
                    part.unlink(missing_ok=True)


@contextlib.contextmanager
def claimed(
    path: Path,
    digest: str,
    names: Sequence[str],
    overwrite: bool,
    on_wait: Callable[[], object] = lambda: None,
) -> Iterator[OutputFolder]:
    """Make or take ``path`` for an export with this digest. OutputError says what is in the way and
    the way out.

    An unfinished export of the same digest is continued; of another one, or a finished one, is
    replaced only with ``overwrite``.
    ``on_wait`` is called where it takes a while to see whether another export is at it.
    """
    with contextlib.ExitStack() as held:
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context(_locked(path / LOCK, on_wait))
        except (Timeout, TakenError):
            raise OutputError(
                f"another export is writing to {path.name} now; wait for it, or choose another"
                " folder"
            ) from None
        except OSError as error:
            raise OutputError(f"{path.name} cannot be written to: {reason(error)}") from None
        yield _prepared(path, digest, names, overwrite, lock)


@contextlib.contextmanager
def _locked(path: Path, on_wait: Callable[[], object]) -> Iterator[Claim | None]:
    far = remote(path)
    if far is not None:
        with claim(far, on_wait) as made:
            yield made
        return
    lock = FileLock(path)
    lock.acquire(timeout=0)
    try:
        yield None
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _prepared(
    path: Path, digest: str, names: Sequence[str], overwrite: bool, lock: Claim | None
) -> OutputFolder:
    entries = _names_in(path)
    mine, found = Journal(digest, str(png_stem(names[0]))), _journal(path)
    is_png = _png_names(path, entries, {mine.stem, (found or mine).stem})
    foreign = [name for name in entries if not _is_ours(path / name, is_png)]
    if foreign:
        raise OutputError(
            f"{path.name} holds files that are not of an export"
            f" ({', '.join(foreign[:3])}{' …' if len(foreign) > 3 else ''}); nothing was touched:"
            " choose an empty folder, or move them away"
        )
    if found == mine and SIDECAR_NAME not in entries:
        whole = frozenset(entries) & frozenset(names)
    elif all(name.endswith(PART_SUFFIX) for name in entries):
        whole = frozenset()
    elif overwrite:
        _clear(path, entries)
        whole = frozenset()
    elif SIDECAR_NAME in entries:
        raise OutputError(
            f"{path.name} already holds a finished export; choose another folder, or replace it"
            " with --overwrite"
        )
    elif found is not None:
        raise OutputError(
            f"{path.name} holds an unfinished export of another source or other options, or by"
            " another version of this program; run it as it was to go on, or start anew with"
            " --overwrite"
        )
    else:
        raise OutputError(
            f"{path.name} holds PNGs but no sidecar.json; choose another folder, or replace them"
            " with --overwrite"
        )
    for name in entries:
        if name.endswith(PART_SUFFIX):
            (path / name).unlink(missing_ok=True)
    _write_journal(path, mine)
    return OutputFolder(path, whole, lock)


def _names_in(path: Path) -> list[str]:
    try:
        return (
            sorted(p.name for p in path.iterdir() if p.name != LOCK) if path.is_dir() else []
        )  # object stores have no empty folders
    except OSError as error:
        raise OutputError(f"{path.name} cannot be read: {error.strerror}") from None


def _png_names(path: Path, entries: Sequence[str], stems: Collection[str]) -> Callable[[str], bool]:
    """Whether a file in a folder is named as a PNG of ours: it begins with one of ``stems``, with a
    tag or without, or the folder's document names it.
    """
    finished = _finished(path) if SIDECAR_NAME in entries else frozenset()
    return lambda name: name in finished or png_stem(name) in stems


def _finished(path: Path) -> frozenset[str]:
    """The PNGs that the sidecar.json of a folder names, where it can be read.

    OutputError where they are not ours, but adopted.
    """
    try:
        document = documents.load(path / SIDECAR_NAME)
    except DocumentError:
        return frozenset()
    if document.evidence is not None:
        raise OutputError(
            f"{path.name} holds images that another program made, and the sidecar.json that adopted"
            " them; nothing was touched: choose another folder"
        )
    return frozenset(image.name for image in document.images.files if png_stem(image.name))


def _is_ours(path: Path, is_png: Callable[[str], bool]) -> bool:
    name = _PART.sub("", path.name)
    if name == VIEWER_IMAGES and path.is_dir() and not path.is_symlink():
        return all(is_png(inside.name) and inside.is_file() for inside in path.iterdir())
    return (
        path.is_file()
        and not path.is_symlink()
        and (name in COMPANIONS or name == JOURNAL or is_png(name))
    )


def _journal(path: Path) -> Journal | None:
    """None where there is none that can be read. Before PNGs had tags, it named no stem."""
    try:
        found = json.loads((path / JOURNAL).read_text(encoding="utf-8"))
        return Journal(str(found["digest"]), str(found.get("stem", "slice")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_journal(path: Path, journal: Journal) -> None:
    far, text = remote(path), json.dumps(asdict(journal))
    part = path / (JOURNAL + PART_SUFFIX)
    try:
        if far is not None:
            (far / JOURNAL).put(text.encode())
            return
        part.write_text(text, encoding="utf-8")
        part.replace(path / JOURNAL)
    except OSError as error:
        raise OutputError(f"{path.name} cannot be written to: {reason(error)}") from None


def _clear(path: Path, names: Sequence[str]) -> None:
    """Remove an earlier export, its document first: it is no longer complete."""
    for name in sorted(names, key=lambda n: n != SIDECAR_NAME):
        try:
            _remove(path / name)
        except OSError as error:
            raise OutputError(f"{name} cannot be replaced: {reason(error)}") from None


def _remove(path: Path) -> None:
    """Remove a file, or the viewer's images and their folder."""
    if path.name != VIEWER_IMAGES:
        path.unlink(missing_ok=True)
        return
    for image in path.iterdir():
        image.unlink(missing_ok=True)
    path.rmdir()
