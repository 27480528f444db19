"""What follows from the planes of a source, and serves every document of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kit.phantoms import Spec, write

import sidecar
from sidecar.dicom.source import Source
from sidecar.errors import DocumentError
from sidecar.exporting.source_facts import SourceFacts


def test_each_document_is_checked_and_only_the_first_makes_a_stack(tmp_path: Path) -> None:
    write(Spec(), tmp_path / "scan")
    exports = [
        sidecar.export(tmp_path / "scan", tmp_path / str(scale), scale=scale).document
        for scale in (0.5, 0.25)
    ]
    facts = SourceFacts(Source.open(tmp_path / "scan").series[0])
    wrong = replace(exports[0], units="pixel")
    with pytest.raises(DocumentError, match="geometry is patient, but"):
        facts.sidecar(wrong)
    made = [facts.sidecar(document) for document in exports]
    assert [one.document for one in made] == exports
    assert made[0].stack is made[1].stack
    other = replace(exports[1].images, tag=exports[0].images.tag)
    with pytest.raises(DocumentError, match="planes and decimation give the tag"):
        facts.sidecar(replace(exports[1], images=other))
