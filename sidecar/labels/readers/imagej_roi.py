"""ImageJ and Fiji selections in files: `.roi`, and the ROI Manager's RoiSet.zip.

A selection names no image (see `imagej_selections`). ImageJ proposes the title of the image as the
name of the file.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from sidecar.errors import LabelError
from sidecar.labels.model import Labels, PngStack, Reader, ReadOptions
from sidecar.labels.readers.imagej_selections import labels_of_selections
from sidecar.labels.readers.left_out import LeftOut
from sidecar.labels.references import png_in_name
from sidecar.labels.text import read_bytes

_TOOL = "ImageJ/Fiji ROIs"
#: A zip with more selections, or with more packed or unpacked bytes, is refused.
MAX_SELECTIONS = 65536
MAX_BYTES = 128 * 2**20
_ROI, _ZIP, _ZIP_ENTRY = b"Iout", b"PK\x03\x04", b"PK\x01\x02"

#: Errors of zipfile for damaged archives, and RuntimeError for encrypted ones.
_UNPACKING = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OSError,
    struct.error,
)


def _read(path: Path, stack: PngStack, options: ReadOptions) -> Labels:
    left_out = LeftOut()
    selections = _selections(path, left_out)
    own = png_in_name(path, stack) or ""
    return labels_of_selections(
        path, selections, stack, options, tool=_TOOL, image=own, left_out=left_out
    )


def _selections(path: Path, left_out: LeftOut) -> list[tuple[str, bytes]]:
    """Name and bytes of each selection. Names from a zip are only shown, never opened."""
    data = read_bytes(path, MAX_BYTES)
    if not data.startswith(_ZIP):
        return [(path.stem, data)]
    files = _unpacked(data, path, left_out) if data.count(_ZIP_ENTRY) <= MAX_SELECTIONS else None
    if files is None:
        raise LabelError(
            "holds more than a zip of the ROI Manager can hold; unpack it and give only the"
            " selections that you need",
            path,
        )
    return files


def _unpacked(data: bytes, path: Path, left_out: LeftOut) -> list[tuple[str, bytes]] | None:
    """The selections in a zip; None if they are larger than MAX_BYTES. No entry can unpack to more
    than the size that it states.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # ZipInfo.is_dir fails for an empty name
            files = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            entries = [entry for entry in files if _is_selection(entry.filename)]
            left_out.add("other file", "not a selection", len(files) - len(entries))
            if any(
                entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                for entry in entries
            ):
                raise NotImplementedError("a compression that ImageJ does not use")
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                return None
            return [(PurePosixPath(entry.filename).stem, archive.read(entry)) for entry in entries]
    except _UNPACKING as error:
        raise LabelError(f"cannot be unpacked: {error}", path) from error


def _is_selection(name: str) -> bool:
    """Whether a file in a zip is a selection, by its name. A Mac packs a file ._x.roi beside
    x.roi, which holds no selection.
    """
    return name.lower().endswith(".roi") and not PurePosixPath(name).name.startswith("._")


def _recognises(path: Path, head: bytes) -> bool:
    if head.startswith(_ZIP):
        length = int.from_bytes(
            head[26:28], "little"
        )  # the name of the first entry: local file header, APPNOTE 4.3.7
        return head[30 : 30 + length].lower().endswith(b".roi")
    return head.startswith(_ROI)


READER = Reader(
    "imagej-roi",
    _TOOL,
    "center for points and lines, corner for areas and angles",
    _recognises,
    _read,
)
