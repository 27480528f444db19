"""Describe in words what an export writes."""

from __future__ import annotations

from typing import Any

from sidecar.errors import counted
from sidecar.exporting.job import Job, has_page


def describe_plan(planned: dict[str, Any]) -> str:
    """One line that says what an export writes."""
    columns, rows, slices = planned["size"]
    axes = [planned["decimation"][name] for name in planned["order"]]
    factors = " × ".join(f"1/{axis['factor']:.6g}" if axis["factor"] != 1 else "1" for axis in axes)
    colour = " RGB" if planned["channels"] == 3 else ""
    size = f"{int(planned['bytes']) / 1e6:,.1f} MB"
    scratch = (
        f"; a scratch file of {planned['scratch_bytes'] / 1e6:,.1f} MB until they are written"
        if planned["scratch_bytes"]
        else ""
    )
    return (
        f"{counted(slices, 'PNG')} of {columns} × {rows}, {planned['bits']}-bit{colour}, scale"
        f" {factors}, {size} before compression{scratch}"
    )


def notes_on_display(job: Job) -> list[str]:
    """Notes on how 16-bit PNGs look in other programs, and how to get a page for them."""
    if job.plan.bits == 8:
        return []
    notes = [
        "browsers, Label Studio, make-sense and VIA show only the upper 8 of 16 bits, which is"
        " nearly black for most scans. LabelMe shows such PNGs white, or refuses them. ImageJ, Fiji"
        " and napari show them in full"
    ]
    if job.plan.options.viewer and not has_page(job):
        copies = job.plan.channels == 1 and job.output.local is not None
        way = "'sidecar view' writes one, with copies that they show in full; or " if copies else ""
        notes.append(
            f"no viewer page, because browsers do not show 16 bits: {way}export with --bits 8"
        )
    return notes
