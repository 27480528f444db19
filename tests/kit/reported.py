"""Sidecars of stacks that are not simple, without files."""

from __future__ import annotations

from typing import Any

from kit.viewed_exports import Export, turned

from sidecar.grid.axis import Axis
from sidecar.grid.decimation import Decimation
from sidecar.mapping import Sidecar


def oblique_sidecar(**changes: Any) -> Sidecar:
    """40 × 36 × 9 source voxels, oblique, tilted, with uneven gaps, at half size."""
    export = Export(
        columns=Axis.blocks(0, 40, 2, "mean"),
        rows=Axis.blocks(0, 36, 2, "mean"),
        source_size=(40, 36, 9),
        pixel_spacing=(0.5, 0.4),
        **{
            "orientation": turned(17, -23, 8),
            "heights": (0, 0.8, 1.6, 2.4, 3.1, 4.4, 5.2, 6.0, 6.8),
            "drift": 0.2,
            **changes,
        },
    )
    decimation = Decimation(export.columns, export.rows, export.slices)
    return Sidecar.of(
        export.document(decimation, tuple(f"slice_{i:04d}.png" for i in range(9)), ["0" * 64] * 9)
    )
