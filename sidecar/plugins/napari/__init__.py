"""The plugin of napari: exports and their scans as layers, labels drawn on them as files, and what
was mapped in its place.

napari and qtpy are imported here only. `napari.yaml` tells napari what there is; `layers` reads,
`grid` says where a layer lies, `planes` gives pixels when they are asked for, `mapped` puts points
and segmentations over a layer, `drawn` takes the places of what was drawn, `saving` writes them,
`landmarks` and `panel` are the list of landmarks.

Axes have napari's order: slice, row, column of data, and z, y, x of millimetres, LPS.
"""
