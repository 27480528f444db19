"""The plugin for napari: open exports and their scans as layers, save labels drawn on them, and
show mapped labels at their places.

Only this package imports napari and qtpy. `napari.yaml` tells napari what the plugin has. `layers`
reads files. `grid` says where a layer lies. `planes` reads pixels when they are needed. `mapped`
shows points and segmentations over a layer. `drawn` finds the places of drawn labels, and `saving`
writes them. `landmarks` and `panel` are the list of landmarks.

Axes have napari's order: slice, row, column of data, and z, y, x of millimetres, LPS.
"""
