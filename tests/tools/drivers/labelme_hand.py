"""A hand at labelme: it starts the program as its command does, chooses from its menus, clicks where
bright things are on the screen, types names and saves.

It runs in labelme's environment, and knows nothing of sidecar: `labelme_hand.py PLAN.json`. It says
what it met as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from eyes import Things
from labelme.__main__ import main
from PyQt5 import QtCore, QtWidgets
from PyQt5.QtTest import QTest

#: What the screen needs to show what was done, in milliseconds.
WAIT = 100


class Hand:
    """What a person does at the window."""

    def __init__(self) -> None:
        self.app = QtWidgets.QApplication.instance()
        (self.window,) = (
            w for w in self.app.topLevelWidgets() if isinstance(w, QtWidgets.QMainWindow)
        )
        self.canvas = next(
            w for w in self.window.findChildren(QtWidgets.QWidget) if type(w).__name__ == "Canvas"
        )
        self.window.resize(1600, 1100)
        self.typed = ""
        self.messages: list[str] = []
        self._dialogs = QtCore.QTimer(interval=WAIT)
        self._dialogs.timeout.connect(self._answer)
        self._dialogs.start()
        QTest.qWait(5 * WAIT)

    def choose(self, menu: str, item: str) -> None:
        """An entry of a menu, by the words on it; that of the shape being drawn is gray."""
        _entry(_entry(self.window.menuBar(), menu).menu(), item).trigger()
        QTest.qWait(WAIT)

    def open(self, folder: str) -> None:
        """All images of a folder."""
        self.typed = folder
        self.choose("File", "Open Dir")
        QTest.qWait(5 * WAIT)

    def is_chosen(self, menu: str, item: str) -> bool:
        """Whether an entry has its mark."""
        return bool(_entry(_entry(self.window.menuBar(), menu).menu(), item).isChecked())

    def look(self, picture: str) -> Things:
        """What is on the canvas."""
        self.canvas.grab().save(picture)
        return Things(picture)

    def draw(self, shape: dict[str, Any], things: Things) -> None:
        """One shape: a click on each place, the last one as the shape wants it, and its name."""
        self.choose("Edit", shape["menu"])
        self.typed = shape["label"]
        *places, last = (things.place(name) for name in shape["at"])
        for place in places:
            self._click(place)
        control = QtCore.Qt.ControlModifier if shape.get("ends") == "control" else None
        self._click(last, control or QtCore.Qt.NoModifier)
        if shape.get("ends") == "enter":
            QTest.keyClick(self.canvas, QtCore.Qt.Key_Return)
        QTest.qWait(2 * WAIT)

    def _click(self, place: tuple[float, float], keys: Any = QtCore.Qt.NoModifier) -> None:
        at = QtCore.QPoint(*(round(n) for n in place))
        QTest.mouseMove(self.canvas, at)
        QTest.qWait(WAIT // 2)
        QTest.mouseClick(self.canvas, QtCore.Qt.LeftButton, keys, at)
        QTest.qWait(WAIT // 2)

    def _answer(self) -> None:
        """Dialogs: names are typed, files are saved as they are offered, messages are noted."""
        dialog = self.app.activeModalWidget()
        if isinstance(dialog, QtWidgets.QMessageBox):
            self.messages.append(dialog.text())
            dialog.accept()
        elif isinstance(dialog, QtWidgets.QFileDialog):
            buttons = dialog.findChild(QtWidgets.QDialogButtonBox)
            kind = QtWidgets.QDialogButtonBox.Save
            if dialog.acceptMode() == QtWidgets.QFileDialog.AcceptOpen:
                dialog.findChild(QtWidgets.QLineEdit).setText(self.typed)
                kind = QtWidgets.QDialogButtonBox.Open
            buttons.button(kind).click()
        elif dialog is not None:
            edit = dialog.findChild(QtWidgets.QLineEdit)
            edit.selectAll()
            QTest.keyClicks(edit, self.typed)
            QTest.keyClick(edit, QtCore.Qt.Key_Return)


def _entry(menu: Any, words: str) -> Any:
    texts = {action.text().replace("&", "").strip(): action for action in menu.actions()}
    return texts[words]


def work(plan: dict[str, Any]) -> dict[str, Any]:
    """Every image of the plan, from the first on."""
    hand = Hand()
    hand.open(plan["folder"])
    seen = []
    for number, shapes in enumerate(plan["images"]):
        if number:
            hand.choose("File", "Next Image")
            QTest.qWait(3 * WAIT)
        things = hand.look(plan["picture"])
        seen.append(things.count)
        for shape in shapes:
            hand.draw(shape, things)
        if shapes and not hand.is_chosen("File", "Save Automatically"):
            hand.choose("File", "Save")
    return {"things": seen, "messages": hand.messages}


def run(plan: dict[str, Any]) -> None:
    """Start labelme, and work where it would wait for somebody."""

    def exec_(*_: object) -> int:
        print(json.dumps(work(plan)), file=sys.__stdout__)
        return 0

    QtWidgets.QApplication.exec_ = exec_
    sys.argv = ["labelme"]
    main()


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
