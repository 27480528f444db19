"""Parse the image references of label files: the paths that they name, and the sizes that the file
states.

A reference is a file name, a path on the labelling machine, or a URL of the tool's server.
`sidecar.labels.identity.resolver` decides which PNG it means.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from sidecar.document.tag import (
    IMAGE_EXTENSIONS,
    TAG,
    composed,
    folded,
    image_key,
    split_name,
)
from sidecar.errors import LabelError
from sidecar.labels.copies import mark_after, mark_before, original_of
from sidecar.labels.model import PngStack

#: The prefix of uploaded files in Label Studio: eight hexadecimal digits and a dash.
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")
_SLICE_NAME = re.compile(r"(?=.*[^\W\d_])(?=.*\d\d)[\w.-]+")
#: The end of the name of a PNG in the name of a label file: no letter or digit may follow.
_END = r"(?![^\W_])"
_NUMBER_AND_TAG = re.compile(rf"_[0-9]{{4,}}(?:_{TAG}{_END})?{_END}", re.I)
#: File names of Label Studio's exports of brushes as PNG and NumPy. They name the task, not the
#: image.
_BRUSH_EXPORT = re.compile(r"task-\d+-annotation-\d+-.+\.(?:png|npy)", re.I)
_EXTENSION = re.compile(rf"\.(?:{'|'.join(sorted(IMAGE_EXTENSIONS))})\b", re.I)
#: Parameters of Label Studio's URLs that hold the path: of local and uploaded files, and of cloud
#: storage.
_PATHS, _PACKED = ("d", "filepath"), "fileuri"


def named_path(reference: str) -> str:
    """The path that a reference names, with forward slashes, and without the wrapping of a URL or
    of Label Studio.

    ``/data/local-files/?d=scans%2Fslice_0003.png`` → ``scans/slice_0003.png``
    ``https://host/png/slice%5F0003.png?X-Amz-Date=1`` → ``png/slice_0003.png``
    """
    text, parts = _address(reference)
    if "://" in text:
        return unquote(parts.path).lstrip("/")
    return unquote(parts.path) if text.startswith("/data/") else text


def host_and_query(reference: str) -> tuple[str, str]:
    """The host or bucket of a URL, and its query; "" for a path."""
    text, parts = _address(reference)
    return (parts.netloc, parts.query) if "://" in text else ("", "")


def _address(reference: str) -> tuple[str, SplitResult]:
    """The URL or path in a reference, whole and in parts. Label Studio may wrap it."""
    text = reference.strip().replace("\\", "/")
    parts = _split(text)
    query = parse_qs(parts.query)
    for key in _PATHS:
        if key in query:
            inner = query[key][0].replace("\\", "/").lstrip("/")
            return inner, _split(inner)
    return _address(_unpacked(query[_PACKED][0])) if _PACKED in query else (text, parts)


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # a plain name with brackets, as in an IPv6 address
        return SplitResult("", "", text, "", "")


def _unpacked(code: str) -> str:
    try:
        return base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return code


def names_image(reference: object) -> bool:
    """Whether a reference is the name or URL of an image, by its extension."""
    if not isinstance(reference, str):
        return False
    _, dot, extension = named_path(reference).rpartition(".")
    return bool(dot) and extension.lower() in IMAGE_EXTENSIONS


def looks_like_slice(name: str) -> bool:
    """Whether a name is probably the file name of one image of a sequence: it has letters and a
    number, and no characters that are rare in file names.
    """
    return _SLICE_NAME.fullmatch(original_of(composed(name))) is not None


def bare_key(reference: str) -> str:
    """The name alone: without folders, extension, case and the prefix of an upload.

    A copy with a tag has the name of its original, because a tag says enough.
    """
    key = without_upload_prefix(image_key(named_path(reference)))
    original = original_of(key)
    return original if _has_tag(original) else key


def is_name_of_copy(name: str) -> bool:
    """Whether a name is that of a second file of one name, which may be of another export."""
    key = bare_key(name)
    return original_of(key) != key


def _has_tag(key: str) -> bool:
    parts = split_name(key)
    return parts is not None and parts.tag is not None


def without_upload_prefix(name: str) -> str:
    """A file name without the prefix of Label Studio for uploaded files."""
    prefix = _UPLOAD_PREFIX.match(name)
    return name[prefix.end() :] if prefix else name


def other_export(name: str) -> str:
    """Advice for a message on a name that is not that of a PNG; "" for unknown names."""
    if is_name_of_copy(name):
        return (
            "; browsers and file managers give such a name to a second file of one name, which may"
            " be of another scan. If it surely is of a PNG of this export, give it the name of"
            " that PNG"
        )
    return export_of_brushes(name)


def export_of_brushes(name: str) -> str:
    """Advice for a message: what to export instead of a mask that Label Studio named after its
    task. "" for other names.
    """
    if not _BRUSH_EXPORT.fullmatch(named_path(name).rpartition("/")[2]):
        return ""
    return (
        "; Label Studio names exported masks after their task, not after their image. Export JSON"
        " from Label Studio: map-mask reads its brush strokes, and map-points reads all other"
        " labels"
    )


def one_image(reference: str) -> str:
    """A key that references to the same image share: the name alone if it has a tag, otherwise the
    whole path without ``./`` and extension, `folded`.
    """
    key = bare_key(reference)
    name = split_name(key)
    if name is not None and name.tag is not None:
        return key
    path = named_path(reference)
    folders = [part for part in folded(path).split("/")[:-1] if part not in ("", ".")]
    return "/".join([*folders, image_key(path)])


def is_png_name(name: str, stack: PngStack) -> bool:
    """Whether a name without folders is that of a PNG of this stack, or has the form of PNGs of any
    export, or is that of a copy of such a PNG.

    A name without a tag must begin like those of this stack.
    """
    key = image_key(name)
    original = original_of(key)
    is_copy = original != key and not original.isdecimal()
    return _is_png_key(key, stack) or (is_copy and _is_png_key(original, stack))


def _is_png_key(key: str, stack: PngStack) -> bool:
    parts = split_name(key)
    return key in stack.numbers or (
        parts is not None and (parts.tag is not None or parts.stem in stack.stems)
    )


def png_in_name(path: Path, stack: PngStack) -> str | None:
    """The longest name of a PNG, of this export or another, that the name of the label file begins
    with. None where there is none.

    If the label file is a second one of its name, so is the PNG, unless it has a tag.
    """
    own, numbers = composed(path.name), stack.numbers
    start, before = _png_at_start(own, stack), ""
    if not start:
        before = mark_before(own)
        start = _png_at_start(own[len(before) :], stack)
    if not start:
        return None
    end = len(before) + len(start)
    extension = _EXTENSION.match(own, end)
    mark = mark_after(own.removesuffix(path.suffix), extension.end() if extension else end)
    if (before or mark) and not _has_tag(folded(start)):
        return before + start + mark
    return stack.names[numbers[folded(start)]] if folded(start) in numbers else start


def _png_at_start(name: str, stack: PngStack) -> str:
    """The longest name of a PNG that a name begins with, or ""."""
    ends = (end for end in range(len(name), 0, -1) if not _goes_on(name[end : end + 1]))
    known = next((name[:end] for end in ends if folded(name[:end]) in stack.numbers), "")
    named = (name[: match.end()] for match in _NUMBER_AND_TAG.finditer(name))
    other = max(
        (part for part in named if _is_png_key(image_key(part), stack)), key=len, default=""
    )
    return max(known, other, key=len)


def _goes_on(after: str) -> bool:
    """Whether a name goes on with this character: a letter, a digit, or the accent of a letter."""
    return after.isalnum() or any(map(unicodedata.combining, after))


def png_against_slices(path: Path, stack: PngStack) -> str:
    """The PNG in the name of a label file that counts slices, for comparison by the resolver.

    "" where there is none, or where it is the first PNG, because programs name a whole stack after
    it.
    """
    own = png_in_name(path, stack) or ""
    return "" if original_of(image_key(own)) in map(image_key, stack.names[:1]) else own


def refuse_other_first_png(path: Path, stack: PngStack) -> None:
    """LabelError where a label file that counts slices has the name of a PNG that is not the first:
    the program named its stack after the first PNG that it opened.
    """
    own = png_against_slices(path, stack)
    if own and original_of(image_key(own)) not in stack.numbers:
        raise LabelError(
            f"has slice numbers, but the name of the file is that of {own}, a PNG of another"
            " export; give the sidecar.json of that export with --sidecar",
            path,
        )
    if own:
        raise LabelError(
            f"has slice numbers, but the name of the file is that of {own}, which is not the first"
            " PNG. Was only a part of the stack opened, or in another order? Open all PNGs in"
            " order; if they were opened so, rename the file",
            path,
        )


def matches(reference: str, entry: str, pattern: str) -> bool:
    """Whether the path of a reference, or the end of it, matches a shell pattern; case does not
    matter.

    The pattern may also match the ``entry`` that tells images apart, such as "task 40 (beetle-7)".
    """
    name, sought = folded(named_path(reference)), folded(pattern.replace("\\", "/"))
    return (
        fnmatchcase(name, sought)
        or fnmatchcase(name, f"*/{sought}")
        or fnmatchcase(folded(entry), sought)
    )


def stated_sizes(
    path: Path, sizes: Iterable[tuple[str, tuple[int, int]]]
) -> dict[str, tuple[int, int]]:
    """The size that the file states for each image.

    LabelError where it states two sizes for one name: then two images have the same name.
    """
    known: dict[str, tuple[int, int]] = {}
    for image, size in sizes:
        if known.setdefault(image, size) != size:
            (width, height), (other_width, other_height) = known[image], size
            raise LabelError(
                f"states two sizes for {image!r}, {width} × {height} and {other_width} ×"
                f" {other_height}, so two images have this name; map the labels of each image"
                " separately",
                path,
            )
    return known


def refuse_two_images(path: Path, inner: Iterable[str], stack: PngStack) -> None:
    """LabelError where the name of a label file of one image begins with that of one PNG, and
    another is named inside: a copy of the file, or an image, was renamed.
    """
    stem = path.stem if is_png_name(bare_key(path.stem), stack) else png_in_name(path, stack) or ""
    named = [name for name in (stem, *inner) if is_png_name(bare_key(name), stack)]
    for first, second in pairwise(named):
        if not name_one_png(first, second):
            raise LabelError(
                f"has labels of one image, but gives it two names: {first!r} and {second!r};"
                " rename the file, or correct the name in it",
                path,
            )


def name_one_png(name: str, other: str) -> bool:
    """Whether two names may belong to one PNG: one with its tag and one without, or both with the
    same tag but different stems. A copy may belong to the PNG of its original.
    """
    key, other = original_of(bare_key(name)), original_of(bare_key(other))
    a, b = split_name(key), split_name(other)
    if a is None or b is None:
        return key == other
    same_export = a.stem == b.stem if None in (a.tag, b.tag) else a.tag == b.tag
    return same_export and a.number == b.number
