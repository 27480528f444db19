"""Every target by its name: a target for each label reader, mask reader, header reader, decoder and
parser of documents.
"""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets import decoders, documents, headers, labels, masks

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *labels.TARGETS,
        *masks.TARGETS,
        *headers.TARGETS,
        *decoders.TARGETS,
        *documents.TARGETS,
    )
}
