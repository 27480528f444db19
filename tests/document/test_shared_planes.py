"""Documents of one source that are written together are those that are written one by one."""

from __future__ import annotations

import pytest
from kit.made_exports import GEOMETRIES

from sidecar.document.model import Zoom, as_text
from sidecar.document.shared_planes import SharedPlanes


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_text_and_digest_are_those_of_each_document(geometry: str) -> None:
    document = GEOMETRIES[geometry].sidecar().document
    shared = SharedPlanes(document)
    hostile = '", "planes": [], \\"planes\\":[] {"planes":[]}'
    others = [
        document,
        document.model_copy(update={"warnings": [hostile], "digest": None}),
        document.model_copy(update={"zoom": Zoom(label=hostile, source=(1.0, 2.5, 0.0))}),
    ]
    for other in others:
        assert shared.sealed(other) == other.sealed()
        assert shared.text(other) == as_text(other)
