"""Every command as a function, and the types that these functions return.

`sidecar` exports the public names. Each function loads the modules that it needs when it is called.
"""

from __future__ import annotations

from sidecar.api.labelling import label
from sidecar.api.labels import map_file, map_mask, map_points, project, project_file, report, zoom
from sidecar.api.measures import align, align_group, measure, measure_repeats
from sidecar.api.programs import integrations, prepare
from sidecar.api.scans import adopt, check, export, inspect, open, view

__all__ = [
    "adopt",
    "align",
    "align_group",
    "check",
    "export",
    "inspect",
    "integrations",
    "label",
    "map_file",
    "map_mask",
    "map_points",
    "measure",
    "measure_repeats",
    "open",
    "prepare",
    "project",
    "project_file",
    "report",
    "view",
    "zoom",
]
