"""The panel of landmarks: the names to place one after the other, the millimetres under the
pointer, and buttons for files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from napari.utils.notifications import show_error, show_info
from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QLabel, QListWidget, QPushButton, QVBoxLayout, QWidget

from sidecar.errors import SidecarError
from sidecar.plugins.napari.grid import Grid, drawn_on, grid_of
from sidecar.plugins.napari.landmarks import Landmarks, names_in
from sidecar.plugins.napari.mapped import open_mapped
from sidecar.plugins.napari.saving import save_drawn, save_painted

MAPPED = "Mapped (*.csv *.mrk.json *.fcsv *.json *.tps *.txt *.landmarkAscii *.dcm)"
MASKS = "Masks on the scan (*.seg.nrrd *.nii.gz *.dcm)"


class Panel(QWidget):
    """A dock widget of napari."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.landmarks = Landmarks()
        self.layer: Any = None
        self.list = QListWidget()
        self.list.itemClicked.connect(lambda _: self._choose(self.list.currentRow()))
        self.next = QLabel()
        self.place = QLabel()
        self.place.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self._button("Names…", self._ask_names))
        layout.addWidget(self._button("New landmarks layer", self.new_layer))
        for widget in (self.next, self.list, self.place):
            layout.addWidget(widget)
        layout.addWidget(self._button("Save labels.csv…", self._ask_save))
        layout.addWidget(self._button("Map to the scan…", self._ask_map))
        layout.addWidget(self._button("Open mapped…", self._ask_mapped))
        self.viewer.cursor.events.position.connect(self._show_place)
        self._show()

    def add_names(self, path: Path) -> None:
        """Add the names of a text file, one per line, at the end of the list."""
        self.landmarks = self.landmarks.with_names(names_in(path.read_text(encoding="utf-8-sig")))
        if self.layer is None:
            self.new_layer()
        self._show()

    def new_layer(self) -> None:
        """Add a layer of points on the pixels of the export. A click on it places the next name."""
        with _told():
            grid, image = drawn_on(
                self.viewer.layers.selection.active, self.viewer.layers, export=True
            )
            self.layer = self.viewer.add_points(
                np.empty((0, 3)),
                ndim=3,
                name=f"{image.name} landmarks",
                features=pd.DataFrame({"label": np.empty(0, dtype=object)}),
                text="label",
                size=max(1.0, min(grid.shape[1:]) / 100),
                face_color="yellow",
                **grid.keywords,
            )
            self.layer.mode = "add"
            self.layer.events.data.connect(self._placed)
            self._show()

    def save(self, path: Path, *, mapped: bool) -> None:
        """Save the labels on the selected or the landmarks layer, as drawn or mapped."""
        chosen = [layer for layer in self.viewer.layers.selection if _is_drawing(layer)]
        drawn = chosen or [layer for layer in [self.layer] if layer is not None]
        with _told():
            notes = save_drawn(drawn, self.viewer.layers, path, mapped=mapped)
            _say(path, notes)

    def open(self, path: Path) -> None:
        """Open mapped points or a segmentation over the layer of their scan."""
        with _told():
            for data, keywords, kind in open_mapped(path):
                getattr(self.viewer, f"add_{kind}")(data, **keywords)

    def _placed(self, event: Any = None) -> None:
        names = self.layer.features.get("label", [])
        self.landmarks = self.landmarks.with_placed("" if n is None else str(n) for n in names)
        self._show()

    def _choose(self, row: int) -> None:
        self.landmarks = self.landmarks.choose(self.landmarks.rows[row][0])
        self._show()

    def _show(self) -> None:
        """Show the list, and the name for the next click."""
        coming = self.landmarks.next
        self.next.setText(f"Next: {coming or '—'}")
        self.list.clear()
        for name, count in self.landmarks.rows:
            self.list.addItem(f"{'✓' if count else '  '} {name}{f' × {count}' * (count > 1)}")
        if self.layer is not None:
            self.layer.feature_defaults = {"label": coming}

    def _show_place(self, event: Any = None) -> None:
        """Show the place of the pointer in the scan, on the export or scan that is drawn on."""
        grid, image = self._under_pointer()
        if grid is None:
            self.place.setText("")
            return
        place = np.asarray(image.world_to_data(self.viewer.cursor.position))
        self.place.setText(_told_place(grid, place))

    def _under_pointer(self) -> tuple[Grid | None, Any]:
        active = self.viewer.layers.selection.active
        for layer in [active, *self.viewer.layers]:
            if layer is not None and (grid := grid_of(layer)) is not None:
                return grid, layer
        return None, None

    def _button(self, text: str, action: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(lambda _: action())
        return button

    def _ask_names(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Names, one per line", "", "Text (*.txt *.csv)")
        if path:
            self.add_names(Path(path))

    def _ask_save(self) -> None:
        folder = self._folder()
        path, _ = QFileDialog.getSaveFileName(
            self, "Save labels", str(folder / "labels.csv"), "Labels (*.csv)"
        )
        if path:
            self.save(Path(path), mapped=False)

    def _ask_map(self) -> None:
        active = self.viewer.layers.selection.active
        is_painted = type(active).__name__ == "Labels"
        folder = self._folder()
        name = folder / ("mapped.seg.nrrd" if is_painted else "mapped.csv")
        kinds = MASKS if is_painted else MAPPED
        path, _ = QFileDialog.getSaveFileName(self, "Map to the scan", str(name), kinds)
        if path and is_painted:
            with _told():
                _say(Path(path), save_painted(active, self.viewer.layers, Path(path)))
        elif path:
            self.save(Path(path), mapped=True)

    def _ask_mapped(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open mapped", str(self._folder()), "Mapped (*.csv *.mrk.json *.fcsv *.seg.nrrd)"
        )
        if path:
            self.open(Path(path))

    def _folder(self) -> Path:
        grid, _ = self._under_pointer()
        if grid is None or grid.export is None or grid.export.folder is None:
            return Path()
        return Path(str(grid.export.folder))


def _is_drawing(layer: Any) -> bool:
    return type(layer).__name__ in ("Points", "Shapes")


def _told_place(grid: Grid, place: Any) -> str:
    slice_, y, x = (float(number) for number in place)
    pixel = f"x {x:.2f}, y {y:.2f}, slice {slice_:.2f}"
    mm = grid.millimetres(place)
    if mm is None:
        return f"{pixel}\nno millimetres"
    axes = "LPS" if grid.export is None or grid.export.geometry == "patient" else "given"
    return f"{pixel}\n{mm[0]:.3f}, {mm[1]:.3f}, {mm[2]:.3f} mm ({axes})"


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Show errors that the user can correct as errors of napari."""
    try:
        yield
    except SidecarError as error:
        show_error(str(error))


def _say(path: Path, notes: tuple[str, ...]) -> None:
    show_info("; ".join([f"wrote {path.name}", *notes]))
