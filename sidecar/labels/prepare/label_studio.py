"""Label Studio: write a file of tasks, one for each PNG, and the set-up of the labelling page.

A task names its image by a URL that the browser opens: of local files of the server
(``/data/local-files/?d=``, relative to its document root), of a web server, or of cloud storage.
Source: labelstud.io, guide/tasks, guide/storage, tags/image, tags/label.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from sidecar.errors import LabelError
from sidecar.mapping import Sidecar

TASKS, SETUP = "tasks.json", "labelling-setup.xml"
_LOCAL = "/data/local-files/?d="


def files(png: Sidecar, names: Sequence[str], images_at: str | None) -> Mapping[str, bytes]:
    """The content of the two files.

    ``images_at``: without it, the folder of the PNGs must lie in the document root of the server.
    """
    before = images_at if images_at is not None else f"{_LOCAL}{quote(_folder_name(png))}/"
    images = [image.name for image in png.document.images.files]
    tasks = [{"data": {"image": before + quote(name), "slice": k}} for k, name in enumerate(images)]
    lines = ",\n".join(json.dumps(task) for task in tasks)
    return {TASKS: f"[\n{lines}\n]\n".encode(), SETUP: _setup(names).encode()}


def _setup(names: Sequence[str]) -> str:
    """The set-up of the labelling page.

    It has no buttons that rotate the image, because positions would be on the rotated image.
    Without ``model_index``, Label Studio refuses to export keypoints as COCO.
    """
    for name in names:
        if "$" in name:
            raise LabelError(
                f"{name}: Label Studio replaces words with $ by fields of the task; choose a name"
                " without $"
            )
    labels = "".join(
        f'    <Label value={quoteattr(name)} model_index="{n}"/>\n' for n, name in enumerate(names)
    )
    return (
        "<View>\n"
        '  <Image name="image" value="$image" zoom="true" zoomControl="true" rotateControl="false"'
        ' brightnessControl="true" contrastControl="true"/>\n'
        '  <KeyPointLabels name="landmark" toName="image">\n'
        f"{labels}"
        "  </KeyPointLabels>\n"
        "</View>\n"
    )


def _folder_name(png: Sidecar) -> str:
    return "" if png.folder is None else png.folder.resolved().name
