"""Documents of one source that are written together are those that are written one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kit.made_exports import GEOMETRIES

from sidecar.document.model import Zoom
from sidecar.document.shared_planes import SharedPlanes
from sidecar.document.writing import as_text, sealed


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_text_and_digest_are_those_of_each_document(geometry: str) -> None:
    document = GEOMETRIES[geometry].sidecar().document
    shared = SharedPlanes(document)
    hostile = '", "planes": [], \\"planes\\":[] {"planes":[]}'
    others = [
        document,
        replace(document, warnings=[hostile], digest=None),
        replace(document, zoom=Zoom(label=hostile, source=(1.0, 2.5, 0.0))),
    ]
    for other in others:
        assert shared.sealed(other) == sealed(other)
        assert shared.encoded(other).decode() == as_text(other)
