"""A module for 3D Slicer: loads what lies in a folder of an export in place in the patient.

Add the folder of this file under Edit > Application Settings > Modules > Additional module paths.
What is loaded, and what not and why, is decided by SidecarFolderLib, which needs no Slicer.
"""

import ctk
import qt
import slicer
from SidecarFolderLib import contents
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)


class SidecarFolder(ScriptedLoadableModule):
    """Name and place of the module in the menus."""

    def __init__(self, parent):
        super().__init__(parent)
        parent.title = "Sidecar folder"
        parent.categories = ["Informatics"]
        parent.dependencies = []
        parent.contributors = ["sidecar"]
        parent.helpText = (
            "Loads the companion volume, mapped markups and segmentations of a folder of sidecar"
            " in place in the patient."
        )
        parent.acknowledgementText = ""


class SidecarFolderWidget(ScriptedLoadableModuleWidget):
    """A folder, a button, and what became of its files."""

    def setup(self):
        super().setup()
        form = qt.QFormLayout()
        self.layout.addLayout(form)
        self.folder = ctk.ctkPathLineEdit()
        self.folder.filters = ctk.ctkPathLineEdit.Dirs
        form.addRow("Folder:", self.folder)
        button = qt.QPushButton("Load in place")
        button.connect("clicked(bool)", self.load)
        form.addRow(button)
        self.told = qt.QLabel()
        self.told.wordWrap = True
        form.addRow(self.told)
        self.layout.addStretch(1)

    def load(self, _checked=False):
        try:
            self.told.text = SidecarFolderLogic().load(self.folder.currentPath)
        except (ValueError, RuntimeError, OSError) as error:
            slicer.util.errorDisplay(str(error))


class SidecarFolderLogic(ScriptedLoadableModuleLogic):
    """Loads files with the readers of Slicer."""

    def load(self, folder):
        """Load everything that lies in place; returns what was loaded and what not."""
        found = contents(folder)
        for path in found.volumes:
            slicer.util.loadVolume(str(path))
        for path in found.segmentations:
            slicer.util.loadSegmentation(str(path))
        for path in found.markups:
            slicer.util.loadMarkups(str(path))
        loaded = [path.name for path in (*found.volumes, *found.segmentations, *found.markups)]
        told = [f"Loaded: {', '.join(loaded) or 'nothing'}"]
        told += [f"Not loaded: {name} {problem}" for name, problem in found.left_out.items()]
        return "\n".join(told)
