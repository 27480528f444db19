"""Locations from what users write: a path on this machine, or an fsspec URL such as
``s3://bucket/scan``.
"""

from __future__ import annotations

import os
import re

from sidecar.errors import MissingExtraError, UsageError
from sidecar.storage.local import Local
from sidecar.storage.location import WritableLocation

#: A place, as users of the library may state it.
Place = str | os.PathLike[str] | WritableLocation

#: The addresses of DICOMweb services (PS3.18 8.2), which have no files to read by name.
_DICOMWEB = re.compile(
    r"https?://[^?]*(/dicom-?web(/|$|\?)|/(studies|series|instances)/\d+(\.\d+)+(/|$|\?))", re.I
)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # at least two characters: C:// is a drive


def is_url(text: object) -> bool:
    return isinstance(text, str) and _URL.match(text) is not None


def locate(place: Place) -> WritableLocation:
    """The location of a path or URL. A location is returned unchanged.

    The storage is not accessed. fsspec is imported for URLs only.

    Raises MissingExtraError where the packages for URLs are not installed. UsageError for an
    unknown kind of URL, and for the URL of a DICOMweb service, which has no files.
    """
    if not isinstance(place, str | os.PathLike):
        return place
    match = _URL.match(place) if isinstance(place, str) else None
    if match is None:
        return Local.at(place)
    scheme = match[1].lower()
    if scheme in ("file", "local"):
        return Local.at(str(place)[match.end() :])
    return _remote(str(place), scheme)


def _remote(url: str, scheme: str) -> WritableLocation:
    if _DICOMWEB.match(url):
        raise UsageError(
            "this is the address of a DICOMweb service, which does not give files by their names:"
            " download the study as a zip or a folder, in the viewer or archive that it belongs"
            " to, and give that"
        )
    try:
        from sidecar.storage.object_store import Remote

        return Remote.at(url)
    except ImportError:
        raise MissingExtraError(f"{scheme}://", "cloud") from None
    except ValueError:
        raise UsageError(
            f"{scheme}:// is not a kind of address that this program can read or write, or nothing"
            " follows it"
        ) from None
