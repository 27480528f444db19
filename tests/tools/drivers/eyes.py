"""Where bright things are on a picture of the screen, in pixels of it: edges lie between pixels, the
middle of the first pixel is 0.5.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

Place = tuple[float, float]


class Things:
    """The bright things of a picture, from left to right. What touches its border is not of the
    image.

    Programs draw an enlarged image smooth: half as bright as a thing is where its edge lies.
    """

    def __init__(self, picture: str) -> None:
        gray = np.asarray(Image.open(picture).convert("L"))
        rows, columns = gray.shape
        labels, _ = ndimage.label(gray >= 128)
        self._boxes = sorted(
            (x.start, y.start, x.stop, y.stop)
            for y, x in ndimage.find_objects(labels)
            if x.start > 0 and y.start > 0 and x.stop < columns and y.stop < rows
        )

    @property
    def count(self) -> int:
        return len(self._boxes)

    def place(self, name: str) -> Place:
        """Of what a name says, such as "0 middle", "0 left top", "1 right" (the middle of that
        side): the number of the thing, and where on it.
        """
        number, *sides = name.split()
        left, top, right, bottom = self._boxes[int(number)]
        x = {"left": left, "right": right}
        y = {"top": top, "bottom": bottom}
        return (
            next((x[side] for side in sides if side in x), (left + right) / 2),
            next((y[side] for side in sides if side in y), (top + bottom) / 2),
        )
