"""Is a file still the one whose header was read? This is checked again when its pixels are read."""

from __future__ import annotations

from sidecar.dicom.pixels.layout import FrameLocator
from sidecar.dicom.pixels.pixel_file import PixelFile, header_of
from sidecar.errors import PixelError
from sidecar.storage.location import Location

CHANGED = "the file is no longer the one whose header was read; run the command again"

#: Characters with which a longer UID continues, before or after.
_GOES_ON = frozenset(bytes([byte]) for byte in b"0123456789.")
#: Bytes at the start of a file that contain its SOP Instance UID, in the meta information or among
#: the first attributes.
_HEAD = 1 << 10


def require_unchanged(path: Location, frame: FrameLocator) -> None:
    """PixelError where a file has another size or time than when its header was read, or has become
    another SOP instance.

    A file that replaces another may have the same size and time. So the SOP Instance UID is
    compared too. Behind a URL, where reading it would be a request, the ETag alone decides; it
    changes with the content.

    OSError where the file cannot be read.
    """
    if frame.stamp is None:
        return
    if path.recent_stamp() != frame.stamp:
        raise PixelError(CHANGED)
    is_time = isinstance(frame.stamp[1], int)
    if is_time and frame.instance and not _holds(path, frame):
        raise PixelError(CHANGED)


def _holds(path: Location, frame: FrameLocator) -> bool:
    """Whether the file states that it is the instance of the frame."""
    with path.ranges(_HEAD) as file:
        if _names(file.read(0, _HEAD), frame.instance.encode("ascii", "replace")):
            return True
    source = PixelFile.of(path, frame)
    with source.open() as file:
        header = header_of(source, file, "SOPInstanceUID")
    return str(header.get("SOPInstanceUID", "")).strip("\0 ") == frame.instance


def _names(head: bytes, uid: bytes) -> bool:
    """Whether a UID stands in ``head`` whole, not as a part of a longer one."""
    at = head.find(uid)
    while at >= 0:
        end = at + len(uid)
        if head[max(at - 1, 0) : at] not in _GOES_ON and head[end : end + 1] not in _GOES_ON:
            return True
        at = head.find(uid, at + 1)
    return False
