"""Compute the facts of a stack once for all exports that are planned from it. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cached_property
from typing import Any

from sidecar.dicom.headers.frame import Frame
from sidecar.dicom.stacks.series import Series
from sidecar.document.agreement import SourcePlanes
from sidecar.document.build import source_model
from sidecar.document.model import Document, Source
from sidecar.document.shared_planes import SharedPlanes
from sidecar.document.tag import planes_json, tag_of
from sidecar.grid.decimation import Decimation
from sidecar.mapping import Sidecar
from sidecar.storage.location import WritableLocation


class SourceFacts:
    """The facts of ``series`` that need all of its frames."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self._written: SharedPlanes | None = None
        self._checked: SourcePlanes | None = None

    @cached_property
    def model(self) -> Source:
        """The source, as in the documents."""
        return source_model(self.series)

    def tag(self, decimation: Decimation) -> str:
        """The tag of PNGs that are made from it with these axes."""
        return tag_of(self.series.common.series_instance_uid, self._planes, decimation)

    @cached_property
    def _planes(self) -> str:
        return planes_json(
            (frame.sop_instance_uid, frame.frame_number) for frame in self.series.frames
        )

    @cached_property
    def digest(self) -> str:
        """A digest of the facts of the headers and of the sizes of the files.

        It includes no times, and only those file names that the document has. It includes a voxel
        size given by hand.
        """
        frames, stack = self.series.frames, self.series.stack
        numbers = {common: n for n, common in enumerate(dict.fromkeys(f.common for f in frames))}
        shared = [asdict(common) for common in numbers]
        for common in shared:
            del common["description"]  # free text, which may name somebody
            del common["patient"]  # another number in every run of the program
        items: list[Any] = [shared, [(numbers[f.common], *_of_frame(f)) for f in frames]]
        if stack is not None and stack.geometry == "given":
            items += [stack.pixel_spacing, stack.positions.tolist()]
        return sha256_of(items)

    @cached_property
    def times(self) -> str:
        """A digest of when each file was changed."""
        return sha256_of({file: changed for file, (_, changed) in self.series.stamps.items()})

    def sidecar(self, document: Document) -> Sidecar:
        """The mapping of a document of this source, which has its digest then. DocumentError as of
        `Sidecar.of`.
        """
        made = Sidecar.of(self._shared(document).sealed(document), self._checked)
        self._checked = SourcePlanes(made.stack, self._planes)
        return made

    def save(self, document: Document, place: WritableLocation) -> None:
        """Write a document of this source, whole or not at all. OutputError where it cannot be
        written.
        """
        place.put(self._shared(document).encoded(document))

    def _shared(self, document: Document) -> SharedPlanes:
        if self._written is None:
            self._written = SharedPlanes(document)
        return self._written


def _of_frame(frame: Frame) -> tuple[object, ...]:
    size, _ = frame.stamp
    return (
        (frame.file, size, frame.frame, frame.sop_instance_uid, frame.instance_number),
        (frame.position, frame.orientation, frame.rescale, frame.window, frame.real_world),
    )


def sha256_of(facts: object) -> str:
    """The digest of facts as JSON."""
    text = json.dumps(facts, sort_keys=True, default=bytes.hex)
    return hashlib.sha256(text.encode()).hexdigest()
