"""CVAT: the labels of a task, as its editor of labels takes them under *Raw*, and its command line
with ``--labels``.

Images are uploaded; CVAT keeps their names. Source: cvat-ai/cvat,
cvat-ui/src/components/labels-editor/raw-viewer.tsx and common.ts (what is refused), cvat-sdk,
PatchedLabelRequest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sidecar.errors import LabelError, UsageError
from sidecar.mapping import Sidecar

LABELS = "labels.json"
#: Characters of a label's name that CVAT has room for.
LONGEST = 64


def files(png: Sidecar, names: Sequence[str], images_at: str | None) -> Mapping[str, bytes]:
    """What the file holds: a label for points for each name."""
    if images_at is not None:
        raise UsageError("CVAT takes images by upload, so that --images-at says nothing to it")
    for name in names:
        if len(name) > LONGEST:
            raise LabelError(
                f"{name} has {len(name)} characters, and labels of CVAT {LONGEST} at most"
            )
    labels = ",\n".join(map(_label, names))
    return {LABELS: f"[\n{labels}\n]\n".encode()}


def _label(name: str) -> str:
    # the editor takes a comma before a closing brace away, in names too
    shown = json.dumps(name, ensure_ascii=False).replace("}", "\\u007d")
    return f'  {{"name": {shown}, "type": "points", "attributes": []}}'
