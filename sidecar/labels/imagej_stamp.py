"""Write and read the stack that our own ImageJ selections belong to. Pure.

The stack is a property of the selection (``key: value``, ij/gui/Roi.java). ImageJ keeps it when it
saves the selection again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from sidecar.document.tag import TAG

#: Which stack is open in ImageJ: the PNGs, or the DICOM files of the source.
Over = Literal["png", "source"]

_STAMP = re.compile(rf"^sidecar: over (png|source)(?: tag ({TAG}))? series (\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The stack of a selection: its kind, the tag of the export (None where it has none), and the
    series.
    """

    over: Over
    tag: str | None
    series_uid: str

    def __str__(self) -> str:
        tag = f" tag {self.tag}" if self.tag else ""
        return f"sidecar: over {self.over}{tag} series {self.series_uid}\n"

    @classmethod
    def read(cls, properties: str | None) -> Stamp | None:
        """The stamp among the properties of a selection; None where there is none."""
        found = _STAMP.search(properties or "")
        return None if found is None else cls(cast(Over, found[1]), found[2], found[3])
