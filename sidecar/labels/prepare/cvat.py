"""CVAT: write the labels of a task. The label editor takes them under *Raw*, and the command line
with ``--labels``.

The user uploads the images; CVAT keeps their names. Source: cvat-ai/cvat,
cvat-ui/src/components/labels-editor/raw-viewer.tsx and common.ts (what is refused), cvat-sdk,
PatchedLabelRequest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sidecar.errors import LabelError, UsageError
from sidecar.mapping import Sidecar

LABELS = "labels.json"
#: Most characters in the name of a label in CVAT.
LONGEST = 64


def files(png: Sidecar, names: Sequence[str], images_at: str | None) -> Mapping[str, bytes]:
    """The content of the file: one label for points for each name."""
    if images_at is not None:
        raise UsageError(
            "--images-at is for Label Studio; images for CVAT are uploaded, so leave the option out"
        )
    for name in names:
        if len(name) > LONGEST:
            raise LabelError(
                f"{name} has {len(name)} characters, but a label of CVAT can have {LONGEST} at"
                " most; choose a shorter name"
            )
    labels = ",\n".join(map(_label, names))
    return {LABELS: f"[\n{labels}\n]\n".encode()}


def _label(name: str) -> str:
    # the editor removes a comma before a closing brace, also inside names
    shown = json.dumps(name, ensure_ascii=False).replace("}", "\\u007d")
    return f'  {{"name": {shown}, "type": "points", "attributes": []}}'
