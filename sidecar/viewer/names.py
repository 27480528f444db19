"""What the page, its images and its labels are called."""

from __future__ import annotations

import re

#: The folder in which `sidecar view` puts what browsers can show of a 16-bit stack.
VIEWER_IMAGES = "viewer_images"


VIEWER_NAME = "viewer.html"
#: The page of all stacks around landmarks that one `sidecar zoom` made.
ZOOMS_PAGE = "zooms.html"

#: What `sidecar label` saves into the folder of an export.
LABELS_NAME = "labels.csv"

#: The folder, beside it, of what `sidecar label` keeps: earlier versions of `LABELS_NAME`, the lock
#: under which it is written, and the port that the folder was served at.
KEPT_FOLDER = ".labels"
LOCK_NAME = "lock"
PORT_NAME = "port"

#: Earlier versions, by number. Their ending is none of a label file, so that no reader takes them.
_VERSION = re.compile(r"labels-([0-9]{4,9})\.csv\.old")


def version_name(number: int) -> str:
    """What an earlier version of the labels is called."""
    return f"labels-{number:04d}.csv.old"


def version_number(name: str) -> int | None:
    """The number of an earlier version of the labels; None for any other file."""
    found = _VERSION.fullmatch(name)
    return found and int(found[1])
