"""A hand at napari: it opens files, clicks where bright things are on the canvas, and saves by the
program's own writers or by those of the plugin.

It runs in napari's environment: `napari_hand.py PLAN.json`. A plan is a job, one of the functions
here, with its keywords. The answer, or the error that it met, is a file of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import napari
import numpy as np
from eyes import Things
from qtpy import QtCore
from qtpy.QtTest import QTest

#: What the screen needs to show what was done, in milliseconds.
WAIT = 60
LEFT = QtCore.Qt.LeftButton
PLUGIN = "dicom-sidecar"


class Hand:
    """What a person does at the window."""

    def __init__(self, picture: str) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1000, 740)
        self.canvas = self.viewer.window._qt_viewer.canvas.native
        self._picture = picture
        QTest.qWait(10 * WAIT)

    def button(self, name: str) -> None:
        """One of those above the list of layers."""
        getattr(self.viewer.window._qt_viewer.layerButtons, name).click()
        QTest.qWait(WAIT)

    def go_to(self, number: int) -> Things:
        """A slice, by the slider; what is on it."""
        self.viewer.dims.set_current_step(0, number)
        self.viewer.reset_view()
        QTest.qWait(5 * WAIT)
        napari.utils.io.imsave(self._picture, self.viewer.screenshot(canvas_only=True, flash=False))
        return Things(self._picture)

    def click(self, place: tuple[float, float], *, twice: bool = False) -> None:
        at = QtCore.QPoint(*(int(n) for n in place))
        QTest.mouseMove(self.canvas, at)
        QTest.qWait(WAIT)
        QTest.mouseClick(self.canvas, LEFT, QtCore.Qt.NoModifier, at)
        if twice:
            QTest.mouseDClick(self.canvas, LEFT, QtCore.Qt.NoModifier, at)
        QTest.qWait(WAIT)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        first, last = (QtCore.QPoint(*(int(n) for n in place)) for place in (start, end))
        QTest.mouseMove(self.canvas, first)
        QTest.qWait(WAIT)
        QTest.mousePress(self.canvas, LEFT, QtCore.Qt.NoModifier, first)
        for at in ((first + last) / 2, last):
            QTest.mouseMove(self.canvas, at)
            QTest.qWait(WAIT)
        QTest.mouseRelease(self.canvas, LEFT, QtCore.Qt.NoModifier, last)
        QTest.qWait(WAIT)

    def points(self, clicks: list[list[Any]]) -> None:
        """Points on slices: [slice, place] each, on the selected layer."""
        layer = self.viewer.layers.selection.active
        for number, name in clicks:
            layer.visible = False
            things = self.go_to(number)
            layer.visible = True
            layer.mode = "add"
            self.click(things.place(name))


def stack(hand: Hand, pngs: list[str], slices: list[int], save: str) -> dict[str, Any]:
    """Without the plugin: the PNGs as a stack, points, shapes and labels drawn on it, all saved by
    napari's own writers into a folder. ``slices``: where the dots, the block and the disc are.
    """
    viewer = hand.viewer
    on_dots, on_block, on_disc = slices
    viewer.open(pngs, stack=True, plugin="napari")
    hand.button("newPointsButton")
    hand.points([[on_dots, "0 middle"], [on_dots, "1 middle"], [on_block, "0 middle"]])
    viewer.layers.selection.active.save(f"{save}/points.csv", plugin="napari")
    viewer.layers.selection.active.visible = False

    dots, block, disc = (hand.go_to(number) for number in slices)
    hand.button("newShapesButton")
    shapes = viewer.layers.selection.active
    hand.go_to(on_dots)
    shapes.mode = "add_line"
    hand.drag(dots.place("0 middle"), dots.place("1 middle"))
    shapes.mode = "add_polyline"
    for name in ("0 middle", "1 middle"):
        hand.click(dots.place(name))
    hand.click(dots.place("1 right top"), twice=True)
    hand.go_to(on_block)
    shapes.mode = "add_rectangle"
    hand.drag(block.place("0 left top"), block.place("0 right bottom"))
    shapes.mode = "add_polygon"
    for name in ("0 left top", "0 right top", "0 right bottom"):
        hand.click(block.place(name))
    hand.click(block.place("0 left bottom"), twice=True)
    hand.go_to(on_disc)
    shapes.mode = "add_ellipse"
    hand.drag(disc.place("0 left top"), disc.place("0 right bottom"))
    shapes.save(f"{save}/shapes.csv", plugin="napari")
    shapes.visible = False

    viewer.layers.selection.active = viewer.layers[0]
    hand.button("newLabelsButton")
    painted = viewer.layers.selection.active
    painted.brush_size = 1
    for label, name in ((1, "0 middle"), (2, "1 middle")):
        painted.selected_label = label
        painted.mode = "paint"
        hand.go_to(on_dots)
        hand.click(dots.place(name))
    painted.save(f"{save}/painted.tif", plugin="napari")
    return {"shapes": list(shapes.shape_type)}


def export(
    hand: Hand, path: str, names: str, clicks: list[list[Any]], labels: str, mapped: list[str]
) -> dict[str, Any]:
    """With the plugin: an export, its landmarks panel with names, clicks, labels saved and mapped;
    each name goes to one click.
    """
    viewer = hand.viewer
    (image,) = viewer.open(path, plugin=PLUGIN)
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Landmarks")
    panel.add_names(Path(names))
    before = panel.next.text()
    hand.points(clicks)
    panel.save(Path(labels), mapped=False)
    for output in mapped:
        panel.save(Path(output), mapped=True)
    told = _pointer(hand, panel, clicks[0])
    return {**_described(image), "before": before, "after": panel.next.text(), "pointer": told}


def _pointer(hand: Hand, panel: Any, click: list[Any]) -> str:
    """What the panel says while the pointer is where a click was."""
    panel.layer.visible = False
    things = hand.go_to(click[0])
    at = QtCore.QPoint(*(int(n) for n in things.place(click[1])))
    QTest.mouseMove(hand.canvas, QtCore.QPoint(5, 5))
    QTest.qWait(WAIT)
    QTest.mouseMove(hand.canvas, at)
    QTest.qWait(3 * WAIT)
    return str(panel.place.text())


def own_layers(hand: Hand, path: str, clicks: list[list[Any]], save: str) -> dict[str, Any]:
    """With the plugin, but on layers of napari's own buttons, saved by the plugin's writers: a
    points layer, which has a scale and no place, and a labels layer.
    """
    viewer = hand.viewer
    (image,) = viewer.open(path, plugin=PLUGIN)
    hand.button("newPointsButton")
    hand.points(clicks)
    points = viewer.layers.selection.active
    points.save(f"{save}/own.csv", plugin=PLUGIN)
    points.visible = False
    viewer.layers.selection.active = image
    hand.button("newLabelsButton")
    painted = viewer.layers.selection.active
    painted.mode, painted.brush_size = "paint", 1
    for number, name in clicks:
        painted.visible = False
        things = hand.go_to(number)
        painted.visible = True
        hand.click(things.place(name))
    painted.save(f"{save}/own.seg.nrrd", plugin=PLUGIN)
    scale = [float(n) for n in points.scale]
    return {**_described(image), "points scale": scale}


def over(hand: Hand, path: str, mapped: list[str]) -> dict[str, Any]:
    """A scan or an export, and what was mapped over it: world places of points and of segments,
    backwards as x, y, z, and whether the image is bright there.
    """
    viewer = hand.viewer
    (image,) = viewer.open(path, plugin=PLUGIN)
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "Landmarks")
    found = []
    for file in mapped:
        viewer.layers.selection.active = image
        panel.open(Path(file)) if file.endswith(".csv") else viewer.open(file, plugin=PLUGIN)
        layer = viewer.layers[-1]
        data = layer.data if layer._type_string == "points" else np.argwhere(layer.data)
        places = [layer.data_to_world(place) for place in data]
        below = [image.get_value(place, world=True) for place in places]
        found.append(
            {
                "kind": layer._type_string,
                "world": [[float(n) for n in place[::-1]] for place in places],
                "bright": [float(value) for value in below],
            }
        )
    return {**_described(image), "layers": found}


def refused(hand: Hand, path: str, plugin: str) -> dict[str, Any]:
    """What must not open, or not be shown."""
    (image,) = hand.viewer.open(path, plugin=plugin)
    return _described(image)


def _described(image: Any) -> dict[str, Any]:
    total = np.array(image.affine.affine_matrix) @ np.diag([*image.scale, 1.0])
    return {
        "name": image.name,
        "shape": list(image.data.shape),
        "lazy": type(image.data).__name__,
        "contrast": [float(n) for n in image.contrast_limits],
        "maxima": [int(np.asarray(image.data[k]).max()) for k in range(image.data.shape[0])],
        "affine": total.tolist(),
        "notes": list(image.metadata["notes"]),
    }


JOBS = {job.__name__: job for job in (stack, export, own_layers, over, refused)}


def main(plan: dict[str, Any]) -> None:
    hand = Hand(plan["picture"])
    try:
        answer = JOBS[plan["job"]](hand, **plan["keywords"])
    except (ValueError, OSError) as error:  # errors of sidecar are ValueErrors
        answer = {"error": str(error), "type": type(error).__name__}
    Path(plan["answer"]).write_text(json.dumps(answer), encoding="utf-8")
    hand.viewer.close()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
