"""What a label file says of its images: the paths that references name, and the sizes stated.

A reference is a file name, a path of the labelling machine, or a URL of the tool's server. Which
PNG it means is not decided here (see `sidecar.labels.identity`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from sidecar.errors import LabelError
from sidecar.labels.model import PngStack
from sidecar.mapping import IMAGE_EXTENSIONS, image_key

#: What Label Studio puts before the name of an uploaded file: eight hexadecimal digits and a dash.
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")
#: Parameters of Label Studio's own URLs that hold the path: of local files, and of cloud storage.
_PATH, _PACKED = "d", "fileuri"


def named_path(reference: str) -> str:
    """The path that a reference names, with forward slashes: the way in which a URL or one of Label
    Studio's forms wraps it is taken off.

    ``/data/local-files/?d=scans%2Fslice_0003.png`` → ``scans/slice_0003.png``
    ``https://host/png/slice%5F0003.png?X-Amz-Date=1`` → ``png/slice_0003.png``
    """
    text = reference.strip().replace("\\", "/")
    try:
        parts = urlsplit(text)
        query = parse_qs(parts.query)
    except ValueError:  # brackets as of an IPv6 address, in a plain name
        return text
    if _PATH in query:
        return query[_PATH][0].lstrip("/")
    if _PACKED in query:
        return named_path(_unpacked(query[_PACKED][0]))
    if parts.netloc and "://" in text:
        return unquote(parts.path).lstrip("/")
    if text.startswith("/data/"):
        return unquote(parts.path)
    return text


def _unpacked(code: str) -> str:
    try:
        return base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return code


def names_image(reference: object) -> bool:
    """Whether it is the name or URL of an image, by its extension."""
    if not isinstance(reference, str):
        return False
    _, dot, extension = named_path(reference).rpartition(".")
    return bool(dot) and extension.lower() in IMAGE_EXTENSIONS


def bare_key(reference: str) -> str:
    """The name alone: without folders, extension, case and the prefix of an upload."""
    key = image_key(named_path(reference))
    prefix = _UPLOAD_PREFIX.match(key)
    return key[prefix.end() :] if prefix else key


def stated_sizes(
    path: Path, sizes: Iterable[tuple[str, tuple[int, int]]]
) -> dict[str, tuple[int, int]]:
    """The size that the file states for each image.

    LabelError where it states two for one: then two images have one name.
    """
    known: dict[str, tuple[int, int]] = {}
    for image, size in sizes:
        if known.setdefault(image, size) != size:
            (width, height), (other_width, other_height) = known[image], size
            raise LabelError(
                f"states two sizes for {image!r}, {width} × {height} and {other_width} ×"
                f" {other_height}: two images have that name; map the labels of each on their own",
                path,
            )
    return known


def refuse_two_images(path: Path, inner: Iterable[str], stack: PngStack) -> None:
    """LabelError where a label file of one image is named after one PNG, and what it names inside
    is another: a copy of the file was renamed, or an image was.
    """
    pngs = {image_key(name) for name in stack.names}
    named = {key: name for name in (path.stem, *inner) if (key := bare_key(name)) in pngs}
    if len(named) > 1:
        first, second, *_ = named.values()
        raise LabelError(
            f"has labels of one image, and two names for it: {first!r} and {second!r}; rename the"
            " file, or correct the name in it",
            path,
        )
